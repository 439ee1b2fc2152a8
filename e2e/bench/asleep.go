package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lethe/internal/database"
	"lethe/models"
	"lethe/workflows"
)

const (
	goalTemporalBytes = 26 * 1024
	goalOwnBytes      = 4 * 1024
)

// bareSleep is the least that can sleep: one timer.
func bareSleep(ctx workflow.Context) error { return workflow.Sleep(ctx, 2*365*24*time.Hour) }

// asleep measures what one person in retention costs, in Temporal and with us.
func asleep(ctx context.Context, w *world, s settings) error {
	fmt.Printf("\na person asleep in retention, %d of them\n", s.sleepers)
	var product, least int64
	before := heap()
	err := w.withBare(nil, func(h half) (err error) {
		b := h.(*bare)
		product, err = w.growth(func() error { return b.sleepers(ctx, s) })
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("worker memory grew by %.1f MB with %d asleep (sticky cache 1,000)\n", float64(heap()-before)/1e6, s.sleepers)
	if least, err = w.bareSleepers(ctx, s); err != nil {
		return err
	}
	n := int64(s.sleepers)
	fmt.Printf("in Temporal (SQLite): Retention %d bytes, a bare timer %d bytes, ratio %.2f (goal with Postgres: at most %d bytes)\n",
		product/n, least/n, float64(product)/float64(least), goalTemporalBytes)
	return w.reportOwnBytes(ctx)
}

func (b *bare) sleepers(ctx context.Context, s settings) error {
	ids := make([]string, s.sleepers)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7()).String()
	}
	_, err := spread(ctx, ids, s.inFlight, func(ctx context.Context, id string) (string, error) {
		f := &flight{done: make(chan struct{}), closed: true}
		wait := f.done
		b.mu.Lock()
		b.flights[id] = f
		b.mu.Unlock()
		if err := b.nudge(ctx, models.DrivenRetention, id); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-wait:
			return id, nil
		}
	})
	return err
}

func (w *world) bareSleepers(ctx context.Context, s settings) (int64, error) {
	worker := sdkworker.New(w.client, "bare-sleep", sdkworker.Options{})
	worker.RegisterWorkflowWithOptions(bareSleep, workflow.RegisterOptions{Name: "BareSleep"})
	if err := worker.Start(); err != nil {
		return 0, err
	}
	defer worker.Stop()
	return w.growth(func() error {
		_, err := spread(ctx, make([]struct{}, s.sleepers), s.inFlight, func(ctx context.Context, _ struct{}) (string, error) {
			run, err := w.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: workflows.RetentionID(uuid.NewString()), TaskQueue: "bare-sleep",
			}, "BareSleep")
			if err != nil {
				return "", fmt.Errorf("starting a sleeper: %w", err)
			}
			return run.GetID(), nil
		})
		time.Sleep(5 * time.Second) // their first workflow tasks
		return err
	})
}

// growth is how much Temporal's data file grows while f runs.
func (w *world) growth(f func() error) (int64, error) {
	before, err := w.temporalSize()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	time.Sleep(3 * time.Second)
	after, err := w.temporalSize()
	return after - before, err
}

func (w *world) temporalSize() (int64, error) {
	info, err := os.Stat(w.temporalFile)
	if err != nil {
		return 0, fmt.Errorf("reading the size of Temporal's data: %w", err)
	}
	return info.Size(), nil
}

// Tables with rows of one departed person: those that retention reads, and the evidence of how the
// accounts were unlinked, which is kept as long.
var (
	retentionTables = []string{"departures", "departure_events", "retentions", "retention_deadlines"}
	evidenceTables  = []string{"account_operations", "account_steps", "account_evidence", "account_snapshots"}
)

// reportOwnBytes prints what one departed person takes with us, indexes included.
func (w *world) reportOwnBytes(ctx context.Context) error {
	var people int64
	if err := w.facts.Read(ctx).Raw("SELECT count(*) FROM retentions").Scan(&people).Error; err != nil {
		return fmt.Errorf("counting people: %w", database.Hide(err))
	}
	people = max(people, 1)
	sum := func(tables []string) (total int64, err error) {
		for _, table := range tables {
			// Dead rows are room that later rows use again; what is compared is what stays.
			if err := w.facts.Read(ctx).Exec("VACUUM FULL " + table).Error; err != nil {
				return 0, fmt.Errorf("compacting a table: %w", database.Hide(err))
			}
			var bytes int64
			err := w.facts.Read(ctx).Raw("SELECT pg_total_relation_size(?::regclass)", table).Scan(&bytes).Error
			if err != nil {
				return 0, fmt.Errorf("measuring a table: %w", database.Hide(err))
			}
			fmt.Printf("  %-20s %6d bytes\n", table, bytes/people)
			total += bytes
		}
		return total / people, nil
	}
	fmt.Printf("with us (Postgres, indexes included, dead rows not), %d people:\n", people)
	own, err := sum(retentionTables)
	if err != nil {
		return err
	}
	fmt.Printf("departure and retention: %d bytes (goal: at most %d)\n", own, goalOwnBytes)
	evidence, err := sum(evidenceTables)
	if err != nil {
		return err
	}
	fmt.Printf("evidence of the unlinking: %d bytes more\n", evidence)
	return nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
