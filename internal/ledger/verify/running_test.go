package verify

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// placeOfWork is what a process needs to write and sequence.
type placeOfWork struct{ URL, Origin, Keys, Storage string }

// work writes and sequences until ctx ends: entries in transactions that last, end out of order or
// are rolled back, by several writers, with two sequencers at once.
func (p placeOfWork) work(ctx context.Context, t testing.TB) {
	t.Helper()
	keys, err := ledger.LoadKeys(p.Keys)
	must(t, err)
	storage, err := ledger.OpenStorage(p.Storage)
	must(t, err)
	db, err := database.Open(ctx, p.URL, database.Options{MaxConnections: 6})
	must(t, err)
	defer func() { _ = db.Close() }()
	ledger.Attach(db, ledger.NewWriter(p.Origin, keys.Writer()))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = database.Run(ctx, db, func(tx *database.Tx) error {
					for range 1 + rand.IntN(3) {
						if _, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: "account.linked"}); err != nil {
							return err
						}
						time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
					}
					if rand.IntN(5) == 0 {
						return context.Canceled
					}
					return nil
				})
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			ledger.NewSequencer(db, storage, keys, ledger.Options{Origin: p.Origin, Interval: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
		})
	}
	wg.Wait()
}

func (w *world) workplace(t testing.TB) placeOfWork {
	t.Helper()
	return placeOfWork{URL: w.env.FactsURL, Origin: w.policy.Origin, Keys: w.keyFile, Storage: filepath.Dir(w.env.LedgerStorage.Log(1).Dir())}
}

// No false alarms while others write, commit out of order and sequence.
func TestI19_NoFalseAlarmsWhileWritersRun(t *testing.T) {
	w := newWorld(t)
	w.write(t, 10)
	w.sequence(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { w.workplace(t).work(ctx, t) })
	var last *Report
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		w.sequence(t)
		last = w.verify(t, w.evidence(t))
		wantClean(t, last)
	}
	cancel()
	wg.Wait()
	if last.Entries < 50 {
		t.Errorf("hardly anything was written: %d entries", last.Entries)
	}
}

// No false alarms after processes died in the middle of what they did, at any moment.
func TestI19_NoFalseAlarmsAfterKills(t *testing.T) {
	const variable = "LEDGER_TEST_WORKPLACE"
	if text := os.Getenv(variable); text != "" {
		var p placeOfWork
		must(t, json.Unmarshal([]byte(text), &p))
		p.work(t.Context(), t)
		return
	}
	w := newWorld(t)
	w.write(t, 1)
	w.sequence(t)
	text, err := json.Marshal(w.workplace(t))
	must(t, err)
	var last *Report
	for range 6 {
		child := exec.Command(os.Args[0], "-test.run=^TestI19_NoFalseAlarmsAfterKills$")
		child.Env = append(os.Environ(), variable+"="+string(text))
		must(t, child.Start())
		time.Sleep(700*time.Millisecond + time.Duration(rand.IntN(600))*time.Millisecond)
		wantClean(t, w.verify(t, w.evidence(t)))
		must(t, child.Process.Kill())
		_ = child.Wait()
		wantClean(t, w.verify(t, w.evidence(t))) // as it was left
		w.sequence(t)
		last = w.verify(t, w.evidence(t)) // as the next one goes on from it
		wantClean(t, last)
	}
	if last.Entries < 20 || last.Trees[0].Witnessed == 0 {
		t.Errorf("hardly anything was written: %+v", last)
	}
}
