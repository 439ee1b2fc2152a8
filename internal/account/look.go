package account

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// asks says whether the step settles only once its system was asked by employee number: nothing
// registered, or one account registered, is not the same as nothing there (I29).
func (r *run) asks() bool {
	return r.step.Action == models.OperationUnlink && r.op.Mode == models.ModeDisable && slices.Contains(r.op.Asked, r.step.System)
}

// sighting is which accounts of a system carry the person's number.
type sighting struct {
	unknown []string       // nobody knows them: they are taken away, too
	known   []knownAccount // of this employment, this run's own not among them
	own     bool           // this run's own account
	kept    models.Finding // why others stay as they are; empty if there are none
	former  []string       // people left them when a former employment ended: they say again
}

type knownAccount struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	ExternalID   string
	State        models.AccountState
	Here         bool // it has a step in this operation
	Current      bool // of another employment, which has not ended and may not have begun
}

// ambiguous: one of several that carry the number, and people have not said whose it is.
func (s sighting) ambiguous() bool {
	carriers := len(s.unknown) + len(s.known)
	if s.own {
		carriers++
	}
	return len(s.unknown) > 0 && carriers > 1
}

// sight asks the system for every account that carries the number.
func (r *run) sight(ctx context.Context) (sighting, error) {
	var s sighting
	ids, err := ask(r, subFind, func() ([]string, error) { return r.remote.Find(ctx, r.employeeNo) })
	if err != nil {
		return s, err
	}
	r.looked = true
	own := r.account.ExternalID
	if own != nil {
		s.own = slices.Contains(ids, *own)
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == *own })
	}
	if len(ids) == 0 {
		return s, nil
	}
	var rows []knownAccount
	err = r.s.db.Read(ctx).Raw(`SELECT o.id, o.employment_id, o.external_id, o.state,
			EXISTS (SELECT 1 FROM account_steps s WHERE s.account_id = o.id AND s.operation_id = ?) AS here,
			m.id <> ? AND m.ended_at IS NULL AS current
		FROM linked_accounts o JOIN employments m ON m.id = o.employment_id
		WHERE m.employee_id = ? AND o.system = ? AND o.external_id IN ? ORDER BY o.id`,
		r.op.ID, r.op.EmploymentID, r.employee, r.account.System, ids).Scan(&rows).Error
	if err != nil {
		return s, database.Wrap("reading the person's accounts", err)
	}
	for _, id := range ids {
		r.place(&s, id, rows)
	}
	return s, nil
}

// place says what one account that carries the number is to us.
func (r *run) place(s *sighting, id string, rows []knownAccount) {
	ours := func(a knownAccount) bool { return a.ExternalID == id && a.EmploymentID == r.op.EmploymentID }
	detached := func(a knownAccount) bool { return ours(a) && a.State == models.AccountDetached }
	formerly := func(a knownAccount) bool { return a.ExternalID == id && a.State == models.AccountDetached }
	theirs := func(a knownAccount) bool { return a.ExternalID == id && a.Current }
	here := slices.IndexFunc(rows, ours)
	switch {
	case here >= 0 && rows[here].State != models.AccountDetached:
		s.known = append(s.known, rows[here])
	case slices.ContainsFunc(rows, detached):
		s.kept = models.FindingDetached
	case r.elsewhere, slices.ContainsFunc(rows, theirs):
		s.kept = models.FindingAnotherEmployment
	case r.transfer:
		s.kept = models.FindingTransfer
	case slices.ContainsFunc(rows, formerly) && !r.retried():
		s.kept, s.former = models.FindingDetached, append(s.former, id)
	default:
		s.unknown = append(s.unknown, id)
	}
}

// leftInUse says whether people left an account of a former employment, and it can be used.
func (r *run) leftInUse(ctx context.Context, s sighting) (bool, error) {
	for _, id := range s.former {
		state, err := r.readBack(ctx, id)
		if isNotFound(err) {
			continue
		}
		if err != nil || state.Active {
			return err == nil, err
		}
	}
	return false, nil
}

