package account

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/models"
)

func TestI12_EveryAccountIsReadBackAsOff(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	f := w.drive(t, op)
	if f.State != models.OperationSettled || !f.Done {
		t.Errorf("operation is %s, done %v; want settled", f.State, f.Done)
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountDisabled)
		w.wantActive(t, l, name, false)
		want := []string{"disable " + l.id(name), "revoke_sessions " + l.id(name), "leave_groups " + l.id(name)}
		if diff := cmp.Diff(want, w.targets[name].changes()); diff != "" {
			t.Errorf("effects at %s (-want +got):\n%s", name, diff)
		}
	}
	var state string
	w.env.Facts.Read(t.Context()).Raw("SELECT accounts_state FROM departures WHERE id = ?", *l.departure).Scan(&state)
	if state != string(models.AccountsSettled) {
		t.Errorf("the departure's accounts are %s", state)
	}
}

func TestI12_ALyingTargetGetsStuck(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["finance"].fail("disable", times(short.Tries, fault{lie: true})...)
	op := w.unlink(t, l, nil)
	if f := w.drive(t, op); f.State != models.OperationNeedsAttention || f.Done || f.WakeIn != 0 {
		t.Errorf("operation is %s, done %v, wakes in %v", f.State, f.Done, f.WakeIn)
	}
	w.wantAccount(t, l, "finance", models.AccountStuck)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].Reason != ReasonStillActive || cases[0].System != "finance" {
		t.Fatalf("cases: %+v", cases)
	}
	keys := w.targets["finance"].keys
	if len(keys) < short.Tries || keys[0] == keys[2] {
		t.Errorf("after a disproved round the idempotency key is the same: %v", keys)
	}
}

func TestI12_ResidueMakesADisabledAccountStuck(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("revoke_sessions", fault{lie: true})
	op := w.unlink(t, l, nil)
	w.drive(t, op)
	w.wantActive(t, l, "mail", false)
	w.wantAccount(t, l, "mail", models.AccountStuck)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].Reason != ReasonResidue {
		t.Fatalf("cases: %+v", cases)
	}
	v, err := Operation(t.Context(), w.env.Facts, op.ID)
	if err != nil {
		t.Fatal(err)
	}
	last := v.Steps[0].Evidence[len(v.Steps[0].Evidence)-1]
	if v.Steps[0].System != "mail" || last.Outcome != outResidue || last.Detail != "sessions:2" {
		t.Errorf("evidence ends with %+v", last)
	}
}

func TestI12_ReEnabledByHandIsSeen(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	mail := w.targets["mail"]
	// The first try disables, then fails at the residue; before the second a person re-enables.
	mail.fail("residue", fault{before: temporary(connector.CodeUnavailable)})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	if r := w.run(t, op, w.step(t, op, "mail").ID); r.Outcome != Retry {
		t.Fatalf("outcome %s", r.Outcome)
	}
	mail.set(l.id("mail"), func(h *holder) { h.active = true })
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	w.wantActive(t, l, "mail", false)
}

func TestI14_OneEffectThoughTheAnswerWasLost(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	cut := fault{after: temporary(connector.CodeConnectionCut)}
	w.targets["mail"].fail("disable", cut)
	w.targets["mail"].fail("revoke_sessions", cut)
	w.targets["finance"].fail("disable", fault{after: temporary(connector.CodeTimeout)})
	op := w.unlink(t, l, nil)
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	for _, name := range systems {
		if n := len(w.targets[name].changes()); n != 3 {
			t.Errorf("%s had %d effects: %v", name, n, w.targets[name].changes())
		}
	}
	keys := w.targets["mail"].keys
	if keys[0] != keys[3] {
		t.Errorf("a repeated call has another idempotency key: %v", keys)
	}
}

