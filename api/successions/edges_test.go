package successions_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/api/emergencies"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/imports"
	"lethe/api/successions"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/duty"
	"lethe/internal/identity"
	domain "lethe/internal/imports"
	"lethe/internal/reasons"
	"lethe/internal/succession"
	"lethe/models"
)

// holder is who looks after a thing that passed on; nil: the role.
func (w *world) holder(kind models.Holding, thing uuid.UUID) *uuid.UUID {
	w.t.Helper()
	holders, err := succession.Holders(w.t.Context(), w.App, kind, []uuid.UUID{thing})
	if err != nil {
		w.t.Fatal(err)
	}
	to, passed := holders[thing]
	if !passed {
		w.t.Fatal("it did not pass on: ", kind)
	}
	return to
}

func is(got *uuid.UUID, want uuid.UUID) bool { return got != nil && *got == want }

// again hires somebody anew who left.
func (w *world) again(no string, department uuid.UUID) {
	w.t.Helper()
	today, err := clock.ParseDate(w.Day(0))
	if err != nil {
		w.t.Fatal(err)
	}
	w.Run(func(tx *database.Tx) error {
		_, _, err := archive.Create(tx, w.Vault, archive.NewEmployee{EmployeeNo: no, Name: "Person " + no, DepartmentID: department, HiredOn: today})
		return err
	})
}

// kindOf is what somebody looks after of a kind.
func (w *world) kindOf(who uuid.UUID, kind models.Holding) (v successions.HoldingKind, there bool) {
	w.t.Helper()
	kinds := w.holdings(who).Kinds
	at := slices.IndexFunc(kinds, func(k successions.HoldingKind) bool { return k.Kind == kind })
	if at < 0 {
		return v, false
	}
	return kinds[at], true
}

// TestI32_WhoIsHiredAgainIsAskedAnew: whom somebody named before counts in that employment alone.
func TestI32_WhoIsHiredAgainIsAskedAnew(t *testing.T) {
	w := newWorld(t)
	person, heir, other := w.Hire("S-1", w.B), w.Hire("S-2", w.B), w.Hire("S-3", w.B)
	if r := w.name(person, 0, &heir, nil); r.Status != 200 {
		t.Fatal(r.Status, string(r.Body))
	}
	w.LeftLongAgo(person, -20, false)
	if r := w.name(person, 1, &other, nil); r.Status/100 != 4 {
		t.Error("for somebody who has left:", r.Status)
	}
	w.again("S-1", w.B)
	if v := w.holdings(person); v.Version != 1 || v.Successor != nil {
		t.Errorf("as it was in the former employment: %+v", v)
	}
	w.head(w.A, person)
	w.cutoff(w.begin(person))
	if n := w.sweep(); n != 1 || w.headOf(w.A) != nil {
		t.Error("the second employment ends:", n, w.headOf(w.A))
	}
	third := w.Hire("S-4", w.B)
	w.LeftLongAgo(third, -20, false)
	w.again("S-4", w.B)
	if r := w.name(third, 0, &other, nil); r.Status != 200 {
		t.Fatal(r.Status, string(r.Body))
	}
	w.head(w.A, third)
	w.cutoff(w.begin(third))
	w.sweep()
	if !is(w.headOf(w.A), other) {
		t.Error("named in the second employment:", w.headOf(w.A))
	}
}

