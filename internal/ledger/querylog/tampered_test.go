package querylog_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
)

// force changes what the triggers guard, as an owner can.
func (l *logbook) force(t *testing.T, table, statement string, args ...any) {
	t.Helper()
	for _, sql := range []string{"ALTER TABLE " + table + " DISABLE TRIGGER ALL", statement, "ALTER TABLE " + table + " ENABLE ALWAYS TRIGGER append_only"} {
		values := args
		if sql != statement {
			values = nil
		}
		if err := l.env.Facts.Read(t.Context()).Exec(sql, values...).Error; err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// partition is where an entry's content is.
func (l *logbook) partition(t *testing.T, table, column string, id uuid.UUID) string {
	t.Helper()
	var name string
	if err := l.env.Facts.Read(t.Context()).Raw("SELECT tableoid::regclass::text FROM "+table+" WHERE "+column+" = ?", id).Scan(&name).Error; err != nil {
		t.Fatal(err)
	}
	return name
}

func TestI19_SearchMarksWhatWasTamperedWith(t *testing.T) {
	for name, change := range map[string]func(l *logbook, id uuid.UUID){
		"a reason": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_content", "entry_id", id)
			l.force(t, part, "UPDATE "+part+" SET reason = '别的原因' WHERE entry_id = ?", id)
		},
		"the kind beside the content": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_content", "entry_id", id)
			l.force(t, part, "UPDATE "+part+" SET kind = 'hold' WHERE entry_id = ?", id)
		},
		"details": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_content", "entry_id", id)
			l.force(t, part, "UPDATE "+part+` SET details = '{"n": "2"}' WHERE entry_id = ?`, id)
		},
		"the entry's leaf": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_entries", "id", id)
			l.force(t, part, "UPDATE "+part+" SET leaf = leaf || 'x'::bytea WHERE id = ?", id)
		},
		"the writer's MAC": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_entries", "id", id)
			l.force(t, part, "UPDATE "+part+" SET mac = sha256(leaf) WHERE id = ?", id)
		},
		"the generation of the key": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_entries", "id", id)
			l.force(t, part, "UPDATE "+part+" SET mac_generation = 2 WHERE id = ?", id)
		},
		"the entry is gone": func(l *logbook, id uuid.UUID) {
			part := l.partition(t, "ledger_entries", "id", id)
			l.force(t, part, "DELETE FROM "+part+" WHERE id = ?", id)
		},
		"the place in the tree": func(l *logbook, id uuid.UUID) {
			if err := l.env.NewSequencer(t).Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.force(t, "ledger_sequence", "UPDATE ledger_sequence SET leaf_hash = sha256('x') WHERE entry_id = ?", id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLogbook(t, 0)
			id := l.append(t, ledger.Entry{Kind: ledger.KindRetention, Action: "hold.placed", Subject: &l.people[0].ID, Reason: "原因", Details: map[string]string{"n": "1"}})
			f := querylog.Filter{Subject: &l.people[0].ID}
			before, err := querylog.Search(t.Context(), l.env.Facts, f, nil, 10)
			if err != nil || len(before.Rows) != 1 || before.Rows[0].State != querylog.Intact || before.Rows[0].Content.Reason != "原因" {
				t.Fatalf("before: %+v, %v", before, err)
			}
			change(l, id)
			f.Action = "hold.placed" // not the entries of the searches
			after, err := querylog.Search(t.Context(), l.env.Facts, f, nil, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(after.Rows) != 1 || after.Rows[0].State != querylog.Tampered || after.Rows[0].Content != nil || after.Tampered != 1 {
				t.Errorf("the change was shown as %+v", after)
			}
		})
	}
}