// lookFurther asks the system of an account that is off for others that carry the number. One that
// nobody knew becomes a further step of the operation.
func (r *run) lookFurther(ctx context.Context, v verdict) (verdict, error) {
	s, err := r.sight(ctx)
	if err != nil {
		return verdict{}, err
	}
	if s.ambiguous() {
		off, err := r.allOff(ctx, s.unknown)
		if err != nil {
			return verdict{}, err
		}
		if !off {
			r.note(subFind, outFailed, ReasonAmbiguous)
			return stuck(ReasonAmbiguous)
		}
		r.note(subFind, outKnown, "")
		return v, nil
	}
	s.known = slices.DeleteFunc(s.known, func(a knownAccount) bool { return a.Here })
	used, err := r.inUse(ctx, s.known)
	if err != nil {
		return verdict{}, err
	}
	left, err := r.leftInUse(ctx, s)
	if err != nil {
		return verdict{}, err
	}
	if left || len(used) > 0 && r.elsewhere && !(r.retried() && r.past.of(r.step.ID).has(subFind, outFurther)) {
		r.note(subFind, outFurther, "")
		return stuck(ReasonFoundInUse)
	}
	r.further, r.reopen = s.unknown, used
	switch {
	case len(r.further)+len(r.reopen) > 0:
		r.note(subFind, outFurther, "")
	case s.own:
		r.note(subFind, outConfirmed, "")
	case s.kept != "":
		r.note(subFind, string(s.kept), "")
	case len(s.known) > 0:
		r.note(subFind, outKnown, "")
	default:
		r.note(subFind, outNotFound, "")
	}
	return v, nil
}

// seek is locate where nobody registered an account: what carries the number is adopted, unless it is
// not this employment's to take away.
func (r *run) seek(ctx context.Context) (found, verdict, error) {
	s, err := r.sight(ctx)
	if err != nil {
		return found{}, verdict{}, err
	}
	switch {
	case s.ambiguous():
		v, err := r.severalFound(ctx, s)
		return found{}, v, err
	case len(s.unknown) == 1:
		return r.take1(ctx, s.unknown[0])
	}
	used, err := r.inUse(ctx, s.known)
	if err != nil {
		return found{}, verdict{}, err
	}
	left, err := r.leftInUse(ctx, s)
	if err != nil {
		return found{}, verdict{}, err
	}
	switch {
	case left, len(used) > 0 && (r.careful() || r.elsewhere && !r.retried() || r.past.byHand(r.step.ID)):
		r.note(subFind, outFurther, "")
		v, err := stuck(ReasonFoundInUse)
		return found{}, v, err
	case len(used) > 0:
		r.reopen, r.finding = used, models.FindingKnown
		r.note(subFind, outFurther, "")
	case s.kept != "":
		r.finding = s.kept
		r.note(subFind, string(s.kept), "")
		v, err := done(models.AccountDetached)
		return found{}, v, err
	case len(s.known) > 0:
		r.finding = models.FindingKnown
		r.note(subFind, outKnown, "")
	default:
		r.finding = models.FindingNothing
		r.note(subFind, outNotFound, "")
	}
	v, err := done(models.AccountNotFound)
	return found{}, v, err
}

// take1 adopts the only account that carries the number.
func (r *run) take1(ctx context.Context, id string) (found, verdict, error) {
	adopted, err := r.adopt(ctx, id)
	if err != nil {
		return found{}, verdict{}, err
	}
	if !adopted { // registered meanwhile: its own step has it, or the next look finds it known
		v, err := retry(ReasonAmbiguous)
		return found{}, v, err
	}
	r.note(subFind, outConfirmed, "")
	state, err := r.readBack(ctx, id)
	if isNotFound(err) {
		r.note(subReadBack, outNotFound, "")
		return found{gone: true}, verdict{}, nil
	}
	if err != nil {
		return found{}, verdict{}, err
	}
	return r.checked(ctx, found{id: id, state: state})
}

