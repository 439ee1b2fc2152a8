// Package clock holds civil dates and the arithmetic of local days. Everything in it is a pure
// function of its arguments; "now" always comes from the database (lethe_now), never from here.
package clock

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar without a time or a zone, as labour law
// counts days. The zero value is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// NewDate normalises like time.Date: NewDate(2025, 2, 30) is 2 March 2025.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf is the day that t shows on a calendar in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads an RFC 3339 full-date, "2006-01-02", from the year 1 on.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, errors.New("a date is written YYYY-MM-DD")
	}
	return DateOf(t), nil
}

// IsZero says whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// String is the RFC 3339 full-date.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// AddDays is the date n days later (earlier if n is negative).
func (d Date) AddDays(n int) Date { return NewDate(d.Year, d.Month, d.Day+n) }

// Compare is -1, 0 or +1 as d is before, equal to or after other.
func (d Date) Compare(other Date) int { return d.utc().Compare(other.utc()) }

// Before says whether d is an earlier day than other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// After says whether d is a later day than other.
func (d Date) After(other Date) bool { return d.Compare(other) > 0 }

// DaysUntil is how many days later the other date is; negative: earlier.
func (d Date) DaysUntil(other Date) int { return int(other.utc().Sub(d.utc()) / (24 * time.Hour)) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Value stores d in a column of type date; the zero value as NULL.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads a column of type date; NULL as the zero value.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		*d = DateOf(v)
	case string:
		parsed, err := ParseDate(v)
		if err != nil {
			return err
		}
		*d = parsed
	default:
		return fmt.Errorf("a date cannot be read from %T", src)
	}
	return nil
}

// GormDataType names the column type.
func (Date) GormDataType() string { return "date" }

// MarshalJSON writes the RFC 3339 full-date, or null.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads an RFC 3339 full-date, or null.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("a date is written YYYY-MM-DD")
	}
	if s == nil {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(*s)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
