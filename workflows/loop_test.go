package workflows

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/activity"
	tlog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
	"pgregory.net/rapid"

	"lethe/activities"
)

const day = 24 * time.Hour

var timings = Timings{
	StartToClose: time.Minute, Heartbeat: 10 * time.Second, ScheduleToClose: 10 * time.Minute,
	RetryInitial: time.Second, RetryMax: 30 * time.Second, ContinueAsNewAfter: 30 * day,
}

var input = Input{ID: "0192f0c1-2345-7000-8000-000000000001", Timings: timings}

func environment(t testing.TB) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(tlog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(20 * time.Second)
	env.RegisterActivity(&activities.Departure{})
	env.RegisterActivity(&activities.Retention{})
	env.RegisterActivity(&activities.Unlinking{})
	env.RegisterActivity(&activities.Purge{})
	return env
}

// finish fails the test unless the workflow ended without an error.
func finish(t testing.TB, env *testsuite.TestWorkflowEnvironment) {
	t.Helper()
	if !env.IsWorkflowCompleted() {
		t.Fatal("the workflow did not end")
	}
	if err := env.GetWorkflowError(); err != nil {
		t.Fatalf("the workflow failed: %v", err)
	}
}

// lifetime runs a Retention whose single deadline lies that far ahead, through as many runs as it
// takes, nudged at the given instants (since the beginning), and returns when the facts were read.
func lifetime(t testing.TB, deadline time.Duration, nudges []time.Duration) (reads []time.Duration, runs int) {
	t.Helper()
	begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	now := begin
	for {
		runs++
		env := environment(t)
		env.SetStartTime(now)
		var a *activities.Retention
		env.OnActivity(a.RetentionFacts, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.RetentionFacts, error) {
			at := env.Now().Sub(begin)
			reads = append(reads, at)
			if at >= deadline {
				return activities.RetentionFacts{Done: true}, nil
			}
			return activities.RetentionFacts{WakeIn: max(deadline-at, time.Second)}, nil
		})
		for _, n := range nudges {
			if after := begin.Add(n).Sub(now); after >= 0 {
				env.RegisterDelayedCallback(func() { env.SignalWorkflow(SignalNudge, nil) }, after)
			}
		}
		env.ExecuteWorkflow(Retention, input)
		var again *workflow.ContinueAsNewError
		if !errors.As(env.GetWorkflowError(), &again) {
			finish(t, env)
			return reads, runs
		}
		if lived := env.Now().Sub(now); lived > timings.ContinueAsNewAfter+time.Second {
			t.Fatalf("a run lived %s", lived)
		}
		now = env.Now()
	}
}

func TestI1I2_TenYearsOfSleepEndAtTheDeadline(t *testing.T) {
	deadline := 3653*day + 7*time.Hour
	reads, runs := lifetime(t, deadline, nil)
	last := reads[len(reads)-1]
	if last < deadline || last > deadline+2*time.Second {
		t.Fatalf("the facts were read for the last time at %s, the deadline is %s", last, deadline)
	}
	if runs < 120 || runs > 124 {
		t.Fatalf("%d runs for ten years of thirty days each", runs)
	}
	if len(reads) > 2*runs+1 {
		t.Fatalf("%d reads in %d runs: it did not sleep", len(reads), runs)
	}
}

// I17: after each nudge the facts are read again, whenever it comes, also next to continue-as-new.
func TestI17_EveryNudgeLeadsToAReadOfTheFacts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		deadline := time.Duration(rapid.IntRange(1, 200*24).Draw(rt, "deadline")) * time.Hour
		count := rapid.IntRange(0, 6).Draw(rt, "count")
		var nudges []time.Duration
		for range count {
			n := time.Duration(rapid.Int64Range(0, int64(deadline/time.Second)-1).Draw(rt, "nudge")) * time.Second
			if rapid.Bool().Draw(rt, "edge") { // next to a continue-as-new
				n = n.Truncate(timings.ContinueAsNewAfter)
			}
			nudges = append(nudges, n)
		}
		reads, _ := lifetime(t, deadline, nudges)
		for _, n := range nudges {
			read := false
			for _, at := range reads {
				read = read || (at >= n && at <= n+2*time.Second)
			}
			if !read {
				rt.Fatalf("no read after the nudge at %s; reads %v", n, reads)
			}
		}
		if last := reads[len(reads)-1]; last < deadline {
			rt.Fatalf("ended at %s, before the deadline %s", last, deadline)
		}
	})
}

