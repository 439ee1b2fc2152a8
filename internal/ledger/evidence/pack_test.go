package evidence_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
	"lethe/models"
)

func TestI19_PackProvesItsEntriesWithoutUs(t *testing.T) {
	w := newWorld(t, 700)
	for name, c := range map[string]struct {
		request evidence.Request
		count   int64
		kind    string
	}{
		"by a filter":    {evidence.Request{Filter: querylog.Filter{Subject: &w.person}}, 234, evidence.Filtered},
		"by words":       {evidence.Request{Filter: querylog.Filter{Query: "核对"}, Formats: []string{}}, 175, evidence.Filtered},
		"nothing fits":   {evidence.Request{Filter: querylog.Filter{Action: "no.such"}}, 0, evidence.Filtered},
		"a range":        {evidence.Request{Range: &evidence.Range{Epoch: 1, First: 257, End: 511}}, 254, evidence.Contiguous},
		"one entry":      {evidence.Request{Range: &evidence.Range{Epoch: 1, First: 3, End: 4}, Formats: []string{"csv"}}, 1, evidence.Contiguous},
		"all there is":   {evidence.Request{}, -1, evidence.Contiguous},
		"of one instant": {evidence.Request{Filter: querylog.Filter{To: new(time.Time)}}, 0, evidence.Filtered},
	} {
		w.sequence()
		u := w.pack(c.request)
		if c.count >= 0 && u.manifest.Count != c.count || int64(len(u.lines)) != u.manifest.Count || u.manifest.Selection.Kind != c.kind {
			t.Errorf("%s: %d entries, %d lines, %s", name, u.manifest.Count, len(u.lines), u.manifest.Selection.Kind)
		}
		head := u.checkpoint(t)
		if root := u.root(t); root != head.Root || head.Size != u.manifest.TreeSize || !bytes.Equal(u.manifest.Root, root[:]) {
			t.Errorf("%s: entries and proof give another root than the checkpoint", name)
		}
		for _, line := range u.lines {
			if line.State != evidence.StateIntact || line.Content == nil || len(line.Salts) != len(ledger.FieldNames)*ledger.SaltSize {
				t.Fatalf("%s: %+v", name, line)
			}
		}
		formats := len(u.members) - 7
		if want := 2; c.request.Formats != nil {
			if formats != len(c.request.Formats) {
				t.Errorf("%s: %d tables, asked for %v", name, formats, c.request.Formats)
			}
		} else if formats != want {
			t.Errorf("%s: %d tables, want %d", name, formats, want)
		}
		if u.export.Written != u.manifest.Count || *u.export.Bytes == 0 {
			t.Errorf("%s: the row says %+v", name, u.export)
		}
	}
}

// The lines hold exactly what was committed to, odd characters included.
func TestPack_LinesHoldWhatTheDatabaseHas(t *testing.T) {
	w := newWorld(t, 9)
	u := w.pack(evidence.Request{})
	var rows []ledger.Row
	if err := ledger.Rows(w.env.Facts.Read(t.Context())).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	for _, line := range u.lines {
		i := slices.IndexFunc(rows, func(r ledger.Row) bool { return r.ID == line.ID })
		c, err := rows[i].Content()
		if err != nil {
			t.Fatal(err)
		}
		got := ledger.Content(*line.Content)
		if got.Action == "test.recorded" { // of the people who are there
			continue
		}
		if got.Reason != c.Reason || got.Details["n"] != c.Details["n"] || got.Details["a\"b"] != "c\\" || !line.At.Equal(rows[i].At) || got.Object != c.Object {
			t.Errorf("line %+v, row %+v", line.Content, c)
		}
	}
}

