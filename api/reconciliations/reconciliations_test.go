package reconciliations_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/reconciliations"
	"lethe/internal/database"
	"lethe/internal/reconcile"
	"lethe/models"
)

const runs = "/api/v1/reconciliations"

// I26, and one at a time: a repeated request is the same run, another one is refused with where the first is.
func TestARunIsBegunOnceAndStopped(t *testing.T) {
	f := apitest.New(t)
	first := f.Ask(httpkit.IT, "POST", runs, `{}`, "Idempotency-Key", "k")
	if first.Status != http.StatusAccepted {
		t.Fatalf("%d %s", first.Status, first.Body)
	}
	var run reconciliations.ReconciliationRun
	first.Into(t, &run)
	if run.State != models.ReconciliationRunning || run.StartedBy == nil || len(run.Systems) != 2 || run.Systems[0].Outcome != models.ComparisonNoList {
		t.Fatalf("begun: %+v", run)
	}
	again := f.Ask(httpkit.IT, "POST", runs, `{}`, "Idempotency-Key", "k")
	if again.Status != http.StatusAccepted || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("repeated: %d %s", again.Status, again.Body)
	}
	other := f.Ask(httpkit.HR, "POST", runs, `{"system":"mail"}`)
	refused(t, other, http.StatusConflict, "reconciliation_running")
	refused(t, f.Ask(httpkit.IT, "POST", runs, `{"system":"nosuch"}`), http.StatusUnprocessableEntity, "unknown_system")
	refused(t, f.Ask(httpkit.IT, "POST", runs, `{"accept_smaller":true}`), http.StatusUnprocessableEntity, "validation_failed")
	refused(t, f.Ask(httpkit.Auditor, "POST", runs, `{}`), http.StatusForbidden, "role_not_allowed")

	stop := httpkit.AddressOf(models.RefReconcile, run.ID) + "/stop"
	var stopped reconciliations.ReconciliationRun
	f.Ask(httpkit.HR, "POST", stop, "").Into(t, &stopped)
	if stopped.State != models.ReconciliationStopped || stopped.StoppedBy == nil {
		t.Errorf("stopped: %+v", stopped)
	}
	refused(t, f.Ask(httpkit.HR, "POST", stop, ""), http.StatusConflict, "reconciliation_ended")
	refused(t, f.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefReconcile, uuid.New())+"/stop", ""), http.StatusNotFound, "not_found")
	var page httpkit.Page[reconciliations.ReconciliationRun]
	f.Ask(httpkit.Auditor, "GET", runs, "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != run.ID {
		t.Errorf("listed: %+v", page)
	}
}

// What is shown of drift, and to whom: of the own accounts nothing.
func TestDriftIsShown(t *testing.T) {
	f := apitest.New(t)
	var run models.Reconciliation
	f.Run(func(tx *database.Tx) (err error) {
		run, err = reconcile.Begin(tx, f.Systems, reconcile.Order{})
		return err
	})
	add := func(kind models.DriftKind, id string, person *uuid.UUID) {
		f.Exec(`INSERT INTO account_drift (id, system, system_kind, kind, external_id, employee_id, active, first_seen_at, last_seen_at, first_run_id, last_run_id, ledger_entry_id)
			VALUES (?, 'mail', 'mail', ?, ?, ?, true, lethe_now(), lethe_now(), ?, ?, @entry)`, models.NewID(), kind, id, person, run.ID, run.ID)
	}
	leaver, own := f.Hire("L-1", f.A), f.People[httpkit.IT]
	add(models.DriftOrphan, "x1", nil)
	add(models.DriftSwitchedOn, "x2", &leaver)
	add(models.DriftNoSignIn, "x3", &own)
	read := func(role models.Role, query string) []reconciliations.Drift {
		t.Helper()
		var page httpkit.Page[reconciliations.Drift]
		f.Ask(role, "GET", "/api/v1/drift"+query, "").Into(t, &page)
		return page.Items
	}
	if got := read(httpkit.IT, ""); len(got) != 2 || got[0].ExternalID != "x2" || got[0].Person == nil || got[0].NextStep == "" || got[1].Person != nil {
		t.Errorf("IT reads %+v", got)
	}
	if got := read(httpkit.HR, "?kind=no_sign_in&state=open"); len(got) != 1 || got[0].EmployeeID == nil || *got[0].EmployeeID != own {
		t.Errorf("HR reads %+v", got)
	}
	if got := read(httpkit.HR, "?state=ended"); len(got) != 0 {
		t.Errorf("ended: %+v", got)
	}
	if got := read(httpkit.HR, "?system=finance"); len(got) != 0 {
		t.Errorf("elsewhere: %+v", got)
	}
	if got := read(httpkit.HR, "?employee_id="+leaver.String()); len(got) != 1 {
		t.Errorf("about the leaver: %+v", got)
	}
	refused(t, f.Ask(httpkit.Employee, "GET", "/api/v1/drift", ""), http.StatusForbidden, "role_not_allowed")
	var systems httpkit.Page[reconciliations.SystemStanding]
	f.Ask(httpkit.IT, "GET", "/api/v1/reconciled-systems", "").Into(t, &systems)
	for _, s := range systems.Items {
		if want := map[string]int{"mail": 2}[s.System]; len(s.Open) != want {
			t.Errorf("%s: %+v", s.System, s)
		}
	}
}

