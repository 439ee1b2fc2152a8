package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/querylog"
	"lethe/internal/ledger/verify"
)

// verify measures how fast everything is checked.
func (w *ledgerWorld) verify(ctx context.Context, entries int) error {
	p, err := policy.Of(w.origin, w.keys, 0)
	if err != nil {
		return err
	}
	e := verify.Evidence{Policy: p, Keys: w.keys}
	if err := e.Folder(ctx, w.storage); err != nil {
		return err
	}
	began := time.Now()
	report, err := verify.Open(ctx, w.url, e)
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("the bench's ledger does not verify: %v", report.Problems[:min(len(report.Problems), 3)])
	}
	fmt.Printf("verification: %.0f entries/s (goal: at least 300,000)\n", float64(entries)/time.Since(began).Seconds())
	return nil
}

// searches are what people look for, with how common it is.
var searches = []struct {
	what   string
	filter querylog.Filter
}{
	{"a name of two characters", querylog.Filter{Query: "张伟"}},
	{"a name of three", querylog.Filter{Query: "李强华"}},
	{"a common word", querylog.Filter{Query: "核对"}},
	{"a word of four", querylog.Filter{Query: "劳动仲裁"}},
	{"two words", querylog.Filter{Query: "法院 工资条"}},
	{"a rare word", querylog.Filter{Query: "跨境调取"}},
	{"no such word", querylog.Filter{Query: "不存在的词"}},
	{"a name and a word", querylog.Filter{Query: "王芳 社保"}},
	{"English, common", querylog.Filter{Query: "verify"}},
	{"English, two words", querylog.Filter{Query: "council payroll"}},
	{"English, rare", querylog.Filter{Query: "subpoena"}},
	{"English, none", querylog.Filter{Query: "nonsuch"}},
	{"an action in words", querylog.Filter{Query: "登录"}},
	{"refusals", querylog.Filter{Result: ledger.Refused}},
	{"nothing in particular", querylog.Filter{}},
}

const (
	searchRounds = 12
	searchLimit  = 50
)

func (w *ledgerWorld) search(ctx context.Context, _ int) error {
	fmt.Printf("\nsearch, first pages of %d, each recorded in the ledger\n", searchLimit)
	var all []time.Duration
	for _, s := range searches {
		var took []time.Duration
		found := 0
		for round := range searchRounds + 2 {
			began := time.Now()
			page, err := querylog.Search(ctx, w.db, s.filter, nil, searchLimit)
			if err != nil {
				return fmt.Errorf("searching for %s: %w", s.what, err)
			}
			if found = len(page.Rows); round >= 2 { // warm
				took = append(took, time.Since(began))
			}
		}
		slices.Sort(took)
		all = append(all, took...)
		fmt.Printf("  %-26s %3d rows, median %6.1f ms, worst %6.1f ms\n", s.what, found, ms(took[len(took)/2]), ms(took[len(took)-1]))
	}
	slices.Sort(all)
	fmt.Printf("p95 %.1f ms (goal: at most 50)\n", ms(all[len(all)*95/100]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// exported is how many entries an export has at most here, exportedSheet one with a workbook.
const (
	exported      = 1_000_000
	exportedSheet = 50_000
)

// export measures packs against what the database can give at all.
func (w *ledgerWorld) export(ctx context.Context, entries int) error {
	count := min(entries, exported)
	fmt.Printf("\nexport of %d entries\n", count)
	copied, err := w.copyOut(ctx, count)
	if err != nil {
		return err
	}
	fmt.Printf("  COPY of the same rows: %.1f s, %.0f rows/s\n", copied.Seconds(), float64(count)/copied.Seconds())
	maker, err := evidence.NewMaker(evidence.Options{
		DB: w.db, Storage: w.storage, Origin: w.origin, Dir: filepath.Join(w.folder, "exports"), Patience: time.Nanosecond, Log: quiet(),
	})
	if err != nil {
		return err
	}
	for _, formats := range [][]string{{}, {evidence.FormatCSV}} {
		if err := w.exportAs(ctx, maker, formats, count, copied); err != nil {
			return err
		}
	}
	// A workbook takes ten times as long, and nobody opens one of a million rows.
	few := min(count, exportedSheet)
	return w.exportAs(ctx, maker, evidence.Formats, few, copied*time.Duration(few)/time.Duration(count))
}

func (w *ledgerWorld) copyOut(ctx context.Context, count int) (time.Duration, error) {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return 0, fmt.Errorf("connecting: %w", database.Hide(err))
	}
	defer func() { _ = conn.Close(ctx) }()
	began := time.Now()
	// The rows with their places, as the pack has them.
	_, err = conn.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf(`COPY (SELECT s.index, s.leaf_hash, e.leaf, c.* FROM ledger_sequence s
		JOIN ledger_entries e ON e.id = s.entry_id JOIN ledger_content c ON c.entry_id = e.id AND c.at = e.at
		WHERE s.epoch = 1 AND s.index < %d ORDER BY s.index) TO STDOUT`, count))
	if err != nil {
		return 0, fmt.Errorf("copying: %w", database.Hide(err))
	}
	return time.Since(began), nil
}

func (w *ledgerWorld) exportAs(ctx context.Context, maker *evidence.Maker, formats []string, count int, copied time.Duration) error {
	var e evidence.Export
	err := database.Run(ctx, w.db, func(tx *database.Tx) error {
		id, err := evidence.Order(tx, w.auditor, evidence.Request{Range: &evidence.Range{Epoch: 1, End: int64(count)}, Reason: "bench", Formats: formats})
		e.ID = id
		return err
	})
	if err != nil {
		return err
	}
	runtime.GC()
	highest := watchMemory()
	began := time.Now()
	if made, err := maker.Once(ctx); err != nil || !made {
		return errors.Join(errors.New("no pack was made"), err)
	}
	took, memory := time.Since(began), highest()
	if e, err = evidence.Get(ctx, w.db, e.ID); err != nil {
		return err
	}
	if e.State != evidence.Done {
		return fmt.Errorf("the export is %s: %s", e.State, e.Failure)
	}
	fmt.Printf("  JSON Lines with proof %v: %.1f s, %.0f rows/s, %.2f of COPY (goal: at least 0.60), heap %.0f MB (goal: below 150), file %.0f MB\n",
		formats, took.Seconds(), float64(count)/took.Seconds(), copied.Seconds()/took.Seconds(), float64(memory)/1e6, float64(*e.Bytes)/1e6)
	return os.Remove(maker.Path(e))
}

// watchMemory gives the most memory that Go held from the system for its heap until it is asked.
func watchMemory() func() int64 {
	var highest atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest.Store(max(highest.Load(), int64(m.HeapInuse))) // bytes
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		return highest.Load()
	}
}
