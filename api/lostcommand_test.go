package api

import (
	"net/http"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// lostCommand is an annulment that waits, whose command's key was lost with the keys database and given up.
func (f *fixture) lostCommand(no string) (d DepartureView, request ApprovalView) {
	f.t.Helper()
	d = f.resign(f.hire(no, f.a))
	f.ask(hr, "POST", "/api/v1/departures/"+d.ID.String()+"/annulment", `{"reason":"a mistake"}`).into(f.t, &request)
	err := databasetest.Exec(f.t, f.env.Keys, "ALTER TABLE loose_keys DISABLE TRIGGER USER; DELETE FROM loose_keys WHERE place = 'approvals.command_sealed/"+
		request.ID.String()+"'; ALTER TABLE loose_keys ENABLE TRIGGER USER")
	if err != nil {
		f.t.Fatal(err)
	}
	return d, request
}

// acceptLost gives up what lost its key, as lethe restore accept does.
func (f *fixture) acceptLost() {
	f.t.Helper()
	lost, err := vault.FindLost(f.t.Context(), f.env.Facts, f.env.Keys)
	if err != nil {
		f.t.Fatal(err)
	}
	f.run(func(tx *database.Tx) error {
		_, err := vault.AcceptLost(tx, lost, ledger.Entry{Reason: "restored"})
		return err
	})
}

// TestI21_ALostCommandFailsNoOther: a request whose command nobody can open any more is shown without its
// changes beside the others, ends by every way, and leaves nothing at its target.
func TestI21_ALostCommandFailsNoOther(t *testing.T) {
	f := newFixture(t)
	var other ApprovalView
	f.ask(hr, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-9"}`).into(t, &other)
	decide := func(decision string) func(ApprovalView) (int, models.ApprovalState) {
		return func(a ApprovalView) (int, models.ApprovalState) {
			v := f.freshSession(f.people[models.RoleReviewer], models.RoleReviewer)
			status := v.ask("POST", addressOf(models.RefApproval, a.ID)+"/decision", `{"decision":"`+decision+`"}`).status
			v.ask("GET", addressOf(models.RefApproval, a.ID), "").into(t, &a)
			return status, a.State
		}
	}
	ways := []struct {
		no     string
		end    func(ApprovalView) (int, models.ApprovalState)
		status int
		state  models.ApprovalState
	}{
		{"E1", decide("rejected"), http.StatusOK, models.ApprovalRejected},
		{"E2", decide("approved"), http.StatusConflict, models.ApprovalVoid},
		{"E3", func(a ApprovalView) (int, models.ApprovalState) {
			status := f.ask(hr, "POST", addressOf(models.RefApproval, a.ID)+"/withdrawal", "").status
			f.ask(hr, "GET", addressOf(models.RefApproval, a.ID), "").into(t, &a)
			return status, a.State
		}, http.StatusOK, models.ApprovalWithdrawn},
		{"E4", func(a ApprovalView) (int, models.ApprovalState) {
			f.acceptLost()
			if n, err := f.server.Approvals.Sweep(t.Context(), f.server.DB); n != 1 || err != nil {
				t.Errorf("swept: %d, %v", n, err)
			}
			f.ask(hr, "GET", addressOf(models.RefApproval, a.ID), "").into(t, &a)
			return http.StatusOK, a.State
		}, http.StatusOK, models.ApprovalVoid},
		{"E5", func(a ApprovalView) (int, models.ApprovalState) {
			f.env.Advance(t, 80*time.Hour)
			if _, err := f.server.Approvals.Sweep(t.Context(), f.server.DB); err != nil {
				t.Errorf("swept: %v", err)
			}
			f.ask(hr, "GET", addressOf(models.RefApproval, a.ID), "").into(t, &a)
			return http.StatusOK, a.State
		}, http.StatusOK, models.ApprovalExpired},
	}
	for _, way := range ways {
		d, request := f.lostCommand(way.no)
		for _, role := range []models.Role{models.RoleReviewer, hr, models.RoleAuditor} {
			var page Page[ApprovalView]
			if r := f.ask(role, "GET", "/api/v1/approvals?state=pending", ""); r.status != http.StatusOK {
				t.Fatalf("%s lists: %d %s", role, r.status, r.body)
			} else {
				r.into(t, &page)
			}
			if way.no != "E5" && len(page.Items) != 2 || role != models.RoleAuditor && way.no != "E5" && len(page.Items[1].Changes) == 0 {
				t.Errorf("%s sees %+v", role, page.Items)
			}
			var one ApprovalView
			if f.ask(role, "GET", addressOf(models.RefApproval, request.ID), "").into(t, &one); one.State != models.ApprovalPending || len(one.Changes) != 0 {
				t.Errorf("%s reads %s with %v", role, one.State, one.Changes)
			}
		}
		if status, state := way.end(request); status != way.status || state != way.state {
			t.Errorf("%s: %d, %s; want %d, %s", way.no, status, state, way.status, way.state)
		}
		r := f.ask(hr, "POST", "/api/v1/departures/"+d.ID.String()+"/annulment", `{"reason":"a mistake again"}`)
		if r.status != http.StatusAccepted {
			t.Errorf("%s: asking again: %d %s", way.no, r.status, r.body)
			continue
		}
		r.into(t, &request)
		f.ask(hr, "POST", addressOf(models.RefApproval, request.ID)+"/withdrawal", "")
	}
}
