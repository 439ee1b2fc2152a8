package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// unregistered is a leaver of whom nobody registered an account; in the given systems the number is active.
func (w *world) unregistered(t testing.TB, active ...string) *leaver {
	t.Helper()
	l := w.employ(t, w.person(t))
	for _, name := range active {
		w.carry(l, name, l.id(name))
	}
	w.leave(t, l)
	return l
}

// employ gives a person an employment without accounts.
func (w *world) employ(t testing.TB, employee uuid.UUID) *leaver {
	t.Helper()
	l := &leaver{employee: employee, employment: uuid.Must(uuid.NewV7()), no: numberOf(employee)}
	w.exec(t, `INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, ledger_entry_id)
		VALUES (?, ?, ?, ?, 'DEMO', 'Asia/Shanghai', '2020-01-01', @entry)`, l.employment, l.employee, w.entity, w.department)
	w.tx(t, func(tx *database.Tx) error { return w.vault.CreateCategories(tx, l.employment) })
	return l
}

// carry puts an account with the leaver's number into a system.
func (w *world) carry(l *leaver, system, id string) {
	tg := w.targets[system]
	tg.mu.Lock()
	defer tg.mu.Unlock()
	tg.accounts[id] = &holder{no: l.no, active: true, groups: []string{"g1"}, sessions: 1}
}

func (w *world) accountsState(t testing.TB, l *leaver) models.AccountsState {
	t.Helper()
	d, err := database.First[models.Departure](w.env.Facts.Read(context.Background()).Where("id = ?", *l.departure))
	if err != nil {
		t.Fatal(err)
	}
	return d.AccountsState
}

func (w *world) wantAccounts(t testing.TB, l *leaver, want models.AccountsState) {
	t.Helper()
	if got := w.accountsState(t, l); got != want {
		t.Errorf("the departure's accounts are %s, want %s", got, want)
	}
}

// findings is what each account or question of an employment came to, by system.
func (w *world) findings(t testing.TB, l *leaver) map[string]string {
	t.Helper()
	var rows []models.LinkedAccount
	if err := w.env.Facts.Read(context.Background()).Where("employment_id = ?", l.employment).Order("id").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, a := range rows {
		found[a.System] = strings.TrimSpace(found[a.System] + " " + string(a.State) + "/" + string(a.Finding))
	}
	return found
}

