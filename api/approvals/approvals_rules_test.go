package approvals_test

import (
	"testing"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestI21_ARuleSupersededBetweenRequestAndDecision: the new version says the same period, so that nothing
// the approver was shown differs; what it rests on does, and the request was judged by the former one.
func TestI21_ARuleSupersededBetweenRequestAndDecision(t *testing.T) {
	f := apitest.New(t)
	moved, sooner := f.Resign(f.Hire("E1", f.A)), f.Resign(f.Hire("E2", f.A))
	dates := func(d departures.DepartureView) string {
		got := f.Ask(models.RoleHRAdmin, "PUT", httpkit.AddressOf(models.RefDeparture, d.ID)+"/dates", `{"last_working_day": "`+f.Day(10)+`"}`)
		if got.Status != 202 {
			t.Fatalf("asking for earlier dates: %d %s", got.Status, got.Body)
		}
		return got.Header.Get("Location")
	}
	second := f.Session(models.RoleReviewer)
	if got := second.Ask("POST", dates(sooner)+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Errorf("under the same rules: %d %s", got.Status, got.Body)
	}
	address := dates(moved)
	f.Exec(`WITH old AS (UPDATE retention_rules SET superseded_at = lethe_now() WHERE category = 'contract' AND superseded_at IS NULL
			AND jurisdiction = (SELECT m.jurisdiction FROM employments m JOIN departures d ON d.employment_id = m.id WHERE d.id = ?) RETURNING *)
		INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, review_required, basis_zh, basis_en)
		SELECT gen_random_uuid(), jurisdiction, category, version + 1, period, floor, anchor, review_required, basis_zh, basis_en FROM old`, moved.ID)
	if got := second.Ask("POST", address+"/decision", `{"decision": "approved"}`); got.Status != 409 || got.Problem.Code != "approval_void" {
		t.Errorf("under another rule: %d %s", got.Status, got.Body)
	}
	var view approvals.ApprovalView
	f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &view)
	if view.State != models.ApprovalVoid || view.VoidReason != models.VoidChanged {
		t.Errorf("%s, %s", view.State, view.VoidReason)
	}
}
