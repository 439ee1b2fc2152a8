package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatalf("LoadZone(%q): %v", name, err)
	}
	return loc
}

func TestEndOfDayKnownCases(t *testing.T) {
	for _, c := range []struct{ name, zone, date, want string }{
		{"plain", "Asia/Shanghai", "2026-06-30", "2026-06-30T16:00:00Z"},
		{"23 hours", "Europe/Berlin", "2026-03-29", "2026-03-29T22:00:00Z"},
		{"25 hours", "Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00Z"},
		{"midnight skipped", "America/Santiago", "2024-09-07", "2024-09-08T04:00:00Z"},
		{"midnight skipped", "Asia/Beirut", "2022-03-26", "2022-03-26T22:00:00Z"},
		{"midnight twice", "America/Santiago", "2024-04-06", "2024-04-07T04:00:00Z"},
		{"before the day left out", "Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z"},
		{"the day left out", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"after the day left out", "Pacific/Apia", "2011-12-31", "2011-12-31T10:00:00Z"},
		{"set back across midnight", "America/St_Johns", "2010-11-06", "2010-11-07T03:30:00Z"},
		{"quarters of an hour", "Asia/Kathmandu", "2026-01-01", "2026-01-01T18:15:00Z"},
	} {
		d, err := ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := EndOfDay(d, mustZone(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s: EndOfDay(%s, %s) = %s, want %s", c.name, c.date, c.zone, got, c.want)
		}
	}
}

func TestAtGapsAndRepetitions(t *testing.T) {
	for _, c := range []struct{ zone, date, at, want string }{
		{"Asia/Tokyo", "2026-07-01", "18:00", "2026-07-01T09:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T01:30:00Z"},
		{"Pacific/Apia", "2011-12-30", "18:00", "2011-12-30T10:00:00Z"},
		{"America/Santiago", "2024-09-08", "00:30", "2024-09-08T04:00:00Z"},
	} {
		d, err := ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		at, err := ParseTimeOfDay(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := At(d, at, mustZone(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("At(%s %s, %s) = %s, want %s", c.date, c.at, c.zone, got, c.want)
		}
	}
}

// clockShows steps through instants and only asks what a calendar on the wall shows.
func clockShows(instant time.Time, loc *time.Location) (Date, TimeOfDay) {
	local := instant.In(loc)
	return DateOf(local), TimeOfDay(local.Hour()*3600 + local.Minute()*60 + local.Second())
}

// checkEndOfDay fails unless end is the first instant from which on d is over.
func checkEndOfDay(t interface{ Fatalf(string, ...any) }, d Date, end time.Time, loc *time.Location) {
	if shown, _ := clockShows(end.Add(-time.Nanosecond), loc); shown.After(d) {
		t.Fatalf("%s, %s: a nanosecond before its end %s it was already %s", loc, d, end, shown)
	}
	for step := end; step.Before(end.Add(30 * time.Hour)); step = step.Add(15 * time.Minute) {
		if shown, _ := clockShows(step, loc); !shown.After(d) {
			t.Fatalf("%s, %s: at %s, after its end %s, it is still %s", loc, d, step, end, shown)
		}
	}
}

func TestI7_EndOfDayAroundEveryTransitionOfEveryZone(t *testing.T) {
	files, err := zoneFiles()
	if err != nil || len(files) < 500 {
		t.Fatalf("the zone database has %d names, err %v", len(files), err)
	}
	first := time.Date(1970, 1, 1, 12, 0, 0, 0, time.UTC)
	horizon := time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)
	checked := map[uint32]bool{} // many names share one content
	for name, file := range files {
		if checked[file.CRC32] {
			continue
		}
		checked[file.CRC32] = true
		loc := mustZone(t, name)
		before := offset(first, loc)
		for at := first; at.Before(horizon); at = at.Add(24 * time.Hour) {
			after := offset(at, loc)
			if after == before {
				continue
			}
			before = after
			for days := -3; days <= 1; days++ {
				d := Today(at, loc).AddDays(days)
				checkEndOfDay(t, d, EndOfDay(d, loc), loc)
			}
		}
	}
}

func offset(t time.Time, loc *time.Location) int {
	_, o := t.In(loc).Zone()
	return o
}

func drawZone(t *rapid.T) *time.Location {
	names, err := ZoneNames()
	if err != nil {
		t.Fatalf("%v", err)
	}
	loc, err := LoadZone(rapid.SampledFrom(names).Draw(t, "zone"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return loc
}

func drawDate(t *rapid.T, label string) Date {
	return NewDate(1970, 1, 1).AddDays(rapid.IntRange(0, 131*366).Draw(t, label))
}

func TestI7_EndOfDayIsTheFirstInstantAfterTheDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, d := drawZone(t), drawDate(t, "date")
		end := EndOfDay(d, loc)
		checkEndOfDay(t, d, end, loc)
		later := d.AddDays(rapid.IntRange(1, 400).Draw(t, "later"))
		if EndOfDay(later, loc).Before(end) {
			t.Fatalf("%s: %s ends before %s", loc, later, d)
		}
		if !StartOfDay(d.AddDays(1), loc).Equal(end) {
			t.Fatalf("%s: the day after %s does not begin at its end", loc, d)
		}
	})
}

func TestI7_AtIsTheLastTimeThatTheWallTimeIsReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, d := drawZone(t), drawDate(t, "date")
		want := TimeOfDay(rapid.IntRange(0, 24*3600-1).Draw(t, "at"))
		instant := At(d, want, loc)
		behind := func(t time.Time) bool {
			day, at := clockShows(t, loc)
			return day.Before(d) || day == d && at < want
		}
		if !behind(instant.Add(-time.Nanosecond)) {
			t.Fatalf("%s: %s %s was reached before %s", loc, d, want, instant)
		}
		for step := instant; step.Before(instant.Add(30 * time.Hour)); step = step.Add(10 * time.Minute) {
			if behind(step) {
				t.Fatalf("%s: at %s clocks are behind %s %s, reached at %s", loc, step, d, want, instant)
			}
		}
	})
}

func TestLoadZoneRefusesWhatIsNotAName(t *testing.T) {
	for _, name := range []string{
		"", "Local", "local", "../etc/passwd", "/etc/localtime", "Asia/../Asia/Tokyo", "Asia/", "Asia", "asia/tokyo",
		"right/Asia/Tokyo", "posixrules", "Factory", "Asia/Tokyo\x00", " Asia/Tokyo", "GMT+8", "CST",
	} {
		if loc, err := LoadZone(name); err == nil {
			t.Errorf("LoadZone(%q) = %s", name, loc)
		}
	}
}
