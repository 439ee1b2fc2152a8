package account

import (
	"context"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// found is where the account is and how it looks.
type found struct {
	id    string
	state connector.State
	// gone: not there, on evidence that was noted.
	gone bool
	// unclear: there, and nobody knows whether it is active.
	unclear bool
}

// locate finds the account. An id that was seen at the target before and is unknown now is gone; one
// that was never seen, or none, is looked up by employee number, completely; so is, for a relink, one
// that is gone: people may have made the account anew.
func (r *run) locate(ctx context.Context) (found, verdict, error) {
	if r.account.LookUp() {
		return r.seek(ctx)
	}
	if id := r.account.ExternalID; id != nil {
		state, err := r.readBack(ctx, *id)
		switch {
		case err == nil:
			return r.checked(ctx, found{id: *id, state: state})
		case state.Exists && r.step.Action == models.OperationUnlink:
			// It is there and does not say whether it is active: off it goes, and people look.
			return r.checked(ctx, found{id: *id, state: state, unclear: true})
		case !isNotFound(err):
			return found{}, verdict{}, err
		case r.account.SeenAt != nil && r.step.Action == models.OperationUnlink:
			r.note(subReadBack, outNotFound, "")
			return found{gone: true}, verdict{}, nil
		}
	}
	return r.lookUp(ctx)
}

func (r *run) lookUp(ctx context.Context) (found, verdict, error) {
	ids, err := ask(r, subFind, func() ([]string, error) { return r.remote.Find(ctx, r.employeeNo) })
	if err != nil {
		return found{}, verdict{}, err
	}
	r.looked = true
	switch len(ids) {
	case 0:
		r.note(subFind, outNotFound, "")
		return found{gone: true}, verdict{}, nil
	case 1:
	default:
		r.note(subFind, outFailed, ReasonAmbiguous)
		v, err := stuck(ReasonAmbiguous)
		return found{}, v, err
	}
	adopted, err := r.adopt(ctx, ids[0])
	if err != nil {
		return found{}, verdict{}, err
	}
	if !adopted {
		return r.linkedTwice(ctx)
	}
	r.note(subFind, outConfirmed, "")
	state, err := r.readBack(ctx, ids[0])
	if isNotFound(err) {
		r.note(subReadBack, outNotFound, "")
		return found{gone: true}, verdict{}, nil
	}
	if err != nil && (!state.Exists || r.step.Action != models.OperationUnlink) {
		return found{}, verdict{}, err
	}
	return r.checked(ctx, found{id: ids[0], state: state, unclear: err != nil})
}

// linkedTwice is what becomes of a link whose account another link of this employment has: a question to
// which that one is the answer.
func (r *run) linkedTwice(ctx context.Context) (found, verdict, error) {
	if r.step.Action != models.OperationUnlink {
		r.note(subFind, outFailed, ReasonAmbiguous)
		v, err := stuck(ReasonAmbiguous)
		return found{}, v, err
	}
	r.account.Registered, r.account.ExternalID = false, nil
	return r.seek(ctx)
}

func (r *run) readBack(ctx context.Context, id string) (connector.State, error) {
	return ask(r, subReadBack, func() (connector.State, error) { return r.remote.ReadBack(ctx, id) })
}

// checked refuses the account of another person and remembers that this one was seen, which is
// written with the next evidence.
func (r *run) checked(ctx context.Context, f found) (found, verdict, error) {
	own, err := r.ownNumber(ctx, f.state.EmployeeNo)
	if err != nil {
		return found{}, verdict{}, err
	}
	if !own {
		r.note(subFind, outFailed, ReasonWrongPerson)
		v, err := stuck(ReasonWrongPerson)
		return found{}, v, err
	}
	r.sighted = r.account.SeenAt == nil
	return f, verdict{}, nil
}

// ownNumber says whether a number that a target keeps is this person's. Targets may keep it in
// another case, unless that is how another person's number is written here.
func (r *run) ownNumber(ctx context.Context, no string) (bool, error) {
	if no == "" || no == r.employeeNo {
		return true, nil
	}
	if !connector.SameNumber(no, r.employeeNo) {
		return false, nil
	}
	var others bool
	err := r.s.db.Read(ctx).Raw("SELECT EXISTS (SELECT 1 FROM employees WHERE employee_no = ?)", no).Scan(&others).Error
	if err != nil {
		return false, database.Wrap("looking for a number in another case", err)
	}
	return !others, nil
}

// adopt records the external id as seen. False: another link of this employment has it.
func (r *run) adopt(ctx context.Context, id string) (bool, error) {
	err := database.Run(ctx, r.s.db, func(tx *database.Tx) error {
		if err := r.hold(tx); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		columns := map[string]any{"external_id": id, "seen_at": now}
		if !r.account.Registered {
			r.account.Finding, columns["finding"], columns["registered"] = models.FindingFound, models.FindingFound, false
		}
		r.account.ExternalID, r.account.SeenAt = &id, &now
		return change[models.LinkedAccount](tx, "an account", r.account.ID, columns)
	})
	if database.Violates(err, "linked_accounts_one") {
		return false, nil
	}
	return err == nil, err
}
