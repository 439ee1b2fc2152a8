package account

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Facts is what an operation's workflow needs to know.
type Facts struct {
	State models.OperationState
	// Done: nothing remains that time, a nudge or a run under way could change.
	Done  bool
	Steps []StepFacts
	// WakeIn is when to read the facts again although nothing was heard; 0: only when nudged.
	WakeIn time.Duration
}

// StepFacts is one account's part.
type StepFacts struct {
	ID      uuid.UUID
	System  string
	State   models.StepState
	Run     bool          // RunStep should run,
	WaitFor time.Duration // that long from now
	// Unserved: the system is not connected any more; the step can only become a case.
	Unserved bool
	// StuckReason is one of Reasons while people must solve the step.
	StuckReason string
}

// Facts reads an operation and records that everything up to now was seen.
func (s *Service) Facts(tx *database.Tx, operationID uuid.UUID) (Facts, error) {
	op, err := database.Lock[models.AccountOperation](tx, "an account operation", operationID)
	if errors.Is(err, database.ErrNotFound) {
		return Facts{}, ErrUnknown
	}
	if err != nil {
		return Facts{}, err
	}
	steps, err := database.Find[models.AccountStep](tx.DB(), "steps", "operation_id = ?", op.ID)
	if err != nil {
		return Facts{}, err
	}
	accounts, err := database.Find[models.LinkedAccount](tx.DB(), "accounts",
		"id IN (SELECT account_id FROM account_steps WHERE operation_id = ?)", op.ID)
	if err != nil {
		return Facts{}, err
	}
	open, err := openRuns(tx, op, accounts)
	if err != nil {
		return Facts{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return Facts{}, err
	}
	f := decide(op, steps, open, now, s.timings.ScheduleToClose)
	for i, step := range f.Steps {
		_, connected := s.systems.Get(step.System)
		f.Steps[i].Unserved = !connected
	}
	var wake *time.Time
	if f.WakeIn > 0 {
		at := now.Add(f.WakeIn)
		wake = &at
	}
	if err := tx.Seen(models.DrivenOperation, op.ID, wake); err != nil {
		return Facts{}, fmt.Errorf("recording what was seen: %w", err)
	}
	return f, nil
}

// openRuns is, by account, until when a run may still act that is this operation's or that this
// operation has to wait for.
func openRuns(tx *database.Tx, op models.AccountOperation, accounts []models.LinkedAccount) (map[uuid.UUID]time.Time, error) {
	open := map[uuid.UUID]time.Time{}
	for _, a := range accounts {
		if a.AttemptOpenUntil == nil {
			continue
		}
		if a.OperationID != nil && *a.OperationID != op.ID {
			// Taken over. As long as the new owner has not begun, the open run is a former owner's.
			begun, err := database.Find[models.AccountStep](tx.DB(), "steps",
				"operation_id = ? AND account_id = ? AND started_at IS NOT NULL", *a.OperationID, a.ID)
			if err != nil {
				return nil, err
			}
			if len(begun) > 0 {
				continue
			}
		}
		open[a.ID] = *a.AttemptOpenUntil
	}
	return open, nil
}

// decide says which steps should run and when. Unlinking is done side by side. Giving back goes one
// by one in reverse, but does not wait for a step that is stuck or that failed and waits for another
// try: a failing system delays only its own branch.
func decide(op models.AccountOperation, steps []models.AccountStep, open map[uuid.UUID]time.Time, now time.Time, scheduleToClose time.Duration) Facts {
	inOrder(op, steps)
	f := Facts{State: op.State}
	blocked, running := false, false
	var longest time.Duration
	for _, s := range steps {
		sf := StepFacts{ID: s.ID, System: s.System, State: s.State, StuckReason: stuckReason(s)}
		if runnable(s.State) && !ended(op.State) {
			sf.WaitFor = waitFor(s, open, now)
			sf.Run = s.Action == models.OperationUnlink || !blocked
			running = running || sf.Run
			longest = max(longest, sf.WaitFor)
			if s.Action == models.OperationRelink && !(s.StartedAt != nil && s.CheckAt != nil) {
				blocked = true
			}
		}
		f.Steps = append(f.Steps, sf)
	}
	var flying time.Duration
	for _, until := range open {
		flying = max(flying, until.Sub(now))
	}
	switch {
	case running:
		f.WakeIn = min(longest+scheduleToClose, 2*scheduleToClose)
	case ended(op.State) && flying > 0:
		f.WakeIn = max(flying, time.Second)
	case ended(op.State):
		f.Done = true
	}
	return f
}

func waitFor(s models.AccountStep, open map[uuid.UUID]time.Time, now time.Time) time.Duration {
	var wait time.Duration
	if s.CheckAt != nil {
		wait = s.CheckAt.Sub(now)
	}
	if until, ok := open[s.AccountID]; ok && s.StartedAt == nil {
		wait = max(wait, until.Sub(now))
	}
	return max(wait, 0)
}

// inOrder sorts steps in the order in which they are to be carried out. Steps of an unlinking that
// turned round come last and backwards.
func inOrder(op models.AccountOperation, steps []models.AccountStep) {
	place := func(s models.AccountStep) int {
		if op.Kind == models.OperationUnlink && s.Action == models.OperationRelink {
			return 2*len(steps) + 1 - s.Position
		}
		return s.Position
	}
	slices.SortFunc(steps, func(a, b models.AccountStep) int { return cmp.Compare(place(a), place(b)) })
}
