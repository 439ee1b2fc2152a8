package account

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// A call that timed out may still be carried out by the target: the relink must wait for it.
func TestI13_ARelinkWaitsForACallThatTimedOut(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.targets["mail"].fail("disable", fault{before: temporary(connector.CodeTimeout)})
	w.run(t, op, w.step(t, op, "mail").ID) // the client gave up; the request is still on its way
	back, _ := w.relink(t, l, nil)
	for _, s := range w.facts(t, back).Steps {
		if s.System == "mail" {
			if s.WaitFor == 0 {
				t.Errorf("the relink does not wait for a call that timed out a moment ago")
			}
		}
	}
}

// Somebody left, mail stays stuck; rehired under the same number with the same mailbox.
func TestI8_AnOldUnlinkingSparesTheNewEmployment(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.targets["mail"].fail("disable", times(4, fault{before: temporary(connector.CodeTimeout)})...)
	w.drive(t, op) // mail is stuck
	w.wantAccount(t, l, "mail", models.AccountStuck)
	w.tx(t, func(tx *database.Tx) error {
		err := tx.DB().Exec("UPDATE departures SET stage='departed', departed_at = lethe_now() WHERE id = ?", *l.departure).Error
		return errors.Join(database.Hide(err), databasetest.Told(tx, *l.departure))
	})
	w.exec(t, "UPDATE employments SET ended_at = lethe_now(), basis_entry_id = @entry WHERE id = ?", l.employment)
	again := uuid.Must(uuid.NewV7())
	w.exec(t, `INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ledger_entry_id)
		VALUES (?, ?, ?, ?, 'DEMO', 'Asia/Shanghai', '2020-02-01', @entry)`, again, l.employee, w.entity, w.department)
	w.tx(t, func(tx *database.Tx) error {
		id := l.id("mail")
		_, err := Link(tx, again, "mail", "mail", &id)
		return err
	})
	cases := w.openCases(t, op)
	w.tx(t, func(tx *database.Tx) error {
		_, err := ResolveCase(tx, cases[0].ID, w.actor(t, models.RoleITOps), models.ResolutionRetry, "")
		return err
	})
	w.drive(t, op)
	if !w.targets["mail"].holder(l.id("mail")).active {
		t.Errorf("the current employee is locked out of the mailbox; the new employment's account is 'linked'")
	}
}
