package api

import (
	"testing"

	"github.com/google/uuid"

	"lethe/models"
)

// TestAPreviewIsWhatBegins: a departure begins with the dates that were shown, and showing them begins nothing.
func TestAPreviewIsWhatBegins(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	notice := f.notice(leaver, 30)
	var preview DeparturePreview
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", notice, "Accept-Language", "zh").into(t, &preview)
	if preview.Person.EmployeeNo != "E1" || preview.Person.Name == "" || preview.Department == "" || preview.KindText != "辞职" || preview.TwoPeople || len(preview.Accounts) != 1 {
		t.Errorf("shown as %+v", preview)
	}
	var page Page[DepartureView]
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures?employee_id="+leaver.String(), "").into(t, &page)
	if len(page.Items) != 0 {
		t.Errorf("showing it began %+v", page.Items)
	}
	var begun DepartureView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", notice).into(t, &begun)
	if begun.LastWorkingDay != preview.LastWorkingDay || begun.EmploymentEndDate != preview.EmploymentEndDate || begun.TimeZone != preview.TimeZone ||
		!begun.AccessCutoffAt.Equal(preview.AccessCutoffAt) || !begun.EmploymentEndedAt.Equal(preview.EmploymentEndedAt) {
		t.Errorf("began with %+v, shown was %+v", begun, preview)
	}
	if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", notice); got.status != 409 || got.problem.Location != addressOf(models.RefDeparture, begun.ID) {
		t.Errorf("of who leaves already: %d %s", got.status, got.body)
	}
	if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", f.notice(uuid.New(), 30)); got.status != 404 {
		t.Errorf("of nobody: %d %s", got.status, got.body)
	}
}

// TestAPreviewSaysThatTwoPeopleDecide of an administrator's access that would end at once.
func TestAPreviewSaysThatTwoPeopleDecide(t *testing.T) {
	f := newFixture(t)
	var preview DeparturePreview
	body := `{"employee_id": "` + f.people[models.RoleITOps].String() + `", "kind": "resignation", "immediate": true}`
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", body).into(t, &preview)
	if !preview.TwoPeople || !preview.Immediate || !preview.AccessCutoffAt.Equal(preview.EmploymentEndedAt) {
		t.Errorf("shown as %+v", preview)
	}
}
