package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/e2e/harness"
	"lethe/models"
)

// The variables through which `make chaos` says which storm to run.
const (
	seedVariable    = "LETHE_TEST_CHAOS_SEED"
	minutesVariable = "LETHE_TEST_CHAOS_MINUTES"
)

// killAt is how likely a worker dies at each failpoint.
const killAt = 0.003

// restWithin is how long everything may take to come to rest after the storm.
const restWithin = 5 * time.Minute

// TestChaos covers I1 to I3, I9 to I14, I18 and I19: departures run while everything is killed.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed, length := storm(t)
	plan := NewPlan(seed, length, harness.SystemNames)
	t.Logf("seed %d, %s, %d scenes, %d kills: repeat with make chaos SEED=%d MINUTES=%g",
		seed, length, len(plan.Scenes), len(plan.Blows), seed, length.Minutes())

	stack := harness.Start(t, harness.Options{
		OwnPostgres: true, OwnTemporal: true, Failpoints: fmt.Sprintf("%d:%g", seed, killAt),
		BeforeMidnight: time.Duration(float64(length) * midnight), WithoutProcesses: true,
		Env: map[string]string{"UNLINK_TRIES": "6"},
	})
	th := &theatre{
		stack: stack, plan: plan,
		acknowledged: map[uuid.UUID]uuid.UUID{}, refused: map[string]int{}, resolved: map[string]int{},
	}
	rest := run(t, th)
	t.Logf("at rest after %s: %s", rest.Round(time.Second), th.summary())
	evidence, err := Collect(t.Context(), stack, th.acknowledged)
	if err != nil {
		t.Fatalf("reading the evidence: %v", err)
	}
	for _, v := range Check(evidence) {
		t.Errorf("seed %d: %s", seed, v)
	}
	count := map[models.Stage]int{}
	for _, d := range evidence.Departures {
		count[d.Stage]++
	}
	deaths, err := stack.Worker.Deaths()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("departures: %v; failpoints that killed: %v; %d entries in the ledger, %d of them in trees, %d not witnessed yet",
		count, deaths, evidence.Ledger.Entries, evidence.Ledger.Sequenced, evidence.Ledger.Unprotected)
	if evidence.Ledger.Sequenced == 0 {
		t.Errorf("nothing was put into a tree: the ledger was not tested")
	}
	if len(deaths) == 0 {
		t.Errorf("no failpoint killed: the storm tested less than it says")
	}
	if count[models.StagePurged] == 0 || len(th.acknowledged) == 0 {
		t.Errorf("nobody's life was lived to its end: the storm tested nothing")
	}
}

func storm(t *testing.T) (seed uint64, length time.Duration) {
	t.Helper()
	seed, length = 1, 90*time.Second
	if text := os.Getenv(seedVariable); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s is not a whole number", seedVariable)
		}
		seed = n
	}
	if text := os.Getenv(minutesVariable); text != "" {
		minutes, err := strconv.ParseFloat(text, 64)
		if err != nil || minutes < 0.5 {
			t.Fatalf("%s is not a number of minutes from 0.5 on", minutesVariable)
		}
		length = time.Duration(minutes * float64(time.Minute))
	}
	return seed, length
}

