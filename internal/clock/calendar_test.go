package clock

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func date(t interface{ Fatal(...any) }, s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWorkingDaysAreThoseOfThePlace, by the announcements and laws themselves.
func TestWorkingDaysAreThoseOfThePlace(t *testing.T) {
	for _, c := range []struct {
		jurisdiction, region, day string
		working                   bool
	}{
		{"CN", "", "2024-02-09", true}, {"CN", "", "2024-02-10", false}, {"CN", "", "2024-02-18", true}, {"CN", "", "2024-06-10", false},
		{"CN", "", "2024-09-16", false}, {"CN", "", "2024-10-12", true}, {"CN", "", "2024-10-13", false},
		{"CN", "", "2025-01-26", true}, {"CN", "", "2025-01-28", false}, {"CN", "", "2025-02-05", true}, {"CN", "", "2025-10-08", false}, {"CN", "", "2025-10-09", true},
		{"CN", "", "2026-01-02", false}, {"CN", "", "2026-01-04", true}, {"CN", "", "2026-02-14", true}, {"CN", "", "2026-02-23", false}, {"CN", "", "2026-02-24", true},
		{"CN", "", "2026-05-09", true}, {"CN", "", "2026-06-19", false}, {"CN", "", "2026-09-20", true}, {"CN", "", "2026-10-07", false}, {"CN", "", "2026-10-08", true},
		{"CN", "", "2026-12-25", true},
		{"CN", "", "2027-10-01", true},                                                                                                      // not announced: Monday to Friday
		{"DE", "", "2026-10-03", false}, {"DE", "", "2026-04-06", false}, {"DE", "", "2026-06-04", true}, {"DE", "BY", "2026-06-04", false}, // Corpus Christi
		{"DE", "", "2025-05-08", true}, {"DE", "BE", "2025-05-08", false}, {"DE", "BE", "2026-05-08", true},
		{"DE", "MV", "2022-03-08", true}, {"DE", "MV", "2027-03-08", false}, {"DE", "BE", "2027-03-08", false}, {"DE", "", "2027-03-08", true},
		{"DE", "SN", "2026-11-18", false}, {"DE", "NI", "2025-10-31", false}, {"DE", "NW", "2025-10-31", true}, {"DE", "XX", "2026-10-31", false},
		{"JP", "", "2026-05-06", false}, {"JP", "", "2026-09-22", false}, {"JP", "", "2026-03-20", false}, {"JP", "", "2026-12-31", true}, {"JP", "", "2026-01-12", false},
		{"GB", "", "2026-12-28", false}, {"GB", "", "2027-12-27", false}, {"GB", "", "2027-12-28", false}, {"GB", "", "2022-06-03", false}, {"GB", "", "2026-04-06", false},
		{"US", "", "2026-11-26", false}, {"US", "", "2026-11-27", true}, {"US", "", "2027-12-31", false}, {"US", "", "2026-07-03", false}, // observed
		{"SG", "", "2026-08-10", true}, {"SG", "", "2026-08-09", false},
	} {
		if got := (Place{c.jurisdiction, c.region}).WorkingDay(date(t, c.day)); got != c.working {
			t.Errorf("%s %s, %s: working %t, want %t", c.jurisdiction, c.region, c.day, got, c.working)
		}
	}
}

// TestWhatIsAnnouncedAddsUp: each year has the number of days off that its law gives and none twice, what is worked instead
// is a weekend, and names its source.
func TestWhatIsAnnouncedAddsUp(t *testing.T) {
	for year, c := range map[int]struct{ off, worked int }{2024: {28, 8}, 2025: {28, 5}, 2026: {33, 6}} {
		days, source, known := Place{Jurisdiction: "CN"}.HolidaysOf(year)
		if !known || source == "" {
			t.Errorf("%d: known %t by %q", year, known, source)
		}
		off, worked := 0, 0
		for i, d := range days {
			if i > 0 && !days[i-1].Date.Before(d.Date) || d.Date.Year != year || d.NameZh == "" || d.NameEn == "" {
				t.Errorf("%d: %+v", year, d)
			}
			weekend := d.Date.Weekday() == time.Saturday || d.Date.Weekday() == time.Sunday
			if d.Working && !weekend {
				t.Errorf("%s is worked anyway", d.Date)
			}
			if d.Working {
				worked++
			} else {
				off++
			}
		}
		if off != c.off || worked != c.worked {
			t.Errorf("%d: %d days off and %d worked weekends, want %+v", year, off, worked, c)
		}
	}
	for _, c := range []struct {
		place Place
		year  int
	}{{Place{Jurisdiction: "CN"}, 2023}, {Place{Jurisdiction: "CN"}, 2027}, {Place{Jurisdiction: "JP"}, 2033}, {Place{Jurisdiction: "HK"}, 2026}, {Place{Jurisdiction: "DEMO"}, 2026}} {
		if days, _, known := c.place.HolidaysOf(c.year); known || len(days) > 0 {
			t.Errorf("%v in %d: known %t, %v", c.place, c.year, known, days)
		}
	}
	if got := Regions("DE"); len(got) != 16 || !slices.IsSorted(got) {
		t.Errorf("the states are %v", got)
	}
}

func drawPlace(t *rapid.T) Place {
	p := Place{Jurisdiction: rapid.SampledFrom([]string{"CN", "DE", "GB", "JP", "US", "SG", ""}).Draw(t, "jurisdiction")}
	if regions := Regions(p.Jurisdiction); regions != nil {
		p.Region = rapid.SampledFrom(append(regions, "", "nowhere")).Draw(t, "region")
	}
	return p
}

// TestTheNextWorkingDayIsTheFirstOfThem: nothing that is worked lies between, and one day after the other is the same as
// several at once.
func TestTheNextWorkingDayIsTheFirstOfThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, d := drawPlace(t), NewDate(2019, 1, 1).AddDays(rapid.IntRange(0, 20*365).Draw(t, "date"))
		next := p.AddWorkingDays(d, 1)
		if !next.After(d) || !p.WorkingDay(next) || d.DaysUntil(next) > 11 {
			t.Fatalf("%v: after %s comes %s", p, d, next)
		}
		for between := d.AddDays(1); between.Before(next); between = between.AddDays(1) {
			if p.WorkingDay(between) {
				t.Fatalf("%v: %s is worked, before %s", p, between, next)
			}
		}
		n := rapid.IntRange(0, 40).Draw(t, "n")
		if got, want := p.AddWorkingDays(next, n), p.AddWorkingDays(d, n+1); got != want {
			t.Fatalf("%v: %d after %s is %s, want %s", p, n, next, got, want)
		}
		loc := drawZone(t)
		now := StartOfDay(d, loc).Add(time.Duration(rapid.IntRange(0, 23*3600).Draw(t, "seconds")) * time.Second)
		noon := p.NextNoon(now, loc)
		if today := Today(now, loc); DateOf(noon.In(loc)) != p.AddWorkingDays(today, 1) && noon.In(loc).Hour() == 12 || !noon.After(now) {
			t.Fatalf("%v, %s: at %s noon is %s", p, loc, now, noon)
		}
	})
}

// TestCalendarsAreReadByManyAtOnce: the library computes into its own variables.
func TestCalendarsAreReadByManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for year := 2020; year < 2033; year++ {
				if d := NewDate(year, 1, 1); (Place{Jurisdiction: "JP"}).WorkingDay(d) {
					t.Errorf("%s is worked in Japan", d)
				}
			}
		})
	}
	wg.Wait()
}
