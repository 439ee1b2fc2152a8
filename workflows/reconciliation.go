package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// comparisonLimit bounds one attempt to list a system and to compare it; a worker that died is noticed by its silence
// long before.
const comparisonLimit = 4 * time.Hour

// Reconciliation compares the systems of one run side by side with the facts. It ends when nothing is left to compare, or
// somebody stopped it.
func Reconciliation(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, Reconciliation)
	if err != nil {
		return err
	}
	var a *activities.Reconciliation
	return l.run(ctx, func(ctx workflow.Context) (next, error) {
		var facts activities.ReconciliationFacts
		if err := workflow.ExecuteActivity(l.database(ctx), a.ReconciliationFacts, activities.Ref{ID: in.ID}).Get(ctx, &facts); err != nil {
			return next{}, err
		}
		l.status.State = facts.State
		if err := l.publish(ctx, StateRunning, nil, nil); err != nil {
			return next{}, err
		}
		if facts.Done || len(facts.Systems) == 0 {
			return next{done: facts.Done, wait: facts.WakeIn}, nil
		}
		options := workflow.ActivityOptions{
			StartToCloseTimeout: comparisonLimit,
			HeartbeatTimeout:    l.input.Timings.Heartbeat,
			WaitForCancellation: true,
			RetryPolicy:         l.retries(),
		}
		var under []workflow.Future
		for _, system := range facts.Systems {
			under = append(under, workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), a.CompareSystem, activities.Comparison{ID: in.ID, System: system}))
		}
		for _, f := range under {
			if err := f.Get(ctx, nil); err != nil {
				return next{}, err
			}
		}
		return next{again: !l.outlived(ctx), wait: minimumPause}, nil
	})
}

// ReconciliationDue begins a run, unless one is under way. The run has a workflow of its own, which the relay starts.
func ReconciliationDue(ctx workflow.Context, in Input) error {
	l := &loop{input: in}
	var a *activities.Reconciliation
	return workflow.ExecuteActivity(l.database(ctx), a.BeginReconciliation).Get(ctx, nil)
}
