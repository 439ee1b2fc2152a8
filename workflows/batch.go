package workflows

import (
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// Batch walks an accepted file in parts: first the dry run, then, once it was asked for, the run. It ends when the file
// is gone. Each activity takes as many parts as its time allows, each part in a transaction of its own.
func Batch(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, Batch)
	if err != nil {
		return err
	}
	var a *activities.Batch
	ref := activities.Ref{ID: in.ID}
	return l.run(ctx, func(ctx workflow.Context) (next, error) {
		var facts activities.BatchFacts
		if err := workflow.ExecuteActivity(l.database(ctx), a.BatchFacts, ref).Get(ctx, &facts); err != nil {
			return next{}, err
		}
		l.status.State = facts.State
		state := StateWaiting
		if facts.Run {
			state = StateRunning
		}
		if err := l.publish(ctx, state, nil, nil); err != nil {
			return next{}, err
		}
		if facts.Done || !facts.Run {
			return next{done: facts.Done, wait: facts.WakeIn}, nil
		}
		options := workflow.ActivityOptions{
			StartToCloseTimeout: l.input.Timings.StartToClose,
			HeartbeatTimeout:    l.input.Timings.Heartbeat,
			WaitForCancellation: true,
			RetryPolicy:         l.retries(),
		}
		var result activities.BatchResult
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), a.RunBatch, ref).Get(ctx, &result)
		// A run that lived long makes way: the next one begins with the facts.
		return next{again: !l.outlived(ctx), wait: minimumPause}, err
	})
}
