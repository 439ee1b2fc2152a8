// Package worker registers workflows and activities on their task queues and runs them.
package worker

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
	"lethe/workflows"
)

// Options are the worker's configuration.
type Options struct {
	// QueuePrefix stands before every task queue's name.
	QueuePrefix string
	// Systems are the target systems, each with a task queue of its own.
	Systems []string
	// WorkflowPollers and ActivityPollers bound the autoscaled pollers of each queue.
	WorkflowPollers int
	ActivityPollers int
	// MaxConcurrentActivities bounds what one queue runs at once, so that one slow system starves
	// nobody.
	MaxConcurrentActivities int
	// StickyCache is the number of workflows kept in memory, in the whole process.
	StickyCache int
	// Tune, if given, changes the SDK's options of each queue's worker; benchmarks compare levers with it.
	Tune func(*worker.Options)
	// StopTimeout is how long running activities may go on after Stop.
	StopTimeout time.Duration
}

// Activities are the concerns that workflows call.
type Activities struct {
	Departure *activities.Departure
	Unlinking *activities.Unlinking
	Retention *activities.Retention
	Purge     *activities.Purge
	Batch     *activities.Batch
	// Reconciliation compares systems with the facts.
	Reconciliation *activities.Reconciliation
}

// Group runs one SDK worker for each task queue.
type Group struct {
	workers []worker.Worker
	failed  chan error
}

// Failed tells that the SDK has given a worker up: it does so when Temporal lost the namespace after
// an outage. The group is of no use any more; stop it and start another.
func (g *Group) Failed() <-chan error { return g.failed }

// New registers everything. Workflows and database activities share the queue core; purges and
// each target system have queues of their own.
func New(c client.Client, a Activities, o Options) *Group {
	worker.SetStickyWorkflowCacheSize(o.StickyCache)
	identify()
	g := &Group{failed: make(chan error, 1)}
	fatal := func(err error) {
		select {
		case g.failed <- err:
		default:
		}
	}
	core := o.worker(c, fatal, o.QueuePrefix+workflows.QueueCore, true)
	for kind, f := range map[string]any{
		workflows.TypeDeparture: workflows.Departure,
		workflows.TypeUnlinking: workflows.AccountUnlinking,
		workflows.TypeRetention: workflows.Retention,
		workflows.TypeBatch:     workflows.Batch,

		workflows.TypeReconciliation:    workflows.Reconciliation,
		workflows.TypeReconciliationDue: workflows.ReconciliationDue,
	} {
		core.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: kind})
	}
	core.RegisterActivity(a.Departure)
	core.RegisterActivity(a.Unlinking)
	core.RegisterActivity(a.Retention)
	core.RegisterActivity(a.Batch)
	core.RegisterActivity(a.Reconciliation)

	purge := o.worker(c, fatal, o.QueuePrefix+workflows.QueuePurge, true)
	purge.RegisterWorkflowWithOptions(workflows.Purge, workflow.RegisterOptions{Name: workflows.TypePurge})
	purge.RegisterActivity(a.Purge)

	g.workers = []worker.Worker{core, purge}
	for _, system := range o.Systems {
		w := o.worker(c, fatal, workflows.SystemQueue(o.QueuePrefix, system), false)
		w.RegisterActivity(a.Unlinking)
		g.workers = append(g.workers, w)
	}
	return g
}

func (o Options) worker(c client.Client, fatal func(error), queue string, workflows bool) worker.Worker {
	scaled := func(most int) worker.PollerBehavior {
		return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{MaximumNumberOfPollers: most})
	}
	options := worker.Options{
		DisableWorkflowWorker:              !workflows,
		MaxConcurrentActivityExecutionSize: o.MaxConcurrentActivities,
		WorkflowTaskPollerBehavior:         scaled(o.WorkflowPollers),
		ActivityTaskPollerBehavior:         scaled(o.ActivityPollers),
		WorkerStopTimeout:                  o.StopTimeout,
		OnFatalError:                       fatal,
	}
	if o.Tune != nil {
		o.Tune(&options)
	}
	return worker.New(c, queue, options)
}

// Start starts all queues. A server that does not answer is an error; the caller tries again.
func (g *Group) Start() error {
	for i, w := range g.workers {
		if err := w.Start(); err != nil {
			for _, started := range g.workers[:i] {
				started.Stop()
			}
			return errors.Join(ErrNotStarted, fmt.Errorf("starting a worker: %w", err))
		}
	}
	return nil
}

// ErrNotStarted says that the server did not take the workers.
var ErrNotStarted = errors.New("the workers could not start")

// Stop lets running activities finish within StopTimeout.
func (g *Group) Stop() {
	done := make(chan struct{})
	for _, w := range g.workers {
		go func() { w.Stop(); done <- struct{}{} }()
	}
	for range g.workers {
		<-done
	}
}
