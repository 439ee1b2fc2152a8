package api_test

import (
	"net/http"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// lostCommand is an annulment that waits, whose command's key was lost with the keys database and given up.
func lostCommand(f *apitest.Fixture, no string) (d departures.DepartureView, request approvals.ApprovalView) {
	f.T.Helper()
	d = f.Resign(f.Hire(no, f.A))
	f.Ask(httpkit.HR, "POST", "/api/v1/departures/"+d.ID.String()+"/annulment", `{"reason":"a mistake"}`).Into(f.T, &request)
	err := databasetest.Exec(f.T, f.Env.Keys, "ALTER TABLE loose_keys DISABLE TRIGGER USER; DELETE FROM loose_keys WHERE place = 'approvals.command_sealed/"+
		request.ID.String()+"'; ALTER TABLE loose_keys ENABLE TRIGGER USER")
	if err != nil {
		f.T.Fatal(err)
	}
	return d, request
}

// acceptLost gives up what lost its key, as lethe restore accept does.
func acceptLost(f *apitest.Fixture) {
	f.T.Helper()
	lost, err := vault.FindLost(f.T.Context(), f.Env.Facts, f.Env.Keys)
	if err != nil {
		f.T.Fatal(err)
	}
	f.Run(func(tx *database.Tx) error {
		_, err := vault.AcceptLost(tx, lost, ledger.Entry{Reason: "restored"})
		return err
	})
}

// TestI21_ALostCommandFailsNoOther: a request whose command nobody can open any more is shown without its
// changes beside the others, ends by every way, and leaves nothing at its target.
func TestI21_ALostCommandFailsNoOther(t *testing.T) {
	f := apitest.New(t)
	var other approvals.ApprovalView
	f.Ask(httpkit.HR, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-9"}`).Into(t, &other)
	decide := func(decision string) func(approvals.ApprovalView) (int, models.ApprovalState) {
		return func(a approvals.ApprovalView) (int, models.ApprovalState) {
			v := f.FreshSession(f.People[models.RoleReviewer], models.RoleReviewer)
			status := v.Ask("POST", httpkit.AddressOf(models.RefApproval, a.ID)+"/decision", `{"decision":"`+decision+`"}`).Status
			v.Ask("GET", httpkit.AddressOf(models.RefApproval, a.ID), "").Into(t, &a)
			return status, a.State
		}
	}
	ways := []struct {
		no     string
		end    func(approvals.ApprovalView) (int, models.ApprovalState)
		status int
		state  models.ApprovalState
	}{
		{"E1", decide("rejected"), http.StatusOK, models.ApprovalRejected},
		{"E2", decide("approved"), http.StatusConflict, models.ApprovalVoid},
		{"E3", func(a approvals.ApprovalView) (int, models.ApprovalState) {
			status := f.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefApproval, a.ID)+"/withdrawal", "").Status
			f.Ask(httpkit.HR, "GET", httpkit.AddressOf(models.RefApproval, a.ID), "").Into(t, &a)
			return status, a.State
		}, http.StatusOK, models.ApprovalWithdrawn},
		{"E4", func(a approvals.ApprovalView) (int, models.ApprovalState) {
			acceptLost(f)
			if n, err := f.Approvals.Sweep(t.Context(), f.API.DB); n != 1 || err != nil {
				t.Errorf("swept: %d, %v", n, err)
			}
			f.Ask(httpkit.HR, "GET", httpkit.AddressOf(models.RefApproval, a.ID), "").Into(t, &a)
			return http.StatusOK, a.State
		}, http.StatusOK, models.ApprovalVoid},
		{"E5", func(a approvals.ApprovalView) (int, models.ApprovalState) {
			f.Env.Advance(t, 80*time.Hour)
			if _, err := f.Approvals.Sweep(t.Context(), f.API.DB); err != nil {
				t.Errorf("swept: %v", err)
			}
			f.Ask(httpkit.HR, "GET", httpkit.AddressOf(models.RefApproval, a.ID), "").Into(t, &a)
			return http.StatusOK, a.State
		}, http.StatusOK, models.ApprovalExpired},
	}
	for _, way := range ways {
		d, request := lostCommand(f, way.no)
		for _, role := range []models.Role{models.RoleReviewer, httpkit.HR, models.RoleAuditor} {
			var page httpkit.Page[approvals.ApprovalView]
			if r := f.Ask(role, "GET", "/api/v1/approvals?state=pending", ""); r.Status != http.StatusOK {
				t.Fatalf("%s lists: %d %s", role, r.Status, r.Body)
			} else {
				r.Into(t, &page)
			}
			if way.no != "E5" && len(page.Items) != 2 || role != models.RoleAuditor && way.no != "E5" && len(page.Items[1].Changes) == 0 {
				t.Errorf("%s sees %+v", role, page.Items)
			}
			var one approvals.ApprovalView
			if f.Ask(role, "GET", httpkit.AddressOf(models.RefApproval, request.ID), "").Into(t, &one); one.State != models.ApprovalPending || len(one.Changes) != 0 {
				t.Errorf("%s reads %s with %v", role, one.State, one.Changes)
			}
		}
		if status, state := way.end(request); status != way.status || state != way.state {
			t.Errorf("%s: %d, %s; want %d, %s", way.no, status, state, way.status, way.state)
		}
		r := f.Ask(httpkit.HR, "POST", "/api/v1/departures/"+d.ID.String()+"/annulment", `{"reason":"a mistake again"}`)
		if r.Status != http.StatusAccepted {
			t.Errorf("%s: asking again: %d %s", way.no, r.Status, r.Body)
			continue
		}
		r.Into(t, &request)
		f.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefApproval, request.ID)+"/withdrawal", "")
	}
}
