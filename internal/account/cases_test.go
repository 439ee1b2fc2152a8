package account

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

func (w *world) actor(t testing.TB, role models.Role) models.Actor {
	t.Helper()
	return models.Actor{EmployeeID: w.person(t), Role: role}
}

func (w *world) resolve(id uuid.UUID, actor models.Actor, action models.Resolution) error {
	return w.try(func(tx *database.Tx) error {
		c, err := ResolveCase(tx, id, actor, action, "")
		if err == nil && c.DepartureID != nil {
			err = w.derive(tx, *c.DepartureID)
		}
		return err
	})
}

func (w *world) confirm(id uuid.UUID, actor models.Actor) error {
	return w.try(func(tx *database.Tx) error {
		c, err := ConfirmCase(tx, id, actor, "")
		if err == nil && c.DepartureID != nil {
			err = w.derive(tx, *c.DepartureID)
		}
		return err
	})
}

// stuckMail is a departure whose mail account is stuck for good, with its case.
func stuckMail(t *testing.T, w *world) (*leaver, models.AccountOperation, CaseView) {
	t.Helper()
	l := w.leaver(t)
	w.leave(t, l)
	w.targets["mail"].fail("disable", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	cases := w.openCases(t, op)
	if len(cases) != 1 {
		t.Fatalf("cases: %+v", cases)
	}
	return l, op, cases[0]
}

func TestCaseRetry(t *testing.T) {
	w := newWorld(t)
	l, op, c := stuckMail(t, w)
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionRetry); err != nil {
		t.Fatal(err)
	}
	if got := w.operation(t, op.ID); got.State != models.OperationRunning || got.Revision <= got.SeenRevision {
		t.Errorf("operation %s, revision %d seen %d", got.State, got.Revision, got.SeenRevision)
	}
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	w.wantActive(t, l, "mail", false)
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionRetry); !errors.Is(err, ErrCaseClosed) {
		t.Errorf("resolving it again: %v", err)
	}
}

func TestCaseIsDecidedByITAlone(t *testing.T) {
	w := newWorld(t)
	_, _, c := stuckMail(t, w)
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleDepartmentHead, models.RoleSystem} {
		if err := w.resolve(c.ID, w.actor(t, role), models.ResolutionRetry); !errors.Is(err, ErrRoleMayNot) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

func TestCaseResolvedByHandIsReadBackAllTheSame(t *testing.T) {
	w := newWorld(t)
	l, op, c := stuckMail(t, w)
	before := w.targets["mail"].changes()
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionByHand); err != nil {
		t.Fatal(err)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountStuck)
	again := w.openCases(t, op)
	if len(again) != 1 || again[0].ID == c.ID || again[0].Reason != ReasonStillActive {
		t.Fatalf("cases: %+v", again)
	}
	w.targets["mail"].set(l.id("mail"), func(h *holder) { *h = holder{no: l.no} })
	if err := w.resolve(again[0].ID, w.actor(t, models.RoleITOps), models.ResolutionByHand); err != nil {
		t.Fatal(err)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	if got := w.targets["mail"].changes(); len(got) > len(before) {
		t.Errorf("we changed %v after %v", got, before)
	}
}

func TestCaseWaiverTakesTwoPeople(t *testing.T) {
	w := newWorld(t)
	l, op, c := stuckMail(t, w)
	asker := w.actor(t, models.RoleITOps)
	reviewer := w.actor(t, models.RoleReviewer)
	if err := w.confirm(c.ID, reviewer); !errors.Is(err, ErrNoWaiverAsked) {
		t.Errorf("confirming what nobody asked: %v", err)
	}
	if err := w.resolve(c.ID, asker, models.ResolutionWaive); err != nil {
		t.Fatal(err)
	}
	w.wantAccount(t, l, "mail", models.AccountStuck)
	for name, tt := range map[string]struct {
		actor models.Actor
		want  error
	}{
		"the same person":      {models.Actor{EmployeeID: asker.EmployeeID, Role: models.RoleReviewer}, ErrSamePerson},
		"not a reviewer":       {w.actor(t, models.RoleHRAdmin), ErrRoleMayNot},
		"the account's holder": {models.Actor{EmployeeID: l.employee, Role: models.RoleReviewer}, ErrOwnAccount},
	} {
		if err := w.confirm(c.ID, tt.actor); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	waiting, err := w.waiting(t, l)
	if err != nil || len(waiting) != 1 || waiting[0].What != WaitsForWaiver || waiting[0].Role != models.RoleReviewer {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	if err := w.confirm(c.ID, reviewer); err != nil {
		t.Fatal(err)
	}
	w.wantAccount(t, l, "mail", models.AccountWaived)
	if f := w.facts(t, op); f.State != models.OperationSettled || !f.Done {
		t.Errorf("operation is %s", f.State)
	}
}

func TestCaseAbort(t *testing.T) {
	w := newWorld(t)
	_, _, c := stuckMail(t, w)
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionAbort); !errors.Is(err, ErrAbortNotAllowed) {
		t.Errorf("aborting a departure's: %v", err)
	}
	l := w.leaver(t)
	w.targets["mail"].fail("revoke_sessions", fault{lie: true})                                 // touched, stuck on residue
	w.targets["finance"].fail("read_back", fault{before: &connector.Error{Code: "bad_answer"}}) // untouched
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	for _, c := range w.openCases(t, op) {
		if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionAbort); err != nil {
			t.Fatal(err)
		}
	}
	if f := w.drive(t, op); f.State != models.OperationAborted {
		t.Errorf("operation is %s", f.State)
	}
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	w.wantAccount(t, l, "finance", models.AccountLinked)
	w.wantAccount(t, l, "attendance", models.AccountDisabled)
	w.wantActive(t, l, "mail", true)
}

func TestCaseRolesAndActions(t *testing.T) {
	w := newWorld(t)
	l, _, c := stuckMail(t, w)
	if err := w.resolve(c.ID, w.actor(t, models.RoleDepartmentHead), models.ResolutionRetry); !errors.Is(err, ErrRoleMayNot) {
		t.Errorf("a department head: %v", err)
	}
	if err := w.resolve(c.ID, models.Actor{EmployeeID: l.employee, Role: models.RoleITOps}, models.ResolutionRetry); !errors.Is(err, ErrOwnAccount) {
		t.Errorf("the holder: %v", err)
	}
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), "delete"); !errors.Is(err, ErrUnknownAction) {
		t.Errorf("an unknown action: %v", err)
	}
	if err := w.resolve(uuid.New(), w.actor(t, models.RoleITOps), models.ResolutionRetry); !errors.Is(err, database.ErrNotFound) {
		t.Errorf("an unknown case: %v", err)
	}
}

