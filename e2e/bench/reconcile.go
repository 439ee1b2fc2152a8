package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/reconcile"
	"lethe/models"
	"lethe/sandbox/control"
)

// reconcileGoal is how long 100,000 accounts may take.
const reconcileGoal = 5 * time.Minute

// reconcileAccounts measures the comparison of one system with the facts: so many people with an account each, of whom
// every thousandth is otherwise than the facts say; then a second run, which finds nothing new. The sandbox answers over
// HTTP from the same process, so that its memory counts as base.
func reconcileAccounts(ctx context.Context, people int) error {
	w, err := open(ctx, nil)
	if err != nil {
		return err
	}
	defer w.close()
	if _, err := w.seedOrganisation(ctx); err != nil {
		return err
	}
	drifted, err := w.linkEverybody(ctx, people)
	if err != nil {
		return err
	}
	worker := &reconcile.Worker{DB: w.facts, Systems: w.systems, Log: quiet(), Shrink: 0.2, NoSignIn: 90 * 24 * time.Hour, Pause: time.Second}
	for _, run := range []string{"first run", "second run"} {
		if err := w.compareOnce(ctx, worker, run, people, drifted); err != nil {
			return err
		}
		drifted = 0
	}
	return nil
}

// linkEverybody writes people with an account in the first system each, and says how many of them the system has otherwise:
// of those the number is another's.
func (w *world) linkEverybody(ctx context.Context, people int) (drifted int, err error) {
	conn, err := pgx.Connect(ctx, w.postgres.URL("lethe"))
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", database.Hide(err))
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range []string{
		// Who writes such rows for real has entries for them.
		"ALTER TABLE employees DISABLE TRIGGER ALL", "ALTER TABLE employments DISABLE TRIGGER ALL", "ALTER TABLE linked_accounts DISABLE TRIGGER ALL",
		`INSERT INTO employees (id, employee_no, employee_no_key, name, department_id)
			SELECT uuid(lpad(to_hex(n), 32, '0')), 'B' || n, 'b' || n, 'N', d.id FROM generate_series(1, $1::int) n, (SELECT id FROM departments LIMIT 1) d`,
		`INSERT INTO employments (id, employee_id, legal_entity_id, department_id, jurisdiction, time_zone, hired_on, created_at, ledger_entry_id)
			SELECT e.id, e.id, l.id, e.department_id, l.jurisdiction, l.time_zone, '2020-01-01', '2020-01-01', e.id
			FROM employees e, (SELECT * FROM legal_entities LIMIT 1) l WHERE $1::int > 0`,
		`INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, seen_at, created_at, ledger_entry_id)
			SELECT e.id, e.id, '` + systemNames[0] + `', '` + systemNames[0] + `', 'x' || substr(e.employee_no, 2), '2020-01-02', '2020-01-02', e.id FROM employees e WHERE $1::int > 0`,
		"ANALYZE",
	} {
		args := []any{people}
		if !strings.Contains(sql, "$1") {
			args = nil
		}
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			return 0, fmt.Errorf("writing people: %w", database.Hide(err))
		}
	}
	c := control.NewClient(w.sandboxes[0].URL, sandboxToken)
	defer c.Close()
	var plants []control.Plant
	for n := 1; n <= people; n++ {
		p := control.Plant{ID: fmt.Sprintf("x%d", n), EmployeeNo: fmt.Sprintf("B%d", n)}
		if n%1000 == 0 {
			p.EmployeeNo = fmt.Sprintf("B%d", n-1)
			drifted++
		}
		if plants = append(plants, p); len(plants) == 5000 || n == people {
			if _, err := c.Plant(ctx, plants...); err != nil {
				return 0, fmt.Errorf("planting accounts: %w", err)
			}
			plants = nil
		}
	}
	return drifted, nil
}

func (w *world) compareOnce(ctx context.Context, worker *reconcile.Worker, what string, accounts, found int) error {
	var run models.Reconciliation
	err := database.Run(ctx, w.facts, func(tx *database.Tx) (err error) {
		run, err = reconcile.Begin(tx, w.systems, reconcile.Order{Systems: systemNames[:1]})
		return err
	})
	if err != nil {
		return err
	}
	most, stop := heapAbove(ctx)
	began := time.Now()
	if err := worker.Compare(ctx, run.ID, systemNames[0]); err != nil {
		return err
	}
	took := time.Since(began)
	stop()
	rows, err := reconcile.SystemsOf(ctx, w.facts, []uuid.UUID{run.ID}, uuid.Nil)
	if err != nil {
		return err
	}
	row := rows[run.ID][0]
	fmt.Printf("  %-12s %d accounts in %.1f s, %d found anew, %d again; %d MB of heap above what there was\n", what, accounts, took.Seconds(), row.Found, row.Still, most.Load()>>20)
	if row.Outcome != models.ComparisonCompared || row.Found != found {
		return fmt.Errorf("the run came to %q %q and found %d, not %d", row.Outcome, row.Alarm, row.Found, found)
	}
	if goal := reconcileGoal * time.Duration(accounts) / 100_000; took > goal {
		return fmt.Errorf("it took longer than %v", goal)
	}
	return database.Run(ctx, w.facts, func(tx *database.Tx) error { _, err := reconcile.Look(tx, run.ID); return err })
}

// heapAbove watches how much more is in use than now. What is in use no more is collected soon, so that little of it counts.
func heapAbove(ctx context.Context) (most *atomic.Int64, stop func()) {
	most = new(atomic.Int64)
	ctx, cancel := context.WithCancel(ctx)
	percent := debug.SetGCPercent(5)
	stop = func() { cancel(); debug.SetGCPercent(percent) }
	used := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	base := used()
	go func() {
		for ctx.Err() == nil {
			if above := used() - base; above > most.Load() {
				most.Store(above)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return most, stop
}
