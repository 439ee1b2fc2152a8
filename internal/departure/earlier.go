package departure

import (
	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// LockEarlier locks a departure whose employment is over, with what two people may let its deadlines
// count from: the wished dates, or, without any, its own. A departure whose end lies ahead is ErrStage:
// its dates are changed with [PrepareDates]; dates that bring nothing forward are ErrNotEarlier, and nobody asks for
// them for the own departure.
func LockEarlier(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) (models.Departure, Dates, error) {
	dep, err := Lock(tx, id)
	if err != nil {
		return dep, Dates{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return dep, Dates{}, err
	}
	switch dep.Stage {
	case models.StagePurging, models.StagePurged:
		return dep, Dates{}, ErrPurgeBegan
	case models.StagePendingDeparture, models.StageDeparted:
		if dep.EmploymentEndedAt.After(now) {
			return dep, Dates{}, ErrStage
		}
	default:
		return dep, Dates{}, ErrStage
	}
	employment, err := archive.LockEmployment(tx, dep.EmploymentID)
	if err != nil {
		return dep, Dates{}, err
	}
	d, err := derive(tx, employment, completeEarlier(dep, w))
	if err != nil {
		return dep, d, err
	}
	d.AccessCutoffAt = earliest(dep.AccessCutoffAt, d.EmploymentEndedAt)
	if !d.EmploymentEndedAt.Before(dep.EventAt()) {
		return dep, d, ErrNotEarlier
	}
	if dep.EmployeeID == by.EmployeeID {
		return dep, d, ErrSubject
	}
	return dep, d, nil
}

// completeEarlier fills in what a wish for earlier dates leaves out.
func completeEarlier(dep models.Departure, w RequestedDates) RequestedDates {
	if w.LastWorkingDay == nil {
		w.LastWorkingDay, w.EmploymentEndDate = &dep.LastWorkingDay, &dep.EmploymentEndDate
	} else if w.EmploymentEndDate == nil {
		w.EmploymentEndDate = w.LastWorkingDay
	}
	if w.NoticeReceivedOn == nil || w.NoticeReceivedOn.After(*w.EmploymentEndDate) {
		notice := earlier(dep.NoticeReceivedOn, *w.EmploymentEndDate)
		w.NoticeReceivedOn = &notice
	}
	if w.TimeZone == "" {
		w.TimeZone = dep.TimeZone
	}
	// The access was cut already; that the days are over is what is agreed to.
	w.AccessCutoffAt, w.ConfirmPast, w.CountFromEnd, w.Immediate = nil, true, true, false
	return w
}

// CompleteEarlier is the wish with everything that would be agreed to.
func CompleteEarlier(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) (RequestedDates, error) {
	dep, _, err := LockEarlier(tx, by, id, w)
	return completeEarlier(dep, w), err
}

// CountEarlier gives a departure that took effect, or is about to, the dates that two people agreed to:
// its deadlines count from them, and each purge that they bring forward wants the review. When access
// was cut, and the 30 days of [retention] after departed, stay what they are.
func CountEarlier(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) error {
	dep, d, err := LockEarlier(tx, by, id, w)
	if err != nil {
		return err
	}
	before := datesOf(dep)
	err = update(tx, dep, map[string]any{
		"notice_received_on": d.NoticeReceivedOn, "last_working_day": d.LastWorkingDay, "employment_end_date": d.EmploymentEndDate,
		"access_cutoff_at": d.AccessCutoffAt, "employment_ended_at": d.EmploymentEndedAt, "time_zone": d.TimeZone,
		"counts_from": d.EmploymentEndedAt, "advanced": true,
		"advanced_by": agreed(tx),
	})
	if err != nil {
		return err
	}
	details := moved(before, d)
	details["counts_from"], details["counts_from_before"] = instant(d.EmploymentEndedAt), instant(dep.EventAt())
	entry, err := recordEntry(tx, dep, EventDatesChanged, by, details)
	if err != nil {
		return err
	}
	dep.EmploymentEndedAt, dep.CountsFrom, dep.TimeZone, dep.Advanced = d.EmploymentEndedAt, d.EmploymentEndedAt, d.TimeZone, true
	if dep.Stage == models.StageDeparted {
		if err := archive.EndEmployment(tx, dep.EmploymentID, &d.EmploymentEndedAt, entry); err != nil {
			return err
		}
	}
	if err := retention.Recount(tx, dep, by); err != nil {
		return err
	}
	return tx.Touch(models.DrivenDeparture, id)
}

// CutNow cuts the access of a pending departure at once if a wish for other dates says that the last
// working day is over, whatever two people say to the dates. Where even that is for two people, or the
// cut is behind, it changes nothing.
func CutNow(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	d, cuts, err := cutNow(tx, dep, w)
	if err != nil || !cuts {
		return err
	}
	if err := update(tx, dep, map[string]any{"access_cutoff_at": d.AccessCutoffAt}); err != nil {
		return err
	}
	if err := record(tx, dep, EventDatesChanged, by, moved(datesOf(dep), d)); err != nil {
		return err
	}
	return tx.Touch(models.DrivenDeparture, id)
}

// cutNow says whether [CutNow] cuts, and with which dates the departure goes on then.
func cutNow(tx *database.Tx, dep models.Departure, w RequestedDates) (d Dates, cuts bool, err error) {
	now, err := tx.Now()
	if err != nil {
		return d, false, err
	}
	loc, err := clock.LoadZone(dep.TimeZone)
	if err != nil {
		return d, false, ErrUnknownZone
	}
	if w.LastWorkingDay == nil || !w.LastWorkingDay.Before(clock.Today(now, loc)) ||
		dep.Stage != models.StagePendingDeparture || dep.AccountsState != models.AccountsLinked || !dep.AccessCutoffAt.After(now) {
		return d, false, nil
	}
	d = datesOf(dep)
	d.AccessCutoffAt = now
	causes, err := suddenly(tx, dep.EmployeeID, d)
	return d, len(causes) == 0, err // a head's or an administrator's: the request that follows asks for it
}
