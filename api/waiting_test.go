package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"lethe/models"
)

// TestCutoffThatNobodyCarriesOutIsShown: without a worker nothing moves at the cutoff, and that is
// what the departure says from then on.
func TestCutoffThatNobodyCarriesOutIsShown(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	if len(d.Waiting) != 0 {
		t.Errorf("before the cutoff waits %+v", d.Waiting)
	}
	f.env.Advance(t, time.Until(d.EmploymentEndedAt)+time.Minute)
	var view DepartureView
	f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, d.ID), "", "Accept-Language", "zh").into(t, &view)
	if len(view.Waiting) != 1 {
		t.Fatalf("waits: %+v", view.Waiting)
	}
	if w := view.Waiting[0]; w.What != waitsForOrchestration || w.Role != models.RoleITOps || !w.Since.Equal(d.EmploymentEndedAt) || w.WhatText != "到期事项未被执行" {
		t.Errorf("waits: %+v", w)
	}
	var page Page[DepartureView]
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "").into(t, &page)
	if len(page.Items) != 1 || len(page.Items[0].Waiting) != 1 {
		t.Errorf("the list shows %+v", page.Items)
	}
}

// TestAnAnnulmentThatNobodyCanConfirmIsNotOffered: once the person has come back, what was asked before
// waits for nobody.
func TestAnAnnulmentThatNobodyCanConfirmIsNotOffered(t *testing.T) {
	f := newFixture(t)
	var waits []int
	person := f.hire("E1", f.a)
	dep := f.leftLongAgo(person, -20, false)
	if got := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefDeparture, dep.ID)+"/annulment", `{"reason": "wrong person"}`); got.status != http.StatusAccepted {
		t.Fatalf("%d %s", got.status, got.body)
	}
	look := func() {
		t.Helper()
		var view DepartureView
		f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, dep.ID), "").into(t, &view)
		n := 0
		for _, w := range view.Waiting {
			if w.What == waitsForAnnulment {
				n++
			}
		}
		waits = append(waits, n)
	}
	look()
	f.exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", person)
	f.hire("E1", f.b)
	look()
	if !slices.Equal(waits, []int{1, 0}) {
		t.Errorf("annulments that wait before and after the return: %v", waits)
	}
}
