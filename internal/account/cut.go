package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// standing is the emergency cut that keeps somebody's accounts closed; nil: there is none.
type standing struct {
	ID      uuid.UUID
	Systems models.Names `gorm:"type:text[]"`
}

func (s *standing) covers(system string) bool {
	return s != nil && (s.Systems == nil || slices.Contains(s.Systems, system))
}

// standingCut is the one of whoever an employment is of.
func standingCut(tx *database.Tx, employmentID uuid.UUID) (*standing, error) {
	c, err := database.First[models.AccessCut](tx.DB().
		Where("employee_id = (SELECT employee_id FROM employments WHERE id = ?) AND state IN ?", employmentID, models.StandingCuts))
	if errors.Is(err, database.ErrNotFound) {
		return nil, nil //nolint:nilnil // there is none
	}
	return &standing{c.ID, c.Systems}, database.Wrap("looking for an emergency cut", err)
}

// EndCuts ends the emergency cuts of somebody whose employment has ended or whose data is deleted: that keeps closed what
// they had closed, and nobody has to confirm it, or to lift it for somebody who is hired again.
func EndCuts(tx *database.Tx, employeeID uuid.UUID) error {
	cuts, err := database.LockAll[models.AccessCut](tx, "emergency cuts", "employee_id = ? AND state IN ?", employeeID, models.StandingCuts)
	if err != nil || len(cuts) == 0 {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	for _, c := range cuts {
		entry, err := ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindAccount, Action: actionCutEnded, Actor: &models.System, Subject: &employeeID, Object: "access_cut/" + c.ID.String(),
		})
		if err != nil {
			return err
		}
		err = change[models.AccessCut](tx, "a cut", c.ID, map[string]any{"state": models.CutEnded, "ended_at": now, "ledger_entry_id": entry})
		if err != nil {
			return err
		}
	}
	return nil
}

// uncut refuses a stand-alone order that would open what an emergency cut keeps closed, unless it lifts that cut.
func (o RelinkOrder) uncut(tx *database.Tx) error {
	cut, err := standingCut(tx, o.EmploymentID)
	if err != nil || cut == nil || o.Cut != nil && *o.Cut == cut.ID {
		return err
	}
	if cut.Systems == nil || o.Systems == nil || slices.ContainsFunc(o.Systems, cut.covers) {
		return ErrCutStands
	}
	return nil
}

// keepClosed takes out of what a departure gives back what an emergency cut keeps closed. What the departure had taken
// goes over to an unlinking of the cut's own, which is undone when the cut is lifted.
func (o RelinkOrder) keepClosed(tx *database.Tx, former formers, accounts []models.LinkedAccount) ([]models.LinkedAccount, error) {
	if o.Origin == models.OriginStandalone {
		return accounts, nil
	}
	cut, err := standingCut(tx, o.EmploymentID)
	if err != nil || cut == nil {
		return accounts, err
	}
	var kept []models.LinkedAccount
	accounts = slices.DeleteFunc(accounts, func(a models.LinkedAccount) bool {
		if !cut.covers(a.System) {
			return false
		}
		if former.ownedByDeparture(a) {
			kept = append(kept, a)
		}
		return true
	})
	if len(kept) == 0 {
		return accounts, nil
	}
	order := UnlinkOrder{EmploymentID: o.EmploymentID, Mode: models.ModeDisable, Origin: models.OriginStandalone, Cut: &cut.ID, By: o.By}
	op, err := createOperation(tx, models.AccountOperation{
		EmploymentID: o.EmploymentID, Kind: models.OperationUnlink, Mode: order.Mode, Origin: order.Origin, CutID: order.Cut,
		Asked: order.asks(kept), CreatedBy: o.By.ID(),
	}, func(op models.AccountOperation) (*uuid.UUID, error) {
		return recordOrder(tx, op, o.EmployeeID, o.By, former, kept)
	})
	if err != nil {
		return nil, err
	}
	if err := former.unlink(tx, op, kept, false); err != nil {
		return nil, err
	}
	tx.Nudge(models.DrivenOperation, op.ID)
	return accounts, former.release(tx, kept, o.Superseded)
}

// wantedOff says whether an unlinking that stands alone and is none of a cut's own had been ordered last: the cut took the
// account over from it, or takes again what it waived, and lifting the cut leaves it off. What a departure took and gave
// back counts for nothing here.
func (f formers) wantedOff(a models.LinkedAccount, cut uuid.UUID) bool {
	off := false
	for _, op := range f.ops {
		if op.CutID != nil && *op.CutID == cut || op.Kind == models.OperationUnlink && op.Origin == models.OriginDeparture {
			continue
		}
		for _, s := range f.steps {
			if s.OperationID == op.ID && s.AccountID == a.ID {
				off = s.Action == models.OperationUnlink
			}
		}
	}
	return off
}

// Closing is one account of somebody whose access was cut: whether it is off, as it was read back.
type Closing struct {
	AccountID, EmployeeID uuid.UUID
	System, Kind          string
	State                 models.AccountState
	ConfirmedAt           *time.Time
	Registered            bool
	Finding               models.Finding
	OperationID           *uuid.UUID
	StepState             models.StepState
	StuckReason           string
	Tries                 int
	CheckAt               *time.Time
	SupportCaseID         *uuid.UUID
	External              bool // it has an id, or people linked it
}

// Off says that the access is certainly away: read back as off, or as not there.
func (c Closing) Off() bool {
	return c.State == models.AccountDisabled || c.State == models.AccountNotFound
}

// Asked says that nobody registered an account, and the system is asked for one.
func (c Closing) Asked() bool { return !c.External }

// Closings are the accounts of some persons, with what is being done about each, by person.
func Closings(ctx context.Context, db *database.DB, persons []uuid.UUID) (map[uuid.UUID][]Closing, error) {
	of := make(map[uuid.UUID][]Closing, len(persons))
	if len(persons) == 0 {
		return of, nil
	}
	var rows []Closing
	err := db.Read(ctx).Raw(`SELECT a.id AS account_id, m.employee_id, a.system, a.kind, a.state, a.confirmed_at, a.registered, a.finding, a.operation_id,
			(a.registered OR a.external_id IS NOT NULL) AS external, coalesce(s.state, '') AS step_state, coalesce(s.stuck_reason, '') AS stuck_reason,
			coalesce(s.tries, 0) AS tries, s.check_at, (SELECT c.id FROM support_cases c WHERE c.step_id = s.id AND c.state <> 'closed' LIMIT 1) AS support_case_id
		FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
		LEFT JOIN account_steps s ON s.account_id = a.id AND s.operation_id = a.operation_id
		WHERE m.employee_id IN ? AND NOT (NOT a.registered AND a.external_id IS NULL AND a.state IN ('linked', 'relinked'))
		ORDER BY a.system, a.id`, persons).Scan(&rows).Error
	for _, r := range rows {
		of[r.EmployeeID] = append(of[r.EmployeeID], r)
	}
	return of, database.Wrap("reading what is off", err)
}

// UnlinkingsOf are the unlinkings of an emergency cut, oldest first, with the employments that they are of.
func UnlinkingsOf(tx *database.Tx, cutID uuid.UUID) ([]models.AccountOperation, error) {
	return database.Find[models.AccountOperation](tx.DB(), "the unlinkings of a cut", "cut_id = ? AND kind = ?", cutID, models.OperationUnlink)
}

// Ended says whether a departure has ended the access of an employment, or the employment itself has ended.
func Ended(tx *database.Tx, employment models.Employment) (bool, error) {
	if employment.EndedAt != nil {
		return true, nil
	}
	return accessEnded(tx, employment.ID)
}
