package notify

import (
	"testing"
	"time"

	"lethe/internal/clock"
	"lethe/models"
)

// A digest comes once a working day, or once a week that has one, never before eight and never on a day off, however often
// somebody looks, in every zone and through every change of its clock.
func TestADigestComesOnceWhenItIsDue(t *testing.T) {
	for _, where := range []struct {
		zone  string
		place clock.Place
	}{
		{"Asia/Shanghai", clock.Place{Jurisdiction: "CN"}}, {"Europe/Berlin", clock.Place{Jurisdiction: "DE", Region: "BY"}}, {"Asia/Tokyo", clock.Place{Jurisdiction: "JP"}},
		{"Pacific/Apia", clock.Place{}}, {"America/St_Johns", clock.Place{}},
	} {
		zone, err := clock.LoadZone(where.zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, every := range models.DigestEverys {
			sent := told{Digest: every, TimeZone: where.zone, Place: where.place}
			days, weeks := map[string]bool{}, map[string]int{}
			for now := time.Date(2026, 1, 1, 0, 0, 0, 0, zone); now.Year() < 2027; now = now.Add(37 * time.Minute) {
				of := sent.digestOf(now)
				if of == "" {
					continue
				}
				today := clock.Today(now, zone)
				if of != today.String() || days[of] || now.In(zone).Hour() < fromHour || !where.place.WorkingDay(today) {
					t.Fatalf("%s %s: a digest of %s at %s", where.zone, every, of, now.In(zone))
				}
				days[of], sent.Digested = true, of
				weeks[monday(today).String()]++
			}
			working, withWork := 0, map[string]bool{}
			for d := clock.NewDate(2026, 1, 1); d.Year < 2027; d = d.AddDays(1) {
				if where.place.WorkingDay(d) {
					working++
					withWork[monday(d).String()] = true
				}
			}
			want := map[models.DigestEvery]int{models.DigestDaily: working, models.DigestWeekly: len(withWork), models.DigestNever: 0}[every]
			// The year begins in the middle of a week.
			if every == models.DigestWeekly && !days[clock.NewDate(2026, 1, 1).String()] && !days[clock.NewDate(2026, 1, 2).String()] {
				want--
			}
			if len(days) != want {
				t.Errorf("%s %s: %d digests in a year, want %d", where.zone, every, len(days), want)
			}
			for week, n := range weeks {
				if every == models.DigestWeekly && n != 1 {
					t.Errorf("%s: %d weekly digests in the week of %s", where.zone, n, week)
				}
			}
		}
	}
}

// What is urgent is told when something new is, and much at once is one mail.
func TestWhatIsUrgentIsToldOnceAnHour(t *testing.T) {
	now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	at := func(minutes int) *time.Time {
		u := now.Add(time.Duration(minutes) * time.Minute)
		return &u
	}
	for _, c := range []struct {
		what         string
		newest, told *time.Time
		waits, due   bool
	}{
		{"nothing", nil, nil, false, false},
		{"the first", at(-1), nil, false, true},
		{"told", at(-90), at(-80), false, false},
		{"another, soon after", at(-1), at(-10), false, false},
		{"another, later", at(-1), at(-61), false, true},
		{"one still waits for the mail server", at(-1), at(-61), true, false},
	} {
		if got := (told{UrgentAt: c.told, Waits: c.waits}).urgentOf(c.newest, now); (got != "") != c.due {
			t.Errorf("%s: %q", c.what, got)
		}
	}
}
