package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger"
	"lethe/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

// recorder is a Target that remembers, fails on request, and acts as the facts activity if asked.
type recorder struct {
	mu     sync.Mutex
	nudged map[uuid.UUID]int
	rows   []Row
	fail   bool
	see    func(Row)
	// mends: being prepared is what ends the failing, from the second time on.
	mends    bool
	prepared int
}

func (r *recorder) Prepare(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.prepared++; r.mends && r.prepared > 1 {
		r.fail = false
	}
	return nil
}

func (r *recorder) Nudge(_ context.Context, row Row) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		return errors.New("Temporal is down")
	}
	if r.nudged == nil {
		r.nudged = map[uuid.UUID]int{}
	}
	r.nudged[row.ID]++
	r.rows = append(r.rows, row)
	if r.see != nil {
		r.see(row)
	}
	return nil
}

func (r *recorder) count(id uuid.UUID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nudged[id]
}

var quick = Options{Poll: 20 * time.Millisecond, Overdue: time.Minute, Backoff: 200 * time.Millisecond, Batch: 10}

func start(t *testing.T, db *database.DB, target Target, o Options) (stop func()) {
	t.Helper()
	r := New(db, target, o, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// retention inserts a driven row with the least around it: rules and people are others' concern.
func retention(t *testing.T, db *database.DB) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	err := db.Read(t.Context()).Exec(`
		ALTER TABLE retentions DROP CONSTRAINT IF EXISTS retentions_id_fkey, DROP CONSTRAINT IF EXISTS retentions_employment_id_fkey`).Error
	if err == nil {
		err = database.Run(t.Context(), db, func(tx *database.Tx) error {
			entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindRetention, Action: "retention.scheduled"})
			if err != nil {
				return err
			}
			row := models.Retention{ID: id, EmploymentID: id, State: models.RetentionRunning, LedgerEntryID: &entry, Driven: models.Driven{Revision: 1}}
			tx.Nudge(models.DrivenRetention, id)
			return tx.DB().Create(&row).Error
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func seen(t *testing.T, db *database.DB, id uuid.UUID, wake *time.Time) {
	t.Helper()
	if err := database.Run(t.Context(), db, func(tx *database.Tx) error { return tx.Seen(models.DrivenRetention, id, wake) }); err != nil {
		t.Fatal(err)
	}
}

func TestACommittedRowIsNudgedAtOnceAndOnlyOnce(t *testing.T) {
	env := databasetest.New(t)
	target := &recorder{see: func(row Row) { seen(t, env.Facts, row.ID, nil) }}
	start(t, env.Facts, target, Options{Poll: time.Hour, Overdue: time.Minute, Backoff: time.Minute, Batch: 10})
	id := retention(t, env.Facts)
	eventually(t, "nudged without a poll", func() bool { return target.count(id) == 1 })
	time.Sleep(200 * time.Millisecond)
	if n := target.count(id); n != 1 {
		t.Fatalf("nudged %d times", n)
	}
	if row := target.rows[0]; row.Kind != models.DrivenRetention || row.DepartureID == nil || *row.DepartureID != id {
		t.Fatalf("got %+v", row)
	}
}

// I10, I2: the process that committed died before it could nudge; any other one finds the row.
func TestI10_ALostNudgeIsFound(t *testing.T) {
	env := databasetest.New(t)
	id := retention(t, env.Facts) // no relay runs in this process yet
	target := &recorder{see: func(row Row) { seen(t, env.Facts, row.ID, nil) }}
	start(t, env.Facts, target, quick)
	eventually(t, "found by the poll", func() bool { return target.count(id) == 1 })
}

func TestI10_AnUnreachableTemporalIsTriedAgain(t *testing.T) {
	env := databasetest.New(t)
	target := &recorder{fail: true}
	start(t, env.Facts, target, quick)
	id := retention(t, env.Facts)
	time.Sleep(500 * time.Millisecond)
	target.mu.Lock()
	target.fail = false
	target.mu.Unlock()
	eventually(t, "nudged once Temporal is back", func() bool { return target.count(id) >= 1 })
}

// I10: a Temporal that lost everything takes no nudge until it is prepared, which does not wait for
// its minute.
func TestI10_AFailedNudgePreparesTemporalAgain(t *testing.T) {
	env := databasetest.New(t)
	target := &recorder{fail: true, mends: true}
	start(t, env.Facts, target, quick)
	id := retention(t, env.Facts)
	eventually(t, "nudged once Temporal is prepared again", func() bool { return target.count(id) >= 1 })
}

// A nudge that nobody acts on (its workflow was lost) is repeated, but not before the backoff.
func TestAnUnseenRowIsNudgedAgainAfterTheBackoff(t *testing.T) {
	env := databasetest.New(t)
	target := &recorder{}
	o := quick
	o.Backoff = 400 * time.Millisecond
	start(t, env.Facts, target, o)
	began := time.Now()
	id := retention(t, env.Facts)
	eventually(t, "nudged three times", func() bool { return target.count(id) >= 3 })
	if took := time.Since(began); took < 2*o.Backoff {
		t.Fatalf("three nudges within %s", took)
	}
	seen(t, env.Facts, id, nil)
	n := target.count(id)
	time.Sleep(3 * o.Backoff)
	if more := target.count(id) - n; more > 1 { // one may have been under way
		t.Fatalf("%d nudges after it was seen", more)
	}
}

// I2: a timer that was lost with Temporal's data is replaced by the row's wake_at.
func TestI2_APassedWakeTimeIsFound(t *testing.T) {
	env := databasetest.New(t)
	id := retention(t, env.Facts)
	now, err := env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wake := now.Add(365 * 24 * time.Hour)
	seen(t, env.Facts, id, &wake)
	target := &recorder{}
	start(t, env.Facts, target, quick)
	time.Sleep(300 * time.Millisecond)
	if n := target.count(id); n != 0 {
		t.Fatalf("nudged %d times a year before its wake time", n)
	}
	env.Advance(t, 365*24*time.Hour+quick.Overdue+time.Second)
	eventually(t, "nudged after its wake time", func() bool { return target.count(id) >= 1 })
}

// A revision raised while the facts were being read is never taken for seen.
func TestI17_ATouchAfterTheReadStaysUnseen(t *testing.T) {
	env := databasetest.New(t)
	id := retention(t, env.Facts)
	seen(t, env.Facts, id, nil)
	if err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return tx.Touch(models.DrivenRetention, id) }); err != nil {
		t.Fatal(err)
	}
	target := &recorder{}
	start(t, env.Facts, target, quick)
	eventually(t, "nudged for the new revision", func() bool { return target.count(id) >= 1 })
}

// Several relays share the rows: each row goes to one of them within a backoff.
func TestRelaysShareTheRows(t *testing.T) {
	env := databasetest.New(t)
	var ids []uuid.UUID
	for range 60 {
		ids = append(ids, retention(t, env.Facts))
	}
	env.Advance(t, time.Hour) // past every backoff
	target := &recorder{see: func(row Row) { seen(t, env.Facts, row.ID, nil) }}
	o := quick
	o.Backoff = time.Minute
	for range 3 {
		start(t, env.Facts, target, o)
	}
	eventually(t, "all nudged", func() bool {
		target.mu.Lock()
		defer target.mu.Unlock()
		return len(target.nudged) == len(ids)
	})
	for _, id := range ids {
		if n := target.count(id); n != 1 {
			t.Errorf("a row was nudged %d times", n)
		}
	}
}
