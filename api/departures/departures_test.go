package departures_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/departure"
	"lethe/models"
)

func TestDepartureIsAcceptedAndShown(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 30), "Accept-Language", "zh")
	var view departures.DepartureView
	got.Into(t, &view)
	if got.Status != 202 || got.Header.Get("Location") != httpkit.AddressOf(models.RefDeparture, view.ID) {
		t.Errorf("answered %d, Location %q", got.Status, got.Header.Get("Location"))
	}
	if view.Stage != models.StagePendingDeparture || view.StageText != "待离职" || view.AccountsState != models.AccountsLinked ||
		len(view.Accounts) != 1 || view.Accounts[0].System != "mail" || len(view.Timeline) != 1 || view.Timeline[0].WhatText != "已登记离职" {
		t.Errorf("shown as %+v", view)
	}
	if view.LastWorkingDay.String() != f.Day(30) || view.EmploymentEndDate != view.LastWorkingDay || view.TimeZone != "Asia/Shanghai" {
		t.Errorf("the dates are %v, %v, %s", view.LastWorkingDay, view.EmploymentEndDate, view.TimeZone)
	}
	if view.Workflow != nil {
		t.Error("HR sees a workflow")
	}
	f.Ask(models.RoleITOps, "GET", httpkit.AddressOf(models.RefDeparture, view.ID), "").Into(t, &view)
	want := "http://temporal.example/namespaces/lethe/workflows/departure%2F" + view.ID.String()
	if view.Workflow == nil || view.Workflow.ID != "departure/"+view.ID.String() || view.Workflow.URL != want {
		t.Errorf("it_ops sees the workflow %+v", view.Workflow)
	}
}

func TestI9_SecondDepartureGetsTheAddressOfTheFirst(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	first := f.Resign(leaver)
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 31))
	if got.Status != 409 || got.Problem.Code != "departure_exists" || got.Problem.Location != httpkit.AddressOf(models.RefDeparture, first.ID) || got.Header.Get("Location") != httpkit.AddressOf(models.RefDeparture, first.ID) {
		t.Errorf("answered %d %s", got.Status, got.Body)
	}
}

// TestADepartureOfWhoseFileIsDeletedSaysSo: nobody is leaving there any more.
func TestADepartureOfWhoseFileIsDeletedSaysSo(t *testing.T) {
	id := uuid.New()
	for stage, code := range map[models.Stage]string{
		models.StagePendingDeparture: "departure_exists", models.StageDeparted: "departure_exists", models.StagePurged: "file_deleted",
	} {
		got := httpkit.ProblemOf(t.Context(), &departure.ExistsError{ID: id, Stage: stage})
		if got.Code != code || got.Status != 409 || got.Location != httpkit.AddressOf(models.RefDeparture, id) {
			t.Errorf("%s: %+v", stage, got)
		}
	}
}

func TestDepartureIsChangedAndTakenBack(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	address := httpkit.AddressOf(models.RefDeparture, d.ID)
	var view departures.DepartureView
	f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(40)+`"}`).Into(t, &view)
	if view.LastWorkingDay.String() != f.Day(40) {
		t.Errorf("the day is %v", view.LastWorkingDay)
	}
	told := len(view.Timeline)
	got := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(40)+`"}`)
	if got.Into(t, &view); got.Status != 200 || view.LastWorkingDay.String() != f.Day(40) || len(view.Timeline) != told {
		t.Errorf("the same day again: %d, %d lines after %d", got.Status, len(view.Timeline), told)
	}
	if got := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(20)+`"}`); got.Status != 202 || !strings.HasPrefix(got.Header.Get("Location"), httpkit.Base+"/approvals/") {
		t.Errorf("a shortening is answered %d %s", got.Status, got.Body)
	}
	f.Ask(models.RoleHRAdmin, "GET", address, "", "Accept-Language", "zh").Into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].What != departures.WaitsForApproval || view.Waiting[0].WhatText != "等待双人审核" || view.Waiting[0].ApprovalID == nil {
		t.Errorf("waiting: %+v", view.Waiting)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays"}`); got.Problem.Code != "company_consent_required" {
		t.Errorf("without consent: %s", got.Body)
	}
	f.Ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays", "company_consent": true}`).Into(t, &view)
	if view.Stage != models.StageWithdrawn {
		t.Errorf("the stage is %s", view.Stage)
	}
}

