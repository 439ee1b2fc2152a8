package employees_test

import (
	"net/http"
	"slices"
	"testing"

	"lethe/api/apitest"
	"lethe/api/employees"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestHRChecksTheCalendar: what is known and from where, what is worked instead, and a year that nobody has announced.
func TestHRChecksTheCalendar(t *testing.T) {
	f := apitest.New(t)
	var view employees.CalendarView
	f.Ask(httpkit.HR, "GET", "/api/v1/calendars/CN?year=2026", "", "Accept-Language", "zh").Into(t, &view)
	worked := slices.IndexFunc(view.Days, func(d employees.CalendarDayView) bool { return d.Kind == models.DayWorked })
	if !view.Known || len(view.Days) != 39 || view.Days[0].Name != "元旦" || view.Source == "" || worked < 0 || view.Days[worked].Date.String() != "2026-01-04" || view.Days[worked].KindText != "调休上班" {
		t.Errorf("2026: %+v", view)
	}
	var unknown employees.CalendarView
	f.Ask(httpkit.HR, "GET", "/api/v1/calendars/CN?year=2031", "").Into(t, &unknown)
	if unknown.Known || len(unknown.Days) > 0 || unknown.Note == view.Note || unknown.Note == "" || unknown.Source != "" {
		t.Errorf("2031: %+v", unknown)
	}
	count := func(query string) int {
		var view employees.CalendarView
		f.Ask(httpkit.HR, "GET", "/api/v1/calendars/DE?year=2026"+query, "").Into(t, &view)
		return len(view.Days)
	}
	if all, bavaria := count(""), count("&region=BY"); all != 9 || bavaria != 12 {
		t.Errorf("Germany has %d, Bavaria %d", all, bavaria)
	}
	if got := f.Ask(httpkit.HR, "GET", "/api/v1/calendars/DE?region=XX", ""); got.Problem.Code != httpkit.CodeValidationFailed {
		t.Errorf("a state that there is not: %d %s", got.Status, got.Body)
	}
	f.Ask(httpkit.HR, "GET", "/api/v1/calendars/US", "").Into(t, &view)
	if view.Year < 2026 || !view.Known {
		t.Errorf("this year: %+v", view)
	}
}

// TestALegalEntityIsInARegion of its jurisdiction, or in none.
func TestALegalEntityIsInARegion(t *testing.T) {
	f := apitest.New(t)
	var made employees.LegalEntityView
	f.Ask(httpkit.HR, "POST", "/api/v1/legal-entities", `{"code": "M1", "name_zh": "慕尼黑", "name_en": "Munich", "jurisdiction": "DE", "region": "BY", "time_zone": "Europe/Berlin"}`).Into(t, &made)
	path := "/api/v1/legal-entities/" + made.ID.String()
	if made.Region != "BY" {
		t.Fatalf("made %+v", made)
	}
	for _, region := range []string{"XX", "by", "Bayern"} {
		if got := f.Ask(httpkit.HR, "PATCH", path, `{"region": "`+region+`"}`); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", region, got.Status, got.Body)
		}
	}
	if got := f.Ask(httpkit.HR, "POST", "/api/v1/legal-entities", `{"code": "S1", "name_zh": "上海", "name_en": "Shanghai", "jurisdiction": "CN", "region": "BY", "time_zone": "Asia/Shanghai"}`); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("a state of another country: %d %s", got.Status, got.Body)
	}
	var moved employees.LegalEntityView
	f.Ask(httpkit.HR, "PATCH", path, `{"region": "BE"}`).Into(t, &moved)
	var left employees.LegalEntityView
	f.Ask(httpkit.HR, "PATCH", path, `{"region": ""}`).Into(t, &left)
	if moved.Region != "BE" || left.Region != "" {
		t.Errorf("moved to %q, then %q", moved.Region, left.Region)
	}
}
