package departure

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// OneWord is how many days before the day of entry an employment may have ended on one person's word.
const OneWord = 30

// Entry is with which dates a departure runs, and from when its deadlines count.
type Entry struct {
	Dates
	// CountsFrom is the earliest instant that deadlines count from.
	CountsFrom time.Time
	// Advanced: two people agreed that they count from the end of an employment that is over.
	Advanced bool
}

// Enter derives the dates of a departure and says what of them holds on one person's word, or on two
// people's (approved). It is pure. An employment that ended up to OneWord days ago runs with its dates,
// but its deadlines count from now; one that ended before runs as if it ended now. Either way the access
// is cut at once, and counting from the earlier end is for two people, who say so (CountFromEnd).
func Enter(w RequestedDates, c Circumstances, approved bool) (Entry, error) {
	d, err := Derive(w, c)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Dates: d, CountsFrom: c.Now}
	if !d.EmploymentEndedAt.Before(c.Now) {
		return e, nil
	}
	loc, err := clock.LoadZone(d.TimeZone)
	if err != nil {
		return Entry{}, ErrUnknownZone
	}
	today := clock.Today(c.Now, loc)
	beyond := d.EmploymentEndDate.DaysUntil(today) > OneWord
	switch {
	case c.Exempt:
		e.CountsFrom = d.EmploymentEndedAt
	case approved && w.CountFromEnd:
		e.CountsFrom, e.Advanced = d.EmploymentEndedAt, true
	case beyond && !approved:
		e.LastWorkingDay, e.EmploymentEndDate = today, today
		e.AccessCutoffAt, e.EmploymentEndedAt = c.Now, c.Now
	}
	return e, nil
}

// Remains says whether a departure that begins so leaves something of the wish to two people: an end further back,
// or deadlines that count from it.
func (e Entry) Remains(w RequestedDates) bool {
	if w.Immediate || e.Advanced || w.LastWorkingDay == nil {
		return false
	}
	end := *w.LastWorkingDay
	if w.EmploymentEndDate != nil {
		end = *w.EmploymentEndDate
	}
	return end.Before(e.EmploymentEndDate) || w.CountFromEnd && e.CountsFrom.After(e.EmploymentEndedAt)
}

// counting is what the deadlines of a departure count from.
type counting struct {
	from     time.Time
	advanced bool
	approval *uuid.UUID
}

// by is what two people who agreed to earlier dates let them count from.
func (c counting) by(tx *database.Tx, employment models.Employment, d Dates) (counting, error) {
	exempt, err := retention.Exempt(tx, employment.Jurisdiction)
	if err != nil || exempt {
		return c, err
	}
	return counting{from: earliest(c.from, d.EmploymentEndedAt), advanced: true, approval: agreed(tx)}, nil
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
