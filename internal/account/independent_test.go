package account

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/models"
)

var mailOnly = func(o *UnlinkOrder) { o.Systems = []string{"mail"} }

// A group that the system keeps for itself answers 403 for ever: sessions and tokens end all the same,
// and so does whatever else can be done.
func TestI12_EachStepIsTakenWhateverBecomesOfTheOthers(t *testing.T) {
	for _, failing := range []string{subDisable, subRevoke, subLeave} {
		for name, f := range map[string]fault{
			"refused": {before: &connector.Error{Code: connector.CodeUnauthorized}},
			"away":    {before: temporary(connector.CodeUnavailable)},
		} {
			w := newWorld(t)
			l := w.leaver(t)
			w.targets["mail"].fail(failing, times(2*short.Tries, f)...)
			op := w.unlink(t, l, mailOnly)
			w.drive(t, op)
			var want []string
			for _, step := range []string{subDisable, subRevoke, subLeave} {
				if step != failing {
					want = append(want, step+" "+l.id("mail"))
				}
			}
			if diff := cmp.Diff(want, w.targets["mail"].changes()); diff != "" {
				t.Errorf("%s %s: effects (-want +got):\n%s", failing, name, diff)
			}
			w.wantAccount(t, l, "mail", models.AccountStuck)
			reason := string(f.before.Code)
			if name == "refused" && failing != subDisable {
				reason = ReasonResidue // which says what is left
			}
			if cases := w.openCases(t, op); len(cases) != 1 || cases[0].Reason != reason {
				t.Errorf("%s %s: cases %+v, want %s", failing, name, cases, reason)
			}
		}
	}
}

// The list of groups fails before the cut: the access ends, and what the snapshot lacks is added as
// soon as it can be read, before the groups are left.
func TestI12_TheSnapshotNeverDelaysTheCut(t *testing.T) {
	away := fault{before: temporary(connector.CodeUnavailable)}
	for name, tt := range map[string]struct {
		call    string
		fails   int
		outcome string
		back    models.AccountState
		reason  string
	}{
		"groups, for a moment": {"snapshot_groups", 1, outPartial, models.AccountRelinked, ""},
		"groups, for ever":     {"snapshot_groups", 100, outPartial, models.AccountRelinking, ReasonPartial},
		"all, for a moment":    {"snapshot", 1, outPartial, models.AccountRelinked, ""},
		"all, for ever":        {"snapshot", 100, outFailed, models.AccountRelinking, ReasonNoSnapshot},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			mail := w.targets["mail"]
			mail.fail(tt.call, times(tt.fails, away)...)
			op := w.unlink(t, l, mailOnly)
			if r := w.run(t, op, w.step(t, op, "mail").ID); r.Outcome != Done {
				t.Errorf("outcome %s: the snapshot delayed the cut", r.Outcome)
			}
			w.wantActive(t, l, "mail", false)
			w.wantAccount(t, l, "mail", models.AccountDisabled)
			v, err := Operation(t.Context(), w.env.Facts, op.ID)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(v.Steps[0].Evidence, func(e models.AccountEvidence) bool {
				return e.Substep == subSnapshot && e.Outcome == tt.outcome && e.Detail != ""
			}) {
				t.Errorf("nothing says what the snapshot lacks: %+v", v.Steps[0].Evidence)
			}
			mail.heal()
			back, _ := w.relink(t, l, &op.ID)
			w.drive(t, back)
			if tt.reason == "" {
				w.wantAccount(t, l, "mail", tt.back)
				if h := mail.holder(l.id("mail")); !h.active || len(h.groups) != 2 {
					t.Errorf("restored: %s", h)
				}
				return
			}
			cases := w.openCases(t, back)
			if len(cases) != 1 || cases[0].Reason != tt.reason {
				t.Fatalf("cases: %+v, want %s", cases, tt.reason)
			}
			mail.set(l.id("mail"), func(h *holder) { h.active = true })
			if err := w.resolve(cases[0].ID, w.actor(t, models.RoleITOps), models.ResolutionByHand); err != nil {
				t.Fatal(err)
			}
			w.drive(t, back)
			w.wantAccount(t, l, "mail", models.AccountRelinked)
		})
	}
}

