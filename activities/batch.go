package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"lethe/internal/database"
	"lethe/internal/imports"
)

// Batch serves the Batch workflow.
type Batch struct {
	DB      *database.DB
	Imports *imports.Worker
}

// BatchFacts says whether there are parts to walk. A batch whose time is over ends, and its file goes.
func (a *Batch) BatchFacts(ctx context.Context, ref Ref) (BatchFacts, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return BatchFacts{}, err
	}
	var f imports.Facts
	look := func() error {
		return database.Run(ctx, a.DB, func(tx *database.Tx) error {
			f, err = imports.Look(tx, id)
			return err
		})
	}
	err = look()
	if err == nil && f.Over {
		if err = a.Imports.Clear(ctx, id); err == nil {
			err = look()
		}
	}
	if errors.Is(err, database.ErrNotFound) {
		return BatchFacts{}, unknownRow()
	}
	return BatchFacts{State: string(f.State), Done: f.Done, Run: f.Run, WakeIn: f.WakeIn}, err
}

// partOfTime is how much of an activity's time is spent on walking: the part that was begun last has the rest.
const partOfTime = 4

// RunBatch walks parts until none is left for now, or a part of its time is over.
func (a *Batch) RunBatch(ctx context.Context, ref Ref) (BatchResult, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return BatchResult{}, err
	}
	defer beat(ctx)()
	parts, err := a.Imports.Walk(ctx, id, time.Now().Add(activity.GetInfo(ctx).StartToCloseTimeout/partOfTime))
	if errors.Is(err, database.ErrNotFound) {
		return BatchResult{}, unknownRow()
	}
	return BatchResult{Parts: parts}, err
}
