package accounts_test

import (
	"net/http"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/models"
)

// TestI29_UnlinkingAHeadByTwoAsksEverySystem: as one person's unlinking and the cutoff do, also those where
// nobody registered an account; for a head of one of two headed departments with an account, and for one
// without any.
func TestI29_UnlinkingAHeadByTwoAsksEverySystem(t *testing.T) {
	f := apitest.New(t)
	with, without := f.Hire("H1", f.A), f.Hire("H2", f.B)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", with, f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", without, f.B)
	f.Exec("DELETE FROM linked_accounts WHERE employment_id = ?", f.Employment(without))
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"an account in one": {`{"employee_id": "` + with.String() + `"}`, "{finance,mail}"},
		"no account":        {`{"employee_id": "` + without.String() + `", "systems": ["finance"]}`, "{finance}"},
	} {
		waits := f.Session(models.RoleITOps).Ask("POST", "/api/v1/account-unlinkings", c.body)
		if waits.Status != http.StatusAccepted || waits.Header.Get("Location") == "" {
			t.Fatalf("%s: %d %s", name, waits.Status, waits.Body)
		}
		if got := f.Session(models.RoleReviewer).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, got.Status, got.Body)
		}
		var asked string
		err := f.Env.Facts.Read(t.Context()).Raw("SELECT asked::text FROM account_operations ORDER BY id DESC LIMIT 1").Scan(&asked).Error
		if err != nil || asked != c.want {
			t.Errorf("%s: %s are asked, want %s: %v", name, asked, c.want, err)
		}
	}
}

// TestARequestForAccountsThatADepartureTookIsGone: all or nothing would give back what the departure took meanwhile, so
// nobody can agree to it any more, and whoever tries is told so.
func TestARequestForAccountsThatADepartureTookIsGone(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("H1", f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	var d departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(head, 2)).Into(t, &d)
	f.Env.Advance(t, 24*time.Hour)
	asked := f.Session(models.RoleITOps).Ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+head.String()+`", "all_or_nothing": true}`)
	if asked.Status != http.StatusAccepted {
		t.Fatalf("%d %s", asked.Status, asked.Body)
	}
	f.Env.Advance(t, 49*time.Hour)
	f.Run(func(tx *database.Tx) error { return departure.CutAccess(tx, d.ID, f.Systems) })
	before := f.Count("account_operations")
	request := asked.Header.Get("Location")
	got := f.Session(models.RoleReviewer).Ask("POST", request+"/decision", `{"decision": "approved"}`)
	var view approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", request, "").Into(t, &view)
	if got.Status != http.StatusConflict || view.State != models.ApprovalVoid || view.VoidReason != models.VoidGone || f.Count("account_operations") != before {
		t.Errorf("agreed to: %d %s; the request is %s: %q", got.Status, got.Body, view.State, view.VoidReason)
	}
}

// TestARequestForAccountsOfALeaverEndsByItself once the departure has taken effect, of a person with accounts.
func TestARequestForAccountsOfALeaverEndsByItself(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("H1", f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	var d departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(head, 2)).Into(t, &d)
	f.Env.Advance(t, 24*time.Hour)
	asked := f.Session(models.RoleITOps).Ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+head.String()+`", "all_or_nothing": true}`)
	f.Env.Advance(t, 49*time.Hour)
	for _, want := range []models.ApprovalState{models.ApprovalPending, models.ApprovalVoid} {
		if _, err := f.Approvals.Sweep(t.Context(), f.API.DB); err != nil {
			t.Fatal(err)
		}
		var view approvals.ApprovalView
		f.Ask(models.RoleReviewer, "GET", asked.Header.Get("Location"), "").Into(t, &view)
		if view.State != want || want == models.ApprovalVoid && view.VoidReason != models.VoidChanged {
			t.Errorf("%d %s; it is %s (%s), want %s", asked.Status, asked.Body, view.State, view.VoidReason, want)
		}
		f.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, d.ID, f.Systems); return err })
	}
}
