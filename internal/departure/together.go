package departure

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/imports"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// Judge says what the departure of a row of a file would come to, by [Prepare], which judges one alone. That the last
// working day is over is confirmed by whoever has the file run: the dry run says so.
func (Leavers) Judge(tx *database.Tx, by models.Actor, l imports.Leave) (o imports.Outlook, err error) {
	n := noticeOf(l)
	b, err := Prepare(tx, by, n)
	if err != nil {
		return unlike(tx, l, err)
	}
	if b.Remains(n.RequestedDates) { // two people decide about the rest, person by person
		return imports.Outlook{Wrong: imports.LongOver, At: imports.ColumnLastDay}, nil
	}
	now, err := tx.Now()
	if err != nil {
		return o, err
	}
	if o.Protected, err = Protected(tx, l.EmployeeID); err != nil {
		return o, err
	}
	zone, err := clock.LoadZone(b.TimeZone)
	if err != nil {
		return o, ErrUnknownZone
	}
	o.LastDay, o.Cutoff, o.End = b.LastWorkingDay, b.AccessCutoffAt.UTC(), b.EmploymentEndedAt.UTC()
	o.AtOnce, o.Sudden, o.Past = !o.Cutoff.After(now), len(b.Causes) > 0, o.LastDay.Before(clock.Today(now, zone))
	o.Begin = func(tx *database.Tx, seal vault.Sealer, batch models.Batch, agreed bool) (uuid.UUID, error) {
		begins := b
		if agreed && len(b.Causes) > 0 {
			n.Approved = true
			if begins, err = Prepare(tx, by, n); err != nil {
				return uuid.Nil, err
			}
		}
		begins.notice.BatchID = &batch.ID
		dep, err := begins.Begin(tx, seal, by)
		return dep.ID, err
	}
	return o, nil
}

func noticeOf(l imports.Leave) Notice {
	return Notice{
		EmployeeID: l.EmployeeID, Kind: l.Kind, ReasonCode: l.ReasonCode, Note: l.Note,
		RequestedDates: RequestedDates{
			LastWorkingDay: l.LastDay, EmploymentEndDate: l.EndDate, NoticeReceivedOn: l.NoticeOn, Immediate: l.Immediate, ConfirmPast: true,
		},
	}
}

// wrongs is what a refusal of one departure is called beside a row, and at which column.
var wrongs = []struct {
	err   error
	wrong imports.Problem
	at    string
}{
	{ErrSubject, imports.OwnFile, ""},
	{ErrEmployeeNotFound, imports.Unknown, ""},
	{ErrUnknownKind, imports.NotAllowed, imports.ColumnKind},
	{ErrNotSupportedYet, imports.NotAllowed, imports.ColumnKind},
	{ErrLastDayMissing, imports.Required, imports.ColumnLastDay},
	{ErrImmediateDates, imports.ImmediateDates, imports.ColumnImmediate},
	{ErrBeforeHire, imports.BeforeHire, imports.ColumnLastDay},
	{ErrTooFarAhead, imports.TooFar, imports.ColumnLastDay},
	{ErrNotACode, imports.Malformed, imports.ColumnReason},
	{textform.ErrTooLong, imports.TooLong, imports.ColumnNote},
	{textform.ErrUnreadable, imports.NotText, imports.ColumnNote},
	{ErrNoRules, imports.NoRules, ""},
}

// unlike says why a row comes to no departure: it is refused, or there is one.
func unlike(tx *database.Tx, l imports.Leave, err error) (o imports.Outlook, _ error) {
	var exists *ExistsError
	if errors.As(err, &exists) {
		return exists.beside(tx, l)
	}
	var order *OrderError
	if errors.As(err, &order) {
		return imports.Outlook{Wrong: imports.OutOfOrder, At: order.Field}, nil
	}
	for _, w := range wrongs {
		if errors.Is(err, w.err) {
			return imports.Outlook{Wrong: w.wrong, At: w.at}, nil
		}
	}
	return o, err
}

// beside says how a departure that there is stands to a row: it says the same, or it is in the way.
func (e *ExistsError) beside(tx *database.Tx, l imports.Leave) (o imports.Outlook, err error) {
	dep, err := database.First[models.Departure](tx.DB().Where("id = ?", e.ID))
	if err != nil {
		return o, database.Wrap("reading a departure", err)
	}
	end := l.EndDate
	if end == nil {
		end = l.LastDay
	}
	dates := l.Immediate && dep.Immediate || !l.Immediate && l.LastDay != nil && *l.LastDay == dep.LastWorkingDay && *end == dep.EmploymentEndDate
	switch {
	case dates && dep.Kind == l.Kind:
		return imports.Outlook{Same: true}, nil
	case dep.Stage == models.StagePendingDeparture && dates:
		return imports.Outlook{Wrong: imports.DepartureOpen, At: imports.ColumnKind}, nil
	case dep.Stage == models.StagePendingDeparture:
		return imports.Outlook{Wrong: imports.DepartureOpen, At: imports.ColumnLastDay}, nil
	}
	return imports.Outlook{Wrong: imports.LeftAlready}, nil
}

// BegunWithin is how many departures somebody began within a time, alone and by files.
func BegunWithin(tx *database.Tx, by uuid.UUID, within time.Duration) (n int64, err error) {
	err = tx.DB().Raw("SELECT count(*) FROM departures WHERE created_by = ? AND created_at > lethe_now() - make_interval(secs => ?) AND batch_id IS NULL",
		by, within.Seconds()).Scan(&n).Error
	return n, database.Wrap("counting whose departures somebody began", err)
}