func (w *world) wantFindings(t testing.TB, l *leaver, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, w.findings(t, l)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// The reported case: nobody registered anything, and mail had the number active.
func TestI29_AnAccountThatNobodyRegisteredIsTakenAway(t *testing.T) {
	w := newWorld(t)
	l := w.unregistered(t, "mail")
	op := w.unlink(t, l, nil)
	if diff := cmp.Diff(models.Names{"attendance", "finance", "mail"}, op.Asked); diff != "" {
		t.Errorf("asked systems (-want +got):\n%s", diff)
	}
	w.wantAccounts(t, l, models.AccountsUnlinking)
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	w.wantActive(t, l, "mail", false)
	w.wantAccounts(t, l, models.AccountsSettled)
	w.wantFindings(t, l, map[string]string{"mail": "disabled/found", "finance": "not_found/nothing", "attendance": "not_found/nothing"})
	back, _ := w.relink(t, l, nil)
	w.drive(t, back)
	w.wantActive(t, l, "mail", true)
	w.wantFindings(t, l, map[string]string{"mail": "relinked/found", "finance": "not_found/nothing", "attendance": "not_found/nothing"})
}

// One system with a registered account and another one that nobody knew, and one with nothing registered.
func TestI29_ASecondAccountWithTheNumberIsTakenAwayToo(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.targets["mail"].set(l.id("mail"), func(h *holder) { h.no = "" })
	w.carry(l, "mail", "nobody-knew")
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	w.wantActive(t, l, "mail", false)
	if w.targets["mail"].holder("nobody-knew").active {
		t.Error("the account that nobody knew is active")
	}
	w.wantAccounts(t, l, models.AccountsSettled)
	w.wantFindings(t, l, map[string]string{"mail": "disabled/ disabled/found", "finance": "disabled/", "attendance": "disabled/"})
	back, _ := w.relink(t, l, nil)
	w.drive(t, back)
	if !w.targets["mail"].holder("nobody-knew").active {
		t.Error("the withdrawal did not give the found account back")
	}
}

func TestI29_WhoseTheSecondCarrierIsPeopleSay(t *testing.T) {
	for _, registered := range []bool{true, false} {
		w := newWorld(t)
		l := w.unregistered(t, "mail")
		if registered {
			l = w.leaver(t)
			w.leave(t, l)
		}
		w.carry(l, "mail", "another")
		op := w.unlink(t, l, nil)
		w.drive(t, op)
		cases := w.openCases(t, op)
		if len(cases) != 1 || cases[0].Reason != ReasonAmbiguous || cases[0].System != "mail" {
			t.Fatalf("registered %v: cases %+v", registered, cases)
		}
		w.wantAccounts(t, l, models.AccountsNeedsAttention)
		for _, id := range []string{"another", l.id("mail")} {
			w.targets["mail"].set(id, func(h *holder) { h.active, h.groups, h.sessions = false, nil, 0 })
		}
		w.decide(t, cases[0].ID, models.ResolutionByHand)
		w.drive(t, op)
		w.wantAccounts(t, l, models.AccountsSettled)
	}
}

func (w *world) decide(t testing.TB, caseID uuid.UUID, action models.Resolution) {
	t.Helper()
	if err := w.resolve(caseID, w.actor(t, models.RoleITOps), action); err != nil {
		t.Fatal(err)
	}
}

func TestI29_WhatWasDetachedOrBelongsElsewhereIsAFindingOnly(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	detach := func(o *UnlinkOrder) { o.Mode, o.Systems = models.ModeDetach, []string{"mail"} }
	w.drive(t, w.unlink(t, l, detach))
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	w.wantAccounts(t, l, models.AccountsSettled)
	w.wantFindings(t, l, map[string]string{"mail": "detached/ detached/detached", "finance": "disabled/", "attendance": "disabled/"})
	w.wantActive(t, l, "mail", true)

	first := w.unregistered(t, "mail")
	w.exec(t, "UPDATE employments SET ended_at = '2020-01-02', basis_entry_id = @entry WHERE id = ?", first.employment)
	second := w.employ(t, first.employee)
	op = w.unlink(t, first, nil)
	w.drive(t, op)
	w.wantActive(t, first, "mail", true)
	w.wantAccounts(t, first, models.AccountsSettled)
	w.wantFindings(t, first, map[string]string{"mail": "detached/another_employment", "finance": "not_found/nothing", "attendance": "not_found/nothing"})
	w.leave(t, second)
	w.drive(t, w.unlink(t, second, nil))
	w.wantActive(t, first, "mail", false)
	w.wantFindings(t, second, map[string]string{"mail": "disabled/found", "finance": "not_found/nothing", "attendance": "not_found/nothing"})

	moved := w.unregistered(t, "mail")
	w.tx(t, func(tx *database.Tx) error {
		err := tx.DB().Exec("UPDATE departures SET kind = 'group_transfer' WHERE id = ?", *moved.departure).Error
		return errors.Join(err, databasetest.Told(tx, *moved.departure))
	})
	w.drive(t, w.unlink(t, moved, nil))
	w.wantActive(t, moved, "mail", true)
	w.wantFindings(t, moved, map[string]string{"mail": "detached/transfer", "finance": "not_found/nothing", "attendance": "not_found/nothing"})
}

// What a stand-alone unlinking settled is looked at again at the cutoff: somebody may have switched it on.
func TestI29_WhatWasSwitchedOnAgainIsTakenAway(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.drive(t, w.unlink(t, l, nil))
	w.targets["mail"].set(l.id("mail"), func(h *holder) { h.active = true })
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.wantActive(t, l, "mail", false)
	w.wantAccounts(t, l, models.AccountsSettled)
	w.wantFindings(t, l, map[string]string{"mail": "disabled/ not_found/known", "finance": "disabled/ not_found/known", "attendance": "disabled/ not_found/known"})
}

// I15 and two people: a system that is down at the cutoff delays only its own look-up, which becomes a
// case and may be waived.
func TestI29_ASystemThatIsDownIsAskedAgainAndThenACase(t *testing.T) {
	w := newWorld(t)
	l := w.unregistered(t, "mail")
	w.targets["finance"].fail("find", times(100, fault{before: temporary(connector.CodeUnavailable)})...)
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	w.wantActive(t, l, "mail", false)
	w.wantAccounts(t, l, models.AccountsNeedsAttention)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].System != "finance" {
		t.Fatalf("cases: %+v", cases)
	}
	w.decide(t, cases[0].ID, models.ResolutionWaive)
	w.wantAccounts(t, l, models.AccountsNeedsAttention)
	if err := w.confirm(cases[0].ID, w.actor(t, models.RoleReviewer)); err != nil {
		t.Fatal(err)
	}
	w.wantAccounts(t, l, models.AccountsSettled)
	w.wantFindings(t, l, map[string]string{"mail": "disabled/found", "finance": "waived/", "attendance": "not_found/nothing"})
}

