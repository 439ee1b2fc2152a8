package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

const (
	appendClients = 16
	appendPairs   = 7
	appendFor     = 1500 * time.Millisecond
)

// append measures what an entry costs the transaction that it records: that of the command which begins
// a departure, statement by statement.
func (w *ledgerWorld) append(ctx context.Context, _ int) error {
	if err := w.db.Read(ctx).Exec(`CREATE TABLE bench_rows (id uuid PRIMARY KEY, person uuid NOT NULL REFERENCES employees (id), what text NOT NULL, at timestamptz NOT NULL DEFAULT lethe_now());
		CREATE INDEX ON bench_rows (person, at)`).Error; err != nil {
		return fmt.Errorf("preparing the ledger's bench: %w", database.Hide(err))
	}
	fmt.Printf("\nledger append inside a transaction, %d clients\npair   with    without   ratio\n", appendClients)
	if _, err := w.commands(ctx, true); err != nil { // a warm-up
		return err
	}
	var ratios []float64
	for pair := range appendPairs {
		var rates [2]float64
		for i := range rates {
			with := (i == 0) == (pair%2 == 0)
			rate, err := w.commands(ctx, with)
			if err != nil {
				return err
			}
			if with {
				rates[0] = rate
			} else {
				rates[1] = rate
			}
		}
		ratios = append(ratios, rates[0]/rates[1])
		fmt.Printf("%4d %7.0f %9.0f %8.2f\n", pair+1, rates[0], rates[1], rates[0]/rates[1])
	}
	slices.Sort(ratios)
	fmt.Printf("median ratio %.2f (goal: at least 0.90)\n", ratios[len(ratios)/2])
	return nil
}

// commands is how many transactions are committed in a second, with or without an entry each.
func (w *ledgerWorld) commands(ctx context.Context, record bool) (float64, error) {
	var done atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, appendClients)
	began := time.Now()
	for client := range appendClients {
		wg.Go(func() {
			for n := client; time.Since(began) < appendFor; n += appendClients {
				person := w.people[n*31%len(w.people)]
				if err := database.Run(ctx, w.db, func(tx *database.Tx) error { return w.command(tx, person, record) }); err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(done.Load()) / time.Since(began).Seconds(), nil
	}
}

// reads are what the command that begins a departure looks at. Each is for the employee.
var reads = []string{
	"SELECT * FROM employments WHERE employee_id = ? AND ended_at IS NULL LIMIT 1 FOR NO KEY UPDATE",
	"SELECT d.* FROM departures d WHERE d.employee_id = ? AND d.stage NOT IN ('withdrawn', 'annulled') LIMIT 1",
	"SELECT l.* FROM legal_entities l JOIN departments d ON d.legal_entity_id = l.id JOIN employees e ON e.department_id = d.id WHERE e.id = ?",
	"SELECT EXISTS (SELECT FROM departments WHERE head_employee_id = ?)",
	"SELECT EXISTS (SELECT FROM users u JOIN user_roles r ON r.user_id = u.id WHERE u.employee_id = ? AND r.revoked_at IS NULL)",
	"SELECT * FROM employees WHERE id = ? FOR NO KEY UPDATE",
}

// command is the idempotency key, what is read, the rules and the time, the departure, the employee's
// state, and the answer that is kept for a repetition. The departure is a row of a table of the bench:
// in its own it could not be without an entry.
func (w *ledgerWorld) command(tx *database.Tx, person uuid.UUID, record bool) error {
	exec := func(sql string, args ...any) error {
		if err := tx.DB().Exec(sql, args...).Error; err != nil {
			return fmt.Errorf("a bench's command: %w", database.Hide(err))
		}
		return nil
	}
	repeated := key()
	if err := exec(`INSERT INTO idempotency_keys (employee_id, key_hash, route, request_hash, status, expires_at)
		VALUES (?, ?, 'POST /bench', sha256('x'), 202, lethe_now() + interval '2 days')`, person, repeated); err != nil {
		return err
	}
	for _, sql := range reads {
		var row []map[string]any
		if err := tx.DB().Raw(sql, person).Scan(&row).Error; err != nil {
			return fmt.Errorf("a bench's command: %w", database.Hide(err))
		}
	}
	var rules []models.RetentionRule
	if err := tx.DB().Where("jurisdiction = ? AND superseded_at IS NULL", "CN").Find(&rules).Error; err != nil {
		return fmt.Errorf("a bench's command: %w", database.Hide(err))
	}
	if _, err := tx.Now(); err != nil {
		return err
	}
	for sql, args := range map[string][]any{
		"INSERT INTO bench_rows (id, person, what) VALUES (?, ?, 'departure')":                        {uuid.Must(uuid.NewV7()), person},
		"UPDATE employees SET revision = revision + 1, updated_at = lethe_now() WHERE id = ?":         {person},
		"UPDATE idempotency_keys SET expires_at = lethe_now() WHERE employee_id = ? AND key_hash = ?": {person, repeated},
	} {
		if err := exec(sql, args...); err != nil {
			return err
		}
	}
	if !record {
		return nil
	}
	_, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindDeparture, Action: "departure.started", Actor: &w.auditor, Subject: &person, Object: "departure/" + uuid.NewString(),
		Details: map[string]string{"kind": "resignation", "last_working_day": "2026-12-31"},
	})
	return err
}

func key() []byte {
	a, b := uuid.New(), uuid.New()
	return append(a[:], b[:]...)
}
