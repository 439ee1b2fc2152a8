package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// died is what a mark panics with to end a run as a killed process would.
type died struct{ at string }

// runUntil runs a step and dies at the mark with that number (counted from 0); it returns the mark's
// name, or "" if the run came to its end before.
func (w *world) runUntil(t testing.TB, op models.AccountOperation, step models.AccountStep, mark int) (at string) {
	t.Helper()
	seen := 0
	return w.runTill(t, op, step, func(string) bool { seen++; return seen > mark })
}

// runTill runs a step and dies at the first mark that is meant.
func (w *world) runTill(t testing.TB, op models.AccountOperation, step models.AccountStep, meant func(mark string) bool) (at string) {
	t.Helper()
	mortal := *w.service
	mortal.mark = func(name string) {
		if meant(name) {
			panic(died{name})
		}
	}
	defer func() {
		switch d := recover().(type) {
		case nil:
		case died:
			at = d.at
		default:
			panic(d)
		}
	}()
	if _, err := mortal.RunStep(t.Context(), op.ID, step.ID, w.hooks()); err != nil {
		t.Fatal(err)
	}
	return ""
}

func TestCrashAtEverySubstep(t *testing.T) {
	w := newWorld(t)
	mail := w.targets["mail"]
	only := func(o *UnlinkOrder) { o.Systems = []string{"mail"} }
	for mark := 0; ; mark++ {
		l := w.leaver(t)
		mail.journal = nil
		op := w.unlink(t, l, only)
		at := w.runUntil(t, op, w.step(t, op, "mail"), mark)
		if f := w.drive(t, op); f.State != models.OperationSettled || !f.Done {
			t.Errorf("died %s: unlinking is %s, done %v", at, f.State, f.Done)
		}
		id := l.id("mail")
		if diff := cmp.Diff([]string{"disable " + id, "revoke_sessions " + id, "leave_groups " + id}, mail.changes()); diff != "" {
			t.Errorf("died %s: effects (-want +got):\n%s", at, diff)
		}
		mail.journal = nil
		back, _ := w.relink(t, l, &op.ID)
		backAt := w.runUntil(t, back, w.step(t, back, "mail"), mark)
		if f := w.drive(t, back); f.State != models.OperationSettled || !f.Done {
			t.Errorf("died %s: relink is %s, done %v", backAt, f.State, f.Done)
		}
		if diff := cmp.Diff([]string{"restore " + id}, mail.changes()); diff != "" {
			t.Errorf("died %s: effects (-want +got):\n%s", backAt, diff)
		}
		if h := mail.holder(id); !h.active || len(h.groups) != 2 {
			t.Errorf("died %s: %s", backAt, h)
		}
		if at == "" && backAt == "" {
			if mark < 15 {
				t.Errorf("only %d marks", mark)
			}
			return
		}
	}
}

// I13: whatever a crash left behind, a withdrawal gives everything back and the crashed run, should
// it go on after all, changes nothing.
func TestI13_WithdrawalAfterACrashAtEverySubstep(t *testing.T) {
	w := newWorld(t)
	for mark := 0; ; mark++ {
		l := w.leaver(t)
		w.leave(t, l)
		op := w.unlink(t, l, nil)
		at := w.runUntil(t, op, w.step(t, op, "mail"), mark)
		if at == "" {
			return
		}
		if back, created := w.relink(t, l, nil); created {
			if f := w.facts(t, back); f.Steps[0].WaitFor == 0 && at != "unlink.begin.before" && at != "unlink.finish.after" {
				t.Errorf("died %s: the relink does not wait", at)
			}
			if f := w.drive(t, back); f.State != models.OperationSettled {
				t.Errorf("died %s: relink is %s", at, f.State)
			}
		}
		for _, name := range systems {
			if h := w.targets[name].holder(l.id(name)); !h.active || len(h.groups) != 2 {
				t.Errorf("died %s: %s: %s", at, name, h)
			}
		}
	}
}

