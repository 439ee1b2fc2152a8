package reconcile_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/leavers"
	"lethe/internal/reconcile"
	"lethe/models"
	"lethe/sandbox/control"
)

var mailOnly = reconcile.Order{Systems: []string{"mail"}}

// one is the only open finding, with whether a case about it is open.
func (w *world) one(what string, kind models.DriftKind, person uuid.UUID) models.SupportCase {
	w.Helper()
	open := w.open()
	if len(open) != 1 || open[0].kind != kind || open[0].person != person {
		w.Fatalf("%s: %+v", what, open)
	}
	var c models.SupportCase
	err := w.env.Facts.Read(w.Context()).Raw(`SELECT c.* FROM support_cases c JOIN account_drift d ON d.support_case_id = c.id
		WHERE d.ended_at IS NULL AND c.state <> 'closed'`).Scan(&c).Error
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// Somebody switches it on again after each retry, before the next comparison: each time people are asked anew.
func TestI12_SwitchedOnAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	p := w.hire()
	id := w.link(p, "mail")
	w.leave(p, true)
	var before uuid.UUID
	for range 3 {
		w.change("mail", id, control.Plant{EmployeeNo: p.no})
		w.run(mailOnly)
		c := w.one("on again", models.DriftSwitchedOn, p.id)
		if c.ID == uuid.Nil || c.ID == before {
			t.Fatalf("nobody is asked: %+v", c)
		}
		before = c.ID
		w.tx(func(tx *database.Tx) error {
			_, err := account.ResolveCase(tx, c.ID, models.Actor{EmployeeID: w.hire().id, Role: models.RoleITOps}, models.ResolutionRetry, "")
			return err
		})
		w.drive(c.OperationID)
	}
	// Whoever reads who left, and when each account was off, is told that it was on in between.
	left, err := database.First[models.Departure](w.env.Facts.Read(t.Context()).Where("employee_id = ?", p.id))
	if err != nil {
		t.Fatal(err)
	}
	var listed leavers.Listed
	listed.ID = left.ID
	rows, err := leavers.Rows(t.Context(), w.env.Facts, []leavers.Listed{listed})
	if err != nil {
		t.Fatal(err)
	}
	told := slices.DeleteFunc(rows[0].Exceptions, func(e leavers.Exception) bool { return e.What != leavers.OnAgain })
	if len(told) == 0 || told[0].System != "mail" || told[0].At.Before(rows[0].Departure.AccessCutoffAt) {
		t.Errorf("the report tells of %+v", told)
	}
}

// A system that is slow hides nothing in another one for longer than its order lasts.
func TestI15_FoundWhileTheOrderIsUnderWay(t *testing.T) {
	w := newWorld(t)
	p := w.hire()
	id := w.link(p, "mail")
	w.link(p, "finance")
	var op models.AccountOperation
	var facts account.Facts
	w.tx(func(tx *database.Tx) (err error) {
		if err := tx.DB().Exec("SELECT 1 FROM employments WHERE id = ? FOR NO KEY UPDATE", p.employment).Error; err != nil {
			return err
		}
		op, _, err = account.OrderUnlink(tx, account.UnlinkOrder{
			EmployeeID: p.id, EmploymentID: p.employment, Connected: w.systems, By: models.System, Origin: models.OriginStandalone, Mode: models.ModeDisable,
		})
		return err
	})
	w.tx(func(tx *database.Tx) (err error) { facts, err = w.accounts.Facts(tx, op.ID); return err })
	for _, s := range facts.Steps {
		var system string
		if err := w.env.Facts.Read(t.Context()).Raw("SELECT a.system FROM account_steps s JOIN linked_accounts a ON a.id = s.account_id WHERE s.id = ?", s.ID).Scan(&system).Error; err != nil {
			t.Fatal(err)
		}
		if system != "mail" {
			continue
		}
		if _, err := w.accounts.RunStep(t.Context(), op.ID, s.ID, account.Hooks{}); err != nil {
			t.Fatal(err)
		}
	}
	w.change("mail", id, control.Plant{EmployeeNo: p.no})
	w.run(mailOnly)
	if c := w.one("under way", models.DriftSwitchedOn, p.id); c.ID != uuid.Nil {
		t.Fatalf("a case of an order that is under way: %+v", c)
	}
	w.drive(op.ID)
	w.run(mailOnly)
	if c := w.one("settled", models.DriftSwitchedOn, p.id); c.ID == uuid.Nil {
		t.Error("nobody is asked once the order is over")
	}
}

