package departures_test

import (
	"slices"
	"testing"
	"time"

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

// TestAPreviewOfDatesIsWhatTheyBecome: a change of dates comes to what was shown, and showing it changes nothing.
func TestAPreviewOfDatesIsWhatTheyBecome(t *testing.T) {
	f := apitest.New(t)
	begun := f.Resign(f.Hire("E1", f.A))
	address := httpkit.AddressOf(models.RefDeparture, begun.ID)
	for _, c := range []struct {
		wish     string
		changes  []string
		two, cut bool
	}{
		{`{"last_working_day": "` + f.Day(60) + `"}`, []string{"last_working_day", "employment_end_date", "access_cutoff_at", "employment_ended_at"}, false, false},
		{`{"last_working_day": "` + f.Day(60) + `"}`, []string{}, false, false},
		{`{"last_working_day": "` + f.Day(60) + `", "access_cutoff_at": "` + f.Day(-1) + `T00:00:00Z"}`, []string{"access_cutoff_at"}, false, true},
		{`{"last_working_day": "` + f.Day(50) + `"}`, []string{"last_working_day", "employment_end_date", "access_cutoff_at", "employment_ended_at"}, true, false},
	} {
		var before, after departures.DepartureView
		var preview departures.DatesPreview
		f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &before)
		f.Ask(models.RoleHRAdmin, "POST", address+"/dates/preview", c.wish, "Accept-Language", "zh").Into(t, &preview)
		f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &after)
		fields := []string{}
		for _, change := range preview.Changes {
			fields = append(fields, change.Field)
		}
		if !slices.Equal(fields, c.changes) || preview.TwoPeople != c.two || preview.CutAtOnce != c.cut || (len(preview.Because) > 0) != c.two {
			t.Errorf("%s is shown as %+v", c.wish, preview)
		}
		if preview.Now != shownDates(before) || shownDates(after) != preview.Now {
			t.Errorf("%s: shown %+v of %+v, which is %+v", c.wish, preview.Now, before, after)
		}
		got := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", c.wish)
		if c.two {
			if got.Status != 202 {
				t.Errorf("%s: %d %s", c.wish, got.Status, got.Body)
			}
			continue
		}
		got.Into(t, &after)
		became := shownDates(after)
		if c.cut && became.AccessCutoffAt.Sub(preview.Dates.AccessCutoffAt) < time.Minute {
			became.AccessCutoffAt = preview.Dates.AccessCutoffAt // each is its own now
		}
		if became != preview.Dates {
			t.Errorf("%s: it became %+v, shown was %+v", c.wish, became, preview.Dates)
		}
	}
}

// TestAPreviewOfDatesSaysThatAccessIsCutAtOnce where the second person has not decided, and cuts nothing itself.
func TestAPreviewOfDatesSaysThatAccessIsCutAtOnce(t *testing.T) {
	f := apitest.New(t)
	begun := f.Resign(f.Hire("E1", f.A))
	address := httpkit.AddressOf(models.RefDeparture, begun.ID)
	wish := `{"confirm_past": true, "last_working_day": "` + f.Day(-1) + `"}`
	for range 2 {
		var preview departures.DatesPreview
		f.Ask(models.RoleHRAdmin, "POST", address+"/dates/preview", wish).Into(t, &preview)
		if !preview.TwoPeople || !preview.CutAtOnce || !preview.Now.AccessCutoffAt.Equal(begun.AccessCutoffAt) {
			t.Errorf("shown as %+v", preview)
		}
	}
	if n := f.Count("approvals"); n != 0 {
		t.Errorf("showing it asked for %d", n)
	}
	if got := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", wish); got.Status != 202 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	var cut departures.DepartureView
	f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &cut)
	if !cut.AccessCutoffAt.Before(begun.AccessCutoffAt) || cut.LastWorkingDay != begun.LastWorkingDay {
		t.Errorf("it became %+v", cut)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", address+"/dates/preview", `{"last_working_day": "`+f.Day(-1)+`"}`); got.Status != 422 || got.Problem.Code != "last_working_day_in_past" {
		t.Errorf("of what is refused: %d %s", got.Status, got.Body)
	}
}

func shownDates(d departures.DepartureView) departures.DatesView {
	return departures.DatesView{NoticeReceivedOn: d.NoticeReceivedOn, LastWorkingDay: d.LastWorkingDay, EmploymentEndDate: d.EmploymentEndDate,
		AccessCutoffAt: d.AccessCutoffAt, EmploymentEndedAt: d.EmploymentEndedAt, TimeZone: d.TimeZone}
}
