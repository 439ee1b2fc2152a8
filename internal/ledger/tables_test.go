package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

func split(sql string) []string { return strings.Split(sql, "; ") }

func count(sql string) int { return strings.Count(sql, "?") }

// partitions are a table and its parts.
func partitions(t testing.TB, env *databasetest.Env, table string) []string {
	t.Helper()
	var names []string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT relid::text FROM pg_partition_tree(?::regclass)", table).Scan(&names).Error)
	return names
}

// TestI19_NobodyEditsTheLedger tries each table and each of its partitions, also those that are made
// later, as an ordinary session and as a replica.
func TestI19_NobodyEditsTheLedger(t *testing.T) {
	env := databasetest.New(t)
	write(t, env, 2)
	must(t, env.NewSequencer(t).Drain(t.Context()))
	env.Advance(t, 300*24*time.Hour)
	write(t, env, 1) // to the default partitions
	must(t, ledger.MakePartitions(t.Context(), env.Facts))
	env.Advance(t, 31*24*time.Hour)
	write(t, env, 1)
	tried := 0
	for parent, column := range map[string]string{
		"ledger_entries": "leaf", "ledger_content": "reason", "ledger_sequence": "leaf_hash", "ledger_epochs": "started_at",
	} {
		names := partitions(t, env, parent)
		if strings.HasSuffix(column, "leaf") && len(names) < 9 {
			t.Fatalf("%s has the partitions %v", parent, names)
		}
		for _, name := range names {
			for _, role := range []string{"origin", "replica"} {
				for _, sql := range []string{
					fmt.Sprintf("UPDATE %s SET %s = %s", name, column, column), "DELETE FROM " + name, "TRUNCATE " + name + " CASCADE",
					"DELETE FROM " + name + " WHERE false",
				} {
					tried++
					if err := attempt(env, role, sql); database.Code(err) != database.CodeAppendOnly {
						t.Errorf("as %s: %s: %v, want LT003", role, sql, err)
					}
				}
			}
		}
	}
	for _, sql := range []string{
		"UPDATE ledger_pending SET at = at", "TRUNCATE ledger_pending", "DELETE FROM ledger_head", "TRUNCATE ledger_head",
		"UPDATE ledger_head SET size = size - 1", "UPDATE ledger_head SET epoch = 2",
	} {
		if err := attempt(env, "replica", sql); database.Code(err) != database.CodeAppendOnly {
			t.Errorf("%s: %v, want LT003", sql, err)
		}
	}
	if tried < 100 {
		t.Errorf("only %d were tried", tried)
	}
}

func attempt(env *databasetest.Env, role, sql string) error {
	return database.Run(context.Background(), env.Facts, func(tx *database.Tx) error {
		if err := tx.DB().Exec("SET LOCAL session_replication_role = " + role).Error; err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec(sql).Error)
	})
}

// TestPartitions: entries go to their month if it has a partition, and to the default one if not.
func TestPartitions(t *testing.T) {
	env := databasetest.New(t)
	where := func() string {
		var name string
		id := write(t, env, 1)[0]
		must(t, env.Facts.Read(t.Context()).Raw("SELECT tableoid::regclass::text FROM ledger_content WHERE entry_id = ? AND at = ?", id, ledger.TimeOf(id)).Scan(&name).Error)
		return name
	}
	month := func() string {
		now, err := env.Facts.Now(t.Context())
		must(t, err)
		return "ledger_content_" + now.Format("2006_01")
	}
	if got := where(); got != month() {
		t.Errorf("the first entry is in %s, not %s", got, month())
	}
	env.Advance(t, 500*24*time.Hour)
	if got := where(); got != "ledger_content_default" {
		t.Errorf("an entry of a month without a partition is in %s", got)
	}
	// The month that began in the default partition stays there; the next ones get theirs.
	must(t, ledger.MakePartitions(t.Context(), env.Facts))
	if got := where(); got != "ledger_content_default" {
		t.Errorf("an entry is in %s", got)
	}
	env.Advance(t, 32*24*time.Hour)
	if got := where(); got != month() {
		t.Errorf("an entry of the next month is in %s, not %s", got, month())
	}
	must(t, ledger.MakePartitions(t.Context(), env.Facts))
}