// TestI32_WhoseDataIsDeleted: nothing is named for them, nobody takes over from them by their plan, and nothing stays with them.
func TestI32_WhoseDataIsDeleted(t *testing.T) {
	w := newWorld(t)
	heir, next := w.employ("S-1", httpkit.HR), w.employ("S-2", httpkit.HR)
	w.name(w.leaver, 0, &heir, nil)
	w.name(heir, 0, &next, nil)
	first := w.begin(heir)
	w.cutoff(w.begin(w.leaver))
	w.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, first.ID, w.Systems); return err })
	w.Exec("ALTER TABLE employees DISABLE TRIGGER ALL")
	w.Exec("UPDATE employees SET status = 'purged' WHERE id IN (?, ?)", heir, w.leaver)
	if r := w.name(w.leaver, 1, &next, nil); r.Status/100 != 4 {
		t.Error("named for somebody whose data is deleted:", r.Status)
	}
	if r := w.Ask(httpkit.HR, "GET", "/api/v1/employees/"+w.leaver.String()+"/holdings", ""); r.Status != 200 && r.Status != 404 && r.Status != 410 {
		t.Error("what they look after:", r.Status, string(r.Body))
	}
	w.sweep()
	if !is(w.holder(models.HoldingHold, w.hold), next) || w.holder(models.HoldingRejection, w.purge) != nil {
		t.Error("the hold is with", w.holder(models.HoldingHold, w.hold), "the rejection with", w.holder(models.HoldingRejection, w.purge))
	}
	if open := w.open().Items; len(open) != 1 || !is(w.headOf(w.A), next) {
		t.Errorf("headed by %v, %+v", w.headOf(w.A), open)
	}
	if n := w.sweep(); n != 0 {
		t.Error("passed on twice:", n)
	}
}

// TestI32_WhatPassedStaysWhereItWent: when the departure is annulled, and when the cut is lifted; each passing is told.
func TestI32_WhatPassedStaysWhereItWent(t *testing.T) {
	w := newWorld(t)
	heir := w.employ("S-1", httpkit.HR, httpkit.Reviewer)
	head := w.Hire("S-2", w.A)
	w.name(w.leaver, 0, &heir, map[models.Holding]uuid.UUID{models.HoldingDepartment: head})
	d := w.begin(w.leaver)
	w.cutoff(d)
	w.sweep()
	at := httpkit.AddressOf(models.RefDeparture, d.ID) + "/annulment"
	if r := w.Ask(httpkit.HR, "POST", at, `{"reason": "wrong person"}`); r.Status != http.StatusAccepted {
		t.Fatal(r.Status, string(r.Body))
	}
	var back departures.DepartureView
	w.FreshSession(w.People[httpkit.Reviewer], httpkit.Reviewer).Ask("POST", at+"/confirmation", "").Into(t, &back)
	if back.Stage != models.StageAnnulled {
		t.Fatal(back.Stage)
	}
	if n := w.sweep(); n != 0 || !is(w.holder(models.HoldingHold, w.hold), heir) || !is(w.headOf(w.A), head) || !is(w.holder(models.HoldingLook, w.look), heir) {
		t.Error("after the annulment:", n, w.headOf(w.A))
	}
	w.WantEntries("succession.passed", 4)

	cut, next := w.employ("S-3", httpkit.HR), w.employ("S-4", httpkit.HR)
	look := w.untold(cut, w.Hire("E-7", w.A))
	w.head(w.B, cut)
	w.name(cut, 0, &next, nil)
	session := w.FreshSession(w.People[httpkit.HR], httpkit.HR)
	var made struct{ ID uuid.UUID }
	if r := session.Ask("POST", "/api/v1/access-cuts", fmt.Sprintf(`{"employee_id": %q, "reason": "X"}`, cut)); r.Status/100 != 2 {
		t.Fatal(r.Status, string(r.Body))
	} else {
		r.Into(t, &made)
	}
	w.sweep()
	request := session.Ask("POST", httpkit.AddressOf(models.RefCut, made.ID)+"/lifting", `{"approval_reason": "r"}`).Header.Get("Location")
	if r := w.FreshSession(w.People[httpkit.Reviewer], httpkit.Reviewer).Ask("POST", request+"/decision", `{"decision": "approved"}`); r.Status != http.StatusOK {
		t.Fatal(r.Status, string(r.Body))
	}
	if n := w.sweep(); n != 0 || !is(w.holder(models.HoldingLook, look), next) || !is(w.headOf(w.B), cut) {
		t.Error("after the cut was lifted:", n, w.headOf(w.B))
	}
	w.WantEntries("succession.passed", 5)
}