// What two people accepted stays accepted when the ids of a leaver's accounts are gone; what is open then ends with them.
func TestI25_AfterThePurgeWhatWasAcceptedIsAccepted(t *testing.T) {
	w := newWorld(t)
	detached, waived, gone := w.hire(), w.hire(), w.hire()
	w.link(detached, "mail")
	w.unlink(detached, account.UnlinkOrder{Origin: models.OriginStandalone, Mode: models.ModeDetach, Systems: []string{"mail"}})
	w.link(waived, "mail")
	missing := w.link(gone, "mail")
	w.link(w.hire(), "mail")
	if err := w.controls["mail"].Remove(t.Context(), missing); err != nil {
		t.Fatal(err)
	}
	w.worker.Shrink = 1
	w.run(mailOnly)
	w.one("gone", models.DriftGone, gone.id)
	for _, p := range []*person{detached, waived, gone} {
		w.leave(p, true)
		w.exec("UPDATE employments SET ended_at = lethe_now() WHERE id = ?", p.employment)
	}
	w.exec("ALTER TABLE linked_accounts DISABLE TRIGGER USER") // how it came to be waived is not what this is about
	w.exec("UPDATE linked_accounts SET state = 'waived' WHERE employment_id = ?", waived.employment)
	w.exec("ALTER TABLE linked_accounts ENABLE TRIGGER USER")
	for _, a := range []*person{detached, waived} {
		accounts, err := w.controls["mail"].Accounts(t.Context(), a.no)
		if err != nil || len(accounts) != 1 {
			t.Fatalf("%+v %v", accounts, err)
		}
		w.change("mail", accounts[0].ID, control.Plant{EmployeeNo: a.no})
	}
	for _, p := range []*person{detached, waived, gone} {
		w.tx(func(tx *database.Tx) error {
			_, err := account.ClearExternalIDs(tx, p.employment)
			return err
		})
	}
	if open := w.open(); len(open) != 0 {
		t.Errorf("an id outlives the account's: %+v", open)
	}
	if _, s := w.run(mailOnly); s["mail"].Found != 0 {
		t.Errorf("found anew: %+v", w.open())
	}
}

// Another account of somebody whose access is cut can be used: it is found, and part of the cut's order.
func TestI12_AnotherAccountUnderACut(t *testing.T) {
	w := newWorld(t)
	boss, p, elsewhere := w.hire(), w.hire(), w.hire()
	for _, c := range []struct {
		*person
		systems string
	}{{p, "NULL"}, {elsewhere, "'{finance}'"}} {
		w.link(c.person, "mail")
		w.link(c.person, "finance")
		cut := uuid.Must(uuid.NewV7())
		w.exec(`INSERT INTO access_cuts (id, employee_id, state, systems, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id)
			VALUES (?, ?, 'unconfirmed', `+c.systems+`, '{}', ?, 'hr_admin', lethe_now(), lethe_now(), @entry)`, cut, c.id, boss.id)
		o := account.UnlinkOrder{Origin: models.OriginStandalone, Cut: &cut, Mode: models.ModeDisable}
		if c.person == elsewhere {
			o.Systems = []string{"finance"}
		}
		w.unlink(c.person, o)
		w.plant("mail", control.Plant{EmployeeNo: c.no})
	}
	w.run(mailOnly)
	if c := w.one("a second account", models.DriftActive, p.id); c.ID == uuid.Nil || c.Reason != account.ReasonFoundInUse {
		t.Errorf("nobody is asked: %+v", c)
	}
}

// An account whose number is corrected to another leaver's is the other's from then on.
func TestI12_TheNumberIsCorrectedToAnothers(t *testing.T) {
	w := newWorld(t)
	p, q := w.hire(), w.hire()
	w.leave(p, true)
	w.leave(q, true)
	id := w.plant("mail", control.Plant{EmployeeNo: p.no})
	w.run(mailOnly)
	w.one("p's number", models.DriftActive, p.id)
	w.exec("ALTER TABLE linked_accounts DISABLE TRIGGER USER")
	w.exec("UPDATE linked_accounts SET state = 'not_found', external_id = NULL WHERE external_id = ?", id) // IT closed the case by hand
	w.change("mail", id, control.Plant{EmployeeNo: q.no})
	w.run(mailOnly)
	if c := w.one("q's number", models.DriftActive, q.id); c.ID == uuid.Nil {
		t.Error("nobody is asked")
	}
}

// A system that is taken out of the systems file: what was found there ends with the next run of all, and its ids with it; a
// run of one system says nothing of others.
func TestDriftOfASystemThatIsGoneEnds(t *testing.T) {
	w := newWorld(t)
	w.plant("finance", control.Plant{ID: "nobodys", EmployeeNo: "nobody"})
	w.plant("mail", control.Plant{ID: "nobodys too", EmployeeNo: "nobody"})
	w.run(reconcile.Order{})
	if open := w.open(); len(open) != 2 {
		t.Fatalf("found %+v", open)
	}
	mail, _ := w.systems.Get("mail")
	left, err := connector.RegistryOf(mail)
	if err != nil {
		t.Fatal(err)
	}
	w.systems, w.worker.Systems = left, left
	w.run(mailOnly)
	if open := w.open(); len(open) != 2 {
		t.Errorf("a run of one system left %+v", open)
	}
	w.run(reconcile.Order{})
	var ids int
	if err := w.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM account_drift WHERE system = 'finance' AND (external_id IS NOT NULL OR ended_at IS NULL)").Scan(&ids).Error; err != nil {
		t.Fatal(err)
	}
	if open := w.open(); len(open) != 1 || open[0].system != "mail" || ids != 0 {
		t.Errorf("left: %+v, %d ids", open, ids)
	}
}
