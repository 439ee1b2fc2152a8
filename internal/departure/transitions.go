package departure

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// Facts is what a Departure workflow needs to know.
type Facts struct {
	Stage         models.Stage
	AccountsState models.AccountsState
	// Done: neither time nor a command that is committed already would change anything more.
	Done bool
	// Wait until the next instant that matters, at least a second; 0: until something changes.
	Wait time.Duration
}

// Advance makes the transitions that are due, records that everything up to now was seen, and says
// what comes next. It may run any number of times.
//
// connected are the systems that an order which takes access away asks; nil: none.
func Advance(tx *database.Tx, id uuid.UUID, connected *connector.Registry) (Facts, error) {
	dep, err := Lock(tx, id)
	if err != nil {
		return Facts{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return Facts{}, err
	}
	if dep.Stage == models.StagePendingDeparture {
		dep, err = advancePending(tx, dep, now, connected)
	} else if unasked(dep, now) {
		err = beginUnlinking(tx, &dep, connected)
	}
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Stage: dep.Stage, AccountsState: dep.AccountsState, Done: finished(dep)}
	var wake *time.Time
	if next, ok := nextInstant(dep); ok {
		wake = &next
		f.Wait = max(next.Sub(now), time.Second)
	}
	return f, tx.Seen(models.DrivenDeparture, id, wake)
}

// CutAccess orders the unlinking if it is due, and nothing else: what hinders the end of the employment
// (a jurisdiction without rules) must not keep accounts open.
func CutAccess(tx *database.Tx, id uuid.UUID, connected *connector.Registry) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if !unasked(dep, now) {
		return nil
	}
	return beginUnlinking(tx, &dep, connected)
}

// unasked says that the accounts' time has come, and nobody was asked about them: also of who came in as departed.
func unasked(dep models.Departure, now time.Time) bool {
	switch dep.Stage {
	case models.StageWithdrawn, models.StageAnnulled:
		return false
	}
	return dep.AccountsState == models.AccountsLinked && !dep.AccessCutoffAt.After(now)
}

func advancePending(tx *database.Tx, dep models.Departure, now time.Time, connected *connector.Registry) (models.Departure, error) {
	if unasked(dep, now) {
		if err := beginUnlinking(tx, &dep, connected); err != nil {
			return dep, err
		}
	}
	if !dep.EmploymentEndedAt.After(now) {
		if err := depart(tx, &dep, now); err != nil {
			return dep, err
		}
	}
	return dep, nil
}

// finished says whether the departure's workflow has nothing left to do.
func finished(dep models.Departure) bool {
	switch dep.Stage {
	case models.StageWithdrawn, models.StageAnnulled:
		return dep.AccountsState == models.AccountsLinked || dep.AccountsState == models.AccountsRelinked
	case models.StagePendingDeparture:
		return false
	}
	return dep.AccountsState == models.AccountsSettled
}

// nextInstant is the next date of a pending departure that brings a transition by itself.
func nextInstant(dep models.Departure) (time.Time, bool) {
	if dep.Stage != models.StagePendingDeparture {
		return time.Time{}, false
	}
	if dep.AccountsState == models.AccountsLinked && dep.AccessCutoffAt.Before(dep.EmploymentEndedAt) {
		return dep.AccessCutoffAt, true
	}
	return dep.EmploymentEndedAt, true
}