// A reader of both tables, in whichever order, and the maker of partitions never wait for each other.
func TestI19_ReadersAndThePartitionsOfTheNextMonths(t *testing.T) {
	for first, then := range map[string]string{"ledger_content": "ledger_entries", "ledger_entries": "ledger_content"} {
		env := databasetest.New(t)
		env.Advance(t, 70*24*time.Hour)
		made := make(chan error, 1)
		must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			if err := tx.DB().Exec("SELECT count(*) FROM " + first).Error; err != nil {
				return err
			}
			go func() { made <- ledger.MakePartitions(context.Background(), env.Facts) }()
			for waiting := false; !waiting; time.Sleep(5 * time.Millisecond) {
				err := env.Facts.Read(t.Context()).Raw("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = ?::regclass)", first+"_default").Scan(&waiting).Error
				if err != nil {
					return err
				}
			}
			return tx.DB().Exec("SET LOCAL lock_timeout = '500ms'; SELECT count(*) FROM " + then).Error
		}))
		must(t, <-made)
	}
}

// TestI20_TreeOutlivesItsContent drops the content of a month after ten years: proofs stay valid,
// and the rest can still be recomputed.
func TestI20_TreeOutlivesItsContent(t *testing.T) {
	env := databasetest.New(t)
	old := write(t, env, 3)
	s := env.NewSequencer(t)
	must(t, s.Drain(t.Context()))
	first := ledger.TimeOf(old[0])
	drop := func() (n int64, err error) {
		err = database.Hide(env.Facts.Read(t.Context()).Raw("SELECT ledger_drop_content(?)", first.Format("2006-01-02")).Scan(&n).Error)
		return n, err
	}
	env.Advance(t, time.Date(first.Year()+10, first.Month()+1, 1, 0, 0, 0, 0, time.UTC).Sub(first)-time.Hour)
	if _, err := drop(); database.Code(err) != database.CodeTooEarly {
		t.Fatalf("content younger than ten years is dropped: %v", err)
	}
	env.Advance(t, 2*time.Hour)
	young := write(t, env, 1)
	must(t, s.Drain(t.Context()))
	if n, err := drop(); err != nil || n != 3 {
		t.Fatalf("%d contents dropped: %v", n, err)
	}
	var rows []ledger.Row
	must(t, ledger.Rows(env.Facts.Read(t.Context())).Scan(&rows).Error)
	if len(rows) != 1 || rows[0].ID != young[0] {
		t.Errorf("%d contents are left", len(rows))
	}
	checkTree(t, env, 1)
	for _, id := range old {
		if _, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, id); err != nil {
			t.Errorf("the proof of an entry without content: %v", err)
		}
	}
}

// TestI18_LockedLedgerStopsTheBusiness: what must be recorded does not happen.
func TestI18_LockedLedgerStopsTheBusiness(t *testing.T) {
	env := databasetest.New(t)
	employment := env.Hire(t, "CN")
	locked, release := make(chan bool), make(chan bool)
	done := make(chan error)
	go func() {
		done <- database.Run(context.Background(), env.Facts, func(tx *database.Tx) error {
			err := tx.DB().Exec("LOCK TABLE ledger_content IN ACCESS EXCLUSIVE MODE").Error
			close(locked)
			<-release
			return err
		})
	}()
	<-locked
	err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		if err := tx.DB().Exec("SET LOCAL lock_timeout = '200ms'").Error; err != nil {
			return err
		}
		if err := tx.DB().Exec("UPDATE employees SET name = '李四' WHERE id = ?", employment.EmployeeID).Error; err != nil {
			return err
		}
		_, err := ledger.Append(tx, entry)
		return err
	})
	close(release)
	must(t, <-done)
	var hidden *database.Error
	if database.Code(err) != "55P03" || !errors.As(err, &hidden) {
		t.Errorf("Append on a locked table: %v", err)
	}
	var name string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT name FROM employees WHERE id = ?", employment.EmployeeID).Scan(&name).Error)
	if name == "李四" {
		t.Error("it happened without its entry")
	}
}
