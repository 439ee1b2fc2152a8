package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"lethe/activities"
)

// AccountUnlinking carries out an unlink or relink operation: each system side by side on a task
// queue of its own, so that a slow one delays only its own branch. Which step may run, and what
// became of it, are facts; stuck ones wait for people.
func AccountUnlinking(ctx workflow.Context, in Input) error {
	l, err := setup(ctx, in, AccountUnlinking)
	if err != nil {
		return err
	}
	u := &unlinking{loop: l, prefix: queuePrefix(workflow.GetInfo(ctx).TaskQueueName), steps: map[string]*branch{}}
	return l.run(ctx, u.round)
}

// minimumPause keeps a step that is stale again and again from spinning.
const minimumPause = time.Second

type unlinking struct {
	*loop
	prefix string
	steps  map[string]*branch
	order  []string
	reread bool
	ended  bool
	// unasked: no system is connected, so that there is nobody to ask.
	unasked bool
}

// branch is one step: either its activity runs, or it is due at an instant, or it rests.
type branch struct {
	id, system string
	running    workflow.Future
	due        time.Time
	// unserved: nobody works on the system's task queue; the step runs on core, to become a case.
	unserved bool
	// stuck is why people must solve the step; empty: they need not.
	stuck string
	// pause is the least wait before the next attempt: a stale one must not spin.
	pause time.Duration
}

// round reads the facts once and follows the branches until the facts must be read again.
func (u *unlinking) round(ctx workflow.Context) (next, error) {
	var a *activities.Unlinking
	var facts activities.OperationFacts
	if err := workflow.ExecuteActivity(u.database(ctx), a.OperationFacts, activities.Ref{ID: u.input.ID}).Get(ctx, &facts); err != nil {
		return next{}, err
	}
	u.adopt(ctx, facts)
	if err := u.publish(ctx); err != nil {
		return next{}, err
	}
	u.reread = false
	for !u.reread && u.nudges.Len() == 0 {
		if u.ended && !u.running() {
			// The last step's activity settled the operation: its end is a fact already. Others that
			// committed before it may report after it, so they are waited for.
			return next{done: true}, nil
		}
		// A run that should make way starts nothing more, so that there comes a moment when nothing
		// of it is under way.
		outlived := u.outlived(ctx)
		if !outlived {
			u.start(ctx)
		}
		switch {
		case !u.busy():
			return next{done: facts.Done, wait: facts.WakeIn}, nil
		case outlived && !u.running():
			return next{wait: minimumPause}, nil
		}
		if err := u.follow(ctx); err != nil {
			return next{}, err
		}
		if err := u.publish(ctx); err != nil {
			return next{}, err
		}
	}
	return next{again: true}, nil
}

// adopt takes over what the facts say of each step; an activity that runs is left to finish.
func (u *unlinking) adopt(ctx workflow.Context, facts activities.OperationFacts) {
	u.status.State = facts.State
	u.status.Systems = map[string]string{}
	u.unasked = len(facts.Steps) == 0 && !facts.Done
	now := workflow.Now(ctx)
	for _, f := range facts.Steps {
		b, known := u.steps[f.StepID]
		if !known {
			b = &branch{id: f.StepID, system: f.System}
			u.steps[f.StepID] = b
			u.order = append(u.order, f.StepID)
		}
		b.due, b.unserved, b.stuck = time.Time{}, f.Unserved, f.StuckReason
		if f.Run {
			b.due = now.Add(max(f.WaitFor, b.pause))
		}
		b.pause = 0
		u.status.Systems[f.System] = f.State
	}
	u.describe(ctx)
}

// publish says which systems are stuck, and why.
func (u *unlinking) publish(ctx workflow.Context) error {
	var systems, reasons []string
	for _, id := range u.order {
		if b := u.steps[id]; b.stuck != "" {
			systems, reasons = append(systems, b.system), append(reasons, b.stuck)
		}
	}
	if u.unasked {
		reasons = append(reasons, activities.ReasonNoSystemConnected)
	}
	state := StateRunning
	if len(reasons) > 0 {
		state = StateStuck
	}
	slices.Sort(systems)
	slices.Sort(reasons)
	return u.loop.publish(ctx, state, slices.Compact(systems), slices.Compact(reasons))
}

// start starts the activity of every branch that is due.
func (u *unlinking) start(ctx workflow.Context) {
	var a *activities.Unlinking
	now := workflow.Now(ctx)
	for _, id := range u.order {
		b := u.steps[id]
		if b.running != nil || b.due.IsZero() || b.due.After(now) {
			continue
		}
		b.due = time.Time{}
		b.running = workflow.ExecuteActivity(u.remote(ctx, b), a.RunAccountStep,
			activities.StepInput{OperationID: u.input.ID, StepID: b.id})
	}
}

func (u *unlinking) remote(ctx workflow.Context, b *branch) workflow.Context {
	t := u.input.Timings
	queue := SystemQueue(u.prefix, b.system)
	if b.unserved {
		queue = u.prefix + QueueCore
	}
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		StartToCloseTimeout:    t.StartToClose,
		ScheduleToCloseTimeout: t.ScheduleToClose,
		HeartbeatTimeout:       t.Heartbeat,
		WaitForCancellation:    true,
		RetryPolicy:            u.retries(),
		Summary:                b.system,
	})
}

func (u *unlinking) running() bool {
	for _, id := range u.order {
		if u.steps[id].running != nil {
			return true
		}
	}
	return false
}

func (u *unlinking) busy() bool {
	_, due := u.nextDue()
	return due || u.running()
}

func (u *unlinking) nextDue() (time.Time, bool) {
	var first time.Time
	for _, id := range u.order {
		b := u.steps[id]
		if b.running == nil && !b.due.IsZero() && (first.IsZero() || b.due.Before(first)) {
			first = b.due
		}
	}
	return first, !first.IsZero()
}

// follow waits for the first of: an activity's end, the next due branch, a nudge.
func (u *unlinking) follow(ctx workflow.Context) error {
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	selector := workflow.NewSelector(ctx)
	for _, id := range u.order {
		if b := u.steps[id]; b.running != nil {
			selector.AddFuture(b.running, func(f workflow.Future) { u.finish(ctx, b, f) })
		}
	}
	if due, ok := u.nextDue(); ok && !u.outlived(ctx) {
		u.status.NextWake = due
		timer := workflow.NewTimer(timerCtx, max(due.Sub(workflow.Now(ctx)), time.Millisecond))
		selector.AddFuture(timer, func(workflow.Future) {})
	}
	selector.AddReceive(u.nudges, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		u.reread = true
	})
	selector.Select(ctx)
	return ctx.Err()
}

// finish takes over an activity's result. An activity that failed beyond its retries (its worker
// is gone, the database does not answer) says nothing about the account: the facts do.
func (u *unlinking) finish(ctx workflow.Context, b *branch, f workflow.Future) {
	b.running = nil
	var r activities.StepResult
	if err := f.Get(ctx, &r); err != nil {
		b.due = workflow.Now(ctx).Add(minimumPause)
		return
	}
	u.status.Systems[b.system], b.stuck = string(r.Outcome), r.StuckReason
	switch r.Outcome {
	case activities.StepAccepted, activities.StepRetry:
		b.due = workflow.Now(ctx).Add(max(r.CheckIn, time.Millisecond))
	case activities.StepStale:
		b.due, b.pause = time.Time{}, minimumPause
		u.reread = true
	}
	u.ended = u.ended || r.OperationEnded
	u.reread = u.reread || r.Reread
	u.describe(ctx)
}
