package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/departure"
	"lethe/models"
)

func TestDepartureIsAcceptedAndShown(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 30), "Accept-Language", "zh")
	var view DepartureView
	got.into(t, &view)
	if got.status != 202 || got.header.Get("Location") != addressOf(models.RefDeparture, view.ID) {
		t.Errorf("answered %d, Location %q", got.status, got.header.Get("Location"))
	}
	if view.Stage != models.StagePendingDeparture || view.StageText != "待离职" || view.AccountsState != models.AccountsLinked ||
		len(view.Accounts) != 1 || view.Accounts[0].System != "mail" || len(view.Timeline) != 1 || view.Timeline[0].WhatText != "已登记离职" {
		t.Errorf("shown as %+v", view)
	}
	if view.LastWorkingDay.String() != f.day(30) || view.EmploymentEndDate != view.LastWorkingDay || view.TimeZone != "Asia/Shanghai" {
		t.Errorf("the dates are %v, %v, %s", view.LastWorkingDay, view.EmploymentEndDate, view.TimeZone)
	}
	if view.Workflow != nil {
		t.Error("HR sees a workflow")
	}
	f.ask(models.RoleITOps, "GET", addressOf(models.RefDeparture, view.ID), "").into(t, &view)
	want := "http://temporal.example/namespaces/lethe/workflows/departure%2F" + view.ID.String()
	if view.Workflow == nil || view.Workflow.ID != "departure/"+view.ID.String() || view.Workflow.URL != want {
		t.Errorf("it_ops sees the workflow %+v", view.Workflow)
	}
}

func TestI9_SecondDepartureGetsTheAddressOfTheFirst(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	first := f.resign(leaver)
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 31))
	if got.status != 409 || got.problem.Code != codeDepartureExists || got.problem.Location != addressOf(models.RefDeparture, first.ID) || got.header.Get("Location") != addressOf(models.RefDeparture, first.ID) {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

// TestADepartureOfWhoseFileIsDeletedSaysSo: nobody is leaving there any more.
func TestADepartureOfWhoseFileIsDeletedSaysSo(t *testing.T) {
	id := uuid.New()
	for stage, code := range map[models.Stage]string{
		models.StagePendingDeparture: codeDepartureExists, models.StageDeparted: codeDepartureExists, models.StagePurged: codeFileDeleted,
	} {
		got := problemOf(t.Context(), &departure.ExistsError{ID: id, Stage: stage})
		if got.Code != code || got.Status != 409 || got.Location != addressOf(models.RefDeparture, id) {
			t.Errorf("%s: %+v", stage, got)
		}
	}
}

func TestDepartureIsChangedAndTakenBack(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	address := addressOf(models.RefDeparture, d.ID)
	var view DepartureView
	f.ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.day(40)+`"}`).into(t, &view)
	if view.LastWorkingDay.String() != f.day(40) {
		t.Errorf("the day is %v", view.LastWorkingDay)
	}
	if got := f.ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.day(20)+`"}`); got.status != 202 || !strings.HasPrefix(got.header.Get("Location"), base+"/approvals/") {
		t.Errorf("a shortening is answered %d %s", got.status, got.body)
	}
	f.ask(models.RoleHRAdmin, "GET", address, "", "Accept-Language", "zh").into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].What != waitsForApproval || view.Waiting[0].WhatText != "等待双人审核" || view.Waiting[0].ApprovalID == nil {
		t.Errorf("waiting: %+v", view.Waiting)
	}
	if got := f.ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays"}`); got.problem.Code != codeConsentRequired {
		t.Errorf("without consent: %s", got.body)
	}
	f.ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays", "company_consent": true}`).into(t, &view)
	if view.Stage != models.StageWithdrawn {
		t.Errorf("the stage is %s", view.Stage)
	}
}

func TestAnnulmentNeedsASecondPerson(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	address := addressOf(models.RefDeparture, d.ID)
	second := f.session(models.RoleReviewer)
	if got := second.ask("POST", address+"/annulment/confirmation", ""); got.problem.Code != codeNoAnnulment {
		t.Errorf("unasked: %d %s", got.status, got.body)
	}
	var view DepartureView
	if got := f.ask(models.RoleHRAdmin, "POST", address+"/annulment", `{"reason": "wrong person"}`); got.status != 202 {
		t.Fatalf("asking: %d %s", got.status, got.body)
	}
	f.ask(models.RoleHRAdmin, "GET", address, "").into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].What != waitsForAnnulment || view.Waiting[0].Role != models.RoleReviewer {
		t.Errorf("waiting: %+v", view.Waiting)
	}
	if got := f.freshSession(f.people[models.RoleHRAdmin], models.RoleReviewer).ask("POST", address+"/annulment/confirmation", ""); got.status != 403 || got.problem.Code != codeSamePerson {
		t.Errorf("the same person in another role: %d %s", got.status, got.body)
	}
	if got := f.ask(models.RoleReviewer, "POST", address+"/annulment/confirmation", ""); got.status != 403 || got.problem.Code != codeSessionRequired {
		t.Errorf("a reviewer's token: %d %s", got.status, got.body)
	}
	second.ask("POST", address+"/annulment/confirmation", "").into(t, &view)
	if view.Stage != models.StageAnnulled || len(view.Waiting) != 0 {
		t.Errorf("the stage is %s, waiting %+v", view.Stage, view.Waiting)
	}
}

func TestListOfDeparturesIsPagedAndFiltered(t *testing.T) {
	f := newFixture(t)
	var newest []string
	for _, no := range []string{"E1", "E2", "E3"} {
		newest = append([]string{f.resign(f.hire(no, f.a)).ID.String()}, newest...)
	}
	type page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
	var first, second, found page
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?limit=2", "").into(t, &first)
	if len(first.Items) != 2 || first.NextCursor == nil || first.Items[0].ID != newest[0] {
		t.Fatalf("the first page is %+v", first)
	}
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?limit=2&cursor="+*first.NextCursor, "").into(t, &second)
	if len(second.Items) != 1 || second.NextCursor != nil || second.Items[0].ID != newest[2] {
		t.Errorf("the second page is %+v", second)
	}
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?q=e2", "").into(t, &found)
	if len(found.Items) != 1 || found.Items[0].ID != newest[1] {
		t.Errorf("found %+v", found)
	}
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?stage=purged", "").into(t, &found)
	if len(found.Items) != 0 {
		t.Errorf("purged: %+v", found)
	}
	if body := string(f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?stage=purged", "").body); !strings.Contains(body, `"items":[]`) || !strings.Contains(body, `"next_cursor":null`) {
		t.Errorf("an empty page is %s", body)
	}
}

func TestShapeOfADeparture(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	var shape map[string]json.RawMessage
	f.ask(models.RoleITOps, "GET", addressOf(models.RefDeparture, d.ID), "").into(t, &shape)
	for _, name := range []string{
		"id", "employee_id", "kind", "stage", "notice_received_on", "last_working_day", "access_cutoff_at", "employment_end_date",
		"time_zone", "accounts_state", "accounts", "retention", "waiting", "timeline", "workflow",
	} {
		if value, ok := shape[name]; !ok || string(value) == "null" {
			t.Errorf("%s is %s", name, value)
		}
	}
}
