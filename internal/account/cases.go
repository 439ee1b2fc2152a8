package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

// columnDecision names the entry of what people last said about a case.
const columnDecision = "decision_entry_id"

// columnNote is the sealed column of what they wrote: its name is part of what that is sealed for.
const columnNote = "note_sealed"

func notePlace(id uuid.UUID) string { return reasons.Cell("support_cases."+columnNote, id) }

// ResolveCase carries out what a person of it_ops decided about a stuck step:
//
//   - models.ResolutionRetry: another round of tries.
//   - models.ResolutionByHand: it was done at the target; the step only reads back and looks for
//     residue, and opens a new case if that shows otherwise.
//   - models.ResolutionWaive: accept it unsolved; ConfirmCase by a second person makes it so.
//   - models.ResolutionAbort: give the account back; stand-alone unlinkings only.
//
// What they note about it, if anything, stays with the case once that is closed. For a case with a departure the
// caller calls departure.AccountsChanged in the same transaction.
func ResolveCase(tx *database.Tx, caseID uuid.UUID, actor models.Actor, action models.Resolution, note string) (models.SupportCase, error) {
	if actor.ID() == nil || actor.Role != models.RoleITOps {
		return models.SupportCase{}, ErrRoleMayNot
	}
	c, err := openCase(tx, caseID, actor)
	if err != nil {
		return models.SupportCase{}, err
	}
	if c.row.NoteSealed, err = reasons.Seal(tx, notePlace(caseID), note); err != nil {
		return c.row, err
	}
	switch action {
	case models.ResolutionRetry:
		err = c.again(tx, outRetry, action, actor)
	case models.ResolutionByHand:
		err = c.again(tx, outResolved, action, actor)
	case models.ResolutionWaive:
		err = c.askWaiver(tx, actor)
	case models.ResolutionAbort:
		err = c.abort(tx, actor)
	default:
		err = ErrUnknownAction
	}
	return c.row, err
}

// ConfirmCase is the second person's agreement to a waiver. A waived unlinking leaves the account as
// it is and shown as waived; a waived relink leaves the account in use as it is. What the first person noted stays
// with the case.
//
// For a case with a departure the caller calls departure.AccountsChanged in the same transaction.
func ConfirmCase(tx *database.Tx, caseID uuid.UUID, actor models.Actor, note string) (models.SupportCase, error) {
	if actor.ID() == nil || actor.Role != models.RoleReviewer {
		return models.SupportCase{}, ErrRoleMayNot
	}
	c, err := openCase(tx, caseID, actor)
	if err != nil {
		return models.SupportCase{}, err
	}
	if c.row.State != models.CaseWaiverRequested {
		return models.SupportCase{}, ErrNoWaiverAsked
	}
	if c.row.AskedBy == nil || *c.row.AskedBy == actor.EmployeeID {
		return models.SupportCase{}, ErrSamePerson
	}
	c.row.State, c.row.Resolution, c.row.ConfirmedBy, c.row.ClosedAt = models.CaseClosed, models.ResolutionWaive, actor.ID(), &c.now
	if c.row.NoteSealed, err = reasons.Seal(tx, notePlace(caseID), note); err != nil {
		return c.row, err
	}
	if err := c.waive(tx, actor); err != nil {
		return c.row, err
	}
	return c.row, c.moved(tx)
}

