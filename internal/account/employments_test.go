package account

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// ended ends the employment of a leaver whose accounts were cut.
func (w *world) ended(t testing.TB, l *leaver) {
	t.Helper()
	w.tx(t, func(tx *database.Tx) error {
		err := tx.DB().Exec("UPDATE departures SET stage = 'departed', departed_at = lethe_now() WHERE id = ?", *l.departure).Error
		return errors.Join(database.Hide(err), databasetest.Told(tx, *l.departure))
	})
	w.exec(t, "UPDATE employments SET ended_at = lethe_now(), basis_entry_id = @entry WHERE id = ?", l.employment)
}

// annul orders that everything is given back of a departure that ended the employment.
func (w *world) annul(t testing.TB, l *leaver) (op models.AccountOperation) {
	t.Helper()
	w.tx(t, func(tx *database.Tx) (err error) {
		if err := l.lock(tx); err != nil {
			return err
		}
		op, _, err = OrderRelink(tx, RelinkOrder{
			EmploymentID: l.employment, DepartureID: l.departure, Origin: models.OriginAnnulment, By: models.System,
		})
		if err != nil {
			return err
		}
		err = tx.DB().Exec("UPDATE departures SET stage = 'annulled', accounts_state = 'relinking' WHERE id = ?", *l.departure).Error
		return errors.Join(database.Hide(err), databasetest.Told(tx, *l.departure))
	})
	return op
}

// register links an account of an earlier employment to this one.
func (w *world) register(t testing.TB, l *leaver, system string) {
	t.Helper()
	id := l.id(system)
	w.tx(t, func(tx *database.Tx) error {
		_, err := Link(tx, l.employment, system, system, &id)
		return err
	})
}

// ofFormer asks for a stand-alone unlinking, in mail, of an employment that a departure ended.
func ofFormer(o *UnlinkOrder) {
	o.Origin, o.DepartureID, o.Systems = models.OriginStandalone, nil, []string{"mail"}
}

func (w *world) wantCase(t testing.TB, op models.AccountOperation, system, reason string) CaseView {
	t.Helper()
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].System != system || cases[0].Reason != reason {
		t.Fatalf("cases are %+v, want %s %s", cases, system, reason)
	}
	return cases[0]
}

// A departure is annulled whose leaver came back and has left again: mail was registered for the later
// employment too, finance was not.
func TestI8_ARelinkNeverGivesBackWhatALaterEmploymentOwns(t *testing.T) {
	w := newWorld(t)
	former := w.leaver(t)
	w.leave(t, former)
	w.drive(t, w.unlink(t, former, nil))
	w.ended(t, former)
	later := w.employ(t, former.employee)
	w.register(t, later, "mail")
	w.leave(t, later)
	w.drive(t, w.unlink(t, later, nil))
	w.ended(t, later)
	back := w.annul(t, former)
	w.drive(t, back)
	w.wantActive(t, former, "mail", false)
	w.wantActive(t, former, "finance", true)
	c := w.wantCase(t, back, "mail", ReasonRehired)
	w.decide(t, c.ID, models.ResolutionRetry)
	w.drive(t, back)
	w.wantActive(t, former, "mail", false)
	w.wantCase(t, back, "mail", ReasonRehired)
}

// Mail of a former employment is stuck. It was found by number for the later one, taken away and given back:
// that one uses it, though nobody registered it.
func TestI8_AnOldUnlinkingSparesWhatWasFoundForTheNewEmployment(t *testing.T) {
	w := newWorld(t)
	former := w.leaver(t)
	w.leave(t, former)
	old := w.unlink(t, former, nil)
	w.targets["mail"].fail("disable", times(4, fault{before: temporary(connector.CodeTimeout)})...)
	w.drive(t, old)
	w.ended(t, former)
	later := w.employ(t, former.employee)
	op := w.unlink(t, later, mailOnly)
	w.drive(t, op)
	back, _ := w.relink(t, later, &op.ID)
	w.drive(t, back)
	w.wantActive(t, later, "mail", true)
	w.decide(t, w.wantCase(t, old, "mail", connectorTimeout).ID, models.ResolutionRetry)
	w.drive(t, old)
	w.wantActive(t, later, "mail", true)
	w.wantCase(t, old, "mail", ReasonRehired)
}

const connectorTimeout = string(connector.CodeTimeout)

// Somebody switched mail of a former employment on again: for the later one perhaps, so people say.
func TestI8_WhatWasSwitchedOnAfterARehireIsTakenAwayOnlyIfPeopleSaySo(t *testing.T) {
	w := newWorld(t)
	former := w.leaver(t)
	w.leave(t, former)
	w.drive(t, w.unlink(t, former, nil))
	w.ended(t, former)
	later := w.employ(t, former.employee)
	w.carry(later, "mail", "of-the-later")
	id := "of-the-later"
	w.tx(t, func(tx *database.Tx) error {
		_, err := Link(tx, later.employment, "mail", "mail", &id)
		return err
	})
	w.targets["mail"].set(former.id("mail"), func(h *holder) { h.active = true })
	op := w.unlink(t, former, ofFormer)
	w.drive(t, op)
	w.wantActive(t, former, "mail", true)
	w.decide(t, w.wantCase(t, op, "mail", ReasonFoundInUse).ID, models.ResolutionRetry)
	w.drive(t, op)
	w.wantActive(t, former, "mail", false)
	if !w.targets["mail"].holder(id).active {
		t.Error("the later employment's own account was taken away")
	}
}

