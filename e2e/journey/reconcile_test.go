package journey

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/sandbox/control"
)

// I12: an account that was read back as off is switched on again in the system itself. The Schedule finds it by itself,
// once, and people decide; the comparison switches nothing off.
func TestI12_WhatIsSwitchedOnAgainIsFoundByTheSchedule(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{Env: map[string]string{"RECONCILE_EVERY": "3s", "RECONCILE_OFFSET": "0s"}})
	j := on(t, stack, harness.Hire{KnownIDs: true, Jurisdiction: "CN"})
	id := j.depart(immediately)
	j.until(id, lifetime, "its accounts are settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	const system = "mail"
	_, err := stack.System(system).Plant(j.ctx, control.Plant{ID: j.person.Accounts[system], EmployeeNo: j.person.No})
	j.must(err)
	j.until(id, lifetime, "it needs attention", func(d harness.Departure) bool { return d.AccountsState == "needs_attention" })
	it := stack.As(stack.Staff.ITOps)
	cases, err := it.SupportCases(j.ctx)
	j.must(err)
	if len(cases) != 1 {
		t.Fatalf("%d cases: %+v", len(cases), cases)
	}
	time.Sleep(7 * time.Second) // two more runs at least
	account, err := stack.System(system).Account(j.ctx, j.person.Accounts[system])
	j.must(err)
	if !account.Active {
		t.Error("the comparison switched it off by itself")
	}
	if n := j.count("account_drift"); n != 1 {
		t.Errorf("%d rows of drift, want one for all runs", n)
	}
	if n := j.count("reconciliations WHERE started_by IS NULL AND state = 'done'"); n < 2 {
		t.Errorf("the Schedule ran %d times", n)
	}
	j.must(it.Resolve(j.ctx, cases[0].ID, "retry"))
	j.until(id, lifetime, "its accounts are settled again", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	j.must(harness.Eventually(j.ctx, 30*time.Second, func() error {
		if n := j.count("account_drift WHERE ended_at IS NULL"); n != 0 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	}))
}

// A worker that is killed while it lists a slow system is followed by another, which finds what is there once; a second
// run meanwhile is refused.
func TestAComparisonThatIsKilledIsFinished(t *testing.T) {
	t.Parallel()
	const strangers = 350
	stack := harness.Start(t, harness.Options{Env: map[string]string{"RECONCILE_EVERY": "0s"}})
	j := on(t, stack, harness.Hire{KnownIDs: true, Jurisdiction: "CN"})
	var plants []control.Plant
	for range strangers {
		plants = append(plants, control.Plant{})
	}
	_, err := stack.System("mail").Plant(j.ctx, plants...)
	j.must(err)
	j.fault("mail", control.Rule{Kind: control.Delay, Delay: control.Duration(700 * time.Millisecond)})
	it := stack.As(stack.Staff.ITOps)
	begun, err := it.Do(j.ctx, "POST", "/api/v1/reconciliations", map[string]any{})
	j.must(err)
	if begun.Status != 202 {
		t.Fatalf("%d %s", begun.Status, begun.Body)
	}
	j.must(harness.Eventually(j.ctx, 20*time.Second, func() error {
		if n := j.count("reconciliation_listing WHERE system = 'mail'"); n == 0 {
			return fmt.Errorf("nothing is listed yet")
		}
		return nil
	}))
	second, err := it.Do(j.ctx, "POST", "/api/v1/reconciliations", map[string]any{"system": "mail"})
	j.must(err)
	if second.Status != 409 || second.Location != begun.Location {
		t.Errorf("a second run: %d %s at %s", second.Status, second.Body, second.Location)
	}
	j.must(stack.Worker.Kill(), stack.Worker.Start(j.ctx))
	j.must(harness.Eventually(j.ctx, 60*time.Second, func() error {
		a, err := it.Do(j.ctx, "GET", begun.Location, nil)
		if err != nil {
			return err
		}
		var run struct{ State string }
		if err := json.Unmarshal(a.Body, &run); err != nil || run.State != "done" {
			return fmt.Errorf("%s", a.Body)
		}
		return nil
	}))
	if n := j.count("account_drift WHERE kind = 'orphan' AND system = 'mail'"); n != strangers {
		t.Errorf("%d strangers found, want %d", n, strangers)
	}
	if n := j.count("account_drift WHERE kind <> 'orphan'"); n != 0 {
		t.Errorf("%d others found", n)
	}
	if n := j.count("reconciliation_listing"); n != 0 {
		t.Errorf("%d rows of listings are left", n)
	}
}

func (j *journey) count(what string) (n int) {
	j.Helper()
	j.must(j.stack.Facts.Read(j.ctx).Raw("SELECT count(*) FROM " + what).Row().Scan(&n))
	return n
}
