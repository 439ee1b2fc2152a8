package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePeriod(t *testing.T) {
	for s, want := range map[string]Period{
		"P3Y6M4DT12H30M5S": {Months: 42, Days: 4, Exact: 12*time.Hour + 30*time.Minute + 5*time.Second},
		"P2W":              {Days: 14},
		"PT5S":             {Exact: 5 * time.Second},
		"P0D":              {},
		"P1M":              {Months: 1},
		"PT1M":             {Exact: time.Minute},
	} {
		got, err := ParsePeriod(s)
		if err != nil || got != want {
			t.Errorf("ParsePeriod(%s) = %+v, %v, want %+v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "P", "PT", "P1YT", "3Y", "-P1Y", "P-1Y", "P1.5Y", "PT0.5S", "P1D1Y", "P1H", "P99999Y", "P1Y ", "p1y", "P1Y\n", "P１Y"} {
		if got, err := ParsePeriod(s); err == nil {
			t.Errorf("ParsePeriod(%q) = %+v, want an error", s, got)
		}
	}
}

func TestPeriodRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeriod(t)
		back, err := ParsePeriod(p.String())
		if err != nil || back != p {
			t.Fatalf("%+v is written %s and read as %+v, %v", p, p, back, err)
		}
	})
}

func drawPeriod(t *rapid.T) Period {
	return Period{
		Months: rapid.IntRange(0, 600).Draw(t, "months"),
		Days:   rapid.IntRange(0, 1000).Draw(t, "days"),
		Exact:  time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "seconds")) * time.Second,
	}
}

func TestI7_AddToDateKnownCases(t *testing.T) {
	for _, c := range []struct{ from, period, want string }{
		{"2024-02-29", "P1Y", "2025-02-28"},
		{"2024-02-29", "P4Y", "2028-02-29"},
		{"2023-02-28", "P1Y", "2024-02-28"},
		{"2026-01-31", "P1M", "2026-02-28"},
		{"2026-01-31", "P1M1D", "2026-03-01"},
		{"2026-12-31", "P2M", "2027-02-28"},
		{"2096-02-29", "P4Y", "2100-02-28"},
		{"2026-08-31", "P6M", "2027-02-28"},
		{"2026-12-15", "P12M", "2027-12-15"},
	} {
		from, _ := ParseDate(c.from)
		p, err := ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.AddToDate(from).String(); got != c.want {
			t.Errorf("%s + %s = %s, want %s", c.from, c.period, got, c.want)
		}
	}
}

// The reference walks month by month and day by day on a calendar.
func TestI7_AddToDateAgainstStepping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, p := drawDate(t, "date"), drawPeriod(t)
		want := Date{d.Year, d.Month, 1}
		for range p.Months {
			month := want.Month
			for want.Month == month {
				want = want.AddDays(1)
			}
		}
		month := want.Month
		for want.Day < d.Day && want.AddDays(1).Month == month {
			want = want.AddDays(1)
		}
		for range p.Days {
			want = want.AddDays(1)
		}
		if got := p.AddToDate(d); got != want {
			t.Fatalf("%s + %s = %s, want %s", d, p, got, want)
		}
	})
}

func TestPeriodCompare(t *testing.T) {
	for _, c := range []struct {
		p, q  string
		order int
		ok    bool
	}{
		{"P1Y", "P12M", 0, true}, {"P2Y", "P3Y", -1, true}, {"P1Y1D", "P1Y", 1, true},
		{"P1M", "P30D", 0, false}, {"PT24H", "P1D", 0, false}, {"P0D", "PT5S", -1, true}, {"P2W", "P14D", 0, true},
	} {
		p, _ := ParsePeriod(c.p)
		q, _ := ParsePeriod(c.q)
		if order, ok := p.Compare(q); order != c.order || ok != c.ok {
			t.Errorf("%s against %s = %d, %t, want %d, %t", c.p, c.q, order, ok, c.order, c.ok)
		}
	}
}

func TestParseTimeOfDay(t *testing.T) {
	for s, want := range map[string]string{"18:00": "18:00:00", "00:00": "00:00:00", "23:59:59": "23:59:59"} {
		got, err := ParseTimeOfDay(s)
		if err != nil || got.String() != want {
			t.Errorf("ParseTimeOfDay(%s) = %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "24:00", "7:00", "18", "18:60", "18:00:60", "18:00:00.5", "18:0:00"} {
		if got, err := ParseTimeOfDay(s); err == nil {
			t.Errorf("ParseTimeOfDay(%q) = %s, want an error", s, got)
		}
	}
}
