package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/models"
)

// Unlinking carries out account operations.
type Unlinking struct {
	DB       *database.DB
	Accounts *account.Service
	// AccountsChanged is told, in the same transaction and with the departure locked, that the state
	// of a departure's operation changed.
	AccountsChanged func(tx *database.Tx, departureID uuid.UUID) error
}

// OperationFacts reads where an operation stands and what its workflow should do next.
func (u *Unlinking) OperationFacts(ctx context.Context, in Ref) (OperationFacts, error) {
	id, err := parse(in.ID)
	if err != nil {
		return OperationFacts{}, err
	}
	var f account.Facts
	failpoint.Hit("operation_facts.before")
	err = database.Run(ctx, u.DB, func(tx *database.Tx) (err error) {
		f, err = u.Accounts.Facts(tx, id)
		return err
	})
	if err != nil {
		return OperationFacts{}, operationError("reading an operation", err)
	}
	failpoint.Hit("operation_facts.after")
	out := OperationFacts{State: string(f.State), Done: f.Done, WakeIn: f.WakeIn, Steps: make([]StepFacts, len(f.Steps))}
	for i, s := range f.Steps {
		out.Steps[i] = StepFacts{StepID: s.ID.String(), System: s.System, State: string(s.State), Run: s.Run, WaitFor: s.WaitFor, Unserved: s.Unserved, StuckReason: s.StuckReason}
	}
	return out, nil
}

// RunAccountStep carries out one account's part of an operation. It heartbeats until it returns, so that a
// cancelled or lost run stops.
func (u *Unlinking) RunAccountStep(ctx context.Context, in StepInput) (StepResult, error) {
	operation, err1 := uuid.Parse(in.OperationID)
	step, err2 := uuid.Parse(in.StepID)
	if errors.Join(err1, err2) != nil {
		return StepResult{}, unknownRow()
	}
	defer beat(ctx)()
	result, err := u.Accounts.RunStep(ctx, operation, step, account.Hooks{OperationChanged: u.operationChanged})
	if err != nil {
		return StepResult{}, operationError("carrying out a step", err)
	}
	return StepResult{
		Outcome: StepOutcome(result.Outcome), CheckIn: result.CheckIn,
		OperationEnded: result.OperationEnded, Reread: result.Reread, StuckReason: result.StuckReason,
	}, nil
}

func (u *Unlinking) operationChanged(tx *database.Tx, op models.AccountOperation) error {
	if op.DepartureID == nil || u.AccountsChanged == nil {
		return nil
	}
	if err := u.AccountsChanged(tx, *op.DepartureID); err != nil {
		return fmt.Errorf("telling the departure: %w", err)
	}
	return nil
}

// beat heartbeats three times in each heartbeat timeout until the returned function is called. The
// server's answer to a heartbeat is what cancels ctx.
func beat(ctx context.Context) (stop func()) {
	timeout := activity.GetInfo(ctx).HeartbeatTimeout
	if timeout <= 0 {
		return func() {}
	}
	ended, quit := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(max(timeout/3, time.Millisecond))
		defer tick.Stop()
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-quit:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

func operationError(doing string, err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return unknownRow()
	}
	return fmt.Errorf("%s: %w", doing, err)
}
