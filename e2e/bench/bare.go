package main

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
	"lethe/internal/relay"
	"lethe/models"
	"lethe/workflows"
)

// bareQueues keeps the bare counterpart's task queues apart from the product's.
const bareQueues = "bare-"

// bare runs the same workflows on activities that do nothing: no Postgres, no HTTP. What the relay
// would start or nudge, the activities do themselves.
type bare struct {
	target  *relay.Temporal
	mu      sync.Mutex
	flights map[string]*flight
}

type flight struct {
	departureReads, steps     int
	retained, settled, closed bool
	done                      chan struct{}
}

func (w *world) withBare(tune func(*sdkworker.Options), f func(half) error) error {
	b := &bare{target: w.target(bareQueues), flights: map[string]*flight{}}
	sdkworker.SetStickyWorkflowCacheSize(1000)
	o := options(tune)
	start := func(queue string, register func(sdkworker.Worker)) (sdkworker.Worker, error) {
		so := sdkworker.Options{
			MaxConcurrentActivityExecutionSize: o.MaxConcurrentActivities,
			WorkflowTaskPollerBehavior:         sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{MaximumNumberOfPollers: o.WorkflowPollers}),
			ActivityTaskPollerBehavior:         sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{MaximumNumberOfPollers: o.ActivityPollers}),
			DisableWorkflowWorker:              queue != workflows.QueueCore,
		}
		if tune != nil {
			tune(&so)
		}
		worker := sdkworker.New(w.client, bareQueues+queue, so)
		register(worker)
		return worker, worker.Start()
	}
	core, err := start(workflows.QueueCore, func(worker sdkworker.Worker) {
		worker.RegisterWorkflowWithOptions(workflows.Departure, workflow.RegisterOptions{Name: workflows.TypeDeparture})
		worker.RegisterWorkflowWithOptions(workflows.AccountUnlinking, workflow.RegisterOptions{Name: workflows.TypeUnlinking})
		worker.RegisterWorkflowWithOptions(workflows.Retention, workflow.RegisterOptions{Name: workflows.TypeRetention})
		worker.RegisterActivity(b.DepartureFacts)
		worker.RegisterActivity(b.OperationFacts)
		worker.RegisterActivity(b.RetentionFacts)
	})
	if err != nil {
		return err
	}
	defer core.Stop()
	var started []sdkworker.Worker
	defer func() {
		for _, one := range started {
			one.Stop()
		}
	}()
	for _, system := range systemNames {
		one, err := start(workflows.SystemQueue("", system), func(worker sdkworker.Worker) { worker.RegisterActivity(b.RunAccountStep) })
		if err != nil {
			return err
		}
		started = append(started, one)
	}
	return f(b)
}

func (b *bare) run(ctx context.Context, count, inFlight int) (time.Duration, []string, error) {
	ids := make([]uuid.UUID, count)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
	}
	began := time.Now()
	names, err := spread(ctx, ids, inFlight, func(ctx context.Context, id uuid.UUID) (string, error) {
		f := &flight{done: make(chan struct{})}
		b.mu.Lock()
		b.flights[id.String()] = f
		b.mu.Unlock()
		if err := b.nudge(ctx, models.DrivenDeparture, id.String()); err != nil {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-f.done:
			return id.String(), nil
		}
	})
	return time.Since(began), names, err
}

func (b *bare) nudge(ctx context.Context, kind models.DrivenKind, id string) error {
	parsed := uuid.MustParse(id)
	return b.target.Nudge(ctx, relay.Row{Kind: kind, ID: parsed, DepartureID: &parsed})
}

// change changes a flight and ends it once its departure is closed and its retention asleep.
func (b *bare) change(id string, f func(*flight)) flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.flights[id]
	f(one)
	if one.closed && one.retained && one.done != nil {
		close(one.done)
		one.done = nil
	}
	return *one
}

// DepartureFacts starts the unlinking and the retention, and is done once the accounts are settled.
func (b *bare) DepartureFacts(ctx context.Context, ref activities.Ref) (activities.DepartureFacts, error) {
	f := b.change(ref.ID, func(f *flight) { f.departureReads++; f.closed = f.settled })
	if f.departureReads == 1 {
		if err := b.nudge(ctx, models.DrivenOperation, ref.ID); err != nil {
			return activities.DepartureFacts{}, err
		}
		if err := b.nudge(ctx, models.DrivenRetention, ref.ID); err != nil {
			return activities.DepartureFacts{}, err
		}
	}
	state := "unlinking"
	if f.settled {
		state = "settled"
	}
	return activities.DepartureFacts{Stage: "departed", AccountsState: state, Done: f.settled}, nil
}

// OperationFacts names three steps.
func (b *bare) OperationFacts(_ context.Context, ref activities.Ref) (activities.OperationFacts, error) {
	facts := activities.OperationFacts{State: "running", WakeIn: 20 * time.Minute}
	for _, system := range systemNames {
		facts.Steps = append(facts.Steps, activities.StepFacts{StepID: uuid.NewString(), System: system, State: "pending", Run: true})
	}
	return facts, nil
}

// RunAccountStep does nothing; the third one settles.
func (b *bare) RunAccountStep(ctx context.Context, in activities.StepInput) (activities.StepResult, error) {
	f := b.change(in.OperationID, func(f *flight) { f.steps++; f.settled = f.steps == len(systemNames) })
	if f.settled && f.steps == len(systemNames) {
		if err := b.nudge(ctx, models.DrivenDeparture, in.OperationID); err != nil {
			return activities.StepResult{}, err
		}
	}
	return activities.StepResult{Outcome: activities.StepDone, OperationEnded: f.settled}, nil
}

// RetentionFacts sleeps for years.
func (b *bare) RetentionFacts(_ context.Context, ref activities.Ref) (activities.RetentionFacts, error) {
	b.change(ref.ID, func(f *flight) { f.retained = true })
	return activities.RetentionFacts{WakeIn: 2 * 365 * 24 * time.Hour}, nil
}
