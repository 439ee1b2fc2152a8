package departures_test

import (
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestI6_PastDaysAreToldConfirmedAndLimited follows one call: refused with how far back the days lie, in the
// caller's language; committed with the request beside it; shown to who decides with what it would do.
func TestI6_PastDaysAreToldConfirmedAndLimited(t *testing.T) {
	f := apitest.New(t)
	near, far := f.Hire("E1", f.A), f.Hire("E2", f.B)
	order := func(id, day, more string) string {
		return `{"employee_id": "` + id + `", "kind": "resignation", "last_working_day": "` + day + `"` + more + `}`
	}
	for language, want := range map[string]string{"zh": "早 31 天", "en": "lies 31 days before"} {
		got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", order(near.String(), f.Day(-31), ""), "Accept-Language", language)
		if got.Status != 422 || got.Problem.Code != "last_working_day_in_past" || got.Problem.DaysBack != 31 || !strings.Contains(got.Problem.Detail, want) {
			t.Errorf("%s: %d %s", language, got.Status, got.Body)
		}
	}
	var alone, beside departures.DepartureView
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", order(near.String(), f.Day(-30), `, "confirm_past": true`))
	got.Into(t, &alone)
	if got.Status != 202 || alone.LastWorkingDay.String() != f.Day(-30) || !alone.CountsFrom.After(alone.EmploymentEndedAt) || len(alone.Waiting) != 0 {
		t.Errorf("30 days back: %d %s", got.Status, got.Body)
	}
	stale := f.PlainSession(f.People[models.RoleHRAdmin], models.RoleHRAdmin)
	past := order(far.String(), f.Day(-31), `, "confirm_past": true`)
	if got := stale.Ask("POST", "/api/v1/departures", past); got.Status != 403 || got.Problem.Code != "step_up_required" {
		t.Errorf("a request without a step-up: %d %s", got.Status, got.Body)
	}
	got = f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", past, "Idempotency-Key", "once")
	got.Into(t, &beside)
	if got.Status != 202 || got.Header.Get("Location") != httpkit.AddressOf(models.RefDeparture, beside.ID) || beside.LastWorkingDay.String() != f.Day(0) ||
		len(beside.Waiting) != 1 || beside.Waiting[0].What != departures.WaitsForEarlierDates || beside.Waiting[0].ApprovalID == nil {
		t.Fatalf("31 days back: %d %s", got.Status, got.Body)
	}
	again := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", past, "Idempotency-Key", "once")
	if again.Status != 202 || again.Header.Get("Location") != httpkit.AddressOf(models.RefDeparture, beside.ID) {
		t.Errorf("again: %d %s", again.Status, again.Body)
	}
	var request approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", httpkit.AddressOf(models.RefApproval, *beside.Waiting[0].ApprovalID), "").Into(t, &request)
	fields := map[string]approvals.ChangeView{}
	for _, c := range request.Changes {
		fields[c.Field] = c
	}
	day := func(language i18n.Language, days int) string {
		at, err := time.Parse(time.DateOnly, f.Day(days))
		if err != nil {
			t.Fatal(err)
		}
		return language.Day(at)
	}
	instant := func(shown string) time.Time {
		shown, _, _ = strings.Cut(shown, " (")
		at, err := time.Parse("2 Jan 2006, 15:04", shown)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	contract := fields["category.contract"]
	if !instant(contract.After).Before(instant(contract.Before)) || fields["due_at_once"].After == "" || fields["employment_end_date"].After != day(i18n.English, -31) {
		t.Errorf("who decides sees %+v", request.Changes)
	}
	decide := f.Session(models.RoleReviewer).Ask("POST", httpkit.AddressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`)
	if decide.Status != 200 {
		t.Fatalf("decided: %d %s", decide.Status, decide.Body)
	}
	f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, beside.ID), "", "Accept-Language", "zh").Into(t, &beside)
	if beside.LastWorkingDay.String() != f.Day(-31) || !beside.CountsFrom.Equal(beside.EmploymentEndedAt) || len(beside.Waiting) > 1 {
		t.Errorf("by two: %+v", beside)
	}
	told, approver := map[string]string{}, ""
	for _, line := range beside.Timeline {
		if line.ApprovedBy != nil {
			approver += line.What + line.ApprovedBy.EmployeeNo
		}
		for _, c := range line.Changes {
			told[line.What+"."+c.Field] = c.Label + ": " + c.Before + " → " + c.After
		}
	}
	if told["dates_changed.employment_end_date"] != "劳动关系结束日: "+day(i18n.Chinese, 0)+" → "+day(i18n.Chinese, -31) || told["dates_changed.counts_from"] == "" || told["dates_changed.time_zone"] != "" {
		t.Errorf("the timeline tells of the dates %v", told)
	}
	var by struct{ Role, Authenticated, RequestedBy, ApprovedBy, Session string }
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT actor_role AS role, authenticated, requested_by, COALESCE(details ->> 'approved_by', '') AS approved_by,
			COALESCE(details ->> 'session_id', '') AS session FROM ledger_content WHERE action = 'departure.rescheduled'`).Scan(&by).Error)
	})
	if by.Role != "hr_admin" || by.Authenticated != "token" || by.RequestedBy != "" || by.ApprovedBy != f.People[models.RoleReviewer].String() || by.Session != "" ||
		approver != "dates_changedR-reviewer" {
		t.Errorf("who changed the dates: %+v, the timeline says %q", by, approver)
	}
}