// The log shows somebody whose data was deleted by a pseudonym, and a case shows their number and name: of them no case is told.
func TestDriftOfSomebodyDeletedLeadsToNobody(t *testing.T) {
	f := apitest.New(t)
	var run models.Reconciliation
	f.Run(func(tx *database.Tx) (err error) {
		run, err = reconcile.Begin(tx, f.Systems, reconcile.Order{})
		return err
	})
	person := f.Hire("L-1", f.A)
	kase := f.StuckCase(person)
	f.Exec(`INSERT INTO account_drift (id, system, system_kind, kind, external_id, employee_id, active, support_case_id, first_seen_at, last_seen_at, first_run_id, last_run_id, ledger_entry_id)
		VALUES (?, 'mail', 'mail', 'switched_on', 'x1', ?, true, ?, lethe_now(), lethe_now(), ?, ?, @entry)`, models.NewID(), person, kase, run.ID, run.ID)
	read := func() reconciliations.Drift {
		t.Helper()
		var page httpkit.Page[reconciliations.Drift]
		f.Ask(httpkit.IT, "GET", "/api/v1/drift", "").Into(t, &page)
		if len(page.Items) != 1 {
			t.Fatalf("read %+v", page)
		}
		return page.Items[0]
	}
	if got := read(); got.SupportCaseID == nil || *got.SupportCaseID != kase {
		t.Errorf("before: %+v", got)
	}
	f.Exec("ALTER TABLE employees DISABLE TRIGGER USER")
	f.Exec("UPDATE employees SET status = 'purged' WHERE id = ?", person)
	if got := read(); got.SupportCaseID != nil || got.Person == nil || got.Person.EmployeeNo != "" {
		t.Errorf("deleted: %+v, %+v", got, got.Person)
	}
}

// Neither the overview nor a run counts what one may not read: the drift of the own accounts.
func TestTheOwnDriftIsNotCounted(t *testing.T) {
	f := apitest.New(t)
	begin := func() (run models.Reconciliation) {
		f.Run(func(tx *database.Tx) (err error) {
			run, err = reconcile.Begin(tx, f.Systems, reconcile.Order{})
			return err
		})
		return run
	}
	before := begin()
	f.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefReconcile, before.ID)+"/stop", "")
	last := begin()
	f.Exec("ALTER TABLE reconciliation_systems DISABLE TRIGGER USER")
	f.Exec("UPDATE reconciliation_systems SET outcome = 'compared', ended_at = TIMESTAMPTZ '2026-01-01 00:00Z' + CASE reconciliation_id WHEN ? THEN interval '1 day' ELSE interval '0' END, found = 3, still = 3, ended = 3 WHERE system = 'mail'", last.ID)
	add := func(id *string, person uuid.UUID, first, last models.Reconciliation, ended *string) {
		f.Exec(`INSERT INTO account_drift (id, system, system_kind, kind, external_id, employee_id, active, first_seen_at, last_seen_at, first_run_id, last_run_id, ended_at, ledger_entry_id)
			VALUES (?, 'mail', 'mail', 'no_sign_in', ?, ?, true, lethe_now(), lethe_now(), ?, ?, CAST(? AS timestamptz), @entry)`, models.NewID(), id, person, first.ID, last.ID, ended)
	}
	found, still, over := "x1", "x2", "2026-01-02 00:00Z"
	add(&found, f.People[httpkit.IT], last, last, nil)
	add(&still, f.People[httpkit.IT], before, last, nil)
	add(nil, f.People[httpkit.IT], before, before, &over)
	for role, want := range map[models.Role][2][3]int{httpkit.IT: {{2, 2, 2}, {1, 3, 3}}, httpkit.HR: {{3, 3, 3}, {3, 3, 3}}, httpkit.Auditor: {{3, 3, 3}, {3, 3, 3}}} {
		var systems httpkit.Page[reconciliations.SystemStanding]
		f.Ask(role, "GET", "/api/v1/reconciled-systems", "").Into(t, &systems)
		for _, s := range systems.Items {
			if s.System == "mail" && (s.Last == nil || [3]int{s.Last.Found, s.Last.Still, s.Last.Ended} != want[0]) {
				t.Errorf("%s reads of mail %+v, want %v", role, s.Last, want[0])
			}
		}
		var page httpkit.Page[reconciliations.ReconciliationRun]
		f.Ask(role, "GET", runs, "").Into(t, &page)
		for i, r := range page.Items {
			for _, c := range r.Systems {
				if c.System == "mail" && [3]int{c.Found, c.Still, c.Ended} != want[i] {
					t.Errorf("%s reads of run %d %+v, want %v", role, i, c, want[i])
				}
			}
		}
		if len(page.Items) != 2 || len(systems.Items) == 0 {
			t.Errorf("%s reads %d runs", role, len(page.Items))
		}
	}
}

func refused(t *testing.T, got apitest.Reply, status int, code string) {
	t.Helper()
	if got.Status != status || !strings.Contains(string(got.Body), `"code":"`+code+`"`) {
		t.Errorf("answered %d %s, want %d %s", got.Status, got.Body, status, code)
	}
}
