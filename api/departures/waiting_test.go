package departures_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestCutoffThatNobodyCarriesOutIsShown: without a worker nothing moves at the cutoff, and that is
// what the departure says from then on.
func TestCutoffThatNobodyCarriesOutIsShown(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	if len(d.Waiting) != 0 {
		t.Errorf("before the cutoff waits %+v", d.Waiting)
	}
	f.Env.Advance(t, time.Until(d.EmploymentEndedAt)+time.Minute)
	var view departures.DepartureView
	f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "", "Accept-Language", "zh").Into(t, &view)
	if len(view.Waiting) != 1 {
		t.Fatalf("waits: %+v", view.Waiting)
	}
	if w := view.Waiting[0]; w.What != departures.WaitsForOrchestration || w.Role != models.RoleITOps || !w.Since.Equal(d.EmploymentEndedAt) || w.WhatText != "到期事项未被执行" {
		t.Errorf("waits: %+v", w)
	}
	var page httpkit.Page[departures.DepartureView]
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "").Into(t, &page)
	if len(page.Items) != 1 || len(page.Items[0].Waiting) != 1 {
		t.Errorf("the list shows %+v", page.Items)
	}
}

// TestWhatWaitsNamesTheSystemInWords: as the accounts of the same view do.
func TestWhatWaitsNamesTheSystemInWords(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	d := f.Resign(person)
	f.Exec("UPDATE support_cases SET departure_id = ? WHERE id = ?", d.ID, f.StuckCase(person))
	var view departures.DepartureView
	f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "", "Accept-Language", "zh").Into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].System != "mail" || view.Waiting[0].SystemText != "邮箱" {
		t.Errorf("waits: %+v", view.Waiting)
	}
}

// TestAnAnnulmentThatNobodyCanConfirmIsNotOffered: once the person has come back, what was asked before
// waits for nobody.
func TestAnAnnulmentThatNobodyCanConfirmIsNotOffered(t *testing.T) {
	f := apitest.New(t)
	var waits []int
	person := f.Hire("E1", f.A)
	dep := f.LeftLongAgo(person, -20, false)
	if got := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, dep.ID)+"/annulment", `{"reason": "wrong person"}`); got.Status != http.StatusAccepted {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	look := func() {
		t.Helper()
		var view departures.DepartureView
		f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, dep.ID), "").Into(t, &view)
		n := 0
		for _, w := range view.Waiting {
			if w.What == departures.WaitsForAnnulment {
				n++
			}
		}
		waits = append(waits, n)
	}
	look()
	f.Exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", person)
	f.Hire("E1", f.B)
	look()
	if !slices.Equal(waits, []int{1, 0}) {
		t.Errorf("annulments that wait before and after the return: %v", waits)
	}
}