// TestI32_ASuccessorWhoIsGoneByThen: disabled, or without the role, between naming and cutoff: it goes on to whom that one
// names, else to the role; and who was named for a kind alone takes nothing else.
func TestI32_ASuccessorWhoIsGoneByThen(t *testing.T) {
	w := newWorld(t)
	heir, next, second := w.employ("S-1", httpkit.HR), w.employ("S-2", httpkit.HR), w.employ("S-3", httpkit.Reviewer)
	w.name(w.leaver, 0, &heir, map[models.Holding]uuid.UUID{models.HoldingRejection: second, models.HoldingLook: next})
	w.name(heir, 0, nil, map[models.Holding]uuid.UUID{models.HoldingHold: next})
	d := w.begin(w.leaver)
	w.disable(heir)
	w.Run(func(tx *database.Tx) error {
		return identity.RevokeRole(tx, w.User(second), models.RoleReviewer, models.System)
	})
	v := w.holdings(w.leaver)
	if v.Missing != 2 { // the department, whose heir names nobody for it, and the rejection
		t.Errorf("before the cutoff %d are missing: %+v", v.Missing, v.Kinds)
	}
	w.cutoff(d)
	w.sweep()
	if !is(w.holder(models.HoldingHold, w.hold), next) || !is(w.holder(models.HoldingLook, w.look), next) {
		t.Error("the hold and the look:", w.holder(models.HoldingHold, w.hold), w.holder(models.HoldingLook, w.look))
	}
	if w.headOf(w.A) != nil || w.holder(models.HoldingRejection, w.purge) != nil || len(w.open().Items) != 2 {
		t.Errorf("headed by %v, %+v", w.headOf(w.A), w.open().Items)
	}
}

// TestI32_ShiftsCallsImportsAndRoles: a shift passes to who can be called then, a call waits for all of HR again, an import
// ends, a half of a code is shown, and that a role would have nobody.
func TestI32_ShiftsCallsImportsAndRoles(t *testing.T) {
	w := newWorld(t)
	heir := w.employ("S-1", httpkit.HR)
	for person, phone := range map[uuid.UUID]string{w.leaver: "13800138000", heir: "13800138001"} {
		w.PlainSession(person, httpkit.HR)
		w.Run(func(tx *database.Tx) error {
			return archive.Update(tx, w.Vault, person, archive.Patch{Fields: map[string]*string{"duty_phone": &phone}})
		})
	}
	plan := w.Ask(httpkit.HR, "POST", "/api/v1/duty-shifts", fmt.Sprintf(`{"employee_id": %q, "time_zone": "Asia/Shanghai", "date": %q, "start": "00:00", "end": "00:00", "every_days": 1, "times": 9}`, w.leaver, w.Day(0)))
	var shifts emergencies.DutyPlan
	if plan.Into(t, &shifts); plan.Status != http.StatusCreated {
		t.Fatal(plan.Status, string(plan.Body))
	}
	call := uuid.New()
	w.Run(func(tx *database.Tx) error {
		statement, err := reasons.Seal(tx, reasons.Cell("emergency_calls.statement_sealed", call), "{}")
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec(`INSERT INTO emergency_calls (id, caller_id, caller_role, employee_id, state, statement_sealed, on_duty, ledger_entry_id) VALUES (?, ?, 'employee', ?, 'open', ?, '{}', ?)`,
			call, w.People[httpkit.Employee], w.Hire("E-7", w.A), statement, w.Entry(tx)).Error)
	})
	leaver := w.FreshSession(w.leaver, httpkit.HR)
	if r := leaver.Ask("POST", "/api/v1/emergency-calls/"+call.String()+"/taking", ""); r.Status/100 != 2 {
		t.Fatal("taking a call:", r.Status, string(r.Body))
	}
	file := leaver.Ask("POST", "/api/v1/employee-imports", "工号,岗位\nE-7,顾问\n", "Content-Type", "text/csv")
	var sent imports.ImportView
	if file.Into(t, &sent); file.Status/100 != 2 {
		t.Fatal("importing:", file.Status, string(file.Body))
	}
	newcomer := w.employ("S-5", models.RoleITOps)
	w.Exec("ALTER TABLE users DISABLE TRIGGER ALL")
	w.Exec("UPDATE users SET state = 'enrolling' WHERE employee_id = ?", newcomer)
	w.Exec("ALTER TABLE users ENABLE TRIGGER ALL")
	w.Exec("INSERT INTO enrolments (user_id, first_by, second_by, expires_at, ledger_entry_id) VALUES (?, ?, ?, lethe_now() + interval '30 days', @entry)", w.User(newcomer), w.leaver, heir)
	for kind, n := range map[models.Holding]int{models.HoldingDuty: 9, models.HoldingCall: 1, models.HoldingImport: 1, models.HoldingEnrolment: 1} {
		if k, there := w.kindOf(w.leaver, kind); !there || len(k.Things) != n {
			t.Errorf("%d of %s, want %d", len(k.Things), kind, n)
		}
	}
	if k, there := w.kindOf(w.People[models.RoleAuditor], models.HoldingRole); !there || k.Missing != 1 {
		t.Errorf("the only auditor: %+v", k)
	}
	w.employ("S-6", models.RoleAuditor)
	w.Exec("UPDATE users SET state = 'active' WHERE employee_id IN (SELECT id FROM employees WHERE employee_no = 'S-6')")
	if k, there := w.kindOf(w.People[models.RoleAuditor], models.HoldingRole); there {
		t.Errorf("one of two auditors: %+v", k)
	}
	w.name(w.leaver, 0, &heir, nil)
	d := w.begin(w.leaver)
	w.cutoff(d)
	w.sweep()
	if n := w.Count("duty_shifts WHERE removed_at IS NULL AND ends_at > lethe_now() AND employee_id = '" + w.leaver.String() + "'"); n != 0 {
		t.Errorf("%d shifts of somebody who has left", n)
	}
	if n := w.Count("duty_shifts WHERE removed_at IS NULL AND ends_at > lethe_now() AND employee_id = '" + heir.String() + "'"); n < 4 {
		t.Errorf("%d shifts of the successor", n)
	}
	if _, err := duty.Sweep(t.Context(), w.App, false); err != nil {
		t.Fatal(err)
	}
	if n := w.Count("emergency_calls WHERE state = 'open' AND taken_by IS NULL"); n != 1 {
		t.Error("the call stays with somebody who has left")
	}
	w.Run(func(tx *database.Tx) error { _, err := domain.Look(tx, sent.ID); return err })
	if got := w.Walk(sent.ID); got.State != models.BatchCancelled || got.EndedBy != models.BatchEndUploaderGone {
		t.Errorf("the import: %+v", got)
	}
}