// severalFound asks people whose the accounts are, unless none of them can be used.
func (r *run) severalFound(ctx context.Context, s sighting) (verdict, error) {
	off, err := r.allOff(ctx, s.unknown)
	if err != nil {
		return verdict{}, err
	}
	if !off {
		r.note(subFind, outFailed, ReasonAmbiguous)
		return stuck(ReasonAmbiguous)
	}
	r.finding = models.FindingFound
	r.note(subFind, outConfirmed, "")
	r.note(subReadBack, outConfirmed, "")
	return done(models.AccountDisabled)
}

// inUse are those of the accounts that were settled and can be used all the same.
func (r *run) inUse(ctx context.Context, known []knownAccount) ([]uuid.UUID, error) {
	var used []uuid.UUID
	for _, a := range known {
		if a.State != models.AccountDisabled && a.State != models.AccountNotFound {
			continue // open, then its own step has it; or waived by two people
		}
		state, err := r.readBack(ctx, a.ExternalID)
		switch {
		case isNotFound(err):
		case err != nil:
			return nil, err
		case state.Active:
			used = append(used, a.ID)
		}
	}
	return used, nil
}

// allOff says whether none of the accounts can be used or has rights left.
func (r *run) allOff(ctx context.Context, ids []string) (bool, error) {
	for _, id := range ids {
		state, err := r.readBack(ctx, id)
		if isNotFound(err) {
			continue
		}
		if err != nil || state.Active {
			return false, err
		}
		left, err := ask(r, subResidue, func() ([]connector.Residue, error) { return r.remote.Residue(ctx, id) })
		if err != nil || len(left) > 0 {
			return false, err
		}
	}
	return true, nil
}

// careful: the order was over when the system was asked, and nobody has said since that what is found
// is to be taken away.
func (r *run) careful() bool {
	return r.step.Cautious && !r.retried()
}

func (r *run) retried() bool { return r.past.of(r.step.ID).has(subByHand, outRetry) }

// extend makes steps of what the run found besides its own account, and says whether it did.
func (r *run) extend(tx *database.Tx, op models.AccountOperation) (bool, error) {
	if len(r.further)+len(r.reopen) == 0 {
		return false, nil
	}
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return false, err
	}
	for _, id := range r.further {
		a, err := recordFound(tx, r.employee, op.EmploymentID, r.account.System, r.account.Kind, &id)
		if err != nil {
			return false, err
		}
		steps = append(steps, models.AccountStep{Position: len(steps) + 1, Action: models.OperationUnlink})
		if err := takeOver(tx, op, a, steps[len(steps)-1], models.AccountUnlinking); err != nil {
			return false, err
		}
	}
	for _, id := range r.reopen {
		if err := reopen(tx, op, id, steps); err != nil {
			return false, err
		}
	}
	return true, nil
}

// reopen takes up an account that was settled and is in use: in the step that it has in the operation,
// or in a new one.
func reopen(tx *database.Tx, op models.AccountOperation, accountID uuid.UUID, steps []models.AccountStep) error {
	a, err := database.Lock[models.LinkedAccount](tx, "an account", accountID)
	if err != nil {
		return err
	}
	if a.State != models.AccountDisabled && a.State != models.AccountNotFound {
		return nil
	}
	i := slices.IndexFunc(steps, func(s models.AccountStep) bool { return s.AccountID == a.ID })
	if i < 0 {
		step := models.AccountStep{Position: len(steps) + 1, Action: models.OperationUnlink}
		return takeOver(tx, op, a, step, models.AccountUnlinking)
	}
	err = change[models.AccountStep](tx, "a step", steps[i].ID, map[string]any{
		"state": models.StepPending, "tries": 0, "check_at": nil, "ended_at": nil,
	})
	if err != nil {
		return err
	}
	return change[models.LinkedAccount](tx, "an account", a.ID, map[string]any{
		"state": models.AccountUnlinking, "operation_id": op.ID, "attempt": a.Attempt + 1, "confirmed_at": nil,
	})
}
