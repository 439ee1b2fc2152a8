package databasetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// failer is a test, or one of random steps.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Entry records something in the transaction, for a row that names an entry of its own transaction.
func Entry(t failer, tx *database.Tx) uuid.UUID {
	t.Helper()
	id, err := entry(tx)
	if err != nil {
		t.Fatalf("recording something: %v", err)
	}
	return id
}

// entry appends one; without a ledger's writer, as before an installation, it only looks like one.
func entry(tx *database.Tx) (uuid.UUID, error) {
	id, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "test.recorded"})
	if !errors.Is(err, ledger.ErrNoWriter) {
		return id, err
	}
	id = uuid.New()
	return id, database.Hide(tx.DB().Exec(`WITH entry AS (
		INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
		VALUES (?, '2026-01-01', 'departure', 1, 1, '', decode(repeat('00', 32), 'hex'), 1) RETURNING id, at
	) INSERT INTO ledger_pending (entry_id, at) SELECT id, at FROM entry`, id).Error)
}

// Exec runs sql in a transaction of its own. Where it names @entry, that is an entry of this transaction.
func Exec(t failer, db *database.DB, sql string, args ...any) error {
	t.Helper()
	if !strings.Contains(sql, "@entry") {
		return database.Hide(db.Read(context.Background()).Exec(sql, args...).Error)
	}
	return database.Run(context.Background(), db, func(tx *database.Tx) error {
		entry := "'" + Entry(t, tx).String() + "'::uuid"
		return database.Hide(tx.DB().Exec(strings.ReplaceAll(sql, "@entry", entry), args...).Error)
	})
}

// Unguarded runs sql, as the owner of the tables, with a trigger off: for what no program may do.
func Unguarded(db *database.DB, table, trigger, sql string) error {
	return database.Run(context.Background(), db, func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec(unguarded(table, trigger, sql)).Error)
	})
}

func unguarded(table, trigger, sql string) string {
	return fmt.Sprintf("ALTER TABLE %[1]s DISABLE TRIGGER %[2]s; %[3]s; ALTER TABLE %[1]s ENABLE ALWAYS TRIGGER %[2]s", table, trigger, sql)
}

// Told adds the line that the timeline of a departure has where its stage or end changes.
func Told(tx *database.Tx, departure uuid.UUID) error {
	id, err := entry(tx)
	if err != nil {
		return err
	}
	return database.Hide(tx.DB().Exec("INSERT INTO departure_events (departure_id, what, ledger_entry_id) VALUES (?, 'test.told', ?)",
		departure, id).Error)
}

// Begun is an insertion of departures that tells of each in its timeline, in a statement that names @entry.
func Begun(insert string) string {
	return "WITH begun AS (" + insert + ` RETURNING id)
		INSERT INTO departure_events (departure_id, what, ledger_entry_id) SELECT id, 'test.told', @entry FROM begun`
}

// Earlier runs fn with the clock of the transaction, and of nobody else, at an instant that is over.
func Earlier(tx *database.Tx, at time.Time, fn func() error) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	back := at.Sub(now).Microseconds()
	move := "UPDATE lethe_clock SET shift = shift + ? * interval '1 microsecond'"
	if err := tx.DB().Exec(move, back).Error; err != nil {
		return database.Hide(err)
	}
	if err := fn(); err != nil {
		return err
	}
	return database.Hide(tx.DB().Exec(move, -back).Error)
}

// Agreement is what two people agreed to: the approval that the context of a transaction carries out.
type Agreement struct {
	Operation           string
	Subject             uuid.UUID // whose matter it is
	Kind                string    // what it is about, and which one
	Target              uuid.UUID
	Requester, Approver uuid.UUID
}

// Agreed runs fn in a transaction that carries out an approval, as the product's own does: approved in the
// transaction, after what it carries out. Nobody is asked whether these people may.
func Agreed(t failer, db *database.DB, a Agreement, fn func(tx *database.Tx) error) error {
	t.Helper()
	id := uuid.New()
	ctx := models.WithCaller(context.Background(), models.Caller{ApprovalID: id})
	return database.Run(ctx, db, func(tx *database.Tx) error {
		requested := Entry(t, tx)
		err := tx.DB().Exec(`INSERT INTO approvals (id, operation, command_sealed, fingerprint, command_hash, targets, state_digest, hash, subject_ids,
				requester_id, requester_role, requester_authenticated, expires_at, ledger_entry_id)
			SELECT ?, ?, decode('4c534c31' || repeat('00', 44), 'hex'), h, h, jsonb_build_array(jsonb_build_object('kind', ?::text, 'id', ?::uuid)), h, h,
				ARRAY[?::uuid], ?, 'hr_admin', 'session', lethe_now() + interval '1 day', ? FROM (SELECT sha256(?::text::bytea)) AS s (h)`,
			id, a.Operation, a.Kind, a.Target, a.Subject, a.Requester, requested, id.String()).Error
		if err != nil {
			return database.Hide(err)
		}
		if err := fn(tx); err != nil {
			return err
		}
		// Who may decide has tests of its own.
		return database.Hide(tx.DB().Exec(unguarded("approvals", "approvals_authority", fmt.Sprintf(
			`UPDATE approvals SET state = 'approved', command_sealed = NULL, fingerprint = NULL, ended_at = lethe_now(), decided_by = '%s'
			WHERE id = '%s'`, a.Approver, id))).Error)
	})
}
