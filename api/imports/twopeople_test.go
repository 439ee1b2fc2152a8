package imports_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"lethe/api"
	"lethe/api/apitest"
	"lethe/api/purges"
	"lethe/internal/approval"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI6_WhoObjectsMeanwhileIsNotDecidedAbout: a decision about a list that two people make is void once somebody of it has
// to be left out; asked for anew it is about the others.
func TestI6_WhoObjectsMeanwhileIsNotDecidedAbout(t *testing.T) {
	f := apitest.New(t)
	people := identity.New(f.App, f.Vault, identity.Options{Insecure: true, Argon: identity.Argon{Memory: 64, Passes: 1, Lanes: 1}})
	var err error
	if f.Approvals, err = operations.New(operations.Deps{Vault: f.Vault, Identity: people, Systems: f.Systems}, approval.Options{Required: []string{operations.DecidePurge}}); err != nil {
		t.Fatal(err)
	}
	f.API = api.Assemble(api.Deps{
		Mail: true, Ledger: f.Env.LedgerStorage, Exports: f.Exports, ExportLimit: 20, DB: f.App, Vault: f.Vault, Identity: people, Approvals: f.Approvals, Systems: f.Systems,
		TemporalUIURL: "http://temporal.example/", TemporalNamespace: "lethe", Dev: true, Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	f.HTTP = httptest.NewServer(f.API.Router)
	t.Cleanup(f.HTTP.Close)
	v := agree(t, f, f.Upload(whoLeft(f, 4000, 4000, 4000)).ID)
	for i := range 3 {
		dep := departureOf(t, f, fmt.Sprintf("L-%d", i+1))
		f.Run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
	}
	at := address(v.ID)
	ask := func() (decision string) {
		t.Helper()
		var l purges.DueOfFile
		f.Ask(models.RoleReviewer, "GET", at+"/purges", "").Into(t, &l)
		got := f.Session(models.RoleReviewer).Ask("POST", at+"/purge-decision", fmt.Sprintf(`{"decision": "approved", "list": %q, "approval_reason": "due"}`, l.List))
		if got.Status != 202 {
			t.Fatalf("asked: %d %s", got.Status, got.Body)
		}
		return got.Header.Get("Location") + "/decision"
	}
	other := f.FreshSession(f.Hire("R2", f.B), models.RoleReviewer)
	decide := func(what, decision string, status int, approved int64) {
		t.Helper()
		got := other.Ask("POST", decision, `{"decision": "approved"}`)
		if got.Status != status || status != 200 && got.Problem.Code != "approval_void" {
			t.Errorf("%s: %d %s, want %d", what, got.Status, got.Body, status)
		}
		if n := f.Count("purges WHERE decision = 'approved'"); n != approved {
			t.Errorf("%s: %d are approved, want %d", what, n, approved)
		}
	}
	first := ask()
	f.AskedToErase(departureOf(t, f, "L-2").EmployeeID)
	decide("one asks for an erasure", first, 409, 0)
	second := ask()
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "categories": ["contract"], "matter": "M-1"}`, departureOf(t, f, "L-3").EmployeeID)); got.Status != 201 {
		t.Fatalf("a hold: %d %s", got.Status, got.Body)
	}
	decide("one is held", second, 409, 0)
	decide("the rest", ask(), 200, 1)
}