// TestI32_AThingDoesNotPassToWhomItIsAbout: a hold on the successor falls to the role, and the successor does not learn of it
// nor takes it.
func TestI32_AThingDoesNotPassToWhomItIsAbout(t *testing.T) {
	w := newWorld(t)
	heir, other := w.employ("S-1", httpkit.HR), w.employ("S-2", httpkit.HR)
	var onHeir holds.HoldView
	w.FreshSession(w.leaver, httpkit.HR).Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M-3"}`, heir)).Into(t, &onHeir)
	w.name(w.leaver, 0, &heir, nil)
	w.disable(w.leaver)
	w.sweep()
	if !is(w.holder(models.HoldingHold, w.hold), heir) || w.holder(models.HoldingHold, onHeir.ID) != nil {
		t.Error("the holds are with", w.holder(models.HoldingHold, w.hold), w.holder(models.HoldingHold, onHeir.ID))
	}
	var seen httpkit.Page[successions.Succession]
	w.FreshSession(heir, httpkit.HR).Ask("GET", "/api/v1/successions", "").Into(t, &seen)
	for _, s := range seen.Items {
		if s.ThingID == onHeir.ID {
			t.Error("the successor learns of a hold on the own data")
		}
	}
	for _, s := range w.open().Items {
		if s.ThingID != onHeir.ID {
			continue
		}
		at := httpkit.AddressOf(models.RefSuccession, s.ID) + "/taking"
		if r := w.Ask(httpkit.HR, "POST", at, fmt.Sprintf(`{"employee_id": %q}`, heir)); r.Status != http.StatusUnprocessableEntity {
			t.Error("it is given to whom it is about:", r.Status)
		}
		if r := w.Ask(httpkit.HR, "POST", at, fmt.Sprintf(`{"employee_id": %q}`, other)); r.Status != http.StatusCreated {
			t.Error("somebody else takes it:", r.Status, string(r.Body))
		}
	}
	if !is(w.holder(models.HoldingHold, onHeir.ID), other) {
		t.Error("nobody took it")
	}
}
