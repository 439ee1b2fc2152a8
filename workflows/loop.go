package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// next is what a step of a loop wants.
type next struct {
	done bool
	// again reads the facts at once.
	again bool
	// wait is how long until the facts want to be read again; 0: until a nudge.
	wait time.Duration
}

// loop is the life of every workflow: drain nudges, read the facts and act (step), wait until the
// next instant that the facts name or until nudged.
type loop struct {
	input  Input
	status Status
	nudges workflow.ReceiveChannel
	self   any // the workflow function, for continue-as-new
}

// setup restores the loop and registers its handlers.
func setup(ctx workflow.Context, in Input, self any) (*loop, error) {
	l := &loop{input: in, self: self, nudges: workflow.GetSignalChannel(ctx, SignalNudge)}
	err := workflow.SetQueryHandlerWithOptions(ctx, QueryStatus, func() (Status, error) { return l.status, nil },
		workflow.QueryHandlerOptions{Description: "State, next wake and systems under way, as the facts last said."})
	if err != nil {
		return nil, fmt.Errorf("registering the status query: %w", err)
	}
	return l, nil
}

// run repeats step until it is done. A nudge that arrives at any point leads to another step: one
// that came while the step ran is found by the drain, and one that is lost with the end of a run
// is an unseen revision, which the relay finds.
func (l *loop) run(ctx workflow.Context, step func(workflow.Context) (next, error)) error {
	for {
		l.drain()
		n, err := step(ctx)
		switch {
		case err != nil:
			return err
		case l.nudges.Len() > 0 || n.again:
			continue
		case n.done:
			return nil
		}
		if l.outlived(ctx) {
			return workflow.NewContinueAsNewError(ctx, l.self, l.input)
		}
		if err := l.sleep(ctx, n.wait); err != nil {
			return err
		}
	}
}

func (l *loop) drain() {
	for l.nudges.ReceiveAsync(nil) {
	}
}

// outlived says whether the run should make way for a fresh one.
func (l *loop) outlived(ctx workflow.Context) bool {
	return workflow.GetInfo(ctx).GetContinueAsNewSuggested() || l.remaining(ctx) <= 0
}

func (l *loop) remaining(ctx workflow.Context) time.Duration {
	started := workflow.GetInfo(ctx).WorkflowStartTime
	return l.input.Timings.ContinueAsNewAfter - workflow.Now(ctx).Sub(started)
}

// sleep returns when the time has passed, when a nudge has come, or with the context's error. It
// never says which: the facts decide, and a timer that resolved by cancellation has not fired.
func (l *loop) sleep(ctx workflow.Context, wait time.Duration) error {
	if err := l.note(ctx, wait); err != nil {
		return err
	}
	limit := l.remaining(ctx)
	if wait <= 0 || wait > limit {
		wait = limit
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: "next look at the facts"})
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(timer, func(workflow.Future) {})
	selector.AddReceive(l.nudges, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	selector.Select(ctx)
	return ctx.Err()
}

// worthPublishing is the shortest sleep whose end is written to the search attributes: each write
// costs Temporal an event and an index update.
const worthPublishing = time.Minute

// note keeps what the status query and Temporal UI show.
func (l *loop) note(ctx workflow.Context, wait time.Duration) error {
	l.status.NextWake = time.Time{}
	if wait > 0 {
		l.status.NextWake = workflow.Now(ctx).Add(wait).UTC()
	}
	l.describe(ctx)
	if wait < worthPublishing {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, AttributeNextWake.ValueSet(l.status.NextWake))
}

// versionState guards the search attributes of the state: runs from before have none.
const versionState = "state-attributes"

// publish keeps the search attributes of the state; each write costs Temporal an event and an index update, so
// that nothing is written while nothing changes. systems and reasons are sorted.
func (l *loop) publish(ctx workflow.Context, state string, systems, reasons []string) error {
	now := workflow.GetTypedSearchAttributes(ctx)
	former, _ := now.GetKeyword(AttributeState)
	formerSystems, _ := now.GetKeywordList(AttributeSystem)
	formerReasons, _ := now.GetKeywordList(AttributeReason)
	if former == state && slices.Equal(formerSystems, systems) && slices.Equal(formerReasons, reasons) {
		return nil
	}
	if workflow.GetVersion(ctx, versionState, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, AttributeState.ValueSet(state), listed(AttributeSystem, systems), listed(AttributeReason, reasons))
}

// listed sets a list, or removes what is empty.
func listed(key temporal.SearchAttributeKeyKeywordList, values []string) temporal.SearchAttributeUpdate {
	if len(values) == 0 {
		return key.ValueUnset()
	}
	return key.ValueSet(values)
}

func (l *loop) describe(ctx workflow.Context) {
	details := "state: " + l.status.State
	if !l.status.NextWake.IsZero() {
		details += "; next wake: " + l.status.NextWake.UTC().Format(time.RFC3339)
	}
	for _, system := range workflow.DeterministicKeys(l.status.Systems) {
		details += "; " + system + ": " + l.status.Systems[system]
	}
	workflow.SetCurrentDetails(ctx, details)
}

// database are the options of an activity that is one short transaction: it retries without end. It
// sends no heartbeats, so its limit is what a worker's death costs: twice a heartbeat's timeout, not
// the minute that a remote step may take.
func (l *loop) database(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: min(2*l.input.Timings.Heartbeat, l.input.Timings.StartToClose),
		RetryPolicy:         l.retries(),
	})
}

func (l *loop) retries() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:    l.input.Timings.RetryInitial,
		BackoffCoefficient: 2,
		MaximumInterval:    l.input.Timings.RetryMax,
	}
}
