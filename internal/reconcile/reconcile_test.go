package reconcile_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/reconcile"
	"lethe/models"
	"lethe/sandbox/control"
)

var compareFound = cmp.AllowUnexported(found{})

// planted makes drift of every kind, several times over, among people with whom nothing is wrong, and says what it is.
func (w *world) planted() []found {
	w.Helper()
	var want []found
	long, lately := time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, -3)
	for i := range 6 {
		system := names[i%len(names)]
		add := func(id string, kind models.DriftKind, p uuid.UUID, hasCase bool) {
			want = append(want, found{system, id, kind, p, hasCase})
		}
		// Switched on again by hand: a leaver's, whose order is taken up again.
		p := w.hire()
		id := w.link(p, system)
		w.leave(p, true)
		w.change(system, id, control.Plant{EmployeeNo: p.no})
		add(id, models.DriftSwitchedOn, p.id, true)
		// A leaver's number appears on an account that nobody knew.
		p = w.hire()
		w.link(p, system)
		w.leave(p, true)
		add(w.plant(system, control.Plant{EmployeeNo: p.no}), models.DriftActive, p.id, true)
		// Nobody's: without a number, and with one that nobody has.
		add(w.plant(system, control.Plant{}), models.DriftOrphan, uuid.Nil, false)
		add(w.plant(system, control.Plant{EmployeeNo: "X-" + uuid.NewString(), Inactive: i%2 == 0}), models.DriftOrphan, uuid.Nil, false)
		// Linked, and not there.
		p = w.hire()
		gone := "gone-" + uuid.NewString()
		w.linkTo(p, system, gone)
		add(gone, models.DriftGone, p.id, false)
		// Two people have it.
		p, q := w.hire(), w.hire()
		id = w.link(p, system)
		w.exec(`INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, ledger_entry_id) VALUES (?, ?, ?, ?, ?, @entry)`,
			uuid.Must(uuid.NewV7()), q.employment, system, system, id)
		add(id, models.DriftTwoPeople, p.id, false)
		// It carries somebody else's number.
		p, q = w.hire(), w.hire()
		id = w.link(p, system)
		w.change(system, id, control.Plant{EmployeeNo: q.no})
		add(id, models.DriftOtherOwner, p.id, false)
		// Employed, and not seen for long.
		p = w.hire()
		id = w.link(p, system)
		w.change(system, id, control.Plant{EmployeeNo: p.no, LastSignIn: &long})
		add(id, models.DriftNoSignIn, p.id, false)

		// With all these nothing is wrong.
		p = w.hire()
		id = w.link(p, system)
		w.change(system, id, control.Plant{EmployeeNo: p.no, LastSignIn: &lately})
		p = w.hire() // suspended there, employed here
		id = w.link(p, system)
		w.change(system, id, control.Plant{EmployeeNo: p.no, Inactive: true})
		p = w.hire() // leaves next year, and is away until then
		id = w.link(p, system)
		w.leave(p, false)
		w.change(system, id, control.Plant{EmployeeNo: p.no, LastSignIn: &long})
		p = w.hire() // left, and is off
		w.link(p, system)
		w.leave(p, true)
		p = w.hire() // has the account that nobody linked
		w.plant(system, control.Plant{EmployeeNo: p.no})
		p = w.hire() // left, was hired again and uses the account
		id = w.link(p, system)
		w.leave(p, true)
		w.exec("UPDATE employments SET ended_at = lethe_now() WHERE id = ?", p.employment)
		w.employ(p)
		w.change(system, id, control.Plant{EmployeeNo: p.no})
		p = w.hire() // was detached from it
		w.link(p, system)
		w.unlink(p, account.UnlinkOrder{Origin: models.OriginStandalone, Mode: models.ModeDetach, Systems: []string{system}})
		p, q = w.hire(), w.hire() // left, and somebody else has it now
		id = w.link(p, system)
		w.leave(p, true)
		w.exec("UPDATE employments SET ended_at = lethe_now() WHERE id = ?", p.employment)
		w.change(system, id, control.Plant{EmployeeNo: q.no})
		w.linkTo(q, system, id)
	}
	// Somebody's who is employed, taken away by an order that stands alone, and switched on again.
	p := w.hire()
	id := w.link(p, "mail")
	w.unlink(p, account.UnlinkOrder{Origin: models.OriginStandalone, Mode: models.ModeDisable, Systems: []string{"mail"}})
	w.change("mail", id, control.Plant{EmployeeNo: p.no})
	want = append(want, found{"mail", id, models.DriftSwitchedOn, p.id, true})
	sorted(want)
	return want
}

