// Package workflows carries order and time. A workflow holds identifiers and enumerations only;
// every run begins by reading facts, so that it may be terminated, reset or lost at any point and
// the next one goes on.
package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
)

// Workflow types, each with the prefix of its workflow ids.
const (
	TypeDeparture = "Departure"
	TypeUnlinking = "AccountUnlinking"
	TypeRetention = "Retention"
	TypePurge     = "Purge"
	TypeBatch     = "Batch"
	// TypeReconciliation compares systems with the facts; TypeReconciliationDue is what the Schedule starts.
	TypeReconciliation    = "Reconciliation"
	TypeReconciliationDue = "ReconciliationDue"
)

// SignalNudge says "look at the facts"; it carries nothing.
const SignalNudge = "nudge"

// QueryStatus answers with a Status.
const QueryStatus = "status"

// Task queues, behind the installation's prefix.
const (
	QueueCore         = "core"
	QueuePurge        = "purge"
	queueSystemPrefix = "system-"
)

// Search attributes. They are technical: no fact about a person is in them.
var (
	// AttributeDeparture finds all workflows of one departure.
	AttributeDeparture = temporal.NewSearchAttributeKeyKeyword("LetheDepartureId")
	// AttributeStage is the departure's stage.
	AttributeStage = temporal.NewSearchAttributeKeyKeyword("LetheStage")
	// AttributeNextWake is when a sleeping workflow wakes by itself.
	AttributeNextWake = temporal.NewSearchAttributeKeyTime("LetheNextWake")
	// AttributeState is one of the states below. A Retention has none: it sleeps.
	AttributeState = temporal.NewSearchAttributeKeyKeyword("LetheState")
	// AttributeSystem are the systems in which an operation is stuck, AttributeReason the codes of why.
	AttributeSystem = temporal.NewSearchAttributeKeyKeywordList("LetheSystem")
	AttributeReason = temporal.NewSearchAttributeKeyKeywordList("LetheReason")
)

// The values of [AttributeState].
const (
	StateWaiting = "waiting" // for an instant, or for a person whose matter it is anyway
	StateRunning = "running"
	StateStuck   = "stuck" // until people solve it
)

// InitialState is the state in which a workflow of a type starts; empty: it has none.
func InitialState(workflowType string) string {
	switch workflowType {
	case TypeDeparture:
		return StateWaiting
	case TypeUnlinking, TypePurge, TypeBatch, TypeReconciliation:
		return StateRunning
	}
	return ""
}

// DepartureID is the workflow id for a departure.
func DepartureID(id string) string { return "departure/" + id }

// UnlinkingID is the workflow id for an unlink or relink operation.
func UnlinkingID(id string) string { return "unlinking/" + id }

// RetentionID is the workflow id for a departure's retention.
func RetentionID(id string) string { return "retention/" + id }

// PurgeID is the workflow id for a purge.
func PurgeID(id string) string { return "purge/" + id }

// BatchID is the workflow id for a batch.
func BatchID(id string) string { return "batch/" + id }

// ReconciliationID is the workflow id for a run that compares systems with the facts.
func ReconciliationID(id string) string { return "reconciliation/" + id }

// SystemQueue is the task queue of one target system, so that a slow one starves nobody.
func SystemQueue(prefix, system string) string { return prefix + queueSystemPrefix + system }

// queuePrefix is what stands before the name in the task queue that a workflow runs on.
func queuePrefix(taskQueue string) string {
	for _, name := range []string{QueueCore, QueuePurge} {
		if prefix, ok := strings.CutSuffix(taskQueue, name); ok {
			return prefix
		}
	}
	return ""
}

// Input is the one input of every workflow.
type Input struct {
	// ID is the driven row's id.
	ID      string  `json:"id"`
	Timings Timings `json:"timings"`
}

// Timings are configuration that a run keeps from its start to its end.
type Timings struct {
	// StartToClose bounds one attempt of an activity, Heartbeat the silence of one.
	StartToClose time.Duration `json:"start_to_close"`
	Heartbeat    time.Duration `json:"heartbeat"`
	// ScheduleToClose bounds a remote step with its retries; then the facts are read again.
	ScheduleToClose time.Duration `json:"schedule_to_close"`
	RetryInitial    time.Duration `json:"retry_initial"`
	RetryMax        time.Duration `json:"retry_max"`
	// ContinueAsNewAfter is the longest life of one run.
	ContinueAsNewAfter time.Duration `json:"continue_as_new_after"`
}

// Status is what QueryStatus answers.
type Status struct {
	// State is the row's stage or state, as the facts last said.
	State string `json:"state"`
	// NextWake is when the workflow wakes by itself; zero: only a nudge wakes it.
	NextWake time.Time `json:"next_wake"`
	// Systems are the steps under way: system and state.
	Systems map[string]string `json:"systems,omitempty"`
}
