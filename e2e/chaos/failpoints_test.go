package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/e2e/harness"
)

// places are all places before, inside and after effects at which a worker can die.
func places() []string {
	var all []string
	add := func(prefix string, names ...string) {
		for _, name := range names {
			all = append(all, prefix+name)
		}
	}
	add("departure.facts.", "before", "inside", "after")
	add("operation_facts.", "before", "after")
	add("retention.facts.", "before", "inside", "after")
	add("purge.facts.", "before", "inside", "after")
	add("purge.intent.", "before", "inside", "after")
	for _, step := range []string{"tombstone", "destroy_keys", "clear", "probe", "certify"} {
		add("purge."+step+".", "before", "after")
	}
	add("purge.", "clear.inside", "certify.inside")
	add("unlink.", "begin.before", "begin.after", "finish.before", "finish.after")
	for _, call := range []string{"find", "snapshot", "disable", "revoke_sessions", "read_back", "residue"} {
		add("unlink."+call+".", "before", "after")
	}
	for _, call := range []string{"restore", "read_back"} {
		add("relink."+call+".", "before", "after")
	}
	return all
}

// livesWithin is how long the two lives may take, with a worker that dies that often.
const livesWithin = 6 * time.Minute

// TestI5_EveryPlaceToDie covers I3, I5 and I14 place by place: the worker is killed once at each, while
// one person leaves and is purged and another withdraws, and both lives come to their legal ends.
func TestI5_EveryPlaceToDie(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{
		Failpoints: strings.Join(places(), ","), BeforeMidnight: 6 * time.Hour, WithoutProcesses: true,
		Env: map[string]string{"ACTIVITY_START_TO_CLOSE": "3s"},
	})
	th := &theatre{
		stack: stack, acknowledged: map[uuid.UUID]uuid.UUID{}, refused: map[string]int{}, resolved: map[string]int{},
		plan: Plan{Scenes: []Scene{{No: "F-leaves", Kind: Immediate}, {No: "F-stays", Kind: WithdrawEarly}}}, start: time.Now(),
	}
	people, err := th.hire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Serve.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	alive, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() {
		if err := stack.Worker.Supervise(alive); err != nil {
			t.Errorf("supervising: %v", err)
		}
	})
	defer background.Wait()
	defer stop()

	for _, s := range th.plan.Scenes {
		id, err := th.depart(t.Context(), s, people[s.No])
		if err != nil {
			t.Fatal(err)
		}
		if s.Kind == Immediate {
			continue
		}
		th.untilSettled(t, id)
		if err := stack.Withdraw(t.Context(), id, "stays after all"); err != nil {
			t.Fatal(err)
		}
	}
	if err := harness.Eventually(t.Context(), livesWithin, func() error { return th.atRest(t.Context()) }); err != nil {
		t.Fatalf("a life stopped: %v", err)
	}
	stop()
	background.Wait()
	for _, place := range places() {
		if _, err := os.Stat(filepath.Join(stack.Folder, place)); err != nil {
			t.Errorf("the worker never died at %s", place)
		}
	}
	evidence, err := Collect(t.Context(), stack, th.acknowledged)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range Check(evidence) {
		t.Error(v)
	}
	t.Logf("the worker was started %d times", stack.Worker.Runs())
}

func (th *theatre) untilSettled(t *testing.T, id string) {
	t.Helper()
	err := harness.Eventually(t.Context(), livesWithin, func() error {
		d, err := th.stack.As(th.stack.Staff.HR).Departure(t.Context(), id)
		if err == nil && d.AccountsState != "settled" {
			err = fmt.Errorf("accounts %s %v", d.AccountsState, d.AccountStates())
		}
		return err
	})
	if err != nil {
		t.Fatalf("waiting until the accounts are settled: %v", err)
	}
}
