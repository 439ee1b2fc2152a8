package departures_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestAPreviewIsWhatBegins: a departure begins with the dates that were shown, and showing them begins nothing.
func TestAPreviewIsWhatBegins(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	notice := f.Notice(leaver, 30)
	var preview departures.DeparturePreview
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", notice, "Accept-Language", "zh").Into(t, &preview)
	if preview.Person.EmployeeNo != "E1" || preview.Person.Name == "" || preview.Department == "" || preview.KindText != "辞职" || preview.TwoPeople || len(preview.Accounts) != 1 {
		t.Errorf("shown as %+v", preview)
	}
	var page httpkit.Page[departures.DepartureView]
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?employee_id="+leaver.String(), "").Into(t, &page)
	if len(page.Items) != 0 {
		t.Errorf("showing it began %+v", page.Items)
	}
	var begun departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", notice).Into(t, &begun)
	if begun.LastWorkingDay != preview.LastWorkingDay || begun.EmploymentEndDate != preview.EmploymentEndDate || begun.TimeZone != preview.TimeZone ||
		!begun.AccessCutoffAt.Equal(preview.AccessCutoffAt) || !begun.EmploymentEndedAt.Equal(preview.EmploymentEndedAt) {
		t.Errorf("began with %+v, shown was %+v", begun, preview)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", notice); got.Status != 409 || got.Problem.Location != httpkit.AddressOf(models.RefDeparture, begun.ID) {
		t.Errorf("of who leaves already: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", f.Notice(uuid.New(), 30)); got.Status != 404 {
		t.Errorf("of nobody: %d %s", got.Status, got.Body)
	}
}

// TestAPreviewTellsWhatIsAskedBeside a departure that begins: days too far back, or a count from the end.
func TestAPreviewTellsWhatIsAskedBeside(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	for _, c := range []struct {
		days  int
		count string
		told  bool
	}{{-50, "", true}, {-3, `"count_from_end": true, `, true}, {-3, "", false}, {30, "", false}} {
		var preview departures.DeparturePreview
		f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", `{"confirm_past": true, `+c.count+f.Notice(leaver, c.days)[1:]).Into(t, &preview)
		if preview.TwoPeople || (preview.Earlier != nil) != c.told {
			t.Errorf("%d days, %s: %+v", c.days, c.count, preview.Earlier)
		}
		if e := preview.Earlier; e != nil && (e.EmploymentEndDate != e.LastWorkingDay || len(e.Because) != 1 || c.days == -50 && !e.LastWorkingDay.Before(preview.LastWorkingDay)) {
			t.Errorf("%d days: %+v beside %s", c.days, e, preview.LastWorkingDay)
		}
	}
}

// TestAPreviewSaysThatTwoPeopleDecide of an administrator's access that would end at once.
func TestAPreviewSaysThatTwoPeopleDecide(t *testing.T) {
	f := apitest.New(t)
	var preview departures.DeparturePreview
	body := `{"employee_id": "` + f.People[models.RoleITOps].String() + `", "kind": "resignation", "immediate": true}`
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", body).Into(t, &preview)
	if !preview.TwoPeople || !preview.Immediate || !preview.AccessCutoffAt.Equal(preview.EmploymentEndedAt) {
		t.Errorf("shown as %+v", preview)
	}
}
