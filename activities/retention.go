package activities

import (
	"context"
	"errors"
	"time"

	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/retention"
)

// Retention serves the Retention workflow.
type Retention struct {
	DB *database.DB
	// Jitter spreads purges that fall due together by up to this much after their deadline.
	Jitter time.Duration
}

// RetentionFacts orders purges for what is due and says when the next deadline is.
func (a *Retention) RetentionFacts(ctx context.Context, ref Ref) (RetentionFacts, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return RetentionFacts{}, err
	}
	failpoint.Hit("retention.facts.before")
	var f retention.Facts
	err = database.Run(ctx, a.DB, func(tx *database.Tx) error {
		if f, err = retention.Look(tx, id, retention.Spread{Most: a.Jitter}); err == nil {
			failpoint.Hit("retention.facts.inside")
		}
		return err
	})
	if errors.Is(err, database.ErrNotFound) {
		return RetentionFacts{}, unknownRow()
	}
	if err != nil {
		return RetentionFacts{}, err
	}
	failpoint.Hit("retention.facts.after")
	return RetentionFacts{Done: f.Done, WakeIn: f.WakeIn}, nil
}
