package departures_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// tables is what each table of the facts has.
func tables(f *apitest.Fixture) map[string]string {
	var names []string
	if err := f.Env.Facts.Read(f.T.Context()).Raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").Scan(&names).Error; err != nil {
		f.T.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range names {
		var sum string
		err := f.Env.Facts.Read(f.T.Context()).Raw(`SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, chr(10) ORDER BY r::text)), '') FROM "` + name + `" r`).Scan(&sum).Error
		if err != nil {
			f.T.Fatal(err)
		}
		all[name] = sum
	}
	return all
}

// TestI27_ADryRunLeavesNoTrace: systems are read, one that refuses us is named with what that means, and no table has anything
// else afterwards, the ledger included.
func TestI27_ADryRunLeavesNoTrace(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	wish := `{"look_up": true, ` + f.Notice(leaver, 30)[1:]
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/me", "") // that a token was used is noted the first time
	f.Ask(models.RoleITOps, "GET", "/api/v1/me", "")
	before := tables(f)
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleITOps} {
		var seen departures.DeparturePreview
		f.Ask(role, "POST", "/api/v1/departures/preview", wish, "Accept-Language", "zh").Into(t, &seen)
		if len(seen.Systems) != 2 {
			t.Fatalf("%s sees %+v", role, seen.Systems)
		}
		finance, mail := seen.Systems[0], seen.Systems[1]
		if finance.Reached || !strings.Contains(finance.Text, "反复重试") || !mail.Reached || mail.Text == "" || len(mail.Accounts) != 0 {
			t.Errorf("%s sees %+v", role, seen.Systems)
		}
	}
	for _, role := range []models.Role{models.RoleDepartmentHead, models.RoleReviewer, models.RoleAuditor, models.RoleEmployee} {
		if got := f.Ask(role, "POST", "/api/v1/departures/preview", wish); got.Status != 403 {
			t.Errorf("%s: %d", role, got.Status)
		}
	}
	own := `{"look_up": true, ` + f.Notice(f.People[models.RoleITOps], 30)[1:]
	if got := f.Ask(models.RoleITOps, "POST", "/api/v1/departures/preview", own); got.Status != 403 {
		t.Errorf("of oneself: %d %s", got.Status, got.Body)
	}
	if diff := cmp.Diff(before, tables(f)); diff != "" {
		t.Errorf("it left a trace:\n%s", diff)
	}
	var seen departures.DeparturePreview
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/preview", f.Notice(leaver, 30)).Into(t, &seen)
	if seen.Systems != nil {
		t.Errorf("not asked for: %+v", seen.Systems)
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
