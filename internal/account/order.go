package account

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// Superseded is told, in the order's transaction, about an operation of a departure whose state
// changed because a later order took accounts over from it. May be nil.
type Superseded func(tx *database.Tx, op models.AccountOperation) error

// UnlinkOrder asks for accounts of one employment to be unlinked.
type UnlinkOrder struct {
	EmployeeID   uuid.UUID // of the employment; looked up if left out
	EmploymentID uuid.UUID
	DepartureID  *uuid.UUID // with OriginDeparture
	Mode         models.OperationMode
	Origin       models.OperationOrigin // models.OriginDeparture or OriginStandalone
	AllOrNothing bool                   // stand-alone only: one stuck account gives all of them back
	// Cut is the emergency cut that orders it, stand-alone: it takes over what other stand-alone orders have not
	// finished, and what was waived; what a departure is taking away already stays the departure's.
	Cut     *uuid.UUID
	Systems []string // nil: all
	// Cautious: the access should have ended long ago, and what is found in use that nobody registered is left to people.
	Cautious bool
	// Connected are the systems that can be asked whether anybody registered an account there or not; nil: none.
	Connected  *connector.Registry
	By         models.Actor
	Superseded Superseded
}

// OrderUnlink orders the unlinking of every account that is not settled and, unless it only detaches, that
// every connected system without one is asked by employee number. It is false if there is nothing to do;
// a departure's order always is given. The caller holds the employment, and the departure if there is one.
//
// Unfinished relinks of these accounts are superseded. A departure also takes over what stand-alone
// unlinkings have not finished; what they settled stays as it is, but a waiver given to one of them
// does not count for the departure. A second stand-alone order for accounts that are being unlinked
// is *AlreadyRunningError; a second one for the same departure returns the first, and false. All or nothing
// is ErrDepartureOwns once a departure has ended the access: it would give the access back.
func OrderUnlink(tx *database.Tx, o UnlinkOrder) (models.AccountOperation, bool, error) {
	departure := o.Origin == models.OriginDeparture
	if !o.makesSense() {
		return models.AccountOperation{}, false, ErrInvalidOrder
	}
	if departure {
		running, err := currentOperation(tx, *o.DepartureID, models.OperationUnlink)
		if err != nil || running != nil {
			return orZero(running), false, err
		}
	}
	former, accounts, asked, err := o.prepare(tx)
	if err != nil || len(accounts)+len(asked) == 0 && !departure {
		return models.AccountOperation{}, false, err
	}
	if o.EmployeeID == uuid.Nil {
		if o.EmployeeID, err = person(tx, o.EmploymentID); err != nil {
			return models.AccountOperation{}, false, err
		}
	}
	sought, err := o.lookUps(tx, o.EmployeeID, asked, former.accounts, accounts)
	if err != nil {
		return models.AccountOperation{}, false, err
	}
	accounts = append(accounts, sought...)
	op, err := createOperation(tx, models.AccountOperation{
		EmploymentID: o.EmploymentID, DepartureID: o.DepartureID, Kind: models.OperationUnlink, Mode: o.Mode,
		Origin: o.Origin, AllOrNothing: o.AllOrNothing, CutID: o.Cut, Asked: asked, CreatedBy: o.By.ID(),
	}, func(op models.AccountOperation) (*uuid.UUID, error) {
		return recordOrder(tx, op, o.EmployeeID, o.By, former, accounts)
	})
	if err != nil {
		return op, false, err
	}
	if err := former.unlink(tx, op, accounts, o.Cautious); err != nil {
		return op, false, err
	}
	if err := former.release(tx, accounts, o.Superseded); err != nil {
		return op, false, err
	}
	if len(accounts) == 0 { // nothing is connected that could be asked
		if op, _, err = advance(tx, op); err != nil {
			return op, false, err
		}
	}
	tx.Nudge(models.DrivenOperation, op.ID)
	return op, true, nil
}

// Takes locks the registered accounts that a stand-alone order would take, and says which other systems it would ask
// for one. Nothing to do is ErrNothingToUnlink, whatever else would refuse the order refuses here. The caller holds
// the employment.
func (o UnlinkOrder) Takes(tx *database.Tx) (accounts []models.LinkedAccount, asked []string, err error) {
	_, accounts, asked, err = o.prepare(tx)
	if err == nil && len(accounts)+len(asked) == 0 {
		err = ErrNothingToUnlink
	}
	accounts = slices.DeleteFunc(accounts, models.LinkedAccount.LookUp)
	asked = slices.DeleteFunc(asked, func(name string) bool {
		return slices.ContainsFunc(accounts, func(a models.LinkedAccount) bool { return a.System == name })
	})
	return accounts, asked, err
}