// DropWaiver takes back what a person asked for: the waiver was refused, taken back or not decided
// in time. A case that somebody decided about otherwise stays as it is.
func DropWaiver(tx *database.Tx, caseID uuid.UUID, by models.Actor) error {
	c, err := openCase(tx, caseID, models.System)
	if errors.Is(err, ErrCaseClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.row.State != models.CaseWaiverRequested || c.row.AskedBy == nil || *c.row.AskedBy != by.EmployeeID {
		return nil
	}
	c.row.State = models.CaseOpen
	if err := c.record(tx, actionCaseWaiverDropped, by); err != nil {
		return err
	}
	return c.update(tx, map[string]any{"state": models.CaseOpen, "asked_by": nil, "asked_at": nil, columnDecision: c.row.DecisionEntryID})
}

// LockCase locks a case with what it is about, and says whose account it is. A closed one is ErrCaseClosed.
func LockCase(tx *database.Tx, caseID uuid.UUID) (models.SupportCase, models.LinkedAccount, uuid.UUID, error) {
	c, err := openCase(tx, caseID, models.System)
	if err != nil {
		return c.row, c.account, uuid.Nil, err
	}
	return c.row, c.account, c.employee, nil
}

// openedCase is a case that waits for people, with everything that a decision changes locked.
type openedCase struct {
	row      models.SupportCase
	op       models.AccountOperation
	step     models.AccountStep
	account  models.LinkedAccount
	employee uuid.UUID
	now      time.Time
}

func openCase(tx *database.Tx, id uuid.UUID, actor models.Actor) (c openedCase, err error) {
	if c.row, err = database.First[models.SupportCase](tx.DB().Where("id = ?", id)); err != nil {
		return c, fmt.Errorf("support case: %w", err)
	}
	owner := models.AccountOperation{DepartureID: c.row.DepartureID}
	if c.op, err = database.First[models.AccountOperation](tx.DB().Where("id = ?", c.row.OperationID)); err != nil {
		return c, fmt.Errorf("reading an account operation: %w", err)
	}
	owner.EmploymentID = c.op.EmploymentID
	if err = lockOwner(tx, owner); err != nil {
		return c, err
	}
	if c.op, err = database.Lock[models.AccountOperation](tx, "an account operation", c.row.OperationID); err != nil {
		return c, err
	}
	if c.account, err = database.Lock[models.LinkedAccount](tx, "an account", c.row.AccountID); err != nil {
		return c, err
	}
	if c.row, err = database.Lock[models.SupportCase](tx, "a support case", id); err != nil {
		return c, err
	}
	if c.step, err = database.First[models.AccountStep](tx.DB().Where("id = ?", c.row.StepID)); err != nil {
		return c, fmt.Errorf("reading a step: %w", err)
	}
	if c.now, err = tx.Now(); err != nil {
		return c, err
	}
	if c.row.State == models.CaseClosed || c.step.State != models.StepStuck {
		return c, ErrCaseClosed
	}
	if c.employee, err = person(tx, c.op.EmploymentID); err != nil {
		return c, err
	}
	if c.employee == actor.EmployeeID {
		return c, ErrOwnAccount
	}
	return c, nil
}

func (c *openedCase) update(tx *database.Tx, columns map[string]any) error {
	return change[models.SupportCase](tx, "a support case", c.row.ID, columns)
}

// close ends a case by what one person decided.
func (c *openedCase) close(tx *database.Tx, resolution models.Resolution, actor models.Actor, evidence ...models.AccountEvidence) error {
	c.row.State, c.row.Resolution, c.row.ClosedAt = models.CaseClosed, resolution, &c.now
	c.row.AskedBy, c.row.AskedAt = actor.ID(), &c.now
	if err := c.record(tx, actionCaseResolved, actor, evidence...); err != nil {
		return err
	}
	return c.update(tx, map[string]any{
		"state": models.CaseClosed, "resolution": resolution, "closed_at": c.now, "asked_by": actor.ID(), "asked_at": c.now,
		columnDecision: c.row.DecisionEntryID, columnNote: c.row.NoteSealed,
	})
}

// moved brings the operation to where its steps are and wakes its workflow.
func (c *openedCase) moved(tx *database.Tx) error {
	op, _, err := advance(tx, c.op)
	if err != nil {
		return err
	}
	c.op = op
	return tx.Touch(models.DrivenOperation, op.ID)
}

// again starts another round, in which the step acts or, by hand, only looks.
func (c *openedCase) again(tx *database.Tx, evidence string, resolution models.Resolution, actor models.Actor) error {
	if err := c.close(tx, resolution, actor, c.evidence(evidence)); err != nil {
		return err
	}
	err := change[models.AccountStep](tx, "a step", c.step.ID, map[string]any{
		"state": models.StepPending, "tries": 0, "check_at": nil, "stuck_reason": "", "ended_at": nil,
	})
	if err != nil {
		return err
	}
	state := models.AccountUnlinking
	if c.step.Action == models.OperationRelink {
		state = models.AccountRelinking
	}
	if err := change[models.LinkedAccount](tx, "an account", c.account.ID, map[string]any{"state": state}); err != nil {
		return err
	}
	return c.moved(tx)
}

// evidence is what a person said.
func (c *openedCase) evidence(outcome string) models.AccountEvidence {
	return models.AccountEvidence{StepID: c.step.ID, Attempt: c.account.Attempt, Substep: subByHand, Outcome: outcome}
}

// record appends the decision, with what was said as evidence.
func (c *openedCase) record(tx *database.Tx, action string, actor models.Actor, evidence ...models.AccountEvidence) error {
	details := map[string]string{"employment": c.op.EmploymentID.String()}
	if c.row.Resolution != "" {
		details["resolution"] = string(c.row.Resolution)
	}
	if c.row.AskedBy != nil && *c.row.AskedBy != actor.EmployeeID {
		details["asked_by"] = c.row.AskedBy.String()
	}
	entry, err := recordCase(tx, action, c.row, c.employee, actor, details, evidence...)
	c.row.DecisionEntryID = &entry
	return err
}

func (c *openedCase) askWaiver(tx *database.Tx, actor models.Actor) error {
	if c.row.State != models.CaseOpen {
		return ErrCaseClosed
	}
	c.row.State, c.row.AskedBy, c.row.AskedAt = models.CaseWaiverRequested, actor.ID(), &c.now
	if err := c.record(tx, actionCaseWaiverRequested, actor); err != nil {
		return err
	}
	return c.update(tx, map[string]any{
		"state": models.CaseWaiverRequested, "asked_by": actor.ID(), "asked_at": c.now, columnDecision: c.row.DecisionEntryID,
	})
}

func (c *openedCase) waive(tx *database.Tx, actor models.Actor) error {
	account := map[string]any{"state": models.AccountWaived, "confirmed_at": c.now}
	var said []models.AccountEvidence
	if c.step.Action == models.OperationRelink {
		said = append(said, c.evidence(outGivenBack))
	}
	if err := c.record(tx, actionCaseWaived, actor, said...); err != nil {
		return err
	}
	err := c.update(tx, map[string]any{
		"state": models.CaseClosed, "resolution": models.ResolutionWaive, "confirmed_by": actor.ID(), "closed_at": c.now, columnDecision: c.row.DecisionEntryID,
		columnNote: c.row.NoteSealed,
	})
	if err != nil {
		return err
	}
	if c.step.Action == models.OperationRelink {
		// Not a settled state: the account may be in use, and a later departure must see it.
		account = map[string]any{"state": models.AccountRelinked}
	} else {
		purged, err := snapshotsPurged(tx, c.op.EmploymentID)
		if err != nil {
			return err
		}
		if purged {
			account["external_id"] = nil
		}
	}
	if err := change[models.LinkedAccount](tx, "an account", c.account.ID, account); err != nil {
		return err
	}
	return change[models.AccountStep](tx, "a step", c.step.ID, map[string]any{"state": models.StepWaived, "ended_at": c.now})
}

// abort gives the account back: linked at once if it was certainly not touched, else restored.
func (c *openedCase) abort(tx *database.Tx, actor models.Actor) error {
	if c.op.Origin != models.OriginStandalone || c.step.Action != models.OperationUnlink {
		return ErrAbortNotAllowed
	}
	if ended, err := accessEnded(tx, c.op.EmploymentID); err != nil {
		return err
	} else if ended {
		return ErrAbortNotAllowed // only taking back the departure gives the access back
	}
	if cut, err := standingCut(tx, c.op.EmploymentID); err != nil {
		return err
	} else if cut.covers(c.account.System) {
		return ErrCutStands
	}
	if err := c.close(tx, models.ResolutionAbort, actor); err != nil {
		return err
	}
	if _, err := giveBack(tx, c.step, c.account); err != nil {
		return err
	}
	return c.moved(tx)
}
