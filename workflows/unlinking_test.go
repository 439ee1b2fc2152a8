package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"pgregory.net/rapid"

	"lethe/activities"
)

// stand plays the facts of one operation with a few steps.
type stand struct {
	env   *testsuite.TestWorkflowEnvironment
	begin time.Time
	steps map[string]*standStep
	reads int
}

type standStep struct {
	results []activities.StepResult // one for each run; the last one repeats
	takes   time.Duration
	starts  []time.Duration
	state   string
}

func (s *stand) ended() bool {
	for _, step := range s.steps {
		if step.state != "done" {
			return false
		}
	}
	return true
}

func newStand(t testing.TB, steps map[string]*standStep) *stand {
	s := &stand{env: environment(t), begin: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), steps: steps}
	s.env.SetStartTime(s.begin)
	var a *activities.Unlinking
	s.env.OnActivity(a.OperationFacts, mock.Anything, mock.Anything).Return(func(context.Context, activities.Ref) (activities.OperationFacts, error) {
		s.reads++
		f := activities.OperationFacts{State: "running", Done: s.ended()}
		for name, step := range s.steps {
			f.Steps = append(f.Steps, activities.StepFacts{
				StepID: name, System: name, State: step.state, Run: step.state != "done" && step.state != "stuck",
			})
		}
		slices.SortFunc(f.Steps, func(a, b activities.StepFacts) int {
			if a.StepID < b.StepID {
				return -1
			}
			return 1
		})
		return f, nil
	})
	for name, step := range steps {
		s.env.OnActivity(a.RunAccountStep, mock.Anything, mock.MatchedBy(func(in activities.StepInput) bool { return in.StepID == name })).
			After(step.takes).
			Return(func(context.Context, activities.StepInput) (activities.StepResult, error) {
				r := step.results[min(len(step.starts), len(step.results)-1)]
				step.starts = append(step.starts, s.env.Now().Sub(s.begin))
				switch r.Outcome {
				case activities.StepDone:
					step.state = "done"
					r.OperationEnded = r.OperationEnded || s.ended()
				case activities.StepStuck:
					step.state = "stuck"
				}
				return r, nil
			})
	}
	return s
}

var (
	done  = activities.StepResult{Outcome: activities.StepDone}
	stuck = activities.StepResult{Outcome: activities.StepStuck}
)

func TestThreeSystemsTakeOneReadOfTheFacts(t *testing.T) {
	s := newStand(t, map[string]*standStep{
		"attendance": {results: []activities.StepResult{done}},
		"finance":    {results: []activities.StepResult{done}},
		"mail":       {results: []activities.StepResult{done}},
	})
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if s.reads != 1 {
		t.Fatalf("the facts were read %d times", s.reads)
	}
}

// The last step to commit is not always the last to report: the one that is still to report is
// waited for, and the facts are not read again and again meanwhile.
func TestTheEndMayBeReportedBeforeAnEarlierStep(t *testing.T) {
	s := newStand(t, map[string]*standStep{
		"finance": {results: []activities.StepResult{{Outcome: activities.StepDone, OperationEnded: true}}},
		"mail":    {results: []activities.StepResult{done}, takes: 5 * time.Second},
	})
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if s.reads != 1 || len(s.steps["mail"].starts) != 1 {
		t.Fatalf("%d reads of the facts, mail ran %d times", s.reads, len(s.steps["mail"].starts))
	}
}

func TestI15_ASlowSystemDelaysOnlyItsOwnBranch(t *testing.T) {
	retry := activities.StepResult{Outcome: activities.StepRetry, CheckIn: 40 * time.Second}
	s := newStand(t, map[string]*standStep{
		"finance": {results: []activities.StepResult{done}},
		"mail":    {results: []activities.StepResult{retry, retry, retry, done}, takes: 30 * time.Second},
	})
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if at := s.steps["finance"].starts[0]; at > time.Second {
		t.Fatalf("finance began at %s", at)
	}
	if n := len(s.steps["mail"].starts); n != 4 {
		t.Fatalf("mail ran %d times", n)
	}
}

func TestAStuckStepWaitsForPeopleAndANudgeResumesIt(t *testing.T) {
	mail := &standStep{results: []activities.StepResult{stuck, done}}
	s := newStand(t, map[string]*standStep{"mail": mail, "finance": {results: []activities.StepResult{done}}})
	s.env.RegisterDelayedCallback(func() { mail.state = "pending"; s.env.SignalWorkflow(SignalNudge, nil) }, 3*day)
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if len(mail.starts) != 2 || mail.starts[1] < 3*day || mail.starts[1] > 3*day+time.Minute {
		t.Fatalf("mail ran at %v", mail.starts)
	}
}

