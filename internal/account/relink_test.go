package account

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

func TestWithdrawalGivesBackInReverseOrder(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.changes = nil
	op, created := w.relink(t, l, nil)
	if !created {
		t.Fatal("nothing to relink")
	}
	f := w.facts(t, op)
	for i, s := range f.Steps {
		if s.Run != (i == 0) {
			t.Errorf("step %d (%s) runs: %v", i, s.System, s.Run)
		}
	}
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	if diff := cmp.Diff([]string{"restore attendance", "restore finance", "restore mail"}, w.changes); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountRelinked)
		if h := w.targets[name].holder(l.id(name)); !h.active || len(h.groups) != 2 {
			t.Errorf("%s: %s", name, h)
		}
	}
}

func TestAnAccountThatWasOffBeforeStaysOff(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	mail := w.targets["mail"]
	mail.set(l.id("mail"), func(h *holder) { h.active = false })
	// The snapshot is from before the first effect, however often the step is tried.
	mail.fail("disable", fault{after: temporary(connector.CodeTimeout)})
	mail.fail("residue", fault{before: temporary(connector.CodeTimeout)})
	w.drive(t, w.unlink(t, l, nil))
	op, _ := w.relink(t, l, nil)
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	if h := mail.holder(l.id("mail")); h.active || len(h.groups) != 2 {
		t.Errorf("mail: %s", h)
	}
}

func TestARetryNeverOverwritesTheSnapshot(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.targets["mail"].fail("revoke_sessions", times(2, fault{before: temporary(connector.CodeUnavailable)})...)
	w.drive(t, w.unlink(t, l, nil))
	op, _ := w.relink(t, l, nil)
	w.drive(t, op)
	if h := w.targets["mail"].holder(l.id("mail")); !h.active || len(h.groups) != 2 {
		t.Errorf("mail: %s", h)
	}
}

func TestWithdrawnBeforeAnythingWasTouched(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	unlinking := w.unlink(t, l, nil)
	if _, created := w.relink(t, l, nil); created {
		t.Error("a relink was created for untouched accounts")
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountLinked)
	}
	if f := w.facts(t, unlinking); f.State != models.OperationSuperseded || !f.Done {
		t.Errorf("unlinking is %s, done %v", f.State, f.Done)
	}
	if r := w.run(t, unlinking, w.step(t, unlinking, "mail").ID); r.Outcome != Stale {
		t.Errorf("a step of a superseded operation: %s", r.Outcome)
	}
	w.wantActive(t, l, "mail", true)
}

func TestWithdrawalLeavesAloneWhatWasUnlinkedApart(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.drive(t, w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"finance"} }))
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	op, _ := w.relink(t, l, nil)
	w.drive(t, op)
	w.wantActive(t, l, "finance", false)
	w.wantActive(t, l, "mail", true)
}

func TestDepartureTakesOverAStandaloneUnlinking(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("residue", times(2, fault{before: temporary(connector.CodeTimeout)})...)
	alone := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail", "finance"} })
	w.run(t, alone, w.step(t, alone, "finance").ID)
	w.run(t, alone, w.step(t, alone, "mail").ID)
	var running *AlreadyRunningError
	if _, _, err := w.tryUnlink(l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} }); !errors.As(err, &running) || running.OperationID != alone.ID {
		t.Errorf("a second order: %v", err)
	}
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	again, created, err := w.tryUnlink(l, nil)
	if err != nil || created || again.ID != op.ID {
		t.Errorf("the same departure again: %v %v %v", again.ID, created, err)
	}
	if f := w.facts(t, op); len(f.Steps) != 3 {
		t.Errorf("the departure has %d steps, want mail and attendance, and the question to finance", len(f.Steps))
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	if s := w.operation(t, alone.ID).State; s != models.OperationSuperseded {
		t.Errorf("the stand-alone operation is %s", s)
	}
	// The state from before the first effect was taken by the operation that was superseded.
	back, _ := w.relink(t, l, nil)
	w.drive(t, back)
	if h := w.targets["mail"].holder(l.id("mail")); !h.active || len(h.groups) != 2 {
		t.Errorf("mail: %s", h)
	}
}