// I13: an all-or-nothing unlinking is the one whose failure gives access back, in reverse order.
func TestI13_AllOrNothingGivesBackOnFailure(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["attendance"].fail("revoke_sessions", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.AllOrNothing = true })
	for _, name := range systems {
		r := w.run(t, op, w.step(t, op, name).ID)
		if name == "attendance" && !(r.OperationStateChanged && r.Reread && !r.OperationEnded) {
			t.Errorf("the failing step: %+v", r)
		}
	}
	if s := w.operation(t, op.ID).State; s != models.OperationCompensating {
		t.Fatalf("operation is %s", s)
	}
	w.changes = nil
	if f := w.drive(t, op); f.State != models.OperationCompensated || !f.Done {
		t.Errorf("operation is %s", f.State)
	}
	if diff := cmp.Diff([]string{"restore attendance", "restore finance", "restore mail"}, w.changes); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountRelinked)
		w.wantActive(t, l, name, true)
	}
	if cases := w.openCases(t, op); len(cases) > 0 {
		t.Errorf("open cases: %+v", cases)
	}
}

func TestI13_OtherwiseAFailureReopensNothing(t *testing.T) {
	w := newWorld(t)
	l, op, _ := stuckMail(t, w)
	w.wantActive(t, l, "finance", false)
	w.wantActive(t, l, "attendance", false)
	if s := w.operation(t, op.ID).State; s != models.OperationNeedsAttention {
		t.Errorf("operation is %s", s)
	}
}

// A waived relink is not a settled account: the next departure has to see it.
func TestI12_AWaivedRelinkIsUnlinkedByTheNextDeparture(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	first := w.unlink(t, l, nil)
	w.drive(t, first)
	w.targets["mail"].fail("restore", fault{after: &connector.Error{Code: connector.CodeConflict}})
	back, _ := w.relink(t, l, &first.ID)
	w.drive(t, back)
	c := w.openCases(t, back)
	if len(c) != 1 {
		t.Fatalf("cases %+v", c)
	}
	if err := w.resolve(c[0].ID, w.actor(t, models.RoleITOps), models.ResolutionWaive); err != nil {
		t.Fatal(err)
	}
	if err := w.confirm(c[0].ID, w.actor(t, models.RoleReviewer)); err != nil {
		t.Fatal(err)
	}
	w.wantActive(t, l, "mail", true)
	w.wantAccount(t, l, "mail", models.AccountRelinked)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.wantActive(t, l, "mail", false)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
}

// A waiver given to a stand-alone unlinking does not count for a departure.
func TestI12_AWaivedAccountIsUnlinkedByTheDeparture(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("disable", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	alone := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	w.drive(t, alone)
	c := w.openCases(t, alone)[0]
	if err := w.resolve(c.ID, w.actor(t, models.RoleITOps), models.ResolutionWaive); err != nil {
		t.Fatal(err)
	}
	if err := w.confirm(c.ID, w.actor(t, models.RoleReviewer)); err != nil {
		t.Fatal(err)
	}
	w.wantAccount(t, l, "mail", models.AccountWaived)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	w.wantActive(t, l, "mail", false)
}

// An operation that turns round waits for the run that is in the middle of a call.
func TestI13_TurningRoundWaitsForRunsUnderWay(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.AllOrNothing = true })
	entered, release, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	w.targets["mail"].inside = func(string) {
		if first.CompareAndSwap(false, true) {
			close(entered)
			<-release
		}
	}
	mail := w.step(t, op, "mail")
	go func() {
		defer close(left)
		_, _ = w.service.RunStep(t.Context(), op.ID, mail.ID, w.hooks())
	}()
	<-entered
	attempt := w.account(t, l, "mail").Attempt
	w.targets["finance"].fail("disable", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	w.run(t, op, w.step(t, op, "finance").ID)
	if now := w.account(t, l, "mail").Attempt; now <= attempt {
		t.Errorf("attempt %d after %d: whoever is in a call may go on", now, attempt)
	}
	if r := w.run(t, op, mail.ID); r.Outcome != Retry || r.CheckIn <= 0 {
		t.Errorf("giving back while the unlinking is in a call: %+v", r)
	}
	close(release)
	<-left
	if f := w.drive(t, op); f.State != models.OperationCompensated {
		t.Errorf("operation is %s", f.State)
	}
	w.wantActive(t, l, "mail", true)
}
