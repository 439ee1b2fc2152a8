package workflows

import (
	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// Retention sleeps to the next deadline of a departed person's categories; the facts activity
// orders a Purge for what is due. It ends after the last category.
func Retention(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, Retention)
	if err != nil {
		return err
	}
	var a *activities.Retention
	return l.run(ctx, func(ctx workflow.Context) (next, error) {
		var facts activities.RetentionFacts
		if err := workflow.ExecuteActivity(l.database(ctx), a.RetentionFacts, activities.Ref{ID: in.ID}).Get(ctx, &facts); err != nil {
			return next{}, err
		}
		l.status.State = "running"
		return next{done: facts.Done, wait: facts.WakeIn}, nil
	})
}
