// Package activities is what workflows call: one struct per concern, small methods that call the
// domain. Inputs and results are identifiers, enumerations and durations, never facts about people.
package activities

import "time"

// Ref names the driven row that a workflow runs for; an opaque UUID.
type Ref struct {
	ID string `json:"id"`
}

// DepartureFacts is what a Departure workflow needs to know to take its next step. Every
// transition that was due has been made by the time it is returned.
type DepartureFacts struct {
	Stage         string `json:"stage"`
	AccountsState string `json:"accounts_state"`
	// Done ends the workflow: nothing remains that time or a nudge could change.
	Done bool `json:"done"`
	// WakeIn is the time until the next instant that matters, at least one second; 0: only a nudge matters.
	WakeIn time.Duration `json:"wake_in"`
}

// OperationFacts is what an AccountUnlinking workflow needs to know.
type OperationFacts struct {
	State  string        `json:"state"`
	Done   bool          `json:"done"`
	Steps  []StepFacts   `json:"steps"`
	WakeIn time.Duration `json:"wake_in"`
}

// StepFacts is one account's part in an operation.
type StepFacts struct {
	StepID string `json:"step_id"`
	System string `json:"system"`
	State  string `json:"state"`
	// Run says that the step's activity should run, WaitFor that long from now (0: at once).
	Run     bool          `json:"run"`
	WaitFor time.Duration `json:"wait_for"`
	// Unserved: the system is not connected any more, so nobody works on its task queue.
	Unserved bool `json:"unserved,omitempty"`
	// StuckReason is a code of package account or connector, if people must solve the step.
	StuckReason string `json:"stuck_reason,omitempty"`
}

// StepInput names the step that an activity runs.
type StepInput struct {
	OperationID string `json:"operation_id"`
	StepID      string `json:"step_id"`
}

// StepOutcome is what came of one run of a step.
type StepOutcome string

// The outcomes of a step.
const (
	// StepDone: the step reached its end (off and confirmed, relinked, not found).
	StepDone StepOutcome = "done"
	// StepAccepted: the target took the order and will carry it out later; look again after CheckIn.
	StepAccepted StepOutcome = "accepted"
	// StepRetry: a passing fault; try again after CheckIn.
	StepRetry StepOutcome = "retry"
	// StepStuck: people must solve it; a support case is open.
	StepStuck StepOutcome = "stuck"
	// StepStale: the step is no longer this operation's to run; read the facts again.
	StepStale StepOutcome = "stale"
)

// StepResult is a step's outcome.
type StepResult struct {
	Outcome StepOutcome   `json:"outcome"`
	CheckIn time.Duration `json:"check_in,omitempty"`
	// OperationEnded says that this step was the operation's last: the workflow may end without
	// reading the facts again.
	OperationEnded bool `json:"operation_ended,omitempty"`
	// Reread says that other steps of the operation became runnable: read the facts.
	Reread bool `json:"reread,omitempty"`
	// StuckReason is that of StepFacts.
	StuckReason string `json:"stuck_reason,omitempty"`
}

// ReasonNoSystemConnected is why an operation without steps waits for people.
const ReasonNoSystemConnected = "no_system_connected"

// RetentionFacts is what a Retention workflow needs to know.
type RetentionFacts struct {
	Done   bool          `json:"done"`
	WakeIn time.Duration `json:"wake_in"`
}

// PurgeFacts is what a Purge workflow needs to know.
type PurgeFacts struct {
	State string `json:"state"`
	Done  bool   `json:"done"`
	// Run says that the purge's steps may be carried out now.
	Run    bool          `json:"run"`
	WakeIn time.Duration `json:"wake_in"`
}

// PurgeResult is what came of carrying out a purge's steps.
type PurgeResult struct {
	// Done: certified. Otherwise the predicate did not hold: read the facts again.
	Done bool `json:"done"`
}

// BatchFacts is what a Batch workflow needs to know.
type BatchFacts struct {
	State string `json:"state"`
	// Done: ended, and the file is gone.
	Done bool `json:"done"`
	// Run says that there are parts to walk.
	Run    bool          `json:"run"`
	WakeIn time.Duration `json:"wake_in"`
}

// BatchResult is what came of walking some parts.
type BatchResult struct {
	// Parts is how many were walked.
	Parts int `json:"parts"`
}
