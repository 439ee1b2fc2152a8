package approval

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

// racing is how many run at once, each on two connections.
const racing = 5

// rivals are what the first reviewer's approval races with. Each says whether it won.
func (w *world) rivals() map[string]func(r *Registry, row models.Approval, target uuid.UUID) error {
	return map[string]func(r *Registry, row models.Approval, target uuid.UUID) error{
		"two approvers": func(r *Registry, row models.Approval, _ uuid.UUID) error {
			_, err := w.decide(w.second, row.ID, models.ApprovalApproved)
			return err
		},
		"withdrawal": func(r *Registry, row models.Approval, _ uuid.UUID) error {
			_, err := r.Withdraw(w.as(w.asker, models.RoleHRAdmin), w.env.Facts, row.ID)
			return err
		},
		"expiry": func(r *Registry, row models.Approval, _ uuid.UUID) error {
			for {
				got, err := r.Expire(w.as(w.asker, models.RoleHRAdmin), w.env.Facts, row.ID)
				if err != nil || got.State != models.ApprovalPending {
					return err
				}
			}
		},
		"changed target": func(_ *Registry, _ models.Approval, target uuid.UUID) error {
			return database.Hide(w.env.Facts.Read(w.as(w.second, models.RoleITOps)).
				Exec("UPDATE counters SET version = version + 1 WHERE id = ?", target).Error)
		},
	}
}

// TestI21_RacesSettleToOneOutcome: approve against a second approver, a withdrawal, the expiry and a
// change of the target, in the real database; make soak has 2,500 races of each kind.
func TestI21_RacesSettleToOneOutcome(t *testing.T) {
	w, races := newWorld(t), min(launchtest.Steps(t, 500), 2500)
	began := time.Now()
	for name, rival := range w.rivals() {
		outcomes := w.race(t, races, name, rival)
		t.Logf("%s: %v", name, outcomes)
		if len(outcomes) < 2 {
			t.Errorf("%s: always the same won: %v", name, outcomes)
		}
	}
	w.wantOneOutcomeEach(t)
	t.Logf("%d races in %s", 4*races, time.Since(began).Round(time.Second))
}

func (w *world) race(t *testing.T, races int, name string, rival func(*Registry, models.Approval, uuid.UUID) error) map[string]int {
	t.Helper()
	outcomes := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, races)
	for range races {
		turns <- struct{}{}
	}
	close(turns)
	for range racing {
		wg.Go(func() {
			for range turns {
				outcome, err := w.raceOnce(t, name, rival)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return outcomes
}

func (w *world) raceOnce(t *testing.T, name string, rival func(*Registry, models.Approval, uuid.UUID) error) (string, error) {
	r := *w.registry
	if name == "expiry" {
		r.expiry = 2*time.Millisecond + rand.N(12*time.Millisecond)
	}
	var row models.Approval
	target := uuid.New()
	err := database.Run(w.as(w.asker, models.RoleHRAdmin), w.env.Facts, func(tx *database.Tx) (err error) {
		if err := tx.DB().Exec("INSERT INTO counters (id) VALUES (?)", target).Error; err != nil {
			return database.Hide(err)
		}
		row, err = r.Request(tx, Order{Operation: opBump, Command: bump{Target: target}})
		return err
	})
	if err != nil {
		return "", err
	}
	lost := make(chan error, 1)
	go func() {
		if rand.N(2) == 0 {
			time.Sleep(rand.N(4 * time.Millisecond))
		}
		lost <- rival(&r, row, target)
	}()
	if rand.N(2) == 0 {
		time.Sleep(rand.N(4 * time.Millisecond))
	}
	b := w.bearer(w.first, models.RoleReviewer)
	decided, err := r.Decide(models.WithCaller(t.Context(), b.Caller("race")), w.env.Facts, b, row.ID, models.ApprovalApproved, "")
	var over *EndedError
	if err != nil && !errors.As(err, &over) {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	var rivalOver *EndedError
	if rival := <-lost; rival != nil && !errors.As(rival, &rivalOver) {
		return "", fmt.Errorf("%s, the rival: %w", name, rival)
	}
	if over != nil {
		return "first lost to " + string(over.State), nil //nolint:nilerr // to have lost is an outcome
	}
	return string(decided.State), nil
}

// wantOneOutcomeEach reads everything back: what the rows, the effects and the ledger say agrees.
func (w *world) wantOneOutcomeEach(t *testing.T) {
	t.Helper()
	for what, sql := range map[string]string{
		"requests still open":              "SELECT count(*) FROM approvals WHERE state = 'pending'",
		"effects without an approval":      "SELECT count(*) FROM effects e WHERE NOT EXISTS (SELECT FROM approvals a WHERE a.id = e.approval AND a.state = 'approved')",
		"approvals with another effect":    "SELECT count(*) FROM approvals a WHERE (a.state = 'approved')::int <> (SELECT count(*) FROM effects e WHERE e.approval = a.id)",
		"effects on a target that differs": "SELECT count(*) FROM effects WHERE version <> 1",
		"requests without just one end in the ledger": `SELECT count(*) FROM approvals a WHERE (SELECT count(*) FROM ledger_content c
			WHERE c.object = 'approval/' || a.id AND c.action <> 'approval.requested') <> 1`,
		"ends that the ledger tells otherwise": `SELECT count(*) FROM approvals a JOIN ledger_content c ON c.object = 'approval/' || a.id
			WHERE c.action <> 'approval.requested' AND c.action <> 'approval.' || CASE a.state WHEN 'void' THEN 'voided' ELSE a.state END`,
	} {
		w.exec(t, "CREATE INDEX IF NOT EXISTS ledger_content_by_object ON ledger_content (object)")
		w.exec(t, "CREATE INDEX IF NOT EXISTS effects_by_approval ON effects (approval)")
		if n := w.count(t, sql); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
}
