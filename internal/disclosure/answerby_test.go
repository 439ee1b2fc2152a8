package disclosure

import (
	"testing"

	"lethe/internal/clock"
)

// TestAnAnswerIsDueByTheLawOfTheEmployment to the end of a day there; more time is given where the law gives it.
func TestAnAnswerIsDueByTheLawOfTheEmployment(t *testing.T) {
	for _, c := range []struct{ jurisdiction, zone, on, due, extended string }{
		{"CN", "Asia/Shanghai", "2026-11-30", "2026-12-22T00:00:00+08:00", ""}, // a Monday: Monday the 21st is the 15th
		{"CN", "Asia/Shanghai", "2026-11-27", "2026-12-19T00:00:00+08:00", ""}, // a Friday
		{"CN", "Asia/Shanghai", "2026-11-28", "2026-12-19T00:00:00+08:00", ""}, // a Saturday
		{"CN", "Asia/Shanghai", "2026-02-10", "2026-03-10T00:00:00+08:00", ""}, // over the Spring Festival, with both weekends that are worked
		{"CN", "Asia/Shanghai", "2026-09-18", "2026-10-16T00:00:00+08:00", ""}, // over both festivals of autumn
		{"DE", "Europe/Berlin", "2026-11-30", "2026-12-31T00:00:00+01:00", "2027-03-01T00:00:00+01:00"},
		{"DE", "Europe/Berlin", "2027-01-31", "2027-03-01T00:00:00+01:00", "2027-05-01T00:00:00+02:00"},
		{"JP", "Asia/Tokyo", "2026-11-30", "2026-12-31T00:00:00+09:00", ""},
		{"DEMO", "Asia/Shanghai", "2026-11-30", "2026-12-31T00:00:00+08:00", ""},
	} {
		zone, err := clock.LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		on, err := clock.ParseDate(c.on)
		if err != nil {
			t.Fatal(err)
		}
		if got := AnswerBy(clock.Place{Jurisdiction: c.jurisdiction}, on, zone); !got.Equal(instant(t, c.due)) {
			t.Errorf("%s, %s: due %s, want %s", c.jurisdiction, c.on, got.In(zone), c.due)
		}
		until, may := ExtendedBy(c.jurisdiction, on, zone)
		if may != (c.extended != "") || may && !until.Equal(instant(t, c.extended)) {
			t.Errorf("%s, %s: extended %t until %s, want %s", c.jurisdiction, c.on, may, until.In(zone), c.extended)
		}
	}
}
