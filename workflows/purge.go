package workflows

import (
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// Purge waits for what a purge waits for (a review), then has its steps carried out. Whether it
// may is decided by the database's predicate in the activity, never here.
func Purge(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, Purge)
	if err != nil {
		return err
	}
	var a *activities.Purge
	ref := activities.Ref{ID: in.ID}
	return l.run(ctx, func(ctx workflow.Context) (next, error) {
		var facts activities.PurgeFacts
		if err := workflow.ExecuteActivity(l.database(ctx), a.PurgeFacts, ref).Get(ctx, &facts); err != nil {
			return next{}, err
		}
		l.status.State = facts.State
		if err := l.publish(ctx, purgeState(facts), nil, nil); err != nil {
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
		var result activities.PurgeResult
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), a.RunPurge, ref).Get(ctx, &result); err != nil {
			return next{}, err
		}
		// Not done: the predicate did not hold. The facts say why, after a pause that keeps a
		// disagreement between them and the predicate from spinning.
		return next{done: result.Done, wait: minimumPause}, nil
	})
}

func purgeState(facts activities.PurgeFacts) string {
	if facts.Done || facts.Run {
		return StateRunning
	}
	return StateWaiting
}