func TestI14_UnknownAccounts(t *testing.T) {
	tests := []struct {
		name  string
		shape func(w *world, l *leaver, mail *target)
		want  models.AccountState
		proof string
	}{
		{"seen before, gone now", func(w *world, l *leaver, mail *target) {
			w.exec(t, "UPDATE linked_accounts SET seen_at = lethe_now() WHERE system = 'mail' AND employment_id = ?", l.employment)
			mail.accounts["other"] = mail.accounts[l.id("mail")]
			delete(mail.accounts, l.id("mail"))
		}, models.AccountNotFound, subReadBack},
		{"never seen, found by number", func(_ *world, l *leaver, mail *target) {
			mail.accounts["other"] = mail.accounts[l.id("mail")]
			delete(mail.accounts, l.id("mail"))
		}, models.AccountDisabled, subReadBack},
		{"never seen, nowhere", func(_ *world, l *leaver, mail *target) {
			delete(mail.accounts, l.id("mail"))
		}, models.AccountNotFound, subFind},
		{"never seen, the list is cut", func(_ *world, l *leaver, mail *target) {
			delete(mail.accounts, l.id("mail"))
			mail.fail("find", times(short.Tries, fault{before: temporary(connector.CodeIncompleteList)})...)
		}, models.AccountStuck, subFind},
		{"several carry the number", func(_ *world, l *leaver, mail *target) {
			delete(mail.accounts, l.id("mail"))
			mail.accounts["a"], mail.accounts["b"] = &holder{no: l.no, active: true}, &holder{no: l.no, active: true}
		}, models.AccountStuck, subFind},
		{"the id is another person's", func(_ *world, l *leaver, mail *target) {
			mail.accounts[l.id("mail")].no = "X"
		}, models.AccountStuck, subFind},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			tt.shape(w, l, w.targets["mail"])
			op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
			w.drive(t, op)
			w.wantAccount(t, l, "mail", tt.want)
			v, err := Operation(t.Context(), w.env.Facts, op.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(v.Steps[0].Evidence, func(e models.AccountEvidence) bool { return e.Substep == tt.proof }) {
				t.Errorf("no evidence of %s: %+v", tt.proof, v.Steps[0].Evidence)
			}
			if tt.want == models.AccountStuck && len(w.targets["mail"].changes()) > 0 {
				t.Errorf("something was changed: %v", w.targets["mail"].changes())
			}
		})
	}
}

func TestI15_AFailingTargetDelaysOnlyItself(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("read_back", times(100, fault{before: temporary(connector.CodeUnavailable)})...)
	op := w.unlink(t, l, nil)
	f := w.facts(t, op)
	for _, s := range f.Steps {
		if !s.Run || s.WaitFor != 0 {
			t.Errorf("%s does not run at once: %+v", s.System, s)
		}
		w.run(t, op, s.ID)
	}
	w.wantAccount(t, l, "finance", models.AccountDisabled)
	w.wantAccount(t, l, "attendance", models.AccountDisabled)
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountStuck)
	if op := w.operation(t, op.ID); op.State != models.OperationNeedsAttention {
		t.Errorf("operation is %s", op.State)
	}
}

func TestAcceptedNowDoneLater(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	mail := w.targets["mail"]
	mail.fail("disable", fault{accept: true})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	step := w.step(t, op, "mail")
	if r := w.run(t, op, step.ID); r.Outcome != Accepted || r.CheckIn < short.AcceptedCheck {
		t.Fatalf("result %+v", r)
	}
	w.wantAccount(t, l, "mail", models.AccountAccepted)
	// Asked too early, it neither looks nor counts.
	if r := w.run(t, op, step.ID); r.Outcome != Accepted || r.CheckIn <= 0 {
		t.Fatalf("result %+v", r)
	}
	w.env.Advance(t, short.AcceptedCheck*2)
	if r := w.run(t, op, step.ID); r.Outcome != Accepted {
		t.Fatalf("result %+v", r)
	}
	mail.land()
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	if want := []string{"revoke_sessions " + l.id("mail"), "leave_groups " + l.id("mail"), "disable " + l.id("mail")}; !cmp.Equal(mail.changes(), want) {
		t.Errorf("effects %v", mail.changes())
	}
}

func TestAcceptedAndNeverDoneGetsStuck(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("disable", fault{accept: true})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	w.drive(t, op)
	cases := w.openCases(t, op)
	if len(cases) != 1 || cases[0].Reason != ReasonNotCarriedOut {
		t.Fatalf("cases: %+v", cases)
	}
}

func TestPermanentFaultsAskPeopleAtOnce(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("disable", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	if r := w.run(t, op, w.step(t, op, "mail").ID); r.Outcome != Stuck {
		t.Errorf("outcome %s", r.Outcome)
	}
	if cases := w.openCases(t, op); len(cases) != 1 || cases[0].Reason != string(connector.CodeUnauthorized) {
		t.Errorf("cases: %+v", cases)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.targets["mail"].fail("disable", fault{before: &connector.Error{Code: connector.CodeRateLimited, Temporary: true, RetryAfter: 7e9}})
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	if r := w.run(t, op, w.step(t, op, "mail").ID); r.Outcome != Retry || r.CheckIn != 7e9 {
		t.Errorf("result %+v", r)
	}
}

func TestDetachLeavesTheAccountAsItIs(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems, o.Mode = []string{"mail"}, models.ModeDetach })
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDetached)
	w.wantActive(t, l, "mail", true)
	if got := w.targets["mail"].changes(); len(got) > 0 {
		t.Errorf("changed %v", got)
	}
}