// I13: a run of the unlinking that comes back late neither undoes the relink nor changes a state.
func TestI13_ALateAttemptNeverUndoesARelink(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	mail := w.targets["mail"]
	unlinking := w.unlink(t, l, nil)
	entered, release := make(chan struct{}), make(chan struct{})
	w.service.mark = func(name string) {
		if name == "unlink.disable.before" { // before the fence, with the word given
			close(entered)
			<-release
		}
	}
	late := make(chan Result)
	step := w.step(t, unlinking, "mail")
	go func() {
		r, _ := w.service.RunStep(t.Context(), unlinking.ID, step.ID, w.hooks())
		late <- r
	}()
	<-entered
	other := *w.service
	other.mark = func(string) {}
	w.service = &other

	op, _ := w.relink(t, l, nil)
	f := w.facts(t, op)
	if len(f.Steps) != 1 || f.Steps[0].WaitFor <= 0 || f.Steps[0].WaitFor > short.StartToClose+short.HTTPTimeout {
		t.Errorf("the relink does not wait for the late attempt: %+v", f.Steps)
	}
	if r := w.run(t, op, f.Steps[0].ID); r.Outcome != Retry || r.CheckIn <= 0 {
		t.Errorf("run while the old attempt may act: %+v", r)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	close(release)
	if r := <-late; r.Outcome != Stale {
		t.Errorf("the late attempt came to %s", r.Outcome)
	}
	w.wantActive(t, l, "mail", true)
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	if got := mail.changes(); len(got) > 0 {
		t.Errorf("changed %v", got)
	}
}

// Two runs of one step: when the later one has finished, the earlier one may still be in the middle of
// a call, and a relink has to wait for it.
func TestI13_ARelinkWaitsForAnEarlierRunOfAFinishedStep(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	step := w.step(t, op, "mail")
	mail := w.targets["mail"]
	entered, release, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	mail.inside = func(string) { // past the fence: this call reaches the target whatever we do
		if first.CompareAndSwap(false, true) {
			close(entered)
			<-release
		}
	}
	go func() {
		defer close(left)
		_, _ = w.service.RunStep(t.Context(), op.ID, step.ID, w.hooks())
	}()
	<-entered
	if r := w.run(t, op, step.ID); r.Outcome != Done {
		t.Fatalf("the later run: %+v", r)
	}
	back, _ := w.relink(t, l, nil)
	at := slices.IndexFunc(w.facts(t, back).Steps, func(s StepFacts) bool { return s.System == "mail" })
	if f := w.facts(t, back); f.Steps[at].WaitFor <= 0 {
		t.Errorf("the relink does not wait for the earlier run: %+v", f.Steps)
	}
	close(release)
	<-left
	w.drive(t, back)
	w.wantActive(t, l, "mail", true)
}

// A run that loses its fence returns at once and the relink need not wait for its time to be over.
func TestARelinkIsWokenWhenTheOldRunReturns(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	unlinking := w.unlink(t, l, nil)
	var op models.AccountOperation
	w.targets["mail"].inside = func(call string) {
		if call == "disable" {
			op, _ = w.relink(t, l, nil)
		}
	}
	if r := w.run(t, unlinking, w.step(t, unlinking, "mail").ID); r.Outcome != Stale {
		t.Fatalf("outcome %s", r.Outcome)
	}
	op = w.operation(t, op.ID)
	if op.Revision < 2 {
		t.Error("the relink was not touched")
	}
	if f := w.facts(t, op); f.Steps[0].WaitFor != 0 {
		t.Errorf("the relink waits %v", f.Steps[0].WaitFor)
	}
	w.drive(t, op)
	w.wantActive(t, l, "mail", true)
	want := []string{"disable " + l.id("mail"), "restore " + l.id("mail")}
	if diff := cmp.Diff(want, w.targets["mail"].changes()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestI13_ADeferredDisableNeverUndoesARelink(t *testing.T) {
	for _, lands := range []string{"while the relink waits", "after the restore", "never"} {
		t.Run(lands, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			w.leave(t, l)
			mail := w.targets["mail"]
			mail.fail("disable", fault{accept: true})
			unlinking := w.unlink(t, l, nil)
			w.run(t, unlinking, w.step(t, unlinking, "mail").ID)
			op, _ := w.relink(t, l, nil)
			step := w.step(t, op, "mail")
			if r := w.run(t, op, step.ID); r.Outcome != Accepted {
				t.Fatalf("the relink did not wait: %+v", r)
			}
			switch lands {
			case "while the relink waits":
				mail.land()
			case "after the restore":
				for w.step(t, op, "mail").State != models.StepDone && !w.restoreTried(t, step.ID) {
					w.env.Advance(t, 20*time.Second)
					w.run(t, op, step.ID)
				}
				mail.land()
			}
			w.drive(t, op)
			w.wantAccount(t, l, "mail", models.AccountRelinked)
			w.wantActive(t, l, "mail", true)
		})
	}
}

func (w *world) restoreTried(t *testing.T, step uuid.UUID) bool {
	var n int64
	w.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM account_evidence WHERE step_id = ? AND substep = 'restore'", step).Scan(&n)
	return n > 0
}

func TestAnUnlinkingSupersedesARelink(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	first := w.unlink(t, l, nil)
	w.drive(t, first)
	w.targets["attendance"].fail("restore", fault{accept: true})
	back, _ := w.relink(t, l, &first.ID)
	w.run(t, back, w.step(t, back, "attendance").ID)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	if s := w.operation(t, back.ID).State; s != models.OperationSuperseded {
		t.Errorf("the relink is %s", s)
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountDisabled)
		w.wantActive(t, l, name, false)
	}
}

// I12: a restore that was accepted before the unlinking and comes after it is seen.
func TestI12_ADeferredRestoreIsWatched(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	only := func(o *UnlinkOrder) { o.Systems = []string{"mail"} }
	first := w.unlink(t, l, only)
	w.drive(t, first)
	mail := w.targets["mail"]
	mail.fail("restore", fault{accept: true})
	back, _ := w.relink(t, l, &first.ID)
	w.run(t, back, w.step(t, back, "mail").ID)
	op := w.unlink(t, l, only)
	step := w.step(t, op, "mail")
	if r := w.run(t, op, step.ID); r.Outcome != Accepted {
		t.Fatalf("result %+v", r)
	}
	mail.land()
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	w.wantActive(t, l, "mail", false)
}

// A run that was under way when the departure was taken back keeps the account from being linked at
// once. If it turns out that the account was never there, there is nothing that people could solve.
func TestRelinkOfAnAccountThatWasNeverThereAsksNobody(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	delete(w.targets["mail"].accounts, l.id("mail"))
	op := w.unlink(t, l, nil)
	w.runUntil(t, op, w.step(t, op, "mail"), 2) // dies in the middle
	back, _ := w.relink(t, l, nil)
	w.drive(t, back)
	if cases := w.openCases(t, back); len(cases) > 0 {
		t.Fatalf("cases: %+v", cases)
	}
	w.wantAccount(t, l, "mail", models.AccountRelinked)
}

func TestRelinkOfAGoneAccountAsksPeople(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	delete(w.targets["finance"].accounts, l.id("finance"))
	op, _ := w.relink(t, l, nil)
	w.drive(t, op)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].Reason != ReasonAccountGone {
		t.Fatalf("cases: %+v", cases)
	}
	// Carried on past the stuck one.
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	waiting, err := w.waiting(t, l)
	if err != nil || len(waiting) != 1 || waiting[0].Role != models.RoleITOps {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	// Made anew by hand, under another id.
	w.targets["finance"].accounts["new"] = &holder{no: l.no, active: true}
	w.tx(t, func(tx *database.Tx) error {
		_, err := ResolveCase(tx, cases[0].ID, w.actor(t, models.RoleITOps), models.ResolutionByHand, "")
		return err
	})
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
}

func TestAStandaloneRelinkDoesNotTouchADepartures(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	if _, _, err := w.tryRelink(l, &op.ID); !errors.Is(err, ErrDepartureOwns) {
		t.Errorf("got %v", err)
	}
	w.tx(t, func(tx *database.Tx) error {
		if _, err := Link(tx, l.employment, "mail", "mail", nil); !errors.Is(err, ErrAccessEnded) {
			t.Errorf("linking after the cutoff: %v", err)
		}
		return nil
	})
}

func TestAFailingRelinkDoesNotHoldUpTheOthers(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.targets["attendance"].fail("read_back", times(100, fault{before: temporary(connector.CodeUnavailable)})...)
	op, _ := w.relink(t, l, nil)
	w.run(t, op, w.step(t, op, "attendance").ID)
	f := w.facts(t, op)
	if !f.Steps[1].Run || f.Steps[1].WaitFor != 0 || f.Steps[1].System != "finance" {
		t.Errorf("the next step does not run: %+v", f.Steps)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	w.wantAccount(t, l, "attendance", models.AccountStuck)
}
