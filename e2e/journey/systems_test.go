package journey

import (
	"slices"
	"sync"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/sandbox/control"
)

// faultsLock guards reading and replacing a system's faults by several journeys.
var faultsLock sync.Mutex

// I15: a system that fails for a while delays only its own branch, and nobody has to do anything.
func TestI15_AFailingSystemDelaysOnlyItself(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	j.fault("finance", control.Rule{Kind: control.Status, Status: 503, For: control.Duration(15 * time.Second)})
	began := time.Now()
	id := j.depart(immediately)
	j.until(id, 13*time.Second, "the others are off", func(d harness.Departure) bool {
		s := d.AccountStates()
		return s["mail"] == "disabled" && s["attendance"] == "disabled" && s["finance"] == "unlinking"
	})
	j.until(id, 40*time.Second, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	if took := time.Since(began); took < 14*time.Second {
		t.Errorf("settled after %s, although finance failed for 15 s", took)
	}
	d := j.untilPurged(id)
	if slices.Contains(d.Events(), "accounts_need_attention") {
		t.Error("a passing fault asked people for help")
	}
}

// I29: nobody registered an account, and mail has the number active. The departure is not settled before
// every system has answered, and what is found is taken away.
func TestI29_AnAccountThatNobodyRegisteredIsTakenAway(t *testing.T) {
	j := here(t, harness.Hire{Unregistered: true, Systems: []string{"mail"}})
	j.fault("finance", control.Rule{Kind: control.Status, Status: 503, For: control.Duration(6 * time.Second)})
	id := j.depart(immediately)
	d := j.until(id, 30*time.Second, "mail is off", func(d harness.Departure) bool { return d.AccountStates()["mail"] == "disabled" })
	if d.AccountsState == "settled" && d.AccountStates()["finance"] != "not_found" {
		t.Errorf("settled, and finance is %s", d.AccountStates()["finance"])
	}
	d = j.until(id, 40*time.Second, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	j.wantActive(false)
	if s := d.AccountStates(); s["finance"] != "not_found" || s["attendance"] != "not_found" {
		t.Errorf("accounts: %v", s)
	}
}

// I15: a slow system holds up neither the other accounts nor what the law counts from the end.
func TestI15_ASlowSystemDelaysOnlyItself(t *testing.T) {
	j := here(t, harness.Hire{})
	j.fault("mail", control.Rule{Kind: control.Delay, Delay: control.Duration(1500 * time.Millisecond), For: control.Duration(25 * time.Second)})
	id := j.depart(immediately)
	d := j.until(id, 12*time.Second, "departed, two accounts off", func(d harness.Departure) bool {
		s := d.AccountStates()
		return d.Stage != "pending_departure" && s["finance"] == "disabled" && s["attendance"] == "disabled"
	})
	if s := d.AccountStates()["mail"]; s == "disabled" {
		t.Errorf("mail is %s already: it was not slow", s)
	}
	j.untilPurged(id)
	j.wantActive(false)
}

// I12: a system that says "done" and does nothing is found out; people are asked, shown, and solve it.
func TestI12_ALyingSystemBecomesASupportCase(t *testing.T) {
	j := here(t, harness.Hire{})
	j.fault("attendance", control.Rule{Kind: control.Lie, Match: control.Match{Operation: control.OpDisable}})
	id := j.depart(immediately)
	d := j.until(id, 60*time.Second, "people are asked", func(d harness.Departure) bool { return len(d.Waiting) > 0 && d.AccountsState == "needs_attention" })
	i := slices.IndexFunc(d.Waiting, func(w harness.Waiting) bool { return w.SupportCaseID != "" })
	if i < 0 || d.Waiting[i].Role != "it_ops" {
		t.Fatalf("waiting for %+v, want a support case for it_ops", d.Waiting)
	}
	if s := d.AccountStates(); s["attendance"] != "stuck" || s["mail"] != "disabled" || s["finance"] != "disabled" {
		t.Errorf("accounts %v", s)
	}
	itOps := j.stack.As(j.stack.Staff.ITOps)
	j.calm("attendance")
	if err := itOps.Resolve(j.ctx, d.Waiting[i].SupportCaseID, "retry"); err != nil {
		t.Fatal(err)
	}
	d = j.untilPurged(id)
	if len(d.Waiting) > 0 {
		t.Errorf("still waiting for %+v", d.Waiting)
	}
	j.wantActive(false)
}

// I12: an account that cannot be taken away is settled by two people, and stays shown as waived.
func TestI12_AWaiverNeedsTwoPeople(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	j.fault("finance", control.Rule{Kind: control.Status, Status: 403, Match: control.Match{Operation: control.OpDisable}})
	id := j.depart(immediately)
	d := j.until(id, 60*time.Second, "people are asked", func(d harness.Departure) bool { return d.AccountsState == "needs_attention" && len(d.Waiting) > 0 })
	i := slices.IndexFunc(d.Waiting, func(w harness.Waiting) bool { return w.SupportCaseID != "" })
	if i < 0 {
		t.Fatalf("waiting for %+v, want a support case", d.Waiting)
	}
	kase, itOps := d.Waiting[i].SupportCaseID, j.stack.As(j.stack.Staff.ITOps)
	if err := itOps.Resolve(j.ctx, kase, "waive"); err != nil {
		t.Fatal(err)
	}
	if err := itOps.Confirm(j.ctx, kase); err == nil {
		t.Fatal("who asked for the waiver could confirm it")
	}
	if err := j.stack.As(j.stack.Staff.Reviewer).Confirm(j.ctx, kase); !refusedWith(err, "session_required") {
		t.Fatalf("a reviewer's token confirms: %v", err)
	}
	if d, err := j.hr.Departure(j.ctx, id); err != nil || d.AccountStates()["finance"] != "stuck" {
		t.Fatalf("finance is %s before the second person's word, %v", d.AccountStates()["finance"], err)
	}
	if err := j.stack.ConfirmWaiver(j.ctx, kase); err != nil {
		t.Fatal(err)
	}
	d = j.untilPurged(id)
	if s := d.AccountStates()["finance"]; s != "waived" {
		t.Errorf("finance is %s, want waived", s)
	}
}

// I14: cut connections after the effect, 429 and late effects lead to one effect each.
func TestI14_OneEffectThoughCallsAreCutAndAcceptedForLater(t *testing.T) {
	j := here(t, harness.Hire{})
	disable := control.Match{Operation: control.OpDisable}
	j.fault("mail", control.Rule{Kind: control.CutAfter, Match: disable, Count: 2})
	j.fault("finance", control.Rule{Kind: control.AcceptLater, After: control.Duration(1500 * time.Millisecond), Match: disable, Count: 1})
	j.fault("attendance", control.Rule{Kind: control.Status, Status: 429, RetryAfter: 1, Count: 2})
	id := j.depart(immediately)
	j.until(id, 40*time.Second, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	j.wantActive(false)
	for system := range j.person.Accounts {
		n := 0
		for _, e := range j.effects(system) {
			if e.Op == control.OpDisable && e.Changed {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d effects, want one", system, n)
		}
		stats, err := j.stack.System(system).Stats(j.ctx)
		if err != nil || stats.Deletes > 0 {
			t.Errorf("%s: %d deletes, %v", system, stats.Deletes, err)
		}
	}
}

// I13: an unlinking that was asked for as all or nothing gives back what it took when one is stuck.
func TestI13_AllOrNothingGivesBackWhatItTook(t *testing.T) {
	j := here(t, harness.Hire{})
	disable := control.Match{Operation: control.OpDisable}
	j.fault("attendance", control.Rule{Kind: control.Status, Status: 503, Match: disable})
	if _, err := j.stack.As(j.stack.Staff.ITOps).Unlink(j.ctx, j.person.EmployeeID.String(), true); err != nil {
		t.Fatal(err)
	}
	// Attendance refuses for good only after the others were taken, or the order
	// may end before it took anything.
	err := harness.Eventually(j.ctx, 40*time.Second, func() error {
		for _, system := range []string{"mail", "finance"} {
			effects, err := j.stack.System(system).Effects(j.ctx, j.person.Accounts[system])
			if err != nil {
				return err
			}
			if len(changes(effects, control.OpDisable)) == 0 {
				return &stateError{system + " is not taken"}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	j.change("attendance", func(rules []control.Rule) []control.Rule {
		rules = slices.DeleteFunc(rules, func(r control.Rule) bool { return r.Match.EmployeeNo == j.person.No })
		disable.EmployeeNo = j.person.No
		return append(rules, control.Rule{Kind: control.Status, Status: 403, Match: disable})
	})
	err = harness.Eventually(j.ctx, 40*time.Second, func() error {
		var state string
		err := j.stack.Facts.Read(j.ctx).Raw("SELECT state FROM account_operations WHERE employment_id = ?", j.person.EmploymentID).Scan(&state).Error
		if err == nil && state != "compensated" {
			err = &stateError{state}
		}
		return err
	})
	if err != nil {
		t.Fatalf("waiting until it is compensated: %v", err)
	}
	j.wantAsBefore()
}

type stateError struct{ state string }

func (e *stateError) Error() string { return "state " + e.state }