func TestDepartureWaitsForItsInstants(t *testing.T) {
	env := environment(t)
	begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	env.SetStartTime(begin)
	var a *activities.Departure
	settled := false
	env.OnActivity(a.DepartureFacts, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.DepartureFacts, error) {
		switch at := env.Now().Sub(begin); {
		case at < 10*day:
			return activities.DepartureFacts{Stage: "pending_departure", AccountsState: "linked", WakeIn: 10*day - at}, nil
		case at < 20*day:
			return activities.DepartureFacts{Stage: "pending_departure", AccountsState: "unlinking", WakeIn: 20*day - at}, nil
		case !settled:
			return activities.DepartureFacts{Stage: "departed", AccountsState: "needs_attention"}, nil
		}
		return activities.DepartureFacts{Stage: "departed", AccountsState: "settled", Done: true}, nil
	})
	env.RegisterDelayedCallback(func() {
		status, err := env.QueryWorkflow(QueryStatus)
		if err != nil {
			t.Errorf("query: %v", err)
			return
		}
		var s Status
		if err := status.Get(&s); err != nil || s.State != "departed, accounts needs_attention" || !s.NextWake.IsZero() {
			t.Errorf("status %+v, %v", s, err)
		}
	}, 24*day)
	env.RegisterDelayedCallback(func() { settled = true; env.SignalWorkflow(SignalNudge, nil) }, 25*day)
	env.ExecuteWorkflow(Departure, input)
	finish(t, env)
	if took := env.Now().Sub(begin); took < 25*day || took > 25*day+time.Hour {
		t.Fatalf("it took %s", took)
	}
}

// A cancelled timer is not a fired one: a cancelled run ends without touching anything.
func TestCancellationNeverCountsAsTime(t *testing.T) {
	env := environment(t)
	var r *activities.Retention
	reads := 0
	env.OnActivity(r.RetentionFacts, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.RetentionFacts, error) {
		reads++
		return activities.RetentionFacts{WakeIn: 20 * day}, nil
	})
	env.RegisterDelayedCallback(env.CancelWorkflow, day)
	env.ExecuteWorkflow(Retention, input)
	if env.GetWorkflowError() == nil {
		t.Fatal("a cancelled run completed")
	}
	if reads != 1 {
		t.Fatalf("the facts were read %d times", reads)
	}
}

func TestPurgeWaitsForItsReview(t *testing.T) {
	env := environment(t)
	begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	env.SetStartTime(begin)
	var a *activities.Purge
	env.OnActivity(a.PurgeFacts, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.PurgeFacts, error) {
		if at := env.Now().Sub(begin); at < 25*day {
			return activities.PurgeFacts{State: "in_review", WakeIn: 25*day - at}, nil
		}
		return activities.PurgeFacts{State: "claimed", Run: true}, nil
	})
	ran := 0
	env.OnActivity(a.RunPurge, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.PurgeResult, error) {
		ran++
		if at := env.Now().Sub(begin); at < 25*day {
			t.Errorf("ran at %s", at)
		}
		return activities.PurgeResult{Done: ran == 2}, nil // the first finds that the predicate does not hold
	})
	env.ExecuteWorkflow(Purge, input)
	finish(t, env)
	if ran != 2 {
		t.Fatalf("ran %d times", ran)
	}
}

// A worker that dies while it reads facts sends no heartbeat: its limit is what that costs.
func TestALostReadOfTheFactsIsNoticedSoon(t *testing.T) {
	env := environment(t)
	var a *activities.Retention
	var limit time.Duration
	env.OnActivity(a.RetentionFacts, mock.Anything, mock.Anything).Return(func(ctx context.Context, _ activities.Ref) (activities.RetentionFacts, error) {
		limit = activity.GetInfo(ctx).StartToCloseTimeout
		return activities.RetentionFacts{Done: true}, nil
	})
	env.ExecuteWorkflow(Retention, input)
	finish(t, env)
	if limit <= 0 || limit > 2*timings.Heartbeat {
		t.Fatalf("the limit is %s, a heartbeat's timeout %s", limit, timings.Heartbeat)
	}
}
