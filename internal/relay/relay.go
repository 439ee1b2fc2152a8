// Package relay joins the facts to Temporal. Rows that changed or are due are found in Postgres and
// their workflows are nudged with signal-with-start; Temporal is never asked what exists. So a lost
// nudge, a lost timer, a Temporal that was down or was wiped: each repairs itself.
package relay

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Target is what the relay nudges with: Temporal, in all but tests.
type Target interface {
	// Nudge signals the workflow of a driven row, and starts it if none runs.
	Nudge(ctx context.Context, row Row) error
	// Prepare makes sure that what nudges and workflows need exists (search attributes).
	Prepare(ctx context.Context) error
}

// Row is a driven row that wants its workflow's attention.
type Row struct {
	Kind models.DrivenKind `gorm:"-"`
	ID   uuid.UUID
	// DepartureID is the departure it belongs to; nil for a stand-alone operation and a batch.
	DepartureID *uuid.UUID
}

// Options are the relay's configuration.
type Options struct {
	// Poll is the pause between two looks at the tables.
	Poll time.Duration
	// Overdue is how long a wake_at must have passed before the relay steps in for the timer.
	Overdue time.Duration
	// Backoff is the pause before the same row is nudged again.
	Backoff time.Duration
	// Batch is how many rows of a kind one look takes, and how many nudges are under way at once
	// at most.
	Batch int
}

// Relay polls driven rows, and nudges those that this process touched right after their commit.
type Relay struct {
	db      *database.DB
	target  Target
	options Options
	log     *slog.Logger
	fresh   chan models.DrivenRef
	failed  chan struct{} // a nudge failed: what nudges need may be missing
}

const (
	nudgeTimeout = time.Second
	pollTimeout  = 10 * time.Second
	prepareEvery = time.Minute
	concurrency  = 16
	freshBacklog = 4096
)

// New makes a relay. Run must be called for it to do anything; OnNudge is wired here.
func New(db *database.DB, target Target, o Options, log *slog.Logger) *Relay {
	r := &Relay{db: db, target: target, options: o, log: log, fresh: make(chan models.DrivenRef, freshBacklog), failed: make(chan struct{}, 1)}
	db.OnNudge(r.touched)
	return r
}

// touched takes the rows that a transaction of this process touched. It never blocks: what does
// not fit is found by the poll.
func (r *Relay) touched(_ context.Context, refs []models.DrivenRef) {
	for _, ref := range refs {
		select {
		case r.fresh <- ref:
		default:
			return
		}
	}
}

// Run nudges until ctx ends. Any number of processes may run it: rows are taken with SKIP LOCKED
// and fenced by nudged_at.
func (r *Relay) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.keepPrepared(ctx) })
	wg.Go(func() { r.every(ctx, r.options.Poll, r.poll) })
	for range concurrency {
		wg.Go(func() { r.serveFresh(ctx) })
	}
	wg.Wait()
}

func (r *Relay) every(ctx context.Context, pause time.Duration, do func(context.Context)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			do(ctx)
			timer.Reset(pause)
		}
	}
}

// keepPrepared looks once a minute, and after a nudge failed: a Temporal that lost everything takes
// no nudge before it has been prepared again.
func (r *Relay) keepPrepared(ctx context.Context) {
	for {
		r.prepare(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(prepareEvery):
			continue
		case <-r.failed:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.options.Backoff):
		}
	}
}

// Fresh nudges carry no departure id yet; it is read with the row.
func (r *Relay) serveFresh(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ref := <-r.fresh:
			r.nudgeOne(ctx, ref)
		}
	}
}

func (r *Relay) nudgeOne(ctx context.Context, ref models.DrivenRef) {
	ctx, cancel := context.WithTimeout(ctx, nudgeTimeout)
	defer cancel()
	row, err := database.First[Row](r.db.Read(ctx).Table(ref.Kind.Table()+" AS driven").Select(columns(ref.Kind)).Where("driven.id = ?", ref.ID))
	if err != nil {
		return
	}
	row.Kind = ref.Kind
	r.nudge(ctx, row)
}

func (r *Relay) nudge(ctx context.Context, row Row) {
	if err := r.target.Nudge(ctx, row); err != nil && ctx.Err() == nil {
		r.log.Warn("a workflow could not be nudged; it is tried again",
			"kind", string(row.Kind), "id", row.ID.String(), "error", err)
		select {
		case r.failed <- struct{}{}:
		default:
		}
	}
}

func (r *Relay) prepare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	err := r.target.Prepare(ctx)
	if errors.Is(err, errNewNamespace) {
		r.log.Info("Temporal has a new namespace; its search attributes follow")
		return
	}
	if err != nil && ctx.Err() == nil {
		r.log.Warn("Temporal could not be prepared; it is tried again", "error", err)
	}
}

// poll takes what is unseen or overdue, kind by kind, as long as there are full batches.
func (r *Relay) poll(ctx context.Context) {
	for _, kind := range models.DrivenKinds {
		for ctx.Err() == nil {
			rows, err := r.take(ctx, kind)
			if err != nil {
				r.log.Warn("driven rows could not be read; it is tried again", "kind", string(kind), "error", err)
				break
			}
			r.nudgeAll(ctx, rows)
			if len(rows) < r.options.Batch {
				break
			}
		}
	}
}

func (r *Relay) nudgeAll(ctx context.Context, rows []Row) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for _, row := range rows {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, pollTimeout)
			defer cancel()
			r.nudge(ctx, row)
		})
	}
	wg.Wait()
}

// A row that stays overdue is nudged less and less often, every five minutes at the least, so that a
// workflow that cannot act on it does not drown in signals.
//
// take claims a batch of rows by setting nudged_at, in one statement: the claim outlives a crash of
// this process by Backoff and no longer.
func (r *Relay) take(ctx context.Context, kind models.DrivenKind) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	var rows []Row
	err := r.db.Read(ctx).Raw(`
		WITH due AS (
			SELECT id FROM `+kind.Table()+`
			WHERE (revision > seen_revision OR wake_at < lethe_now() - make_interval(secs => ?))
			  AND (nudged_at IS NULL OR nudged_at < lethe_now() - greatest(make_interval(secs => ?),
			       CASE WHEN wake_at IS NULL THEN '0' ELSE least(lethe_now() - wake_at, '50 minutes') / 10 END))
			LIMIT ? FOR NO KEY UPDATE SKIP LOCKED)
		UPDATE `+kind.Table()+` AS driven SET nudged_at = lethe_now()
		FROM due WHERE driven.id = due.id
		RETURNING `+columns(kind),
		r.options.Overdue.Seconds(), r.options.Backoff.Seconds(), r.options.Batch).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("taking rows", err)
	}
	for i := range rows {
		rows[i].Kind = kind
	}
	return rows, nil
}

// columns are those of Row, for a kind's table.
func columns(kind models.DrivenKind) string {
	switch kind {
	case models.DrivenDeparture, models.DrivenRetention:
		return "driven.id, driven.id AS departure_id"
	case models.DrivenBatch, models.DrivenReconciliation:
		return "driven.id, NULL::uuid AS departure_id"
	}
	return "driven.id, driven.departure_id"
}