// prepare locks all accounts in the order's systems, and says which of them it takes and which systems it asks.
func (o UnlinkOrder) prepare(tx *database.Tx) (former formers, taken []models.LinkedAccount, asked models.Names, err error) {
	departure := o.Origin == models.OriginDeparture
	if o.AllOrNothing {
		if err := independent(tx, o.EmploymentID); err != nil {
			return former, nil, nil, err
		}
	}
	if former, err = lockAll(tx, o.EmploymentID, o.Systems); err != nil {
		return former, nil, nil, err
	}
	if !departure && o.Cut == nil {
		if err := former.alreadyUnlinking(); err != nil {
			return former, nil, nil, err
		}
	}
	taken = slices.DeleteFunc(slices.Clone(former.accounts), func(a models.LinkedAccount) bool {
		again := (departure || o.Cut != nil) && a.State == models.AccountWaived
		return a.State.Settled() && !again || a.LookUp() && o.Mode == models.ModeDetach ||
			o.Cut != nil && former.ownedByDeparture(a) && former.direction(a) == models.OperationUnlink
	})
	return former, taken, o.asks(taken), nil
}

// independent is ErrDepartureOwns once a departure of the employment has ended the access.
func independent(tx *database.Tx, employmentID uuid.UUID) error {
	ended, err := accessEnded(tx, employmentID)
	if err == nil && ended {
		err = ErrDepartureOwns
	}
	return err
}

// makesSense: a departure takes everything of its own, and what stands alone names no departure.
func (o UnlinkOrder) makesSense() bool {
	if o.Origin == models.OriginDeparture {
		return o.DepartureID != nil && !o.AllOrNothing && o.Systems == nil && o.Cut == nil
	}
	return o.Origin == models.OriginStandalone && o.DepartureID == nil && (o.Cut == nil || !o.AllOrNothing && o.Mode == models.ModeDisable)
}

// unlink gives an operation its steps.
func (f formers) unlink(tx *database.Tx, op models.AccountOperation, accounts []models.LinkedAccount, cautious bool) (err error) {
	for i, a := range accounts {
		step := models.AccountStep{Position: i + 1, Action: models.OperationUnlink, Cautious: cautious && a.LookUp()}
		if f.direction(a) == models.OperationUnlink && (a.State == models.AccountUnlinking || a.State == models.AccountAccepted) {
			// It goes on where the former order was: that one's last run does nothing that harms
			// this one, so there is nothing to wait for.
			if step.StartedAt, err = startedNow(tx); err != nil {
				return err
			}
		}
		if err := takeOver(tx, op, a, step, models.AccountUnlinking); err != nil {
			return err
		}
	}
	return nil
}

// RelinkOrder asks for accounts to be given back as they were.
type RelinkOrder struct {
	EmployeeID   uuid.UUID // of the employment; looked up if left out
	EmploymentID uuid.UUID
	DepartureID  *uuid.UUID             // with OriginWithdrawal and OriginAnnulment
	Origin       models.OperationOrigin // models.OriginWithdrawal, OriginAnnulment or OriginStandalone
	Undoes       *uuid.UUID             // the unlinking to undo; nil: every one of the departure
	Systems      []string               // nil: all of it
	// Cut is the emergency cut that is lifted by it; its own operations are undone by nothing else.
	Cut        *uuid.UUID
	By         models.Actor
	Superseded Superseded
}

// OrderRelink orders that what an unlinking, or a departure, took away is given back in reverse
// order, and false if nothing was touched; where a stand-alone order finds nothing to give back it is
// ErrNothingToUndo. What somebody unlinked stand-alone and apart from the departure stays unlinked, and what was
// looked for and left alone stays so. While an emergency cut stands, what it is about stays closed: a stand-alone order
// is ErrCutStands, and what a departure gives back without it goes over to the cut. The caller holds the employment, and the departure if there is one.
//
// A running unlinking is superseded. An account that it certainly has not touched, with no run under
// way, is linked again at once.
func OrderRelink(tx *database.Tx, o RelinkOrder) (models.AccountOperation, bool, error) {
	former, accounts, mode, err := o.prepare(tx)
	if err != nil {
		return models.AccountOperation{}, false, err
	}
	if accounts, err = o.keepClosed(tx, former, accounts); err != nil {
		return models.AccountOperation{}, false, err
	}
	op := models.AccountOperation{
		EmploymentID: o.EmploymentID, DepartureID: o.DepartureID, Kind: models.OperationRelink, Mode: mode,
		Origin: o.Origin, UndoesID: o.Undoes, CutID: o.Cut, CreatedBy: o.By.ID(),
	}
	if len(accounts) == 0 {
		return models.AccountOperation{}, false, former.endEmpty(tx)
	}
	op, created, err := orderGivingBack(tx, op, accounts, func(op models.AccountOperation) (*uuid.UUID, error) {
		return recordOrder(tx, op, o.EmployeeID, o.By, former, accounts)
	})
	if err != nil {
		return op, false, err
	}
	return op, created, former.release(tx, accounts, o.Superseded)
}

