package departure

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/clock"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) *clock.Date {
	d, err := clock.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return &d
}

func circumstances(t testing.TB, now string) Circumstances {
	t.Helper()
	six, err := clock.ParseTimeOfDay("18:00")
	if err != nil {
		t.Fatal(err)
	}
	return Circumstances{Now: at(now), HiredOn: *date("2020-03-01"), TimeZone: "Asia/Shanghai", CutoffTime: six}
}

func TestDerivedDates(t *testing.T) {
	got, err := Derive(RequestedDates{LastWorkingDay: date("2026-12-11"), EmploymentEndDate: date("2026-12-31")}, circumstances(t, "2026-11-21T03:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	want := Dates{
		NoticeReceivedOn: *date("2026-11-21"), LastWorkingDay: *date("2026-12-11"), EmploymentEndDate: *date("2026-12-31"),
		AccessCutoffAt:    at("2026-12-11T10:00:00Z"), // 18:00 in Shanghai
		EmploymentEndedAt: at("2026-12-31T16:00:00Z"), // the end of the last day in Shanghai
		TimeZone:          "Asia/Shanghai",
	}
	if got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

// TestDerivedCutoffIsNeverAfterTheEnd: in Nuuk the last hour of that Saturday is left out for summer time, so
// that half past eleven in the evening comes after the end of the day.
func TestDerivedCutoffIsNeverAfterTheEnd(t *testing.T) {
	c := circumstances(t, "2026-03-01T03:00:00Z")
	late, err := clock.ParseTimeOfDay("23:30")
	if err != nil {
		t.Fatal(err)
	}
	c.TimeZone, c.CutoffTime = "America/Nuuk", late
	got, err := Derive(RequestedDates{LastWorkingDay: date("2026-03-28")}, c)
	if err != nil || !got.AccessCutoffAt.Equal(got.EmploymentEndedAt) || !got.EmploymentEndedAt.Equal(at("2026-03-29T01:00:00Z")) {
		t.Errorf("cutoff %s, end %s, %v", got.AccessCutoffAt, got.EmploymentEndedAt, err)
	}
}

func TestRefusedDates(t *testing.T) {
	cutoff, early := at("2027-01-02T00:00:00Z"), at("2026-12-01T00:00:00Z")
	wrong := map[string]string{
		"end before last day": "employment_end_date", "cutoff after the end": "access_cutoff_at",
		"notice in the future": "notice_received_on", "notice of tomorrow": "notice_received_on", "notice after the end": "notice_received_on",
	}
	for name, c := range map[string]struct {
		wish RequestedDates
		want error
	}{
		"nothing":                 {RequestedDates{}, ErrLastDayMissing},
		"immediate with a date":   {RequestedDates{Immediate: true, LastWorkingDay: date("2026-11-21")}, ErrImmediateDates},
		"immediate with a cutoff": {RequestedDates{Immediate: true, AccessCutoffAt: &cutoff}, ErrImmediateDates},
		"past":                    {RequestedDates{LastWorkingDay: date("2026-11-20")}, ErrLastDayInPast},
		"before the hire":         {RequestedDates{LastWorkingDay: date("2020-02-29"), ConfirmPast: true}, ErrBeforeHire},
		"far ahead":               {RequestedDates{LastWorkingDay: date("2028-11-22")}, ErrTooFarAhead},
		"year 9999":               {RequestedDates{LastWorkingDay: date("9999-12-31")}, ErrTooFarAhead},
		"end before last day":     {RequestedDates{LastWorkingDay: date("2026-12-11"), EmploymentEndDate: date("2026-12-10")}, ErrDatesOutOfOrder},
		"cutoff after the end":    {RequestedDates{LastWorkingDay: date("2026-12-31"), AccessCutoffAt: &cutoff}, ErrDatesOutOfOrder},
		"notice in the future":    {RequestedDates{LastWorkingDay: date("2026-12-31"), NoticeReceivedOn: date("2026-11-22")}, ErrDatesOutOfOrder},
		"notice of tomorrow":      {RequestedDates{LastWorkingDay: date("2026-12-31"), NoticeReceivedOn: date("2026-11-21"), AccessCutoffAt: &early, TimeZone: "America/Los_Angeles"}, ErrDatesOutOfOrder},
		"notice after the end":    {RequestedDates{LastWorkingDay: date("2026-11-20"), NoticeReceivedOn: date("2026-11-21"), AccessCutoffAt: &cutoff, ConfirmPast: true}, ErrDatesOutOfOrder},
		"zone":                    {RequestedDates{LastWorkingDay: date("2026-12-31"), TimeZone: "Mars/Olympus"}, ErrUnknownZone},
		"local zone":              {RequestedDates{LastWorkingDay: date("2026-12-31"), TimeZone: "Local"}, ErrUnknownZone},
	} {
		_, err := Derive(c.wish, circumstances(t, "2026-11-21T03:00:00Z"))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		var order *OrderError
		if errors.As(err, &order); order != nil != (wrong[name] != "") || order != nil && order.Field != wrong[name] {
			t.Errorf("%s: names %+v, want %q", name, order, wrong[name])
		}
	}
}

func TestLastAllowedDay(t *testing.T) {
	if _, err := Derive(RequestedDates{LastWorkingDay: date("2028-11-21")}, circumstances(t, "2026-11-21T03:00:00Z")); err != nil {
		t.Fatalf("two years ahead to the day: %v", err)
	}
}

// The day is the employee's, not the server's: at 17:00 UTC it is tomorrow already in Shanghai.
func TestTodayIsTheEmployeesDay(t *testing.T) {
	_, err := Derive(RequestedDates{LastWorkingDay: date("2026-11-21")}, circumstances(t, "2026-11-21T17:00:00Z"))
	if !errors.Is(err, ErrLastDayInPast) {
		t.Fatalf("got %v", err)
	}
}

func TestI7_DerivedDatesKeepTheirOrder(t *testing.T) {
	zones := []string{"Asia/Shanghai", "Europe/Berlin", "Asia/Tokyo", "America/Santiago", "Africa/Cairo", "Pacific/Apia", "America/St_Johns", "Pacific/Kiritimati"}
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(rt, "now"), 0).UTC()
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		hired := clock.DateOf(now).AddDays(-rapid.IntRange(0, 4000).Draw(rt, "hired"))
		day := func(name string) *clock.Date {
			if !rapid.Bool().Draw(rt, name+"?") {
				return nil
			}
			d := clock.DateOf(now).AddDays(rapid.IntRange(-900, 900).Draw(rt, name))
			return &d
		}
		w := RequestedDates{
			LastWorkingDay: day("last"), EmploymentEndDate: day("end"), NoticeReceivedOn: day("notice"),
			Immediate: rapid.Bool().Draw(rt, "immediate"), ConfirmPast: rapid.Bool().Draw(rt, "confirm"),
		}
		if rapid.Bool().Draw(rt, "cutoff?") {
			c := now.Add(time.Duration(rapid.IntRange(-900, 900).Draw(rt, "cutoff")) * time.Hour)
			w.AccessCutoffAt = &c
		}
		six, _ := clock.ParseTimeOfDay("18:00")
		d, err := Derive(w, Circumstances{Now: now, HiredOn: hired, TimeZone: zone, CutoffTime: six})
		if err != nil {
			return
		}
		loc, _ := time.LoadLocation(zone)
		today := clock.DateOf(now.In(loc))
		switch {
		case d.LastWorkingDay.Before(hired), d.EmploymentEndDate.Before(d.LastWorkingDay), d.NoticeReceivedOn.After(d.EmploymentEndDate):
			rt.Fatalf("order: %+v hired %s", d, hired)
		case d.AccessCutoffAt.After(d.EmploymentEndedAt):
			rt.Fatalf("access goes on after the end: %+v", d)
		case d.LastWorkingDay.Before(today) && !w.ConfirmPast:
			rt.Fatalf("a past day was accepted: %+v", d)
		case d.EmploymentEndedAt.Before(clock.StartOfDay(d.EmploymentEndDate, time.UTC).Add(-14 * time.Hour)), d.EmploymentEndedAt.After(clock.EndOfDay(d.EmploymentEndDate, time.UTC).Add(12 * time.Hour)):
			rt.Fatalf("the end %s is not within its day %s, by which lists find it", d.EmploymentEndedAt, d.EmploymentEndDate)
		case d.EmploymentEndedAt.Before(now) && !d.EmploymentEndDate.Before(today):
			rt.Fatalf("ended before its own last day was over: %+v", d)
		case !w.Immediate && !clock.DateOf(d.EmploymentEndedAt.In(loc)).After(d.EmploymentEndDate):
			rt.Fatalf("ended within its last day: %+v", d)
		case !w.Immediate && clock.DateOf(d.EmploymentEndedAt.Add(-time.Second).In(loc)).After(d.EmploymentEndDate):
			rt.Fatalf("ended later than the end of its last day: %+v", d)
		}
	})
}