func TestANudgeDuringAWaitRereadsAtOnce(t *testing.T) {
	later := activities.StepResult{Outcome: activities.StepAccepted, CheckIn: time.Hour}
	mail := &standStep{results: []activities.StepResult{later, done}}
	s := newStand(t, map[string]*standStep{"mail": mail})
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(SignalNudge, nil) }, time.Minute)
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if mail.starts[1] > 2*time.Minute {
		t.Fatalf("the nudge was slept through: %v", mail.starts)
	}
}

func TestAStaleStepDoesNotSpin(t *testing.T) {
	stale := activities.StepResult{Outcome: activities.StepStale}
	mail := &standStep{results: []activities.StepResult{stale, stale, stale, done}}
	s := newStand(t, map[string]*standStep{"mail": mail})
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if last := mail.starts[len(mail.starts)-1]; last < 3*minimumPause {
		t.Fatalf("three stale attempts took %s", last)
	}
}

// An activity that fails beyond its retries says nothing about the account: the step is run again.
func TestAFailedActivityIsRunAgain(t *testing.T) {
	env := environment(t)
	var a *activities.Unlinking
	env.OnActivity(a.OperationFacts, mock.Anything, mock.Anything).Return(activities.OperationFacts{
		State: "running", Steps: []activities.StepFacts{{StepID: "mail", System: "mail", Run: true}},
	}, nil)
	runs := 0
	env.OnActivity(a.RunAccountStep, mock.Anything, mock.Anything).Return(func(context.Context, activities.StepInput) (activities.StepResult, error) {
		if runs++; runs < 3 {
			return activities.StepResult{}, temporal.NewNonRetryableApplicationError("gone", "gone", nil)
		}
		return activities.StepResult{Outcome: activities.StepDone, OperationEnded: true}, nil
	})
	env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, env)
	if runs != 3 {
		t.Fatalf("ran %d times", runs)
	}
}

func TestAnyMixtureOfOutcomesEnds(t *testing.T) {
	outcomes := []activities.StepOutcome{activities.StepRetry, activities.StepAccepted, activities.StepStale, activities.StepStuck}
	rapid.Check(t, func(rt *rapid.T) {
		steps := map[string]*standStep{}
		for _, name := range []string{"attendance", "finance", "mail"} {
			step := &standStep{takes: time.Duration(rapid.IntRange(0, 50).Draw(rt, "takes")) * time.Second}
			for range rapid.IntRange(0, 4).Draw(rt, "failures") {
				step.results = append(step.results, activities.StepResult{
					Outcome: rapid.SampledFrom(outcomes).Draw(rt, "outcome"),
					CheckIn: time.Duration(rapid.IntRange(0, 100).Draw(rt, "check")) * time.Second,
				})
			}
			step.results = append(step.results, done)
			steps[name] = step
		}
		s := newStand(t, steps)
		var people func()
		people = func() { // somebody asks for a retry of whatever is stuck, once an hour
			for _, step := range steps {
				if step.state == "stuck" {
					step.state = "pending"
				}
			}
			s.env.SignalWorkflow(SignalNudge, nil)
			if !s.ended() {
				s.env.RegisterDelayedCallback(people, time.Hour)
			}
		}
		s.env.RegisterDelayedCallback(people, time.Hour)
		s.env.ExecuteWorkflow(AccountUnlinking, input)
		finish(t, s.env)
		if !s.ended() {
			rt.Fatal("the workflow ended before its steps")
		}
	})
}

// What Temporal UI is searched by is written when it changes, and not otherwise: each write is an event.
func TestWhatIsStuckIsPublishedWhenItChanges(t *testing.T) {
	broken := activities.StepResult{Outcome: activities.StepStuck, StuckReason: "unauthorized"}
	s := newStand(t, map[string]*standStep{
		"attendance": {results: []activities.StepResult{done}},
		"finance":    {results: []activities.StepResult{broken, done}},
		"mail":       {results: []activities.StepResult{done}, takes: 5 * time.Second},
	})
	if err := s.env.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(AttributeState.ValueSet(StateRunning))); err != nil {
		t.Fatal(err)
	}
	var published []string
	s.env.OnUpsertTypedSearchAttributes(mock.Anything).Run(func(args mock.Arguments) {
		a := args.Get(0).(temporal.SearchAttributes)
		state, ok := a.GetKeyword(AttributeState)
		systems, _ := a.GetKeywordList(AttributeSystem)
		reasons, _ := a.GetKeywordList(AttributeReason)
		if ok {
			published = append(published, strings.Join(append(append([]string{state}, systems...), reasons...), " "))
		}
	}).Return(nil)
	s.env.RegisterDelayedCallback(func() {
		s.steps["finance"].state = "pending" // somebody retried
		s.env.SignalWorkflow(SignalNudge, nil)
	}, time.Minute)
	s.env.ExecuteWorkflow(AccountUnlinking, input)
	finish(t, s.env)
	if want := []string{"stuck finance unauthorized", "running"}; !slices.Equal(published, want) {
		t.Errorf("published %q, want %q", published, want)
	}
}
