package workflows

import (
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// Departure waits for the next of a departure's instants. The facts activity makes what is due:
// it orders the unlinking at the cutoff and turns departed at the end of the employment. It ends
// when the departure is departed and settled, or withdrawn or annulled and relinked.
func Departure(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, Departure)
	if err != nil {
		return err
	}
	var a *activities.Departure
	var stage string
	return l.run(ctx, func(ctx workflow.Context) (next, error) {
		var facts activities.DepartureFacts
		if err := workflow.ExecuteActivity(l.database(ctx), a.DepartureFacts, activities.Ref{ID: in.ID}).Get(ctx, &facts); err != nil {
			return next{}, err
		}
		l.status.State = facts.Stage + ", accounts " + facts.AccountsState
		if facts.Stage != stage {
			stage = facts.Stage
			if err := workflow.UpsertTypedSearchAttributes(ctx, AttributeStage.ValueSet(stage)); err != nil {
				return next{}, err
			}
		}
		state := StateWaiting
		if facts.AccountsState == "needs_attention" {
			state = StateStuck
		}
		if err := l.publish(ctx, state, nil, nil); err != nil {
			return next{}, err
		}
		return next{done: facts.Done, wait: facts.WakeIn}, nil
	})
}
