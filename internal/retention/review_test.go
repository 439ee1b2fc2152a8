package retention

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

const day = 24 * time.Hour

// dueEarly is a CN person who departed today though the employment ended three years ago, so that
// everything is due within the 30 days, and the purge that was ordered.
func dueEarly(t *testing.T, w *world) (person, uuid.UUID) {
	t.Helper()
	p := w.depart(t, w.hire(t, "CN"), w.now(t).Add(-3*365*day))
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("%d purges are open, want 1", len(open))
	}
	return p, open[0]
}

func (w *world) decide(id uuid.UUID, by models.Actor, decision models.Decision) error {
	return w.try(func(tx *database.Tx) error { return Decide(tx, id, by, decision) })
}

func TestI1_WithinThirtyDaysAReviewerMustAgree(t *testing.T) {
	w := newWorld(t)
	p, id := dueEarly(t, w)
	w.expectAll(t, p, "in_review/open")
	if f := w.lookAtPurge(t, id); f.Run || f.WakeIn < 13*day || f.WakeIn > 14*day {
		t.Fatalf("facts of a purge in review: %+v", f)
	}
	if intent, err := w.intent(id); err != nil || intent.Began {
		t.Fatalf("it begins without a review: %+v, %v", intent, err)
	}
	for _, c := range []struct {
		by       models.Actor
		decision models.Decision
		want     error
	}{
		{w.hr, models.DecisionApproved, ErrRoleMayNot},
		{models.Actor{EmployeeID: p.employee, Role: models.RoleReviewer}, models.DecisionApproved, ErrSubject},
		{models.Actor{EmployeeID: w.hr.EmployeeID, Role: models.RoleReviewer}, models.DecisionApproved, ErrSamePerson},
		{w.reviewer, "perhaps", ErrUnknownDecision},
		{w.reviewer, models.DecisionApproved, nil},
		{w.reviewer, models.DecisionApproved, nil},
		{w.reviewer, models.DecisionRejected, ErrNotInReview},
	} {
		if err := w.decide(id, c.by, c.decision); !errors.Is(err, c.want) {
			t.Errorf("%s by %s: %v, want %v", c.decision, c.by.Role, err, c.want)
		}
	}
	if f := w.lookAtPurge(t, id); !f.Run {
		t.Fatalf("an approved purge does not run: %+v", f)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

// Undecided, it waits the 30 days out and goes on: nobody refused, and nothing asks for the review.
func TestI1_UndecidedItWaitsTheThirtyDaysOut(t *testing.T) {
	w := newWorld(t)
	p, id := dueEarly(t, w)
	for _, c := range []struct {
		after, wake time.Duration
		escalated   bool
	}{
		{13 * day, day, false}, {2 * day, 13 * day, true}, {12 * day, day, false}, {2 * day, day, true},
	} {
		w.env.Advance(t, c.after)
		if f := w.lookAtPurge(t, id); f.Run || f.Escalated != c.escalated || f.WakeIn > c.wake || f.WakeIn < c.wake-time.Hour {
			t.Fatalf("facts after another %s: %+v", c.after, f)
		}
	}
	w.env.Advance(t, 2*day)
	if f := w.lookAtPurge(t, id); !f.Run {
		t.Fatalf("facts after 30 days: %+v", f)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

func TestI1_ARuleThatAsksForAReviewIsNotWaitedOut(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DE")
	w.env.Advance(t, 12*365*day)
	w.look(t, p)
	purges, _, err := Purges(context.Background(), w.env.Facts, PurgeFilter{State: models.PurgeInReview})
	if err != nil || len(purges) != 1 || len(purges[0].Categories) != 1 || purges[0].Categories[0] != models.CategorySocialInsurance {
		t.Fatalf("in review: %+v, %v", purges, err)
	}
	review := purges[0].ID
	for _, id := range w.openPurges(t, p) {
		w.lookAtPurge(t, id)
		if err := w.carryOut(id); err != nil {
			t.Fatal(err)
		}
	}
	for category, state := range w.states(t, p) {
		want := "purged/purged"
		if category == models.CategorySocialInsurance {
			want = "in_review/open"
		}
		if state != want {
			t.Errorf("%s is %s, want %s", category, state, want)
		}
	}
	if err := w.decide(review, w.reviewer, models.DecisionApproved); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(review); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

func TestAPurgeLetsGoOfWhatBecameHeldOrWasMoved(t *testing.T) {
	w := newWorld(t)
	p, id := dueEarly(t, w)
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Categories: []models.Category{models.CategoryIdentity}, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	w.exec(t, "UPDATE retention_deadlines SET deadline = lethe_now() + interval '1 year', ledger_entry_id = @entry WHERE departure_id = ? AND category = 'contract'", p.departure)
	w.lookAtPurge(t, id)
	if asked := query[bool](t, w, "SELECT EXISTS (SELECT FROM purge_claims WHERE purge_id = ? AND state = 'open' AND category IN ('identity', 'contract'))", id); asked {
		t.Error("a reviewer is asked about what is held or not due")
	}
	if err := w.decide(id, w.reviewer, models.DecisionApproved); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	for category, state := range w.states(t, p) {
		want := "purged/purged"
		switch category {
		case models.CategoryIdentity:
			want = "held/open"
		case models.CategoryContract:
			want = "scheduled/open"
		}
		if state != want {
			t.Errorf("%s is %s, want %s", category, state, want)
		}
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) })
	if f := w.look(t, p); f.WakeIn == 0 {
		t.Errorf("the moved deadline is not waited for: %+v", f)
	}
	if open := w.openPurges(t, p); len(open) != 1 || open[0] == id {
		t.Errorf("what was released is claimed by %v, the former purge was %s", open, id)
	}
}

func TestAPurgeOfWhatIsAllHeldIsCancelled(t *testing.T) {
	w := newWorld(t)
	p, id := dueEarly(t, w)
	if _, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr}); err != nil {
		t.Fatal(err)
	}
	if intent, err := w.intent(id); err != nil || intent.Began {
		t.Fatalf("it begins under hold: %+v, %v", intent, err)
	}
	if f := w.lookAtPurge(t, id); !f.Done || f.State != models.PurgeCancelled {
		t.Errorf("facts: %+v", f)
	}
	w.expectAll(t, p, "held/open")
}
