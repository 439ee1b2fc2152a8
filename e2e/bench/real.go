package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	sdkworker "go.temporal.io/sdk/worker"

	"lethe/activities"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/relay"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/worker"
)

// half is one side of a pair: it takes count departures to where Retention first sleeps and says
// how long that took and which departures they were.
type half interface {
	run(ctx context.Context, count, inFlight int) (time.Duration, []string, error)
}

// product is Lethe itself: facts in Postgres, sandboxes over HTTP, relay and worker.
type product struct {
	w *world
}

// with runs f while the product's worker and relay run.
func (w *world) with(ctx context.Context, tune func(*sdkworker.Options), f func(half) error) error {
	stones, err := vault.OpenTombstones(w.tombstones)
	if err != nil {
		return err
	}
	defer func() { _ = stones.Close() }()
	group := worker.New(w.client, worker.Activities{
		Departure: &activities.Departure{DB: w.facts, Connected: w.systems},
		Unlinking: &activities.Unlinking{DB: w.facts, Accounts: w.accounts(), AccountsChanged: departure.AccountsChanged},
		Retention: &activities.Retention{DB: w.facts},
		Purge: &activities.Purge{DB: w.facts, Purger: retention.NewPurger(w.facts, w.vault, stones),
			Began: departure.PurgingBegan, ClearFile: departure.ClearFile, Purged: departure.CategoriesPurged},
	}, options(tune))
	if err := group.Start(); err != nil {
		return err
	}
	defer group.Stop()
	relayCtx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	r := relay.New(w.facts, w.target(""), relay.Options{
		Poll: time.Second, Overdue: time.Minute, Backoff: 5 * time.Second, Batch: 100,
	}, quiet())
	wg.Go(func() { r.Run(relayCtx) })
	return f(&product{w: w})
}

// options are the product's defaults, so that the bench measures what is shipped.
func options(tune func(*sdkworker.Options)) worker.Options {
	return worker.Options{
		Systems: systemNames, WorkflowPollers: 16, ActivityPollers: 16, MaxConcurrentActivities: 64,
		StickyCache: 1000, StopTimeout: 5 * time.Second, Tune: tune,
	}
}

func (p *product) run(ctx context.Context, count, inFlight int) (time.Duration, []string, error) {
	people, err := p.w.take(count)
	if err != nil {
		return 0, nil, err
	}
	watch := newWatcher(p.w.facts)
	began := time.Now()
	ids, err := spread(ctx, people, inFlight, func(ctx context.Context, person uuid.UUID) (string, error) {
		var dep models.Departure
		err := database.Run(ctx, p.w.facts, func(tx *database.Tx) (err error) {
			dep, err = departure.Begin(tx, p.w.vault, models.System, departure.Notice{
				EmployeeID: person, Kind: models.KindResignation, RequestedDates: departure.RequestedDates{Immediate: true},
			})
			return err
		})
		if err != nil {
			return "", err
		}
		return dep.ID.String(), watch.wait(ctx, dep.ID)
	})
	return time.Since(began), ids, err
}

// spread calls do for each item, inFlight at once at most.
func spread[T any](ctx context.Context, items []T, inFlight int, do func(context.Context, T) (string, error)) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ids := make([]string, len(items))
	slots := make(chan struct{}, inFlight)
	var wg sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var err error
			if ids[i], err = do(ctx, item); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return ids, context.Cause(ctx)
}

// watcher finds out, with one query for all, which departures have settled and sleep in retention.
type watcher struct {
	db      *database.DB
	mu      sync.Mutex
	waiting map[uuid.UUID]chan struct{}
}

const watchEvery = 20 * time.Millisecond

func newWatcher(db *database.DB) *watcher {
	return &watcher{db: db, waiting: map[uuid.UUID]chan struct{}{}}
}

func (w *watcher) wait(ctx context.Context, id uuid.UUID) error {
	done := make(chan struct{})
	w.mu.Lock()
	w.waiting[id] = done
	first := len(w.waiting) == 1
	w.mu.Unlock()
	if first {
		go w.watch(ctx)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-done:
		return nil
	}
}

func (w *watcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		w.mu.Lock()
		ids := make([]uuid.UUID, 0, len(w.waiting))
		for id := range w.waiting {
			ids = append(ids, id)
		}
		w.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		var finished []uuid.UUID
		err := w.db.Read(ctx).Raw(`SELECT d.id FROM departures d JOIN retentions r ON r.id = d.id
			WHERE d.id IN ? AND d.stage = 'departed' AND d.accounts_state = 'settled'
			  AND d.revision = d.seen_revision AND r.revision = r.seen_revision`, ids).Scan(&finished).Error
		if err != nil && ctx.Err() == nil {
			fmt.Println("watching:", database.Hide(err))
		}
		w.mu.Lock()
		for _, id := range finished {
			close(w.waiting[id])
			delete(w.waiting, id)
		}
		w.mu.Unlock()
		time.Sleep(watchEvery)
	}
}
