// Package departure holds the facts and rules of leaving: resign, reschedule, withdraw, annul, and
// the transitions that time and activities bring about.
package departure

import (
	"time"

	"lethe/internal/clock"
)

// Horizon is how far ahead the dates of a departure may lie.
const Horizon = 2 // years

// RequestedDates is what a person asked for; what is nil is derived.
type RequestedDates struct {
	NoticeReceivedOn  *clock.Date
	LastWorkingDay    *clock.Date
	EmploymentEndDate *clock.Date
	AccessCutoffAt    *time.Time
	TimeZone          string
	Immediate         bool
	ConfirmPast       bool
	// CountFromEnd lets deadlines count from the end of the employment though it was entered later.
	CountFromEnd bool
}

// Circumstances is what the wish is judged on.
type Circumstances struct {
	Now        time.Time
	HiredOn    clock.Date
	TimeZone   string          // the employment's IANA zone
	CutoffTime clock.TimeOfDay // the legal entity's local time of day
	// Exempt is an employment under DEMO in a development database: whatever is past may be entered.
	Exempt bool
}

// Dates are the dates of a departure, complete.
type Dates struct {
	NoticeReceivedOn  clock.Date
	LastWorkingDay    clock.Date
	EmploymentEndDate clock.Date
	AccessCutoffAt    time.Time
	EmploymentEndedAt time.Time
	TimeZone          string
}

// Derive completes and judges the dates of a departure. It is pure. What holds of its answer:
// hired on ≤ last working day ≤ employment end date; cutoff ≤ end of the employment; nothing more
// than two years ahead. Short notice is no error: a notice takes effect by being received.
func Derive(w RequestedDates, c Circumstances) (Dates, error) {
	zone := w.TimeZone
	if zone == "" {
		zone = c.TimeZone
	}
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return Dates{}, ErrUnknownZone
	}
	today := clock.Today(c.Now, loc)
	d := Dates{TimeZone: zone}
	if w.Immediate {
		err = d.immediate(w, c.Now, today)
	} else {
		err = d.planned(w, c, today, loc)
	}
	if err != nil {
		return Dates{}, err
	}
	if w.NoticeReceivedOn != nil {
		d.NoticeReceivedOn = *w.NoticeReceivedOn
	} else {
		d.NoticeReceivedOn = earlier(today, d.LastWorkingDay)
	}
	switch limit := clock.NewDate(today.Year+Horizon, today.Month, today.Day); {
	case d.LastWorkingDay.Before(c.HiredOn):
		return Dates{}, ErrBeforeHire
	case d.EmploymentEndDate.Before(d.LastWorkingDay):
		return Dates{}, &OrderError{"employment_end_date"}
	case d.EmploymentEndDate.After(limit):
		return Dates{}, ErrTooFarAhead
	case d.NoticeReceivedOn.After(today), d.NoticeReceivedOn.After(d.EmploymentEndDate):
		return Dates{}, &OrderError{"notice_received_on"}
	case d.LastWorkingDay.Before(today) && !w.ConfirmPast:
		return Dates{}, &PastError{Days: d.LastWorkingDay.DaysUntil(today)}
	case d.AccessCutoffAt.After(d.EmploymentEndedAt):
		return Dates{}, &OrderError{"access_cutoff_at"}
	}
	return d, nil
}

func (d *Dates) immediate(w RequestedDates, now time.Time, today clock.Date) error {
	if w.LastWorkingDay != nil || w.EmploymentEndDate != nil || w.AccessCutoffAt != nil {
		return ErrImmediateDates
	}
	d.LastWorkingDay, d.EmploymentEndDate = today, today
	d.AccessCutoffAt, d.EmploymentEndedAt = now, now
	return nil
}

func (d *Dates) planned(w RequestedDates, c Circumstances, today clock.Date, loc *time.Location) error {
	if w.LastWorkingDay == nil {
		return ErrLastDayMissing
	}
	d.LastWorkingDay, d.EmploymentEndDate = *w.LastWorkingDay, *w.LastWorkingDay
	if w.EmploymentEndDate != nil {
		d.EmploymentEndDate = *w.EmploymentEndDate
	}
	// Far years would overflow the arithmetic below; they are refused either way.
	if d.EmploymentEndDate.After(today.AddDays(366 * (Horizon + 1))) {
		return ErrTooFarAhead
	}
	d.EmploymentEndedAt = clock.EndOfDay(d.EmploymentEndDate, loc).UTC()
	d.AccessCutoffAt = clock.At(d.LastWorkingDay, c.CutoffTime, loc).UTC()
	if w.AccessCutoffAt != nil {
		d.AccessCutoffAt = w.AccessCutoffAt.UTC()
	}
	// A cutoff in the past means now; one of an employment that has ended already, its end.
	if d.AccessCutoffAt.Before(c.Now) {
		d.AccessCutoffAt = c.Now
		if d.EmploymentEndedAt.Before(c.Now) {
			d.AccessCutoffAt = d.EmploymentEndedAt
		}
	}
	return nil
}

// completed is the wish with what was derived from it at now.
func (w RequestedDates) completed(d Dates, now time.Time) RequestedDates {
	w.TimeZone, w.NoticeReceivedOn = d.TimeZone, &d.NoticeReceivedOn
	if w.Immediate {
		return w
	}
	w.LastWorkingDay, w.EmploymentEndDate = &d.LastWorkingDay, &d.EmploymentEndDate
	if d.AccessCutoffAt.After(now) {
		w.AccessCutoffAt = &d.AccessCutoffAt
	}
	// The day was judged now; that it may be over when the other person decides is agreed to as well.
	w.ConfirmPast = true
	return w
}

func earlier(a, b clock.Date) clock.Date {
	if b.Before(a) {
		return b
	}
	return a
}