// One of two accounts of a former employment is stuck, and the other one was switched on again since: for
// the later employment perhaps. That people try the stuck one again says nothing about the other.
func TestI8_AnOldUnlinkingSparesWhatWasSwitchedOnBesideIt(t *testing.T) {
	w := newWorld(t)
	former := w.leaver(t)
	w.drive(t, w.unlink(t, former, ofFormer))
	w.carry(former, "mail", "second")
	second := "second"
	w.tx(t, func(tx *database.Tx) error {
		_, err := Link(tx, former.employment, "mail", "mail", &second)
		return err
	})
	w.leave(t, former)
	old := w.unlink(t, former, nil)
	w.targets["mail"].fail("disable", times(4, fault{before: temporary(connector.CodeTimeout)})...)
	w.drive(t, old)
	w.ended(t, former)
	w.wantActive(t, former, "mail", false)
	w.employ(t, former.employee)
	w.targets["mail"].set(former.id("mail"), func(h *holder) { h.active = true })
	w.decide(t, w.wantCase(t, old, "mail", connectorTimeout).ID, models.ResolutionRetry)
	w.drive(t, old)
	w.wantActive(t, former, "mail", true)
	if w.targets["mail"].holder(second).active {
		t.Error("what people said to try again was left")
	}
	w.decide(t, w.wantCase(t, old, "mail", ReasonFoundInUse).ID, models.ResolutionRetry)
	w.drive(t, old)
	w.wantActive(t, former, "mail", false)
}

// People left mail of a former employment as it was; the person came back, used it and leaves again: whether it
// still stays is said again, and in a departure that finds it off nobody is asked.
func TestI29_WhatPeopleLeftOfAFormerEmploymentIsAskedAboutAgain(t *testing.T) {
	w := newWorld(t)
	for _, active := range []bool{true, false} {
		former := w.leaver(t)
		w.drive(t, w.unlink(t, former, func(o *UnlinkOrder) { o.Mode, o.Systems = models.ModeDetach, []string{"mail"} }))
		w.leave(t, former)
		w.drive(t, w.unlink(t, former, nil))
		w.wantAccounts(t, former, models.AccountsSettled)
		w.ended(t, former)
		second := w.employ(t, former.employee)
		w.targets["mail"].set(former.id("mail"), func(h *holder) { h.active = active })
		w.leave(t, second)
		op := w.unlink(t, second, nil)
		w.drive(t, op)
		w.wantActive(t, former, "mail", active)
		if !active {
			w.wantAccounts(t, second, models.AccountsSettled)
			continue
		}
		w.decide(t, w.wantCase(t, op, "mail", ReasonFoundInUse).ID, models.ResolutionRetry)
		w.drive(t, op)
		w.wantActive(t, former, "mail", false)
		w.wantAccounts(t, second, models.AccountsSettled)
	}
}

// Hired again for a day that has not come: until then nothing that carries the number is in use for that
// employment, unless somebody registered it there.
func TestI29_AnEmploymentThatHasNotBegunKeepsNoAccessOpen(t *testing.T) {
	w := newWorld(t)
	former := w.unregistered(t, "mail", "finance")
	w.ended(t, former)
	later := w.employ(t, former.employee)
	w.exec(t, "UPDATE employments SET hired_on = '2999-01-01', basis_entry_id = @entry WHERE id = ?", later.employment)
	w.register(t, later, "finance")
	w.drive(t, w.unlink(t, former, nil))
	w.wantActive(t, former, "mail", false)
	w.wantActive(t, former, "finance", true)
	w.wantFindings(t, former, map[string]string{"mail": "disabled/found", "finance": "detached/another_employment", "attendance": "not_found/nothing"})
}

// Nothing gives a leaver the access back but taking back the departure: neither all-or-nothing nor people
// who give up a stand-alone unlinking.
func TestI13_NoStandaloneOrderGivesALeaverTheAccessBack(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.ended(t, l)
	w.targets["mail"].set(l.id("mail"), func(h *holder) { h.active = true })
	_, _, err := w.tryUnlink(l, func(o *UnlinkOrder) { ofFormer(o); o.AllOrNothing = true })
	if !errors.Is(err, ErrDepartureOwns) {
		t.Errorf("all or nothing: %v", err)
	}
	w.targets["mail"].fail("residue", times(4, fault{before: temporary(connector.CodeTimeout)})...)
	op := w.unlink(t, l, ofFormer)
	w.drive(t, op)
	err = w.resolve(w.wantCase(t, op, "mail", connectorTimeout).ID, w.actor(t, models.RoleITOps), models.ResolutionAbort)
	if !errors.Is(err, ErrAbortNotAllowed) {
		t.Errorf("giving up: %v", err)
	}
	w.drive(t, op)
	w.wantActive(t, l, "mail", false)
}

// A question that was called off before it was answered is no account that is linked.
func TestI29_AQuestionThatWasCalledOffIsNoLinkedAccount(t *testing.T) {
	w := newWorld(t)
	l := w.employ(t, w.person(t))
	op := w.unlink(t, l, mailOnly)
	if _, created := w.relink(t, l, &op.ID); created {
		t.Fatal("something was touched")
	}
	v, err := Operation(context.Background(), w.env.Facts, op.ID)
	if err != nil || len(v.Steps) != 1 || v.Steps[0].AccountState != "" {
		t.Errorf("shown as %+v, %v", v.Steps, err)
	}
	accounts, err := Accounts(context.Background(), w.env.Facts, []uuid.UUID{l.employment})
	if shown := accounts[l.employment]; err != nil || len(shown) != 1 || !shown[0].CalledOff {
		t.Errorf("accounts %+v, %v", accounts, err)
	}
	again := w.unlink(t, l, mailOnly)
	w.drive(t, again)
	w.wantFindings(t, l, map[string]string{"mail": "not_found/nothing"})
}
