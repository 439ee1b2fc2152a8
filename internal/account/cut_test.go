package account

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// cut has somebody's access cut in some systems, or all.
func (w *world) cut(t *testing.T, l *leaver, systems ...string) uuid.UUID {
	t.Helper()
	id, by := uuid.Must(uuid.NewV7()), w.person(t)
	w.exec(t, `INSERT INTO access_cuts (id, employee_id, state, systems, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id)
		VALUES (?, ?, 'unconfirmed', ?, '{}', ?, 'it_ops', lethe_now(), lethe_now(), @entry)`, id, l.employee, models.Names(systems), by)
	return id
}

func (w *world) lift(t *testing.T, id uuid.UUID) {
	t.Helper()
	w.exec(t, `UPDATE access_cuts SET state = 'lifted', lifted_at = lethe_now(), lifted_by = (SELECT id FROM employees WHERE id NOT IN (ordered_by, employee_id) LIMIT 1),
		lifted_with = ordered_by, ledger_entry_id = @entry WHERE id = ?`, id)
}

func standalone(cut *uuid.UUID, systems ...string) func(*UnlinkOrder) {
	return func(o *UnlinkOrder) {
		o.Origin, o.DepartureID, o.Cut, o.Systems = models.OriginStandalone, nil, cut, systems
	}
}

// TestI12_ASystemThatLiesIsNotOff, and what is off is only what was read back.
func TestI12_ASystemThatLiesIsNotOff(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	cut := w.cut(t, l)
	w.targets["mail"].fail("disable", times(short.Tries, fault{lie: true})...)
	w.drive(t, w.unlink(t, l, standalone(&cut)))
	all, err := Closings(context.Background(), w.env.Facts, []uuid.UUID{l.employee})
	if err != nil || len(all[l.employee]) != len(systems) {
		t.Fatalf("%+v: %v", all, err)
	}
	for _, c := range all[l.employee] {
		if c.Off() != (c.System != "mail") || c.Off() == (c.ConfirmedAt == nil) || (c.System == "mail") != (c.SupportCaseID != nil) {
			t.Errorf("%s is shown as off: %v, %+v", c.System, c.Off(), c)
		}
	}
}

// TestI13_WhatACutKeepsClosed stays so through a departure that is taken back after its cutoff; lifting opens it.
func TestI13_WhatACutKeepsClosed(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	departure := w.unlink(t, l, nil)
	w.drive(t, departure)
	cut := w.cut(t, l, "mail")
	if _, _, err := w.tryUnlink(l, standalone(&cut, "mail")); err != nil {
		t.Fatal(err)
	}
	relink, created, err := w.tryRelink(l, nil)
	if err != nil || !created {
		t.Fatalf("the withdrawal gives back: %v, %v", created, err)
	}
	w.drive(t, relink)
	var kept []models.AccountOperation
	w.tx(t, func(tx *database.Tx) (err error) { kept, err = UnlinkingsOf(tx, cut); return err })
	if len(kept) == 0 {
		t.Fatal("what the cut keeps closed went over to no operation of its own")
	}
	last := kept[len(kept)-1]
	w.drive(t, last)
	w.wantActive(t, l, "mail", false)
	for _, system := range systems {
		if system != "mail" {
			w.wantActive(t, l, system, true)
		}
	}
	order := RelinkOrder{EmployeeID: l.employee, EmploymentID: l.employment, Origin: models.OriginStandalone, Undoes: &last.ID, By: models.System}
	give := func() (op models.AccountOperation, err error) {
		err = w.try(func(tx *database.Tx) error {
			if err := l.lock(tx); err != nil {
				return err
			}
			op, _, err = OrderRelink(tx, order)
			return err
		})
		return op, err
	}
	if _, err := give(); !errors.Is(err, ErrCutStands) {
		t.Errorf("a relinking while the cut stands: %v", err)
	}
	order.Cut = &cut
	w.lift(t, cut)
	if relink, err = give(); err != nil {
		t.Fatal(err)
	}
	w.drive(t, relink)
	w.wantActive(t, l, "mail", true)
}

// TestACutTakesOver what other stand-alone orders have not finished, and leaves a departure what it is taking away.
func TestACutTakesOver(t *testing.T) {
	w := newWorld(t)
	l, leaving := w.leaver(t), w.leaver(t)
	other := w.unlink(t, l, func(o *UnlinkOrder) { o.AllOrNothing = true })
	cut := w.cut(t, l)
	w.drive(t, w.unlink(t, l, standalone(&cut)))
	if got := w.operation(t, other.ID); got.State != models.OperationSuperseded {
		t.Errorf("the former order is %s", got.State)
	}
	for _, system := range systems {
		w.wantActive(t, l, system, false)
	}
	w.leave(t, leaving)
	departure := w.unlink(t, leaving, nil)
	second := w.cut(t, leaving)
	_, ordered, err := w.tryUnlink(leaving, func(o *UnlinkOrder) {
		standalone(&second)(o)
		o.Connected = nil
	})
	if err != nil || ordered {
		t.Errorf("of what a departure is taking away the cut ordered %v: %v", ordered, err)
	}
	w.drive(t, departure)
	for _, system := range systems {
		w.wantActive(t, leaving, system, false)
	}
}

// TestI13_LiftingLeavesOffWhatAnotherOrderWantedOff before the cut took it over; all else is given back.
func TestI13_LiftingLeavesOffWhatAnotherOrderWantedOff(t *testing.T) {
	for _, allOrNothing := range []bool{false, true} {
		w := newWorld(t)
		l := w.leaver(t)
		w.person(t) // who lifts it
		w.unlink(t, l, func(o *UnlinkOrder) { o.Systems, o.AllOrNothing = []string{"mail"}, allOrNothing })
		cut := w.cut(t, l)
		op := w.unlink(t, l, standalone(&cut))
		w.drive(t, op)
		w.lift(t, cut)
		var relink models.AccountOperation
		w.tx(t, func(tx *database.Tx) (err error) {
			if err := l.lock(tx); err != nil {
				return err
			}
			relink, _, err = OrderRelink(tx, RelinkOrder{
				EmployeeID: l.employee, EmploymentID: l.employment, Origin: models.OriginStandalone, Undoes: &op.ID, Cut: &cut, By: models.System,
			})
			return err
		})
		w.drive(t, relink)
		for _, system := range systems {
			w.wantActive(t, l, system, system != "mail")
		}
	}
}