// beginUnlinking ends the person's own users, sessions and tokens here, too: they are access like
// any other. Nothing is settled by the order alone, not even where nothing is registered (I29).
func beginUnlinking(tx *database.Tx, dep *models.Departure, connected *connector.Registry) error {
	if err := identity.EndAll(tx, dep.EmployeeID); err != nil {
		return err
	}
	op, created, err := account.OrderUnlink(tx, account.UnlinkOrder{
		EmployeeID: dep.EmployeeID, EmploymentID: dep.EmploymentID, DepartureID: &dep.ID, Mode: models.ModeDisable,
		Origin: models.OriginDeparture, Connected: connected, By: models.System, Superseded: tellOthers(dep.ID),
		Cautious: dep.BatchID != nil,
	})
	if err != nil {
		return fmt.Errorf("ordering the unlinking: %w", err)
	}
	if !created { // ordered before
		if err := AccountsChanged(tx, dep.ID); err != nil {
			return err
		}
		*dep, err = Lock(tx, dep.ID)
		return err
	}
	state, what := models.AccountsUnlinking, EventUnlinkingStarted
	if op.State == models.OperationNeedsAttention {
		state, what = models.AccountsNeedsAttention, EventNothingConnected
	}
	if err := setAccounts(tx, dep.ID, dep.AccountsState, state, nil); err != nil {
		return err
	}
	dep.AccountsState = state
	return tell(tx, dep.ID, what, models.System, *op.LedgerEntryID)
}

func depart(tx *database.Tx, dep *models.Departure, now time.Time) error {
	err := update(tx, *dep, map[string]any{"stage": models.StageDeparted, "departed_at": now})
	if err != nil {
		return err
	}
	dep.Stage, dep.DepartedAt = models.StageDeparted, &now
	entry, err := recordEntry(tx, *dep, EventDeparted, models.System, map[string]string{"employment_ended_at": instant(dep.EmploymentEndedAt)})
	if err != nil {
		return err
	}
	if err := archive.EndEmployment(tx, dep.EmploymentID, &dep.EmploymentEndedAt, entry); err != nil {
		return err
	}
	if err := archive.SetStatus(tx, dep.EmployeeID, models.StatusDeparted); err != nil {
		return err
	}
	if err := account.EndCuts(tx, dep.EmployeeID); err != nil {
		return err
	}
	employment, err := archive.LockEmployment(tx, dep.EmploymentID)
	if err != nil {
		return err
	}
	if err := retention.Schedule(tx, *dep, employment.Jurisdiction); err != nil {
		return fmt.Errorf("scheduling the retention: %w", err)
	}
	return nil
}

// OperationChanged re-derives the accounts track of the departure whose operation a later order changed:
// it is an [account.Superseded].
func OperationChanged(tx *database.Tx, op models.AccountOperation) error {
	if op.DepartureID == nil {
		return nil
	}
	return AccountsChanged(tx, *op.DepartureID)
}

// AccountsChanged re-derives the accounts track from the accounts and operations. Whoever changed
// them calls it in the same transaction, with the departure locked.
func AccountsChanged(tx *database.Tx, id uuid.UUID) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	state, err := account.DeriveAccountsState(tx, id)
	if err != nil {
		return err
	}
	if state == dep.AccountsState {
		return nil
	}
	var settledAt *time.Time
	if state == models.AccountsSettled {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		settledAt = &now
	}
	if err := setAccounts(tx, id, dep.AccountsState, state, settledAt); err != nil {
		return err
	}
	if what, ok := accountEvents[state]; ok {
		if err := record(tx, dep, what, models.System, nil); err != nil {
			return err
		}
	}
	return tx.Touch(models.DrivenDeparture, id)
}

// tellOthers re-derives the accounts track of other departures from which an order of own took
// accounts over: a relink that a later unlink supersedes.
func tellOthers(own uuid.UUID) account.Superseded {
	return func(tx *database.Tx, op models.AccountOperation) error {
		if op.DepartureID == nil || *op.DepartureID == own {
			return nil
		}
		return AccountsChanged(tx, *op.DepartureID)
	}
}

var accountEvents = map[models.AccountsState]string{
	models.AccountsSettled:        EventAccountsSettled,
	models.AccountsNeedsAttention: EventAccountsAttention,
	models.AccountsUnlinking:      EventAccountsResumed,
	models.AccountsRelinking:      EventAccountsResumed,
	models.AccountsRelinked:       EventAccountsRelinked,
}