// The database demands the findings itself, for the departure and for the order.
func TestI29_TheDatabaseRefusesToSettleWithoutFindings(t *testing.T) {
	w := newWorld(t)
	settle := func(l *leaver) error {
		return w.try(func(tx *database.Tx) error {
			return database.Hide(tx.DB().Exec("UPDATE departures SET accounts_state = 'settled' WHERE id = ?", *l.departure).Error)
		})
	}
	refused := func(what string, err error) {
		t.Helper()
		if database.Code(err) != database.CodeUnproven {
			t.Errorf("%s: %v", what, err)
		}
	}
	l := w.unregistered(t)
	refused("no order", settle(l))
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Connected = nil })
	w.wantAccounts(t, l, models.AccountsNeedsAttention)
	refused("no system connected", settle(l))
	if back, created := w.relink(t, l, nil); created || back.ID != uuid.Nil || w.operation(t, op.ID).State != models.OperationSuperseded {
		t.Error("the order that waited for a system is not over")
	}

	l = w.unregistered(t)
	op = w.unlink(t, l, nil)
	w.exec(t, "UPDATE account_steps SET state = 'running' WHERE operation_id = ?", op.ID)
	w.exec(t, "UPDATE account_steps SET state = 'done' WHERE operation_id = ?", op.ID)
	refused("an order without evidence", w.try(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE account_operations SET state = 'settled' WHERE id = ?", op.ID).Error)
	}))
	refused("a system left out", w.try(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE account_operations SET asked = '{mail}' WHERE id = ?", op.ID).Error)
	}))
	refused("an order that asks nobody", w.try(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec(`INSERT INTO account_operations (id, employment_id, departure_id, kind, mode, origin, state)
			SELECT gen_random_uuid(), employment_id, departure_id, 'unlink', 'disable', 'departure', 'superseded' FROM account_operations WHERE id = ?`, op.ID).Error)
	}))
}

// What 0.2 settled is asked once: an account in use becomes a case, and nothing is taken away before
// somebody says so.
func TestI29_WhatWasSettledWithoutAskingIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	w.exec(t, "DELETE FROM system_askings")
	bare, known, clean := w.unregistered(t, "mail"), w.leaver(t), w.unregistered(t)
	w.leave(t, known)
	w.drive(t, w.unlink(t, known, nil))
	w.targets["finance"].set(known.id("finance"), func(h *holder) { h.active = true })
	w.asBefore(t, bare, known, clean)

	w.connectedDown(t, "attendance", func() { w.askLater(t) })
	if got := w.operation(t, *w.account(t, bare, "mail").OperationID).Asked; !slices.Equal(got, []string{"finance", "mail"}) {
		t.Errorf("asked while attendance was down: %v", got)
	}
	w.askLater(t)
	for _, l := range []*leaver{bare, known, clean} {
		w.wantAccounts(t, l, models.AccountsUnlinking)
		op := w.operation(t, *w.lookUp(t, l, "mail").OperationID)
		if len(op.Asked) != 3 {
			t.Errorf("asked: %v", op.Asked)
		}
		w.drive(t, op)
	}
	w.wantAccounts(t, clean, models.AccountsSettled)
	for l, system := range map[*leaver]string{bare: "mail", known: "finance"} {
		w.wantAccounts(t, l, models.AccountsNeedsAttention)
		w.wantActive(t, l, system, true)
		op := w.operation(t, *w.lookUp(t, l, system).OperationID)
		cases := w.openCases(t, op)
		if len(cases) != 1 || cases[0].Reason != ReasonFoundInUse || cases[0].System != system {
			t.Fatalf("cases: %+v", cases)
		}
		w.decide(t, cases[0].ID, models.ResolutionRetry)
		w.drive(t, op)
		w.wantActive(t, l, system, false)
		w.wantAccounts(t, l, models.AccountsSettled)
	}
	if n := w.askLater(t); n != 0 {
		t.Errorf("%d were asked about again", n)
	}
}

