package httpkit_test

import (
	"net/http"
	"testing"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/models"
)

func TestAStreamTooManyIsRefused(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	for range httpkit.StreamsPerCredential {
		f.Next(f.Follow(models.RoleAuditor, httpkit.AddressOf(models.RefDeparture, d.ID), ""))
	}
	got := f.Ask(models.RoleAuditor, "GET", httpkit.AddressOf(models.RefDeparture, d.ID)+"/events", "")
	if got.Status != http.StatusTooManyRequests || got.Problem.Code != "too_many_streams" {
		t.Errorf("one more: %d %s", got.Status, got.Problem.Code)
	}
	f.Next(f.Follow(models.RoleHRAdmin, httpkit.AddressOf(models.RefDeparture, d.ID), "")) // somebody else's is let in
}
