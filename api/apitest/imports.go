package apitest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/api/imports"
	"lethe/internal/departure"
	domain "lethe/internal/imports"
	"lethe/models"
)

// Upload sends a file of people as the HR administrator and has it checked.
func (f *Fixture) Upload(file string) imports.ImportView {
	f.T.Helper()
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employee-imports", file, "Content-Type", "text/csv")
	var v imports.ImportView
	got.Into(f.T, &v)
	return f.Walk(v.ID)
}

// SendDepartures sends a file of departures as the HR administrator and has it checked.
func (f *Fixture) SendDepartures(file string) imports.DepartureBatchView {
	f.T.Helper()
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departure-batches", file, "Content-Type", "text/csv")
	var v imports.DepartureBatchView
	got.Into(f.T, &v)
	return f.WalkDepartures(v.ID)
}

// WalkDepartures does for a batch of departures what its workflow would do now.
func (f *Fixture) WalkDepartures(id uuid.UUID) (v imports.DepartureBatchView) {
	f.T.Helper()
	f.walk(id)
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departure-batches/"+id.String(), "").Into(f.T, &v)
	return v
}

func (f *Fixture) walk(id uuid.UUID) {
	f.T.Helper()
	w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{LookUps: 10}}
	if _, err := w.Walk(context.Background(), id, time.Now().Add(time.Minute)); err != nil {
		f.T.Fatal(err)
	}
}

// Walk does for an import what its workflow would do now.
func (f *Fixture) Walk(id uuid.UUID) (v imports.ImportView) {
	f.T.Helper()
	f.walk(id)
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/employee-imports/"+id.String(), "").Into(f.T, &v)
	return v
}