// asBefore makes departures look as 0.2 left them: settled, their orders without systems to ask, and
// those without accounts without any order.
func (w *world) asBefore(t testing.TB, leavers ...*leaver) {
	t.Helper()
	w.tx(t, func(tx *database.Tx) error {
		for _, l := range leavers {
			for _, sql := range []string{
				"ALTER TABLE account_operations DISABLE TRIGGER account_operations_asked",
				"ALTER TABLE departures DISABLE TRIGGER departures_settled",
				"UPDATE account_operations SET asked = NULL WHERE departure_id = @id",
				"UPDATE departures SET accounts_state = 'settled' WHERE id = @id",
				"ALTER TABLE departures ENABLE TRIGGER departures_settled",
				"ALTER TABLE account_operations ENABLE TRIGGER account_operations_asked",
			} {
				if err := tx.DB().Exec(strings.ReplaceAll(sql, "@id", "'"+l.departure.String()+"'")).Error; err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// askLater asks about everybody, two at a time.
func (w *world) askLater(t testing.TB) (total int) {
	t.Helper()
	for {
		n, err := w.service.AskLater(t.Context(), 2, w.hooks())
		if err != nil {
			t.Fatal(err)
		}
		if total += n; n == 0 {
			return total
		}
	}
}

// connectedDown runs f while a system does not answer its health check.
func (w *world) connectedDown(t testing.TB, name string, f func()) {
	t.Helper()
	w.targets[name].fail("health", times(1000, fault{before: temporary(connector.CodeUnavailable)})...)
	f()
	w.targets[name].heal()
}

func (w *world) lookUp(t testing.TB, l *leaver, system string) models.LinkedAccount {
	t.Helper()
	a, err := database.First[models.LinkedAccount](w.env.Facts.Read(context.Background()).
		Where("employment_id = ? AND system = ? AND NOT registered", l.employment, system))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestI29_ALookUpThatIsKilledIsFinished(t *testing.T) {
	w := newWorld(t)
	for mark := 0; ; mark++ {
		l := w.unregistered(t, "mail")
		w.targets["mail"].journal = nil
		op := w.unlink(t, l, nil)
		at := w.runUntil(t, op, w.step(t, op, "mail"), mark)
		w.drive(t, op)
		w.wantActive(t, l, "mail", false)
		w.wantAccounts(t, l, models.AccountsSettled)
		id := l.id("mail")
		if diff := cmp.Diff([]string{"disable " + id, "revoke_sessions " + id, "leave_groups " + id}, w.targets["mail"].changes()); diff != "" {
			t.Errorf("died %s: effects (-want +got):\n%s", at, diff)
		}
		if at == "" {
			if mark < 10 {
				t.Errorf("only %d marks", mark)
			}
			return
		}
	}
}

// A system that is taken out of the file while it is to be asked stays to be asked: people put it back
// or waive it. One that is connected later is asked then.
func TestI29_TheSystemsFileChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.exec(t, "DELETE FROM system_askings")
	all := w.service
	mail, _ := w.connected.Get("mail")
	finance, _ := w.connected.Get("finance")
	fewer, err := connector.RegistryOf(mail, finance)
	if err != nil {
		t.Fatal(err)
	}
	l := w.unregistered(t, "attendance")
	op := w.unlink(t, l, nil)
	w.service = New(w.env.Facts, w.vault, fewer, short)
	w.drive(t, op)
	w.wantAccounts(t, l, models.AccountsNeedsAttention)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].Reason != ReasonUnknownSystem || cases[0].System != "attendance" {
		t.Fatalf("cases: %+v", cases)
	}
	w.service = all
	w.decide(t, cases[0].ID, models.ResolutionRetry)
	w.drive(t, op)
	w.wantActive(t, l, "attendance", false)
	w.wantAccounts(t, l, models.AccountsSettled)

	later, nothing := w.unregistered(t), w.unregistered(t)
	op = w.unlink(t, later, func(o *UnlinkOrder) { o.Connected = fewer })
	w.drive(t, op)
	w.wantAccounts(t, later, models.AccountsSettled)
	empty := w.unlink(t, nothing, func(o *UnlinkOrder) { o.Connected = nil })
	w.wantAccounts(t, nothing, models.AccountsNeedsAttention)
	w.carry(later, "attendance", later.id("attendance"))
	w.askLater(t)
	w.drive(t, op)
	w.drive(t, empty)
	w.wantActive(t, later, "attendance", true)
	w.wantAccounts(t, later, models.AccountsNeedsAttention)
	w.wantAccounts(t, nothing, models.AccountsSettled)
}
