package journey

import (
	"errors"
	"slices"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/models"
	"lethe/sandbox/control"
)

// I13: a withdrawal before the cutoff leaves the accounts as they are.
func TestI13_WithdrawalBeforeTheCutoffTouchesNoAccount(t *testing.T) {
	j := here(t, harness.Hire{})
	id := j.depart(j.today(time.Hour))
	j.until(id, 10*time.Second, "pending", func(d harness.Departure) bool { return d.Stage == "pending_departure" })
	j.withdraw(id)
	d := j.until(id, 20*time.Second, "withdrawn", func(d harness.Departure) bool { return d.Stage == "withdrawn" })
	if d.AccountsState != "linked" {
		t.Errorf("accounts are %s, want linked", d.AccountsState)
	}
	wantEvents(t, d, "departure_started", "withdrawn")
	j.wantActive(true)
	for system := range j.person.Accounts {
		if effects := j.effects(system); len(effects) > 0 {
			t.Errorf("%s: the account was touched: %v", system, effects)
		}
	}
}

// I13: a withdrawal after the unlinking gives back what the snapshots hold, in reverse order, and
// the employee may leave again.
func TestI13_WithdrawalGivesTheAccountsBackInReverseOrder(t *testing.T) {
	j := here(t, harness.Hire{})
	id := j.depart(j.today(0))
	j.until(id, 30*time.Second, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	j.wantActive(false)
	j.withdraw(id)
	d := j.until(id, 40*time.Second, "relinked", func(d harness.Departure) bool { return d.AccountsState == "relinked" })
	wantEvents(t, d, "unlinking_started", "accounts_settled", "withdrawn", "relinking_started", "accounts_relinked")
	j.wantAsBefore()
	j.wantReverseOrder()
	if next := j.depart(j.today(time.Hour)); next == id {
		t.Error("leaving again is the same departure")
	}
}

// I13: a withdrawal overtakes an unlinking that hangs in one system.
func TestI13_WithdrawalOvertakesAnUnlinking(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	j.fault("finance", control.Rule{Kind: control.Status, Status: 503, Match: control.Match{Operation: control.OpDisable}})
	id := j.depart(j.today(0))
	j.until(id, 30*time.Second, "two of three are off", func(d harness.Departure) bool {
		s := d.AccountStates()
		return s["mail"] == "disabled" && s["attendance"] == "disabled" && s["finance"] != "disabled"
	})
	j.withdraw(id)
	j.calm("finance")
	j.until(id, 40*time.Second, "relinked", func(d harness.Departure) bool { return d.AccountsState == "relinked" })
	j.wantAsBefore()
}

// An annulment needs a second person, gives everything back, and nothing is purged.
func TestI13_AnnulmentByTwoPeopleGivesEverythingBack(t *testing.T) {
	j := here(t, harness.Hire{KnownIDs: true})
	// Whoever decides has logged in before: the first deadline comes seconds after the departure.
	asker, err := j.stack.SessionOf(j.ctx, j.stack.Staff.HRPerson, models.RoleReviewer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.stack.Reviewer(j.ctx); err != nil {
		t.Fatal(err)
	}
	j.fault("mail", control.Rule{Kind: control.Delay, Delay: control.Duration(500 * time.Millisecond)})
	id := j.depart(immediately)
	// What is agreed to is bound to the stage: it must not turn while people decide.
	j.until(id, 20*time.Second, "departed", func(d harness.Departure) bool { return d.Stage == "departed" })
	if err := j.hr.AskAnnulment(j.ctx, id, "the wrong person"); err != nil {
		t.Fatal(err)
	}
	if err := asker.ConfirmAnnulment(j.ctx, id); !refusedWith(err, "same_person") {
		t.Fatalf("the person who asked confirms as a reviewer: %v", err)
	}
	if err := j.stack.As(j.stack.Staff.Reviewer).ConfirmAnnulment(j.ctx, id); !refusedWith(err, "session_required") {
		t.Fatalf("a reviewer's token confirms: %v", err)
	}
	if err := j.stack.ConfirmAnnulment(j.ctx, id); err != nil {
		t.Fatal(err)
	}
	d := j.until(id, 40*time.Second, "annulled", func(d harness.Departure) bool {
		return d.Stage == "annulled" && (d.AccountsState == "relinked" || d.AccountsState == "linked")
	})
	j.wantAsBefore()
	time.Sleep(6 * time.Second) // the first deadline would have passed
	d, err = j.hr.Departure(j.ctx, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range d.Retention {
		if r.State != "cancelled" {
			t.Errorf("%s is %s, want cancelled", r.Category, r.State)
		}
	}
	if all, err := j.hr.Certificates(j.ctx, id); err != nil || len(all) > 0 {
		t.Errorf("%d certificates of an annulled departure, %v", len(all), err)
	}
}

func (j *journey) withdraw(id string) {
	j.Helper()
	if err := j.stack.Withdraw(j.ctx, id, "stays after all"); err != nil {
		j.Fatalf("withdrawing: %v", err)
	}
}

// refusedWith says whether the API refused with a code.
func refusedWith(err error, code string) bool {
	var refused *harness.RefusedError
	return errors.As(err, &refused) && refused.Code == code
}

func (j *journey) effects(system string) []control.Effect {
	j.Helper()
	effects, err := j.stack.System(system).Effects(j.ctx, j.person.Accounts[system])
	if err != nil {
		j.Fatal(err)
	}
	return effects
}

// wantAsBefore checks that every account is active and in the groups that it was planted with.
func (j *journey) wantAsBefore() {
	j.Helper()
	j.wantActive(true)
	for system, id := range j.person.Accounts {
		a, err := j.stack.System(system).Account(j.ctx, id)
		if err != nil {
			j.Fatal(err)
		}
		if want := []string{"staff", "team-" + system}; !slices.Equal(a.Groups, want) {
			j.Errorf("%s: groups %v, want %v", system, a.Groups, want)
		}
	}
}

// wantReverseOrder checks that the account that was linked last came back first.
func (j *journey) wantReverseOrder() {
	j.Helper()
	var last time.Time
	for _, system := range slices.Backward(harness.SystemNames) {
		effects := j.effects(system)
		i := slices.IndexFunc(effects, func(e control.Effect) bool { return e.Op == control.OpEnable && e.Changed })
		if i < 0 {
			j.Errorf("%s: nothing gave the account back", system)
			continue
		}
		if effects[i].At.Before(last) {
			j.Errorf("%s came back before one that was linked after it", system)
		}
		last = effects[i].At
	}
}

// fault adds a fault that only this person's account meets; calm takes this person's faults away.
func (j *journey) fault(system string, rule control.Rule) {
	j.Helper()
	rule.Match.EmployeeNo = j.person.No
	j.change(system, func(rules []control.Rule) []control.Rule { return append(rules, rule) })
}

func (j *journey) calm(system string) {
	j.Helper()
	j.change(system, func(rules []control.Rule) []control.Rule {
		return slices.DeleteFunc(rules, func(r control.Rule) bool { return r.Match.EmployeeNo == j.person.No })
	})
}

func (j *journey) change(system string, edit func([]control.Rule) []control.Rule) {
	j.Helper()
	faultsLock.Lock()
	defer faultsLock.Unlock()
	c := j.stack.System(system)
	faults, err := c.Faults(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	faults.Rules = edit(faults.Rules)
	if err := c.SetFaults(j.ctx, faults); err != nil {
		j.Fatal(err)
	}
}
