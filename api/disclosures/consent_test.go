package disclosures_test

import (
	"strings"
	"testing"

	"lethe/api/approvals"
	"lethe/api/disclosures"
	"lethe/models"
)

// TestALookFollowsTheConsentThatItRestsOn: without one HR shows a paper; a recorded one suffices; a no refuses at once,
// before a reviewer decides, before it is opened, and while it could be shown again.
func TestALookFollowsTheConsentThatItRestsOn(t *testing.T) {
	w := newWorld(t)
	own := w.PlainSession(w.person, models.RoleEmployee)
	reviewer := w.FreshSession(w.People[models.RoleReviewer], models.RoleReviewer)
	agrees := func(yes string) {
		t.Helper()
		if got := own.Ask("POST", "/api/v1/consents", `{"policy_version": 1, "answers": [{"purpose": "reference_check", "agreed": `+yes+`}]}`); got.Status != 200 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	check := body{"fields": []string{"contract_start"}, "purpose": "reference_check", "reason": "新用人单位来函核实任职起止日期", "evidence": map[string]any{"asker": "某某公司人事部"}}
	paper := check.with("evidence", map[string]any{"asker": "某某公司人事部", "consent_on": w.Day(-3), "consent_form": "written"}, "reason", "新用人单位来函核实任职起止日期，附本人授权书")
	nothingShown(t, "without consent and without a paper", w.hr.Ask("POST", w.path(w.person), check.String()), 422, "validation_failed")
	agrees("true")
	look := func() (address, opening string) {
		t.Helper()
		var asked approvals.ApprovalView
		got := w.hr.Ask("POST", w.path(w.person), check.String())
		if got.Into(t, &asked); got.Status != 202 {
			t.Fatalf("with a recorded consent: %d %s", got.Status, got.Body)
		}
		var request approvals.ApprovalView
		reviewer.Ask("GET", "/api/v1/approvals/"+asked.ID.String(), "", "Accept-Language", "zh").Into(t, &request)
		told := ""
		for _, c := range request.Changes {
			told += c.Label + c.After + "；"
		}
		if !strings.Contains(told, "本人意愿已同意") {
			t.Errorf("the reviewer is told %s", told)
		}
		return "/api/v1/approvals/" + asked.ID.String() + "/decision", "/api/v1/disclosures/" + asked.Targets[0].ID.String() + "/opening"
	}
	decision, opening := look()
	if got := reviewer.Ask("POST", decision, `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	agrees("false")
	nothingShown(t, "withdrawn before it was opened", w.hr.Ask("POST", opening, ""), 409, "disclosure_lapsed")
	for what, b := range map[string]body{"after a withdrawal": check, "with an older paper": paper} {
		got := w.hr.Ask("POST", w.path(w.person), b.String(), "Accept-Language", "zh")
		nothingShown(t, what, got, 403, "disclosure_refused")
		if got.Problem.Rule != "no_consent" || len(got.Problem.Alternatives) == 0 || got.Problem.RuleText != "本人不同意或已撤回同意" {
			t.Errorf("%s: %s", what, got.Body)
		}
	}
	if got := w.hr.Ask("POST", w.path(w.person), w.emergency(collapsed)); got.Status != 200 {
		t.Errorf("who declines is not helped: %d %s", got.Status, got.Body)
	}
	agrees("true")
	decision, opening = look()
	reviewer.Ask("POST", decision, `{"decision": "approved"}`)
	var shown disclosures.LookAnswer
	if w.hr.Ask("POST", opening, "").Into(t, &shown); shown.State != models.LookShown {
		t.Fatalf("opened: %+v", shown)
	}
	agrees("false")
	nothingShown(t, "withdrawn after it was shown", w.hr.Ask("POST", opening, ""), 409, "disclosure_not_open")

	// Of somebody who was never asked a paper is judged by a reviewer, as before.
	other := w.Hire("E2", w.A)
	w.fill(other)
	if got := w.hr.Ask("POST", w.path(other), paper.String()); got.Status != 202 {
		t.Errorf("with a paper alone: %d %s", got.Status, got.Body)
	}
}