// I12: what is planted is found, nothing else is, and a second run finds nothing new. What is put right ends.
func TestI12_PlantedDriftIsFoundOnceAndNoneIsInvented(t *testing.T) {
	w := newWorld(t)
	want := w.planted()
	if len(want) < 40 {
		t.Fatalf("only %d planted", len(want))
	}
	_, systems := w.run(reconcile.Order{})
	if diff := cmp.Diff(want, w.open(), compareFound); diff != "" {
		t.Fatalf("found (-want +got):\n%s", diff)
	}
	if n := systems["mail"].Found + systems["finance"].Found; n != len(want) {
		t.Errorf("%d counted as found, want %d", n, len(want))
	}
	_, systems = w.run(reconcile.Order{})
	for name, s := range systems {
		if s.Outcome != models.ComparisonCompared || s.Found != 0 || s.Ended != 0 || s.Still == 0 {
			t.Errorf("%s the second time: %+v", name, s)
		}
	}
	if diff := cmp.Diff(want, w.open(), compareFound); diff != "" {
		t.Fatalf("found the second time (-want +got):\n%s", diff)
	}
	// Put right: one that had been switched on is off again, by the case's own retry.
	for _, f := range want {
		if f.kind != models.DriftSwitchedOn {
			continue
		}
		a, err := w.controls[f.system].Account(t.Context(), f.id)
		if err != nil || !a.Active {
			t.Fatalf("a comparison switched something off: %+v, %v", a, err)
		}
		rows, _, err := account.Cases(t.Context(), w.env.Facts, account.CaseFilter{State: models.CaseOpen, System: f.system, EmployeeID: &f.person})
		if err != nil || len(rows) != 1 || rows[0].Reason != account.ReasonSwitchedOn {
			t.Fatalf("cases: %+v, %v", rows, err)
		}
		w.tx(func(tx *database.Tx) error {
			_, err := account.ResolveCase(tx, rows[0].ID, models.Actor{EmployeeID: w.hire().id, Role: models.RoleITOps}, models.ResolutionRetry, "")
			return err
		})
		w.drive(rows[0].OperationID)
	}
	w.run(reconcile.Order{})
	for _, f := range w.open() {
		if f.kind == models.DriftSwitchedOn {
			t.Errorf("still open: %+v", f)
		}
	}
}

// later is a system in which something happens after it was listed.
type later struct {
	connector.Connector
	happens func()
}

func (l later) List(ctx context.Context, page func([]connector.Listed) error) (int, error) {
	n, err := l.Connector.(connector.Lister).List(ctx, page)
	l.happens()
	return n, err
}

// The listing is older than the facts: what was switched off since is not told, nor what a list left out and is there.
func TestI12_WhatIsSoNoMoreIsNotTold(t *testing.T) {
	w := newWorld(t)
	p, hidden := w.hire(), w.hire()
	id := w.link(p, "mail")
	w.leave(p, true)
	w.change("mail", id, control.Plant{EmployeeNo: p.no})
	w.link(hidden, "mail")
	rule := control.Rule{Match: control.Match{Operation: control.OpFind, EmployeeNo: hidden.no}, Kind: control.Unknown}
	if err := w.controls["mail"].SetFaults(t.Context(), control.Faults{Rules: []control.Rule{rule}}); err != nil {
		t.Fatal(err)
	}
	off := true
	mail, _ := w.systems.Get("mail")
	mail.Connector = later{mail.Connector, func() { w.change("mail", id, control.Plant{EmployeeNo: p.no, Inactive: off}) }}
	var err error
	if w.systems, err = connector.RegistryOf(mail); err != nil {
		t.Fatal(err)
	}
	w.worker.Systems, w.worker.Shrink = w.systems, 1
	if _, s := w.run(reconcile.Order{}); s["mail"].Outcome != models.ComparisonCompared || s["mail"].Found != 0 {
		t.Errorf("told: %+v, %+v", s["mail"], w.open())
	}
	w.change("mail", id, control.Plant{EmployeeNo: p.no})
	off = false
	if _, s := w.run(reconcile.Order{}); s["mail"].Found != 1 || w.open()[0].kind != models.DriftSwitchedOn {
		t.Errorf("still on: %+v, %+v", s["mail"], w.open())
	}
}

