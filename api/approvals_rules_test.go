package api

import (
	"testing"

	"lethe/models"
)

// TestI21_ARuleSupersededBetweenRequestAndDecision: the new version says the same period, so that nothing
// the approver was shown differs; what it rests on does, and the request was judged by the former one.
func TestI21_ARuleSupersededBetweenRequestAndDecision(t *testing.T) {
	f := newFixture(t)
	moved, sooner := f.resign(f.hire("E1", f.a)), f.resign(f.hire("E2", f.a))
	dates := func(d DepartureView) string {
		got := f.ask(models.RoleHRAdmin, "PUT", addressOf(models.RefDeparture, d.ID)+"/dates", `{"last_working_day": "`+f.day(10)+`"}`)
		if got.status != 202 {
			t.Fatalf("asking for earlier dates: %d %s", got.status, got.body)
		}
		return got.header.Get("Location")
	}
	second := f.session(models.RoleReviewer)
	if got := second.ask("POST", dates(sooner)+"/decision", `{"decision": "approved"}`); got.status != 200 {
		t.Errorf("under the same rules: %d %s", got.status, got.body)
	}
	address := dates(moved)
	f.exec(`WITH old AS (UPDATE retention_rules SET superseded_at = lethe_now() WHERE category = 'contract' AND superseded_at IS NULL
			AND jurisdiction = (SELECT m.jurisdiction FROM employments m JOIN departures d ON d.employment_id = m.id WHERE d.id = ?) RETURNING *)
		INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, review_required, basis_zh, basis_en)
		SELECT gen_random_uuid(), jurisdiction, category, version + 1, period, floor, anchor, review_required, basis_zh, basis_en FROM old`, moved.ID)
	if got := second.ask("POST", address+"/decision", `{"decision": "approved"}`); got.status != 409 || got.problem.Code != codeApprovalVoid {
		t.Errorf("under another rule: %d %s", got.status, got.body)
	}
	var view ApprovalView
	f.ask(models.RoleHRAdmin, "GET", address, "").into(t, &view)
	if view.State != models.ApprovalVoid || view.VoidReason != models.VoidChanged {
		t.Errorf("%s, %s", view.State, view.VoidReason)
	}
}