// Check is why the order would be refused, if it would. The caller holds the employment.
func (o RelinkOrder) Check(tx *database.Tx) error {
	_, _, _, err := o.prepare(tx)
	return err
}

// prepare locks what an order gives back, and finds how it was taken away.
func (o RelinkOrder) prepare(tx *database.Tx) (former formers, accounts []models.LinkedAccount, mode models.OperationMode, err error) {
	standalone := o.Origin == models.OriginStandalone
	if standalone != (o.DepartureID == nil) || (standalone && o.Undoes == nil) {
		return former, nil, "", ErrInvalidOrder
	}
	if standalone {
		if err = independent(tx, o.EmploymentID); err != nil {
			return former, nil, "", err
		}
		if err = o.uncut(tx); err != nil {
			return former, nil, "", err
		}
	}
	if former, err = lockAll(tx, o.EmploymentID, o.Systems); err != nil {
		return former, nil, "", err
	}
	mode, undone, err := former.undone(o)
	if err != nil {
		return former, nil, "", err
	}
	accounts = slices.DeleteFunc(slices.Clone(former.accounts), func(a models.LinkedAccount) bool {
		return !undone[a.ID] || a.State == models.AccountLinked || a.State == models.AccountRelinked ||
			a.LookUp() && a.State.Settled() || former.direction(a) == models.OperationRelink ||
			o.Cut != nil && former.wantedOff(a, *o.Cut)
	})
	switch {
	case standalone && slices.ContainsFunc(accounts, former.ownedByDeparture):
		err = ErrDepartureOwns
	case standalone && len(accounts) == 0 && !slices.ContainsFunc(former.ops, func(op models.AccountOperation) bool { return o.undoes(op) && former.empty(op) }):
		err = ErrNothingToUndo
	}
	return former, accounts, mode, err
}

// recorder appends an order to the ledger before anything of it is written.
type recorder func(op models.AccountOperation) (*uuid.UUID, error)

// orderGivingBack makes the steps of a relink, last unlinked first. Where nothing was touched there
// is no operation, and the order is recorded all the same.
func orderGivingBack(tx *database.Tx, op models.AccountOperation, accounts []models.LinkedAccount, record recorder) (models.AccountOperation, bool, error) {
	slices.Reverse(accounts)
	untouched := make([]bool, len(accounts))
	for i, a := range accounts {
		var err error
		if untouched[i], err = backAtOnce(tx, a); err == nil && untouched[i] && op.CutID != nil {
			untouched[i], err = plainlyLinked(tx, a) // else it would be seen that it is not as it was
		}
		if err != nil {
			return op, false, err
		}
	}
	created := slices.Contains(untouched, false)
	var err error
	if created {
		if op, err = createOperation(tx, op, record); err == nil {
			tx.Nudge(models.DrivenOperation, op.ID)
		}
	} else {
		op.LedgerEntryID, err = record(op)
	}
	if err != nil {
		return op, false, err
	}
	for i, a := range accounts {
		if untouched[i] {
			err = linkAtOnce(tx, a)
		} else {
			step := models.AccountStep{Position: i + 1, Action: models.OperationRelink}
			err = takeOver(tx, op, a, step, models.AccountRelinking)
		}
		if err != nil {
			return op, false, err
		}
	}
	return op, created, nil
}

func linkAtOnce(tx *database.Tx, a models.LinkedAccount) error {
	return change[models.LinkedAccount](tx, "an account", a.ID, map[string]any{
		"state": models.AccountLinked, "attempt": a.Attempt + 1, "operation_id": nil,
	})
}