// Whoever owns the database but lacks the writer key makes content, commitments, leaf and the place in
// the tree fit together.
func TestI19_SearchMarksWhatFitsTogetherButForTheKey(t *testing.T) {
	l := newLogbook(t, 0)
	ledger.Attach(l.env.Facts, ledger.NewWriter(l.env.LedgerOrigin(), ledger.NewKeys().Writer()))
	id := l.append(t, ledger.Entry{Kind: ledger.KindRetention, Action: "hold.placed", Subject: &l.people[0].ID, Reason: "原因"})
	ledger.Attach(l.env.Facts, ledger.NewWriter(l.env.LedgerOrigin(), l.env.LedgerKeys.Writer()))
	err := l.env.Facts.Read(t.Context()).Exec(`INSERT INTO ledger_sequence (epoch, index, entry_id, leaf_hash)
		SELECT 1, 0, id, sha256('\x00'::bytea || leaf) FROM ledger_entries WHERE id = ?`, id).Error
	if err != nil {
		t.Fatal(err)
	}
	page, err := querylog.Search(t.Context(), l.env.Facts, querylog.Filter{Action: "hold.placed"}, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Rows) != 1 || page.Rows[0].State != querylog.Tampered || page.Rows[0].Content != nil {
		t.Errorf("a forged entry was shown as %+v", page.Rows)
	}
}

// What cannot be recorded is not shown.
func TestI18_SearchShowsNothingThatItCannotRecord(t *testing.T) {
	l := newLogbook(t, 8)
	if err := l.env.Facts.Read(t.Context()).Exec("ALTER TABLE ledger_pending ADD CHECK (false) NOT VALID").Error; err != nil {
		t.Fatal(err)
	}
	page, err := querylog.Search(t.Context(), l.env.Facts, querylog.Filter{}, nil, 10)
	if err == nil || len(page.Rows) != 0 || page.EntryID != uuid.Nil {
		t.Errorf("shown without a record: %+v, %v", page, err)
	}
}

func TestI18_EachSearchIsRecorded(t *testing.T) {
	l := newLogbook(t, 8)
	f := querylog.Filter{Query: "张伟", Kind: "a text that is no code"}
	page, err := querylog.Search(t.Context(), l.env.Facts, f, nil, 5)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := querylog.Fetch(t.Context(), l.env.Facts.SQL(), l.env.LedgerKeys.Wrote, []uuid.UUID{page.EntryID})
	if err != nil {
		t.Fatal(err)
	}
	entry, there := rows[page.EntryID]
	if !there || entry.State != querylog.Intact || entry.Kind != ledger.KindQuery || entry.Content.Action != querylog.ActionSearched {
		t.Fatalf("the entry of the search: %+v", entry)
	}
	details := entry.Content.Details
	if details["q_mac"] == "" || details["kind_mac"] == "" || details["q"] != "" || details["kind"] != "" || details["limit"] != "5" || details["shown"] != "0" {
		t.Errorf("what was recorded: %v", details)
	}
	if page.Receipt == "" {
		t.Error("no receipt")
	}
}

func TestSearch_OfAPurgedPersonShowsAPseudonym(t *testing.T) {
	l := newLogbook(t, 0)
	person := l.people[0]
	id := l.append(t, ledger.Entry{Kind: ledger.KindPurge, Action: "purge.certified", Subject: &person.ID})
	find := func(query string) querylog.Page {
		page, err := querylog.Search(t.Context(), l.env.Facts, querylog.Filter{Query: query}, nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	if page := find("张伟"); len(page.Rows) != 1 || page.People[person.ID].Name != "张伟" {
		t.Fatalf("before the purge: %+v", page)
	}
	for _, status := range []string{"pending_departure", "departed", "purged"} {
		if err := l.env.Facts.Read(t.Context()).Exec("UPDATE employees SET status = ? WHERE id = ?", status, person.ID).Error; err != nil {
			t.Fatal(err)
		}
	}
	if page := find("张伟"); len(page.Rows) != 0 {
		t.Error("a purged person is found by name")
	}
	page := find(id.String())
	shown := page.People[person.ID]
	if len(page.Rows) == 0 || !shown.Purged || shown.Name != "" || shown.EmployeeNo != "" || shown.Pseudonym() == (querylog.Person{ID: uuid.New()}).Pseudonym() {
		t.Errorf("after the purge: %+v", shown)
	}
}

func TestFetch_LeavesOutWhatIsNotThere(t *testing.T) {
	l := newLogbook(t, 0)
	rows, err := querylog.Fetch(context.Background(), l.env.Facts.SQL(), l.env.LedgerKeys.Wrote, []uuid.UUID{uuid.Must(uuid.NewV7())})
	if err != nil || len(rows) != 0 || errors.Is(err, database.ErrNotFound) {
		t.Errorf("%v, %v", rows, err)
	}
}