// TestI1_ARejectedPurgeIsToldAndEndsByTwo over the API: its states in lists and at the departure, and what
// one person may not do.
func TestI1_ARejectedPurgeIsToldAndEndsByTwo(t *testing.T) {
	f := apitest.New(t)
	f.RejectedPurge(f.Hire("E1", f.B))
	purge := f.RejectedPurge(f.Hire("E2", f.A))
	address := "/api/v1/purges/" + purge.String()
	var view purges.PurgeView
	f.Ask(models.RoleReviewer, "GET", address, "").Into(t, &view)
	if view.State != models.PurgeRejected || view.RejectedBy == nil || view.StateText == "" || view.Escalated {
		t.Errorf("%+v", view)
	}
	if len(view.Rejections) != 1 || view.Rejections[0].By == nil || *view.Rejections[0].By != *view.RejectedBy || len(view.Rejections[0].Categories) != len(view.Categories) {
		t.Errorf("rejections: %+v", view.Rejections)
	}
	var page httpkit.Page[purges.PurgeView]
	f.Ask(models.RoleReviewer, "GET", "/api/v1/purges?state=rejected", "").Into(t, &page)
	if len(page.Items) != 2 {
		t.Errorf("%d are rejected", len(page.Items))
	}
	f.Exec("UPDATE purges SET escalated_at = lethe_now(), escalations = 1 WHERE id = ?", purge)
	f.Ask(models.RoleReviewer, "GET", "/api/v1/purges?escalated=true", "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != purge || !page.Items[0].Escalated {
		t.Errorf("escalated: %+v", page.Items)
	}
	var d departures.DepartureView
	f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, view.DepartureID), "").Into(t, &d)
	waits := false
	for _, w := range d.Waiting {
		waits = waits || w.What == departures.WaitsForRejected && w.PurgeID != nil && *w.PurgeID == purge && w.EscalatedAt != nil
	}
	if !waits {
		t.Errorf("waiting: %+v", d.Waiting)
	}
	for _, r := range d.Retention {
		if r.PurgeState != models.PurgeRejected || !r.Advanced {
			t.Errorf("%s: %+v", r.Category, r)
		}
	}
	reviewer := f.Session(models.RoleReviewer)
	for name, c := range map[string]struct{ body, code string }{
		"no end":       {`{"decision": "extended", "reason": "r"}`, "validation_failed"},
		"no reason":    {`{"decision": "extended", "until": "` + f.Day(9) + `"}`, "validation_failed"},
		"an end alone": {`{"decision": "approved", "until": "` + f.Day(9) + `"}`, "validation_failed"},
		"yesterday":    {`{"decision": "extended", "until": "` + f.Day(-1) + `", "reason": "r"}`, "extension_too_short"},
		"for ever":     {`{"decision": "extended", "until": "2999-01-01", "reason": "r"}`, "extension_too_long"},
	} {
		if got := reviewer.Ask("POST", address+"/decision", c.body); got.Problem.Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}