// backAtOnce says whether the account was certainly not touched and nothing is under way.
func backAtOnce(tx *database.Tx, a models.LinkedAccount) (bool, error) {
	if a.State != models.AccountUnlinking && a.State != models.AccountStuck {
		return false, nil
	}
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	if a.AttemptOpenUntil != nil && a.AttemptOpenUntil.After(now) {
		return false, nil
	}
	h, err := readHistory(tx, a.ID)
	if err != nil {
		return false, err
	}
	return !h.mutated() && !h.has(subRestore), nil
}

func createOperation(tx *database.Tx, op models.AccountOperation, record recorder) (models.AccountOperation, error) {
	var err error
	op.ID, op.State, op.Revision = models.NewID(), models.OperationRunning, 1
	if op.LedgerEntryID, err = record(op); err != nil {
		return op, err
	}
	return op, create(tx, "an account operation", op)
}

// takeOver makes op the account's operation. The raised attempt stops whatever run is under way at
// its next mutating call.
func takeOver(tx *database.Tx, op models.AccountOperation, a models.LinkedAccount, step models.AccountStep, state models.AccountState) error {
	step.ID, step.OperationID, step.AccountID = models.NewID(), op.ID, a.ID
	step.System, step.State = a.System, models.StepPending
	if op.CutID != nil {
		var err error
		if step.Before, err = foundAs(a); err != nil {
			return err
		}
	}
	if err := create(tx, "a step", step); err != nil {
		return err
	}
	columns := map[string]any{"state": state, "operation_id": op.ID, "attempt": a.Attempt + 1, "confirmed_at": nil}
	if a.LookUp() {
		columns["finding"] = "" // the question is put anew
	}
	return change[models.LinkedAccount](tx, "an account", a.ID, columns)
}

func currentOperation(tx *database.Tx, departureID uuid.UUID, kind models.OperationKind) (*models.AccountOperation, error) {
	ops, err := database.Find[models.AccountOperation](tx.DB(), "account operations",
		"departure_id = ? AND kind = ? AND state <> ?", departureID, kind, models.OperationSuperseded)
	if err != nil || len(ops) == 0 {
		return nil, err
	}
	return &ops[len(ops)-1], nil
}

func orZero(op *models.AccountOperation) models.AccountOperation {
	if op == nil {
		return models.AccountOperation{}
	}
	return *op
}

// lockAll locks the unfinished operations of an employment and its accounts in the given systems.
func lockAll(tx *database.Tx, employmentID uuid.UUID, systems []string) (f formers, err error) {
	if _, err = database.LockAll[models.AccountOperation](tx, "account operations",
		"employment_id = ? AND state IN ?", employmentID, unfinished); err != nil {
		return f, err
	}
	if f.ops, err = database.Find[models.AccountOperation](tx.DB(), "account operations", "employment_id = ?", employmentID); err != nil {
		return f, err
	}
	if f.accounts, err = database.LockAll[models.LinkedAccount](tx, "accounts", "employment_id = ?", employmentID); err != nil {
		return f, err
	}
	f.accounts = slices.DeleteFunc(f.accounts, func(a models.LinkedAccount) bool {
		return systems != nil && !slices.Contains(systems, a.System)
	})
	f.steps, err = database.Find[models.AccountStep](tx.DB(), "steps",
		"operation_id IN (SELECT id FROM account_operations WHERE employment_id = ?)", employmentID)
	return f, err
}

var unfinished = []models.OperationState{
	models.OperationRunning, models.OperationNeedsAttention, models.OperationCompensating,
}

func (o RelinkOrder) undoes(op models.AccountOperation) bool {
	if op.Kind != models.OperationUnlink {
		return false
	}
	if o.Undoes != nil {
		return op.ID == *o.Undoes
	}
	return op.DepartureID != nil && *op.DepartureID == *o.DepartureID
}

// undone finds the mode and the accounts of what is to be undone.
func (f formers) undone(o RelinkOrder) (models.OperationMode, map[uuid.UUID]bool, error) {
	mode, accounts := models.OperationMode(""), map[uuid.UUID]bool{}
	for _, op := range f.ops {
		if !o.undoes(op) {
			continue
		}
		mode = op.Mode
		for _, s := range f.steps {
			if s.OperationID == op.ID {
				accounts[s.AccountID] = true
			}
		}
	}
	if mode == "" {
		if o.Undoes != nil {
			return "", nil, fmt.Errorf("ordering a relink: %w", ErrNothingToUndo)
		}
		mode = models.ModeDisable
	}
	return mode, accounts, nil
}
