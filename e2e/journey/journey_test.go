// Package journey follows departures from the request to the purge on the real processes, and stands
// in their way: failing and lying systems, killed processes, lost data.
package journey

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lethe/e2e/harness"
)

// lifetime is how long a whole life in the DEMO jurisdiction may take, under load.
const lifetime = 90 * time.Second

// shared is the stack of every journey that kills nothing. Journeys on it run side by side, each
// with people of its own; faults name the person.
var shared struct {
	once  sync.Once
	stack *harness.Stack
	err   error
}

// sideBySide is how many journeys are under way at once: they wait far more than they work.
const sideBySide = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	code := m.Run()
	if shared.stack != nil {
		if code != 0 {
			fmt.Fprintf(os.Stderr, "logs of the shared stack are kept in %s until the next run\n", shared.stack.Folder)
		}
		if err := shared.stack.Close(code != 0); err != nil {
			fmt.Fprintln(os.Stderr, "closing the shared stack:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// journey is one person's way through a stack.
type journey struct {
	testing.TB
	ctx    context.Context
	stack  *harness.Stack
	person harness.Person
	hr     *harness.Client
}

// here begins a journey of a new person on the shared stack.
func here(t *testing.T, hire harness.Hire) *journey {
	t.Helper()
	t.Parallel()
	shared.once.Do(func() {
		var smtp map[string]string
		if smtp, shared.err = takeMail(); shared.err != nil {
			return
		}
		shared.stack, shared.err = harness.Open(context.Background(), harness.Options{BeforeMidnight: 6 * time.Hour, Env: smtp})
		if shared.err == nil { // a system in which there is nobody at all is not believed that somebody is not there
			_, shared.err = shared.stack.Hire(context.Background(), harness.Hire{No: "J-colleague"})
		}
	})
	if shared.err != nil {
		t.Fatalf("starting the shared stack: %v", shared.err)
	}
	return on(t, shared.stack, hire)
}

var numbers atomic.Int64

// on begins a journey of a new person on a stack.
func on(t *testing.T, stack *harness.Stack, hire harness.Hire) *journey {
	t.Helper()
	ctx := t.Context()
	hire.No = fmt.Sprintf("J%04d", numbers.Add(1))
	person, err := stack.Hire(ctx, hire)
	if err != nil {
		t.Fatal(err)
	}
	return &journey{TB: t, ctx: ctx, stack: stack, person: person, hr: stack.As(stack.Staff.HR)}
}

var immediately = map[string]any{"immediate": true}

// depart starts the person's departure.
func (j *journey) depart(fields map[string]any) string {
	j.Helper()
	id, err := j.hr.Depart(j.ctx, j.person.EmployeeID.String(), fields)
	if err != nil {
		j.Fatalf("starting the departure: %v", err)
	}
	return id
}

// today is a plan to leave today, with the access ending after d.
func (j *journey) today(cutoff time.Duration) map[string]any {
	j.Helper()
	day, err := j.stack.Today(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	now, err := j.stack.Facts.Now(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	return map[string]any{"last_working_day": day, "access_cutoff_at": now.Add(cutoff).Format(time.RFC3339Nano)}
}

// until waits until the departure is as wished.
func (j *journey) until(id string, within time.Duration, what string, as func(harness.Departure) bool) harness.Departure {
	j.Helper()
	var d harness.Departure
	err := harness.Eventually(j.ctx, within, func() (err error) {
		if d, err = j.hr.Departure(j.ctx, id); err != nil {
			return err
		}
		if !as(d) {
			return fmt.Errorf("stage %s, accounts %s %v, waiting %v", d.Stage, d.AccountsState, d.AccountStates(), d.Waiting)
		}
		return nil
	})
	if err != nil {
		j.Fatalf("waiting until %s: %v", what, err)
	}
	return d
}

func (j *journey) untilPurged(id string) harness.Departure {
	j.Helper()
	return j.until(id, lifetime, "purged", purged)
}

func purged(d harness.Departure) bool { return d.Stage == "purged" && d.AccountsState == "settled" }

// active says, by system, whether the person's account really works.
func (j *journey) active() map[string]bool {
	j.Helper()
	out := map[string]bool{}
	for system, id := range j.person.Accounts {
		a, err := j.stack.System(system).Account(j.ctx, id)
		if err != nil {
			j.Fatalf("asking %s: %v", system, err)
		}
		out[system] = a.Active
	}
	return out
}

// wantActive checks it for every account.
func (j *journey) wantActive(want bool) {
	j.Helper()
	for system, active := range j.active() {
		if active != want {
			j.Errorf("the account in %s: active is %v, want %v", system, active, want)
		}
	}
}

// wantEvents checks that the timeline holds these codes in this order, others between them allowed.
func wantEvents(t testing.TB, d harness.Departure, want ...string) {
	t.Helper()
	rest := d.Events()
	for _, w := range want {
		i := slices.Index(rest, w)
		if i < 0 {
			t.Errorf("the timeline %v has no %s in its place", d.Events(), w)
			return
		}
		rest = rest[i+1:]
	}
}