// run plays the storm, then calm, until nothing is left to do, and says how long that took.
func run(t *testing.T, th *theatre) time.Duration {
	t.Helper()
	people, err := th.hire(t.Context())
	if err != nil {
		t.Fatalf("hiring: %v", err)
	}
	alive, stop := context.WithCancel(t.Context())
	defer stop()
	var background, acts sync.WaitGroup
	var calm, broken atomic.Bool
	for _, d := range []*harness.Daemon{th.stack.Serve, th.stack.Worker} {
		background.Go(func() {
			if err := d.Supervise(alive); err != nil {
				t.Errorf("supervising: %v", err)
			}
		})
	}
	defer background.Wait()
	defer stop()
	if err := th.stack.Serve.WaitReady(t.Context()); err != nil {
		t.Fatalf("the API does not start: %v", err)
	}
	th.start = time.Now()
	background.Go(func() { th.solve(alive, calm.Load) })
	for _, act := range []func(context.Context) error{th.weather, th.strike} {
		acts.Go(func() {
			if err := act(alive); err != nil {
				t.Errorf("the storm failed: %v", err)
				broken.Store(true)
			}
		})
	}
	var scenes sync.WaitGroup
	for _, s := range th.plan.Scenes {
		scenes.Go(func() {
			err := th.play(alive, s, people[s.No])
			var refused *harness.RefusedError
			if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
				t.Logf("scene %s (%s): %v", s.No, s.Kind, err)
			} else if err != nil {
				t.Errorf("seed %d: scene %s (%s): %v", th.plan.Seed, s.No, s.Kind, err)
			}
		})
	}
	acts.Wait()
	if broken.Load() { // what was killed may be down for good: nothing would come to rest
		stop()
		scenes.Wait()
		t.FailNow()
	}
	if err := th.sleep(t.Context(), th.plan.Length); err != nil {
		t.Fatal(err)
	}

	calm.Store(true)
	began := time.Now()
	for _, name := range harness.SystemNames {
		if err := th.stack.System(name).ClearFaults(t.Context()); err != nil {
			t.Fatalf("ending the faults: %v", err)
		}
	}
	th.stack.StopFailpoints()
	if err := th.stack.Worker.Kill(); err != nil {
		t.Fatal(err)
	}
	scenes.Wait()
	if err := harness.Eventually(t.Context(), restWithin, func() error { return th.atRest(t.Context()) }); err != nil {
		t.Errorf("seed %d does not come to rest: %v", th.plan.Seed, err)
	}
	stop()
	background.Wait()
	for _, d := range []*harness.Daemon{th.stack.Worker, th.stack.Serve} {
		if err := d.Stop(t.Context()); err != nil {
			t.Errorf("stopping: %v", err)
		}
	}
	return time.Since(began)
}

// atRest says what still has something to do.
func (th *theatre) atRest(ctx context.Context) error {
	var departures []models.Departure
	var operations []models.AccountOperation
	if err := th.stack.Facts.Read(ctx).Find(&departures).Error; err != nil {
		return err
	}
	err := th.stack.Facts.Read(ctx).Where("state IN ?", []string{"running", "needs_attention", "compensating"}).Find(&operations).Error
	if err != nil {
		return err
	}
	var open []string
	for _, d := range departures {
		if problem := unfinished(d); problem != "" {
			open = append(open, "departure "+d.ID.String()+": "+problem)
		}
	}
	for _, op := range operations {
		open = append(open, fmt.Sprintf("%s %s: %s (%s)", op.Kind, op.ID, op.State, th.stuck(ctx, op.ID)))
	}
	if len(open) > 0 {
		return fmt.Errorf("%d have something to do: %v", len(open), open)
	}
	return nil
}

// stuck is what the steps of an operation that has not ended last noted.
func (th *theatre) stuck(ctx context.Context, operation uuid.UUID) string {
	var steps []string
	err := th.stack.Facts.Read(ctx).Raw(`SELECT concat_ws(' ', s.system, s.action, s.state, s.stuck_reason, 'account', a.state,
			(SELECT string_agg(e.substep || ' ' || e.outcome, ', ' ORDER BY e.id DESC)
			 FROM (SELECT * FROM account_evidence v WHERE v.step_id = s.id ORDER BY v.id DESC LIMIT 12) e))
		FROM account_steps s JOIN linked_accounts a ON a.id = s.account_id
		WHERE s.operation_id = ? AND s.state NOT IN ('done', 'waived') ORDER BY s.position`, operation).Scan(&steps).Error
	if err != nil {
		return err.Error()
	}
	return strings.Join(steps, "; ")
}

func (th *theatre) summary() string {
	th.mu.Lock()
	defer th.mu.Unlock()
	blows := map[string]int{}
	for _, b := range th.plan.Blows {
		blows[b.Target]++
	}
	return fmt.Sprintf("kills %v; worker started %d times, serve %d; %d accepted; refused %v; cases %v",
		blows, th.stack.Worker.Runs(), th.stack.Serve.Runs(), len(th.acknowledged), th.refused, th.resolved)
}
