package api

import (
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
	f.ask(models.RoleHRAdmin, "GET", departureAddress(d.ID), "", "Accept-Language", "zh").into(t, &view)
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

func TestAnnulmentCanBeConfirmedUntilDataIsDestroyed(t *testing.T) {
	open := []models.Stage{models.StagePendingDeparture, models.StageDeparted}
	for _, stage := range []models.Stage{
		models.StagePendingDeparture, models.StageDeparted, models.StagePurging, models.StagePurged, models.StageWithdrawn, models.StageAnnulled,
	} {
		if want := slices.Contains(open, stage); annullable(stage) != want {
			t.Errorf("%s: annullable is %v", stage, !want)
		}
	}
}
