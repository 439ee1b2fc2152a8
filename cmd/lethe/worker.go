package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"lethe/activities"
	"lethe/api"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/config"
	"lethe/internal/departure"
	"lethe/internal/imports"
	"lethe/internal/message"
	"lethe/internal/notify"
	"lethe/internal/operations"
	"lethe/internal/reconcile"
	"lethe/internal/retention"
	"lethe/worker"
)

// WorkerCmd runs the worker.
type WorkerCmd struct {
	Dev bool `help:"Accept a database that is marked dev, and no other. 仅接受标记为开发用的数据库。"`
}

const (
	// restartPause is how long the worker waits before it tries a Temporal that did not answer again.
	restartPause = 2 * time.Second
	// newTemporal is how long a new Temporal, whose namespace is made at the first start, may take.
	newTemporal = 15 * time.Second
	// housekeepEvery is the pause between two rounds of key rotation and clean-up.
	housekeepEvery = time.Hour
	// stopTimeout is how long running activities may go on after a signal to stop.
	stopTimeout = 10 * time.Second
)

// Run works until it is told to stop. It is ready without Temporal and joins when it answers.
func (w WorkerCmd) Run(ctx context.Context) error {
	c, err := config.Load("worker", os.Environ())
	if err != nil {
		return err
	}
	c.Dev = w.Dev
	if err := surplus(c, "worker"); err != nil {
		return err
	}
	r, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.recordConfiguration(ctx, "worker"); err != nil {
		return err
	}
	ops, err := listen("LETHE_OPS_LISTEN", c.OpsListen)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { r.relay.Run(ctx) })
	wg.Go(func() { r.ledger.run(ctx) })
	wg.Go(func() { r.housekeep(ctx) })
	wg.Go(func() { r.askLater(ctx) })
	if c.SMTPHost != "" {
		mail, err := r.mail()
		if err != nil {
			return err
		}
		wg.Go(func() { mail.Run(ctx) })
	}
	wg.Go(func() { serveHTTP(ctx, ops, r.portBounds(), api.NewOps(r.opsDeps(nil)), r.log) })
	r.log.Info("worker is ready", "systems", len(r.systems.Names()))
	return r.work(ctx)
}

// work runs the workers; while Temporal does not answer it tries again.
func (r *runtime) work(ctx context.Context) error {
	patience := time.Now().Add(newTemporal)
	for {
		group := worker.New(r.temporal, r.activities(), worker.Options{
			QueuePrefix: r.config.TaskQueuePrefix, Systems: r.systems.Names(),
			WorkflowPollers: r.config.WorkflowPollers, ActivityPollers: r.config.ActivityPollers,
			MaxConcurrentActivities: r.config.MaxConcurrentActivities,
			StickyCache:             r.config.StickyCache, StopTimeout: stopTimeout,
		})
		err := group.Start()
		if err == nil {
			r.log.Info("workers have joined Temporal")
			select {
			case <-ctx.Done():
				group.Stop()
				return nil
			case <-group.Failed():
				r.log.Warn("Temporal refused the workers; they join again")
				group.Stop()
			}
		}
		if err != nil && !errors.Is(err, worker.ErrNotStarted) {
			return fmt.Errorf("starting the workers: %w", err)
		}
		if err != nil {
			level := slog.LevelWarn
			if time.Now().Before(patience) {
				level = slog.LevelInfo
			}
			r.log.Log(ctx, level, "Temporal does not answer yet; the workers try again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartPause):
		}
	}
}

func (r *runtime) activities() worker.Activities {
	return worker.Activities{
		Departure: &activities.Departure{DB: r.facts, Connected: r.systems},
		Unlinking: &activities.Unlinking{DB: r.facts, Accounts: r.accounts(), AccountsChanged: departure.AccountsChanged},
		Retention: &activities.Retention{DB: r.facts, Jitter: r.config.PurgeJitter},
		Purge: &activities.Purge{
			DB: r.facts, Purger: retention.NewPurger(r.facts, r.vault, r.tombstones),
			Began: departure.PurgingBegan, ClearFile: departure.ClearFile, Purged: departure.CategoriesPurged,
		},
		Batch: &activities.Batch{DB: r.facts, Imports: &imports.Worker{DB: r.facts, Vault: r.vault, Leavers: departure.Leavers{LookUps: r.config.ImportLookUps}, Rate: r.config.BatchRate, Log: r.log}},
		Reconciliation: &activities.Reconciliation{DB: r.facts, Worker: &reconcile.Worker{
			DB: r.facts, Systems: r.systems, Log: r.log, Shrink: float64(r.config.ReconcileShrink) / 100,
			NoSignIn: time.Duration(r.config.ReconcileNoSignIn) * 24 * time.Hour, Pause: r.config.RetryMax,
		}},
	}
}

// mail sends messages to people who have left, and tells those who work here what waits. It needs no Temporal: what is to
// be sent are rows.
func (r *runtime) mail() (*message.Deliverer, error) {
	c := r.config
	// Asked which role decides about what, and nothing else: no request is carried out here.
	approvals, err := operations.New(operations.Deps{Vault: r.vault, Systems: r.systems}, approval.Options{})
	if err != nil {
		return nil, err
	}
	return &message.Deliverer{
		DB: r.facts, Vault: r.vault, Log: r.log, PublicURL: c.PublicURL, Reminders: &notify.Reminders{DB: r.facts, Approvals: approvals, PublicURL: c.PublicURL},
		Server: message.SMTP{
			Host: c.SMTPHost, Port: c.SMTPPort, Encryption: c.SMTPEncryption, User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom, Timeout: mailTimeout,
		},
	}, nil
}

// mailTimeout is the limit for one exchange with the mail server.
const mailTimeout = 20 * time.Second

const (
	// askLaterEvery and askLaterBatch bound how fast systems are asked about former leavers: 7,200 of
	// them an hour for each system.
	askLaterEvery = 10 * time.Second
	askLaterBatch = 20
)

// askLater asks systems about leavers whose order did not ask them, until all were asked (I29).
func (r *runtime) askLater(ctx context.Context) {
	accounts := r.accounts()
	hooks := account.Hooks{OperationChanged: departure.OperationChanged}
	for {
		n, err := accounts.AskLater(ctx, askLaterBatch, hooks)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("asking systems about former leavers failed; it is tried again", "error", err)
		}
		if n > 0 {
			r.log.Info("systems are asked about former leavers", "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(askLaterEvery):
		}
	}
}

// housekeep rewraps data keys and retires key-encryption keys on their schedule.
func (r *runtime) housekeep(ctx context.Context) {
	for {
		if err := r.vault.Housekeep(ctx, r.facts); err != nil && ctx.Err() == nil {
			r.log.Warn("the vault's housekeeping failed; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(housekeepEvery):
		}
	}
}