func TestConcurrentRunsHaveOneEffect(t *testing.T) {
	w := newWorld(t)
	mail := w.targets["mail"]
	for range 5 {
		l := w.leaver(t)
		mail.journal = nil
		op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
		step := w.step(t, op, "mail")
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if _, err := w.service.RunStep(context.Background(), op.ID, step.ID, w.hooks()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.drive(t, op)
		w.wantAccount(t, l, "mail", models.AccountDisabled)
		got := mail.changes()
		if slices.Sort(got); !cmp.Equal(got, []string{"disable " + l.id("mail"), "leave_groups " + l.id("mail"), "revoke_sessions " + l.id("mail")}) {
			t.Errorf("effects %v", got)
		}
		if until := w.account(t, l, "mail").AttemptOpenUntil; until != nil {
			now, _ := w.env.Facts.Now(t.Context())
			if until.After(now.Add(short.StartToClose + short.HTTPTimeout)) {
				t.Errorf("an attempt stays open until %v", until)
			}
		}
	}
}

// A run that outlived its time is fenced off although nobody took the account over.
func TestARunBeyondItsTimeIsStale(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	slow := *w.service
	slow.mark = func(name string) {
		if name == "unlink.disable.before" {
			w.env.Advance(t, short.StartToClose)
		}
	}
	r, err := slow.RunStep(t.Context(), op.ID, w.step(t, op, "mail").ID, w.hooks())
	if err != nil || r.Outcome != Stale {
		t.Errorf("result %+v, %v", r, err)
	}
	if got := w.targets["mail"].changes(); len(got) > 0 {
		t.Errorf("changed %v", got)
	}
	w.drive(t, op)
	w.wantAccount(t, l, "mail", models.AccountDisabled)
}

func TestACancelledRunIsResumed(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op := w.unlink(t, l, func(o *UnlinkOrder) { o.Systems = []string{"mail"} })
	ctx, cancel := context.WithCancel(t.Context())
	w.targets["mail"].inside = func(string) { cancel() }
	if _, err := w.service.RunStep(ctx, op.ID, w.step(t, op, "mail").ID, w.hooks()); err == nil {
		t.Error("a cancelled run came to a result")
	}
	if tries := w.step(t, op, "mail").Tries; tries != 0 {
		t.Errorf("a cancelled run counts as %d failed tries", tries)
	}
	w.targets["mail"].inside = nil
	w.drive(t, op)
	if got := w.targets["mail"].changes(); len(got) != 3 {
		t.Errorf("effects %v", got)
	}
}

func TestFactsSayWhenToLookAgain(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op := w.unlink(t, l, nil)
	f := w.facts(t, op)
	row := w.operation(t, op.ID)
	if f.WakeIn <= 0 || f.WakeIn > 2*short.ScheduleToClose || row.WakeAt == nil || row.SeenRevision != row.Revision {
		t.Errorf("wakes in %v, row %+v", f.WakeIn, row.Driven)
	}
	w.targets["mail"].fail("disable", fault{before: &connector.Error{Code: connector.CodeUnauthorized}})
	w.drive(t, op)
	if row := w.operation(t, op.ID); row.WakeAt != nil {
		t.Errorf("waits for people, yet wakes at %v", row.WakeAt)
	}
}

func TestPurgedEmployment(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	op := w.unlink(t, l, nil)
	w.run(t, op, w.step(t, op, "mail").ID)
	var category models.EmploymentCategory
	w.tx(t, func(tx *database.Tx) error {
		// The purge's own checks are not what is tested here.
		if err := tx.DB().Exec("SET LOCAL session_replication_role = replica").Error; err != nil {
			return err
		}
		if err := tx.DB().Where("employment_id = ? AND category = ?", l.employment, models.CategoryAccountSnapshot).Take(&category).Error; err != nil {
			return err
		}
		if err := tx.DB().Exec("UPDATE employment_categories SET state = 'purging' WHERE id = ?", category.ID).Error; err != nil {
			return err
		}
		n, err := ClearSnapshots(tx, category.ID)
		if err != nil || n != 1 {
			return fmt.Errorf("cleared %d snapshots, %w", n, err)
		}
		n, err = ClearExternalIDs(tx, l.employment)
		if err != nil || n != 1 {
			return fmt.Errorf("cleared %d external ids, %w", n, err)
		}
		return nil
	})
	if w.account(t, l, "finance").ExternalID == nil {
		t.Error("an open account lost its external id")
	}
	if f := w.drive(t, op); f.State != models.OperationSettled {
		t.Errorf("operation is %s", f.State)
	}
	for _, name := range systems {
		w.wantAccount(t, l, name, models.AccountDisabled)
		w.wantActive(t, l, name, false)
		if w.account(t, l, name).ExternalID != nil {
			t.Errorf("%s: the external id stayed", name)
		}
	}
	var snapshots int64
	w.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM account_snapshots WHERE employment_id = ? AND snapshot_sealed IS NOT NULL", l.employment).Scan(&snapshots)
	if snapshots != 0 {
		t.Errorf("%d snapshots are left", snapshots)
	}
}

func TestUnknownOperationAndStep(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	op, other := w.unlink(t, l, nil), w.unlink(t, w.leaver(t), nil)
	if _, err := w.service.RunStep(t.Context(), other.ID, w.step(t, op, "mail").ID, Hooks{}); !isUnknown(err) {
		t.Errorf("another operation's step: %v", err)
	}
	if err := w.try(func(tx *database.Tx) error {
		_, err := w.service.Facts(tx, w.step(t, op, "mail").ID)
		return err
	}); !isUnknown(err) {
		t.Errorf("facts of an unknown operation: %v", err)
	}
}

func TestLaterDoublesUpToTheLongest(t *testing.T) {
	var got []time.Duration
	for n := 1; n <= 6; n++ {
		got = append(got, later(time.Second, 10*time.Second, n))
	}
	want := []time.Duration{1e9, 2e9, 4e9, 8e9, 10e9, 10e9}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func isUnknown(err error) bool { return errors.Is(err, ErrUnknown) }