// I30: a directory that lists half of its accounts, and then none, is one alarm, and nothing is gone.
func TestI30_AListingThatShrinksIsAnAlarm(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for range 20 {
		ids = append(ids, w.link(w.hire(), "mail"))
	}
	only := reconcile.Order{Systems: []string{"mail"}}
	if _, s := w.run(only); s["mail"].Outcome != models.ComparisonCompared {
		t.Fatalf("the first run: %+v", s["mail"])
	}
	hide := func(n int) {
		var rules []control.Rule
		for _, id := range ids[:n] {
			rules = append(rules, control.Rule{Match: control.Match{ID: id}, Kind: control.Unknown})
		}
		if err := w.controls["mail"].SetFaults(t.Context(), control.Faults{Rules: rules}); err != nil {
			t.Fatal(err)
		}
	}
	var since *time.Time
	for _, c := range []struct {
		hidden int
		want   string
	}{{10, reconcile.AlarmShrunk}, {20, reconcile.AlarmEmpty}, {10, reconcile.AlarmShrunk}} {
		hide(c.hidden)
		_, s := w.run(only)
		got := s["mail"]
		if got.Outcome != models.ComparisonAlarm || got.Alarm != c.want || got.Found+got.Ended != 0 {
			t.Fatalf("%d hidden: %+v", c.hidden, got)
		}
		if since == nil {
			since = got.AlarmSince
		}
		if !since.Equal(*got.AlarmSince) {
			t.Errorf("a second alarm: since %v and %v", since, got.AlarmSince)
		}
		if open := w.open(); len(open) != 0 {
			t.Fatalf("%d hidden: concluded %+v", c.hidden, open)
		}
	}
	// A list that is cut is an alarm as well, and whoever knows that half are gone says so: those are then read back.
	if err := w.controls["mail"].SetFaults(t.Context(), control.Faults{Rules: []control.Rule{{Kind: control.ShortPage, Match: control.Match{Operation: control.OpFind}}}}); err != nil {
		t.Fatal(err)
	}
	if _, s := w.run(only); s["mail"].Alarm != "incomplete_list" {
		t.Fatalf("a cut list: %+v", s["mail"])
	}
	hide(10)
	_, s := w.run(reconcile.Order{Systems: only.Systems, AcceptSmaller: true})
	if s["mail"].Outcome != models.ComparisonCompared || s["mail"].Found != 10 {
		t.Fatalf("accepted: %+v", s["mail"])
	}
	for _, f := range w.open() {
		if f.kind != models.DriftGone {
			t.Errorf("found %+v", f)
		}
	}
	hide(20)
	if _, s := w.run(reconcile.Order{Systems: only.Systems, AcceptSmaller: true}); s["mail"].Alarm != reconcile.AlarmEmpty {
		t.Fatalf("nobody is never accepted: %+v", s["mail"])
	}
	hide(0)
	if _, s := w.run(only); s["mail"].Ended != 10 || len(w.open()) != 0 {
		t.Fatalf("back again: %+v", s["mail"])
	}
}

// One run at a time; one that was stopped writes nothing more, and one that died is gone on with.
func TestOneRunAtATime(t *testing.T) {
	w := newWorld(t)
	w.plant("mail", control.Plant{})
	var row models.Reconciliation
	w.tx(func(tx *database.Tx) (err error) {
		row, err = reconcile.Begin(tx, w.systems, reconcile.Order{})
		return err
	})
	err := database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
		_, err := reconcile.Begin(tx, w.systems, reconcile.Order{})
		return err
	})
	var running *reconcile.RunningError
	if !errors.As(err, &running) || running.ID != row.ID {
		t.Fatalf("a second run: %v", err)
	}
	// It dies while it lists: half of the listing stays.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.worker.Compare(ctx, row.ID, "mail"); err == nil {
		t.Fatal("it did not die")
	}
	w.exec("INSERT INTO reconciliation_listing (reconciliation_id, system, external_id, employee_no, active) VALUES (?, 'mail', 'left over', '', true)", row.ID)
	if err := w.worker.Compare(t.Context(), row.ID, "mail"); err != nil {
		t.Fatal(err)
	}
	if open := w.open(); len(open) != 1 || open[0].kind != models.DriftOrphan || open[0].id == "left over" {
		t.Fatalf("found %+v", open)
	}
	by := models.WithCaller(t.Context(), models.Caller{Actor: models.Actor{EmployeeID: w.hire().id, Role: models.RoleITOps}})
	if err := database.Run(by, w.env.Facts, func(tx *database.Tx) error {
		_, err := reconcile.Stop(tx, row.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.plant("finance", control.Plant{})
	if err := w.worker.Compare(t.Context(), row.ID, "finance"); err != nil {
		t.Fatal(err)
	}
	if open := w.open(); len(open) != 1 {
		t.Fatalf("a stopped run went on: %+v", open)
	}
	var left int
	if err := w.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM reconciliation_listing").Scan(&left).Error; err != nil || left != 0 {
		t.Errorf("%d rows of listings are left, %v", left, err)
	}
}