func TestPack_TablesDefuseFormulas(t *testing.T) {
	w := newWorld(t, 8)
	u := w.pack(evidence.Request{})
	if !bytes.HasPrefix(u.members["entries.csv"], []byte("\uFEFF")) {
		t.Error("the CSV has no byte order mark")
	}
	table, err := csv.NewReader(bytes.NewReader(u.members["entries.csv"][3:])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(u.members["entries.xlsx"]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	sheet, err := book.GetRows("Log 1")
	if err != nil {
		t.Fatal(err)
	}
	reason := slices.IndexFunc(table[0], func(head string) bool { return strings.HasPrefix(head, "Reason") })
	seen := map[string]int{}
	for i, row := range table {
		if len(row) != len(table[0]) || len(table) != len(sheet) || sheet[i][reason] != row[reason] {
			t.Fatalf("row %d differs: %q and %q", i, row, sheet[i])
		}
		seen[row[reason]]++
		for k, head := range table[0] {
			if code := k + 1; i > 0 && code < len(row) && strings.Contains(table[0][code], " (code) ") && row[code] != "" && row[k] == row[code] && row[code] != "test.recorded" {
				t.Errorf("row %d reads %q under %s", i, row[k], head)
			}
		}
	}
	for _, want := range []string{"'=1+1", "核对\n\"离职\"", "'\t@SUM(A1)"} {
		if seen[want] != 2 {
			t.Errorf("%q stands in %d rows: %v", want, seen[want], seen)
		}
	}
}

func TestI19_PackMarksWhatWasTamperedWith(t *testing.T) {
	w := newWorld(t, 12)
	w.sequence()
	var part string
	g := w.env.Facts.Read(t.Context())
	if err := g.Raw("SELECT tableoid::regclass::text FROM ledger_content LIMIT 1").Scan(&part).Error; err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"ALTER TABLE " + part + " DISABLE TRIGGER ALL",
		"UPDATE " + part + " SET reason = 'x' WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = 5)",
		"DELETE FROM " + part + " WHERE entry_id = (SELECT entry_id FROM ledger_sequence WHERE index = 7)",
	} {
		if err := g.Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	u := w.pack(evidence.Request{Range: &evidence.Range{Epoch: 1, First: 0, End: 12}})
	if !slices.Equal(u.manifest.Tampered, []int64{5, 7}) || u.manifest.TamperedCount != 2 || *u.export.Tampered != 2 {
		t.Errorf("the manifest names %v", u.manifest.Tampered)
	}
	for _, line := range u.lines {
		if want := line.Index == 5 || line.Index == 7; (line.State == evidence.StateTampered) != want {
			t.Errorf("entry %d is %s", line.Index, line.State)
		}
	}
	if u.root(t) != u.checkpoint(t).Root {
		t.Error("the commitments do not prove what they did")
	}
}

// A ledger whose places were changed proves nothing, and no pack says that it does.
func TestI19_NoPackOfALedgerThatDoesNotProve(t *testing.T) {
	for name, c := range map[string]struct {
		sql     string
		failure evidence.Failure
	}{
		"a leaf":  {"UPDATE ledger_sequence SET leaf_hash = sha256('x') WHERE index = 3", "ledger_inconsistent"},
		"a place": {"DELETE FROM ledger_sequence WHERE index = 3", "ledger_gap"},
	} {
		w := newWorld(t, 6)
		w.sequence()
		g := w.env.Facts.Read(t.Context())
		for _, sql := range []string{"ALTER TABLE ledger_sequence DISABLE TRIGGER ALL", c.sql} {
			if err := g.Exec(sql).Error; err != nil {
				t.Fatal(err)
			}
		}
		id := w.order(evidence.Request{Range: &evidence.Range{Epoch: 1, First: 0, End: 5}})
		if _, err := w.maker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e, err := evidence.Get(t.Context(), w.env.Facts, id); err != nil || e.State != evidence.Failed || e.Failure != c.failure {
			t.Errorf("%s: the export is %s (%s), %v", name, e.State, e.Failure, err)
		}
	}
}

func TestOrder_RefusesWhatCannotBeMade(t *testing.T) {
	w := newWorld(t, 3)
	w.sequence()
	for name, c := range map[string]struct {
		request evidence.Request
		want    error
	}{
		"no reason":          {evidence.Request{Reason: "-"}, nil},
		"a long reason":      {evidence.Request{Reason: strings.Repeat("长", 1001)}, evidence.ErrReason},
		"a hidden reason":    {evidence.Request{Reason: "a\u202Eb"}, evidence.ErrReason},
		"a format":           {evidence.Request{Reason: "r", Formats: []string{"docx"}}, evidence.ErrUnknown},
		"both":               {evidence.Request{Reason: "r", Filter: querylog.Filter{Kind: "purge"}, Range: &evidence.Range{Epoch: 1, End: 1}}, evidence.ErrBothChosen},
		"reversed":           {evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 1, First: 2, End: 1}}, evidence.ErrRange},
		"nothing":            {evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 1, First: 2, End: 2}}, evidence.ErrRange},
		"beyond":             {evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 1, First: 0, End: 1e15}}, evidence.ErrRange},
		"another epoch":      {evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 9, First: 0, End: 1}}, evidence.ErrEpoch},
		"a term of one":      {evidence.Request{Reason: "r", Filter: querylog.Filter{Query: "张"}}, querylog.ErrTermTooShort},
		"no reason, empty":   {evidence.Request{Reason: ""}, evidence.ErrReason},
		"a range below zero": {evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 1, First: -1, End: 1}}, evidence.ErrRange},
	} {
		err := database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
			_, err := evidence.Order(tx, w.auditor, c.request)
			return err
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestMaker_GoesOnAfterADeath(t *testing.T) {
	w := newWorld(t, 10)
	id := w.order(evidence.Request{})
	g := w.env.Facts.Read(t.Context())
	// A process took it and died.
	if err := g.Exec("UPDATE query_log_exports SET state = 'running', attempt = 1, claimed_until = lethe_now() + interval '30 s' WHERE id = ?", id).Error; err != nil {
		t.Fatal(err)
	}
	if made, err := w.maker.Once(t.Context()); made || err != nil {
		t.Fatalf("taken while its maker may live: %v, %v", made, err)
	}
	w.env.Advance(t, time.Minute)
	if made, err := w.maker.Once(t.Context()); !made || err != nil {
		t.Fatalf("Once: %v, %v", made, err)
	}
	e, err := evidence.Get(t.Context(), w.env.Facts, id)
	if err != nil || e.State != evidence.Done || e.Attempt != 2 {
		t.Fatalf("%+v, %v", e, err)
	}
	left, err := os.ReadDir(w.dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	info, err := os.Stat(w.maker.Path(e))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the pack's file: %v, %v", info, err)
	}
}

func TestMaker_RemovesPacksAfterTheirTime(t *testing.T) {
	w := newWorld(t, 3)
	u := w.pack(evidence.Request{})
	if err := os.WriteFile(filepath.Join(w.dir, "left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(w.dir, "left"), old, old); err != nil {
		t.Fatal(err)
	}
	sweep := func() []string {
		if err := w.maker.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		names := []string{}
		entries, err := os.ReadDir(w.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if left := sweep(); !slices.Equal(left, []string{u.export.File}) {
		t.Errorf("after the first sweep: %v", left)
	}
	w.env.Advance(t, 8*24*time.Hour)
	if left := sweep(); len(left) != 0 {
		t.Errorf("after its time: %v", left)
	}
	if _, err := evidence.Download(t.Context(), w.env.Facts, u.export.ID); !errors.Is(err, evidence.ErrExpired) {
		t.Errorf("Download: %v", err)
	}
}

func TestI18_ExportsAreRecorded(t *testing.T) {
	w := newWorld(t, 3)
	u := w.pack(evidence.Request{Reason: "法院要求"})
	if _, err := evidence.Download(models.WithCaller(t.Context(), models.Caller{Actor: w.auditor}), w.env.Facts, u.export.ID); err != nil {
		t.Fatal(err)
	}
	var rows []ledger.Row
	err := ledger.Rows(w.env.Facts.Read(t.Context())).Where("c.object = ?", evidence.Object(u.export.ID)).Order("c.entry_id").Scan(&rows).Error
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d entries, %v", len(rows), err)
	}
	for i, action := range []string{evidence.ActionRequested, evidence.ActionMade, evidence.ActionDownloaded} {
		if rows[i].Action != action || rows[i].Kind != ledger.KindExport {
			t.Errorf("entry %d is %s", i, rows[i].Action)
		}
	}
	if rows[0].Reason != "法院要求" || *rows[0].ActorID != w.auditor.EmployeeID || *rows[2].ActorID != w.auditor.EmployeeID {
		t.Errorf("who and why: %+v", rows)
	}
	if _, err := evidence.Download(t.Context(), w.env.Facts, uuid.New()); !errors.Is(err, database.ErrNotFound) {
		t.Errorf("Download of nothing: %v", err)
	}
}
