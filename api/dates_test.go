package api

import (
	"strings"
	"testing"

	"lethe/models"
)

// TestI6_PastDaysAreToldConfirmedAndLimited follows one call: refused with how far back the days lie, in the
// caller's language; committed with the request beside it; shown to who decides with what it would do.
func TestI6_PastDaysAreToldConfirmedAndLimited(t *testing.T) {
	f := newFixture(t)
	near, far := f.hire("E1", f.a), f.hire("E2", f.b)
	order := func(id, day, more string) string {
		return `{"employee_id": "` + id + `", "kind": "resignation", "last_working_day": "` + day + `"` + more + `}`
	}
	for language, want := range map[string]string{"zh": "早 31 天", "en": "lies 31 days before"} {
		got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", order(near.String(), f.day(-31), ""), "Accept-Language", language)
		if got.status != 422 || got.problem.Code != codeLastDayInPast || got.problem.DaysBack != 31 || !strings.Contains(got.problem.Detail, want) {
			t.Errorf("%s: %d %s", language, got.status, got.body)
		}
	}
	var alone, beside DepartureView
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", order(near.String(), f.day(-30), `, "confirm_past": true`))
	got.into(t, &alone)
	if got.status != 202 || alone.LastWorkingDay.String() != f.day(-30) || !alone.CountsFrom.After(alone.EmploymentEndedAt) || len(alone.Waiting) != 0 {
		t.Errorf("30 days back: %d %s", got.status, got.body)
	}
	stale := f.plainSession(f.people[models.RoleHRAdmin], models.RoleHRAdmin)
	past := order(far.String(), f.day(-31), `, "confirm_past": true`)
	if got := stale.ask("POST", "/api/v1/departures", past); got.status != 403 || got.problem.Code != codeStepUpRequired {
		t.Errorf("a request without a step-up: %d %s", got.status, got.body)
	}
	got = f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", past, "Idempotency-Key", "once")
	got.into(t, &beside)
	if got.status != 202 || got.header.Get("Location") != addressOf(models.RefDeparture, beside.ID) || beside.LastWorkingDay.String() != f.day(0) ||
		len(beside.Waiting) != 1 || beside.Waiting[0].What != waitsForEarlierDates || beside.Waiting[0].ApprovalID == nil {
		t.Fatalf("31 days back: %d %s", got.status, got.body)
	}
	again := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", past, "Idempotency-Key", "once")
	if again.status != 202 || again.header.Get("Location") != addressOf(models.RefDeparture, beside.ID) {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	var request ApprovalView
	f.ask(models.RoleReviewer, "GET", addressOf(models.RefApproval, *beside.Waiting[0].ApprovalID), "").into(t, &request)
	fields := map[string]ChangeView{}
	for _, c := range request.Changes {
		fields[c.Field] = c
	}
	contract := fields["category.contract"]
	if contract.Before == "" || contract.After >= contract.Before || fields["due_at_once"].After == "" || fields["employment_end_date"].After != f.day(-31) {
		t.Errorf("who decides sees %+v", request.Changes)
	}
	decide := f.session(models.RoleReviewer).ask("POST", addressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`)
	if decide.status != 200 {
		t.Fatalf("decided: %d %s", decide.status, decide.body)
	}
	f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, beside.ID), "").into(t, &beside)
	if beside.LastWorkingDay.String() != f.day(-31) || !beside.CountsFrom.Equal(beside.EmploymentEndedAt) || len(beside.Waiting) > 1 {
		t.Errorf("by two: %+v", beside)
	}
}

// TestI1_ARejectedPurgeIsToldAndEndsByTwo over the API: its states in lists and at the departure, and what
// one person may not do.
func TestI1_ARejectedPurgeIsToldAndEndsByTwo(t *testing.T) {
	f := newFixture(t)
	f.rejectedPurge(f.hire("E1", f.b))
	purge := f.rejectedPurge(f.hire("E2", f.a))
	address := "/api/v1/purges/" + purge.String()
	var view PurgeView
	f.ask(models.RoleReviewer, "GET", address, "").into(t, &view)
	if view.State != models.PurgeRejected || view.RejectedBy == nil || view.StateText == "" || view.Escalated {
		t.Errorf("%+v", view)
	}
	if len(view.Rejections) != 1 || view.Rejections[0].By == nil || *view.Rejections[0].By != *view.RejectedBy || len(view.Rejections[0].Categories) != len(view.Categories) {
		t.Errorf("rejections: %+v", view.Rejections)
	}
	var page Page[PurgeView]
	f.ask(models.RoleReviewer, "GET", "/api/v1/purges?state=rejected", "").into(t, &page)
	if len(page.Items) != 2 {
		t.Errorf("%d are rejected", len(page.Items))
	}
	f.exec("UPDATE purges SET escalated_at = lethe_now(), escalations = 1 WHERE id = ?", purge)
	f.ask(models.RoleReviewer, "GET", "/api/v1/purges?escalated=true", "").into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != purge || !page.Items[0].Escalated {
		t.Errorf("escalated: %+v", page.Items)
	}
	var d DepartureView
	f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, view.DepartureID), "").into(t, &d)
	waits := false
	for _, w := range d.Waiting {
		waits = waits || w.What == waitsForRejected && w.PurgeID != nil && *w.PurgeID == purge && w.EscalatedAt != nil
	}
	if !waits {
		t.Errorf("waiting: %+v", d.Waiting)
	}
	for _, r := range d.Retention {
		if r.PurgeState != models.PurgeRejected || !r.Advanced {
			t.Errorf("%s: %+v", r.Category, r)
		}
	}
	reviewer := f.session(models.RoleReviewer)
	for name, c := range map[string]struct{ body, code string }{
		"no end":       {`{"decision": "extended", "reason": "r"}`, codeValidationFailed},
		"no reason":    {`{"decision": "extended", "until": "` + f.day(9) + `"}`, codeValidationFailed},
		"an end alone": {`{"decision": "approved", "until": "` + f.day(9) + `"}`, codeValidationFailed},
		"yesterday":    {`{"decision": "extended", "until": "` + f.day(-1) + `", "reason": "r"}`, codeExtensionTooShort},
		"for ever":     {`{"decision": "extended", "until": "2999-01-01", "reason": "r"}`, codeExtensionTooLong},
	} {
		if got := reviewer.ask("POST", address+"/decision", c.body); got.problem.Code != c.code {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}
