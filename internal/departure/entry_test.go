package departure

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/clock"
)

// TestI6_OnePersonsDatesCountFromTheDayOfEntry is the boundary of what one person may say, to the day, in
// zones on both sides of the date line, and what two people may.
func TestI6_OnePersonsDatesCountFromTheDayOfEntry(t *testing.T) {
	for _, zone := range []string{"Pacific/Kiritimati", "America/Los_Angeles"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			now := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(rt, "now"), 0).UTC()
			y, m, d := now.In(loc).Date()
			today := clock.NewDate(y, m, d)
			back := rapid.OneOf(rapid.SampledFrom([]int{0, 1, 29, 30, 31, 32}), rapid.IntRange(0, 3000)).Draw(rt, "days back")
			last := today.AddDays(-back)
			c := circumstances(t, now.Format(time.RFC3339))
			c.TimeZone, c.HiredOn = zone, today.AddDays(-4000)
			w := RequestedDates{LastWorkingDay: &last, ConfirmPast: true, CountFromEnd: rapid.Bool().Draw(rt, "count from the end")}
			alone, err := Enter(w, c, false)
			if err != nil {
				rt.Fatal(err)
			}
			switch {
			case alone.Advanced, alone.CountsFrom.Before(now):
				rt.Fatalf("%d days back counts from %s on one person's word", back, alone.CountsFrom)
			case back > 0 && alone.AccessCutoffAt.After(now):
				rt.Fatalf("%d days back the access goes on to %s", back, alone.AccessCutoffAt)
			case back <= 30 && alone.LastWorkingDay != last:
				rt.Fatalf("%d days back: the last day is %s", back, alone.LastWorkingDay)
			case back > 30 && (alone.EmploymentEndDate != today || !alone.EmploymentEndedAt.Equal(now)):
				rt.Fatalf("%d days back: it runs to %s", back, alone.EmploymentEndDate)
			}
			two, err := Enter(w, c, true)
			if err != nil {
				rt.Fatal(err)
			}
			if two.LastWorkingDay != last || two.Advanced != (w.CountFromEnd && back > 0) || two.Advanced != two.CountsFrom.Before(now) {
				rt.Fatalf("by two, %d days back, counting from the end %v: %+v", back, w.CountFromEnd, two)
			}
			c.Exempt = true
			if demo, err := Enter(w, c, false); err != nil || demo.LastWorkingDay != last || back > 0 && !demo.CountsFrom.Equal(demo.EmploymentEndedAt) {
				rt.Fatalf("in a demonstration: %+v, %v", demo, err)
			}
		})
	}
}

func TestARefusalOfPastDaysSaysHowFarBackTheyLie(t *testing.T) {
	for day, want := range map[string]int{"2026-11-20": 1, "2026-10-22": 30, "2026-10-21": 31, "2020-03-01": 2456} {
		_, err := Derive(RequestedDates{LastWorkingDay: date(day)}, circumstances(t, "2026-11-21T03:00:00Z"))
		var past *PastError
		if !errors.As(err, &past) || past.Days != want || !errors.Is(err, ErrLastDayInPast) {
			t.Errorf("%s: %v, want %d days", day, err, want)
		}
	}
}
