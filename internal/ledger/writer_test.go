package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/models"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write appends n entries, each in its own transaction.
func write(t testing.TB, env *databasetest.Env, n int) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	for range n {
		must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			id, err := ledger.Append(tx, entry)
			ids = append(ids, id)
			return err
		}))
	}
	return ids
}

var entry = ledger.Entry{
	Kind: ledger.KindDeparture, Action: "departure.started", Object: "departure/1", Reason: "要求 & reasons",
	Details: map[string]string{"stage": "pending_departure", "日期": "2026-01-31"},
}

// TestAppend_TimeIsTheDatabases: also right after the clock of the database jumped.
func TestAppend_TimeIsTheDatabases(t *testing.T) {
	env := databasetest.New(t)
	for _, jump := range []time.Duration{0, 400 * 24 * time.Hour, time.Hour, 3 * time.Second, -2 * time.Minute} {
		env.Advance(t, jump)
		before, err := env.Facts.Now(t.Context())
		must(t, err)
		id := write(t, env, 1)[0]
		after, err := env.Facts.Now(t.Context())
		must(t, err)
		at := ledger.TimeOf(id)
		if at.Before(before.Add(-1001*time.Millisecond)) || at.After(after.Add(time.Second)) {
			t.Errorf("after a jump of %v the entry is of %v, written between %v and %v", jump, at, before, after)
		}
		var stored time.Time
		must(t, env.Facts.Read(t.Context()).Raw("SELECT e.at FROM ledger_entries e JOIN ledger_content c ON c.entry_id = e.id AND c.at = e.at WHERE id = ?", id).Scan(&stored).Error)
		if !stored.Equal(at) {
			t.Errorf("the row is of %v, the id of %v", stored, at)
		}
	}
}

func TestI18_NothingIsAppendedWithoutAWriter(t *testing.T) {
	env := databasetest.New(t)
	bare, err := database.Open(t.Context(), env.FactsURL, database.Options{MaxConnections: 1})
	must(t, err)
	defer func() { must(t, bare.Close()) }()
	err = database.Run(t.Context(), bare, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, entry)
		return err
	})
	if err != ledger.ErrNoWriter {
		t.Errorf("Append: %v, want ErrNoWriter", err)
	}
}

// TestAppend_RecordsWhoIsBehindTheContext reads the stored row.
func TestAppend_RecordsWhoIsBehindTheContext(t *testing.T) {
	env := databasetest.New(t)
	caller := models.Caller{
		Actor: models.Actor{EmployeeID: uuid.New(), Role: models.RoleHRAdmin}, UserID: uuid.New(), TokenID: uuid.New(),
		Authenticated: models.ByToken, RequestID: "r-1",
	}
	subject := uuid.New()
	var id uuid.UUID
	must(t, database.Run(models.WithCaller(t.Context(), caller), env.Facts, func(tx *database.Tx) (err error) {
		e := entry
		e.Subject, e.RequestedBy, e.Purpose = &subject, "a\x00b\xff", "contact"
		id, err = ledger.Append(tx, e)
		return err
	}))
	var row struct {
		ActorID, UserID, SubjectID                                      uuid.UUID
		ActorRole, Authenticated, RequestedBy, Result, RequestID, Token string
	}
	must(t, env.Facts.Read(t.Context()).Raw("SELECT *, details->>'token_id' AS token FROM ledger_content WHERE entry_id = ?", id).Scan(&row).Error)
	if row.ActorID != caller.Actor.EmployeeID || row.UserID != caller.UserID || row.SubjectID != subject || row.ActorRole != "hr_admin" ||
		row.Authenticated != "token" || row.RequestedBy != "a\uFFFDb\uFFFD" || row.Result != "done" || row.RequestID != "r-1" ||
		row.Token != caller.TokenID.String() {
		t.Errorf("stored: %+v", row)
	}
}

// TestAppend_IDsAscend also within a millisecond, and a transaction.
func TestAppend_IDsAscend(t *testing.T) {
	env := databasetest.New(t)
	var ids []uuid.UUID
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		for range 200 {
			id, err := ledger.Append(tx, entry)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	}))
	must(t, env.NewSequencer(t).Drain(t.Context()))
	if placed := checkTree(t, env, 1); !slices.Equal(placed, ids) {
		t.Error("what was written one after the other stands in another order")
	}
}

// TestAppendAll: many entries at once are the entries that one by one would have been, also right after the clock of the
// database jumped, and stand in the tree.
func TestAppendAll(t *testing.T) {
	env := databasetest.New(t)
	for _, jump := range []time.Duration{0, 400 * 24 * time.Hour} {
		env.Advance(t, jump)
		entries := make([]ledger.Entry, 1500)
		for i := range entries {
			subject := models.NewID()
			entries[i] = ledger.Entry{Kind: ledger.KindArchive, Action: "employee.created", Subject: &subject, Object: "employee/x", Details: map[string]string{"fields": "a"}}
		}
		entries[7].Subject = nil
		actor := models.Actor{EmployeeID: models.NewID(), Role: models.RoleHRAdmin}
		ctx := models.WithCaller(t.Context(), models.Caller{Actor: actor, UserID: models.NewID(), Authenticated: models.ByTOTP, RequestID: "r"})
		var ids []uuid.UUID
		must(t, database.Run(ctx, env.Facts, func(tx *database.Tx) (err error) {
			ids, err = ledger.AppendAll(tx, entries)
			return err
		}))
		if !slices.IsSortedFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) || len(ids) != len(entries) {
			t.Errorf("%d ids, or not in their order", len(ids))
		}
		must(t, env.NewSequencer(t).Drain(t.Context()))
		var rows []ledger.Row
		must(t, ledger.Rows(env.Facts.Read(t.Context())).Where("c.entry_id IN ?", ids[:20]).Order("c.entry_id").Scan(&rows).Error)
		for i, row := range rows {
			content, err := row.Content()
			must(t, err)
			must(t, ledger.Recompute(row, content))
			if content.RequestID != "r" || *content.ActorID != actor.EmployeeID || (content.SubjectID == nil) != (i == 7) {
				t.Errorf("entry %d says %+v", i, content)
			}
		}
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		if _, err := ledger.AppendAll(tx, []ledger.Entry{{Kind: ledger.KindArchive, Action: "a", Reason: "b"}}); err == nil {
			t.Error("a reason of one of many was left out without a word")
		}
		return nil
	}))
}
