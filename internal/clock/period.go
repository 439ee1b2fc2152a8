package clock

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Period is an ISO 8601 duration: a calendar part (years, months, days), which is counted on a
// calendar, and an exact part (hours, minutes, seconds), which is counted on a stopwatch.
type Period struct {
	Months int // years are twelve of them
	Days   int // weeks are seven of them
	Exact  time.Duration
}

var (
	periodPattern = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$`)
	errPeriod     = errors.New("a period is written as an ISO 8601 duration in whole units, such as P3Y6M, P30D or PT5S")
)

// ParsePeriod reads an ISO 8601 duration in whole, not negative units: P3Y6M4DT12H30M5S, P2W, PT0S.
func ParsePeriod(s string) (Period, error) {
	parts := periodPattern.FindStringSubmatch(s)
	if parts == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return Period{}, errPeriod
	}
	var n [7]int
	for i, digits := range parts[1:] {
		if digits == "" {
			continue
		}
		value, err := strconv.Atoi(digits)
		if err != nil {
			return Period{}, errPeriod
		}
		n[i] = value
	}
	return Period{
		Months: n[0]*12 + n[1],
		Days:   n[2]*7 + n[3],
		Exact:  time.Duration(n[4])*time.Hour + time.Duration(n[5])*time.Minute + time.Duration(n[6])*time.Second,
	}, nil
}

// IsCalendar says whether the period has a part that is counted on a calendar.
func (p Period) IsCalendar() bool { return p.Months != 0 || p.Days != 0 }

// AddToDate adds the calendar part to d: first years and months, then days. A day that the last
// month lacks becomes that month's last one, so 29 February and a year is 28 February, and
// 31 January and a month the last of February: BGB § 188(3), 民法典第二百零二条, 民法第143条第2項.
func (p Period) AddToDate(d Date) Date {
	month := int(d.Month) - 1 + p.Months
	year := d.Year + month/12
	month %= 12
	last := NewDate(year, time.Month(month+2), 0).Day // day 0 of the month after it
	return NewDate(year, time.Month(month+1), min(d.Day, last)+p.Days)
}

// Compare is -1, 0 or +1 as p is shorter than, equal to or longer than q on whatever date both
// begin. It is false where that depends on the date, as with P1M and P30D.
func (p Period) Compare(q Period) (order int, ok bool) {
	shorter := p.Months < q.Months || p.Days < q.Days || p.Exact < q.Exact
	longer := p.Months > q.Months || p.Days > q.Days || p.Exact > q.Exact
	switch {
	case shorter && longer:
		return 0, false
	case shorter:
		return -1, true
	case longer:
		return +1, true
	}
	return 0, true
}

// String is the ISO 8601 duration, with months beyond twelve as years: "P3Y6M", "PT0S".
func (p Period) String() string {
	var b strings.Builder
	write := func(n int64, unit string) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
		}
	}
	b.WriteString("P")
	write(int64(p.Months/12), "Y")
	write(int64(p.Months%12), "M")
	write(int64(p.Days), "D")
	if p.Exact != 0 {
		b.WriteString("T")
		write(int64(p.Exact/time.Hour), "H")
		write(int64(p.Exact%time.Hour/time.Minute), "M")
		write(int64(p.Exact%time.Minute/time.Second), "S")
	}
	if b.Len() == 1 {
		return "PT0S"
	}
	return b.String()
}