func TestAnnulmentNeedsASecondPerson(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	address := httpkit.AddressOf(models.RefDeparture, d.ID)
	second := f.Session(models.RoleReviewer)
	if got := second.Ask("POST", address+"/annulment/confirmation", ""); got.Problem.Code != "annulment_not_requested" {
		t.Errorf("unasked: %d %s", got.Status, got.Body)
	}
	var view departures.DepartureView
	if got := f.Ask(models.RoleHRAdmin, "POST", address+"/annulment", `{"reason": "wrong person"}`); got.Status != 202 {
		t.Fatalf("asking: %d %s", got.Status, got.Body)
	}
	f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].What != departures.WaitsForAnnulment || view.Waiting[0].Role != models.RoleReviewer {
		t.Errorf("waiting: %+v", view.Waiting)
	}
	if got := f.FreshSession(f.People[models.RoleHRAdmin], models.RoleReviewer).Ask("POST", address+"/annulment/confirmation", ""); got.Status != 403 || got.Problem.Code != "same_person" {
		t.Errorf("the same person in another role: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleReviewer, "POST", address+"/annulment/confirmation", ""); got.Status != 403 || got.Problem.Code != "session_required" {
		t.Errorf("a reviewer's token: %d %s", got.Status, got.Body)
	}
	second.Ask("POST", address+"/annulment/confirmation", "").Into(t, &view)
	if view.Stage != models.StageAnnulled || len(view.Waiting) != 0 {
		t.Errorf("the stage is %s, waiting %+v", view.Stage, view.Waiting)
	}
}

func TestListOfDeparturesIsPagedAndFiltered(t *testing.T) {
	f := apitest.New(t)
	var newest []string
	for _, no := range []string{"E1", "E2", "E3"} {
		newest = append([]string{f.Resign(f.Hire(no, f.A)).ID.String()}, newest...)
	}
	type page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
	var first, second, found page
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?limit=2", "").Into(t, &first)
	if len(first.Items) != 2 || first.NextCursor == nil || first.Items[0].ID != newest[0] {
		t.Fatalf("the first page is %+v", first)
	}
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?limit=2&cursor="+*first.NextCursor, "").Into(t, &second)
	if len(second.Items) != 1 || second.NextCursor != nil || second.Items[0].ID != newest[2] {
		t.Errorf("the second page is %+v", second)
	}
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?q=e2", "").Into(t, &found)
	if len(found.Items) != 1 || found.Items[0].ID != newest[1] {
		t.Errorf("found %+v", found)
	}
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?stage=purged", "").Into(t, &found)
	if len(found.Items) != 0 {
		t.Errorf("purged: %+v", found)
	}
	for query, want := range map[string]int{
		"stage=purged,pending_departure": 3, "stage=purged,withdrawn": 0, "accounts_state=linked": 3, "accounts_state=settled": 0,
		"stage=pending_departure&accounts_state=needs_attention": 0,
	} {
		if f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?"+query, "").Into(t, &found); len(found.Items) != want {
			t.Errorf("%s finds %d, want %d", query, len(found.Items), want)
		}
	}
	if got := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?stage=purged,nowhere", ""); got.Status != 422 {
		t.Errorf("a stage that is none: %d", got.Status)
	}
	if body := string(f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?stage=purged", "").Body); !strings.Contains(body, `"items":[]`) || !strings.Contains(body, `"next_cursor":null`) {
		t.Errorf("an empty page is %s", body)
	}
}

func TestShapeOfADeparture(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	var shape map[string]json.RawMessage
	f.Ask(models.RoleITOps, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "").Into(t, &shape)
	for _, name := range []string{
		"id", "employee_id", "kind", "stage", "notice_received_on", "last_working_day", "access_cutoff_at", "employment_end_date",
		"time_zone", "accounts_state", "accounts", "retention", "waiting", "timeline", "workflow",
	} {
		if value, ok := shape[name]; !ok || string(value) == "null" {
			t.Errorf("%s is %s", name, value)
		}
	}
}
