package activities

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/failpoint"
)

// Departure serves the Departure workflow.
type Departure struct {
	DB *database.DB
	// Connected are the systems that are asked when access is taken away.
	Connected *connector.Registry
}

// errorUnknownRow is the type of the permanent fault that a workflow runs for a row that does not exist.
const errorUnknownRow = "unknown_row"

// parse reads the id of a driven row.
func parse(id string) (uuid.UUID, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return uuid.Nil, unknownRow()
	}
	return parsed, nil
}

func unknownRow() error {
	return temporal.NewNonRetryableApplicationError("no such row", errorUnknownRow, nil)
}

// DepartureFacts makes the transitions that are due and says what comes next.
func (a *Departure) DepartureFacts(ctx context.Context, ref Ref) (DepartureFacts, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return DepartureFacts{}, err
	}
	failpoint.Hit("departure.facts.before")
	var f departure.Facts
	err = database.Run(ctx, a.DB, func(tx *database.Tx) error {
		f, err = departure.Advance(tx, id, a.Connected)
		if err == nil {
			failpoint.Hit("departure.facts.inside")
		}
		return err
	})
	if errors.Is(err, departure.ErrNotFound) {
		return DepartureFacts{}, unknownRow()
	}
	if err != nil {
		cut := database.Run(ctx, a.DB, func(tx *database.Tx) error { return departure.CutAccess(tx, id, a.Connected) })
		return DepartureFacts{}, errors.Join(err, cut)
	}
	failpoint.Hit("departure.facts.after")
	return DepartureFacts{Stage: string(f.Stage), AccountsState: string(f.AccountsState), Done: f.Done, WakeIn: f.Wait}, nil
}