// TestI10_WhatWasNotReadInTimeIsReadBeforeTheRelink: the target could not be read before the cut, nor did the cut
// get an answer. Nobody has to say how the account was: its groups are there still.
func TestI10_WhatWasNotReadInTimeIsReadBeforeTheRelink(t *testing.T) {
	away := temporary(connector.CodeUnavailable)
	for name, tt := range map[string]struct {
		cut     fault
		again   int // how often it cannot be read afterwards
		reason  string
		healing models.Resolution
	}{
		"and was not made":          {fault{before: away}, 0, "", ""},
		"but was made":              {fault{after: away}, 0, "", ""},
		"and is not read at once":   {fault{after: away}, 2, "", ""},
		"and is not read for ever":  {fault{after: away}, 100, ReasonNoSnapshot, models.ResolutionRetry},
		"nor what became of it all": {fault{before: away}, 100, ReasonNoSnapshot, models.ResolutionRetry},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := w.leaver(t)
			mail := w.targets["mail"]
			mail.fail(subSnapshot, times(1+tt.again, fault{before: away})...)
			mail.fail(subDisable, tt.cut)
			op := w.unlink(t, l, mailOnly)
			if at := w.runTill(t, op, w.step(t, op, "mail"), func(mark string) bool { return mark == "unlink.disable.after" }); at == "" {
				t.Fatal("it did not die after the cut")
			}
			back, _ := w.relink(t, l, &op.ID)
			w.drive(t, back)
			if tt.reason != "" {
				cases := w.openCases(t, back)
				if len(cases) != 1 || cases[0].Reason != tt.reason {
					t.Fatalf("cases: %+v, want %s", cases, tt.reason)
				}
				mail.heal()
				if err := w.resolve(cases[0].ID, w.actor(t, models.RoleITOps), tt.healing); err != nil {
					t.Fatal(err)
				}
				w.drive(t, back)
			}
			w.wantAccount(t, l, "mail", models.AccountRelinked)
			if h := mail.holder(l.id("mail")); !h.active || len(h.groups) != 2 {
				t.Errorf("restored: %s", h)
			}
		})
	}
}

// A target that keeps demo-0050 for DEMO-0050 has the account all the same; unless that is how
// another person's number is written here.
func TestI14_ANumberInAnotherCaseIsTheSamePerson(t *testing.T) {
	for _, linked := range []bool{true, false} {
		w := newWorld(t)
		l := w.leaver(t)
		lower := strings.ToLower(l.no)
		if lower == l.no {
			t.Fatal("the number has no letters")
		}
		w.targets["mail"].set(l.id("mail"), func(h *holder) { h.no = lower })
		if !linked {
			w.exec(t, "UPDATE linked_accounts SET external_id = NULL WHERE employment_id = ? AND system = 'mail'", l.employment)
		}
		op := w.unlink(t, l, mailOnly)
		w.drive(t, op)
		w.wantAccount(t, l, "mail", models.AccountDisabled)
		w.wantActive(t, l, "mail", false)

		other := w.leaver(t)
		w.targets["mail"].set(other.id("mail"), func(h *holder) { h.no = strings.ToLower(other.no) })
		twin := w.person(t)
		// As a former version could give the number out.
		w.exec(t, "ALTER TABLE employees DISABLE TRIGGER employees_key_no")
		w.exec(t, "UPDATE employees SET employee_no = ? WHERE id = ?", strings.ToLower(other.no), twin)
		w.exec(t, "ALTER TABLE employees ENABLE ALWAYS TRIGGER employees_key_no")
		op = w.unlink(t, other, mailOnly)
		w.drive(t, op)
		w.wantActive(t, other, "mail", true)
		if cases := w.openCases(t, op); len(cases) != 1 || cases[0].Reason != ReasonWrongPerson {
			t.Errorf("cases: %+v", cases)
		}
	}
}

// An account that does not say whether it is active is switched off all the same, and people look.
func TestI12_AnAccountThatCannotBeUnderstoodIsSwitchedOff(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	mail := w.targets["mail"]
	mail.fail("read_back", times(3*short.Tries, fault{unclear: true})...)
	op := w.unlink(t, l, mailOnly)
	w.drive(t, op)
	if h := mail.holder(l.id("mail")); h.active || len(h.groups)+h.sessions > 0 {
		t.Errorf("left as %s", h)
	}
	w.wantAccount(t, l, "mail", models.AccountStuck)
	if cases := w.openCases(t, op); len(cases) != 1 || cases[0].Reason != string(connector.CodeBadAnswer) {
		t.Errorf("cases: %+v", cases)
	}
}

// TestI10_WhatPeopleTookAwayIsNoSnapshot: the target could not be read before the cut, and people ended the
// groups by hand. An account without groups is not how it was: people are told.
func TestI10_WhatPeopleTookAwayIsNoSnapshot(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	mail := w.targets["mail"]
	mail.fail(subSnapshot, fault{before: temporary(connector.CodeUnavailable)})
	op := w.unlink(t, l, mailOnly)
	if at := w.runTill(t, op, w.step(t, op, "mail"), func(mark string) bool { return mark == "unlink.disable.after" }); at == "" {
		t.Fatal("it did not die after the cut")
	}
	refused := fault{before: &connector.Error{Code: connector.CodeUnauthorized}}
	mail.fail("find", times(20, refused)...)
	mail.fail("read_back", times(20, refused)...)
	w.drive(t, op)
	cases := w.openCases(t, op)
	if len(cases) != 1 {
		t.Fatalf("cases %+v", cases)
	}
	mail.heal()
	mail.set(l.id("mail"), func(h *holder) { h.active, h.groups, h.sessions = false, nil, 0 })
	if err := w.resolve(cases[0].ID, w.actor(t, models.RoleITOps), models.ResolutionByHand); err != nil {
		t.Fatal(err)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
	back, _ := w.relink(t, l, &op.ID)
	w.drive(t, back)
	if cases := w.openCases(t, back); len(cases) != 1 || cases[0].Reason != ReasonNoSnapshot {
		t.Errorf("cases %+v, want that nobody knows how it was", cases)
	}
}
