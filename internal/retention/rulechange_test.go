package retention

import (
	"errors"
	"sync"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// Between the facts (Run) and the intent a release of the program puts a rule into force that asks for a review.
func TestI2_ARuleThatAsksForAReviewMeanwhileStopsNothing(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	id := w.onePurge(t, p)
	if f := w.lookAtPurge(t, id); !f.Run {
		t.Fatalf("%+v", f)
	}
	w.tx(t, func(tx *database.Tx) error {
		old, err := database.First[models.RetentionRule](tx.DB().Where("jurisdiction = 'DEMO' AND category = 'contract' AND superseded_at IS NULL"))
		if err != nil {
			return err
		}
		next := old
		next.ReviewRequired = true
		return putInForce(tx, "DEMO", map[models.Category]models.RetentionRule{old.Category: old}, []models.RetentionRule{next})
	})
	for range 3 { // what the activity's endless retries do
		if _, err := w.intent(id); err != nil {
			t.Errorf("the activity fails again and again: %v", err)
		}
	}
	state := query[string](t, w, "SELECT state FROM purges WHERE id = ?", id)
	if err := w.decide(id, w.reviewer, models.DecisionApproved); err != nil {
		t.Errorf("a reviewer cannot help: state %s: %v", state, err)
	}
}

// A departure takes effect while a release puts a longer rule into force.
func TestI6_ADeadlineMadeBesideANewRuleFollowsIt(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	w.exec(t, "DELETE FROM retention_deadlines WHERE departure_id = ?", p.departure)
	w.exec(t, "DELETE FROM retentions WHERE id = ?", p.departure)
	dep := query[models.Departure](t, w, "SELECT * FROM departures WHERE id = ?", p.departure)
	blocked, undo := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() { // keeps Schedule between reading the rules and writing the deadlines
		_ = w.try(func(tx *database.Tx) error {
			if _, err := recordDeadlines(tx, dep, "DEMO", nil, nil); err != nil { // with the row of the retention
				t.Error(err)
			}
			close(blocked)
			<-undo
			return errors.New("roll back")
		})
	})
	<-blocked
	group.Go(func() {
		if err := w.try(func(tx *database.Tx) error { return Schedule(tx, dep, "DEMO") }); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(300 * time.Millisecond)
	group.Go(func() {
		err := w.try(func(tx *database.Tx) error { // what InstallRules does with a changed pack
			if err := tx.DB().Exec("LOCK TABLE retention_rules IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
				return err
			}
			old, err := database.First[models.RetentionRule](tx.DB().Where("jurisdiction = 'DEMO' AND category = 'contract' AND superseded_at IS NULL"))
			if err != nil {
				return err
			}
			next := old
			next.Period, next.Floor = "P30D", "P30D"
			return putInForce(tx, "DEMO", map[models.Category]models.RetentionRule{old.Category: old}, []models.RetentionRule{next})
		})
		if err != nil {
			t.Error(err)
		}
	})
	time.Sleep(300 * time.Millisecond)
	close(undo)
	group.Wait()
	in := query[int](t, w, `SELECT count(*) FROM retention_deadlines l JOIN retention_rules r ON r.id = l.rule_id
		WHERE l.departure_id = ? AND r.superseded_at IS NOT NULL`, p.departure)
	if in > 0 {
		t.Errorf("%d deadlines follow a rule that is superseded, %s", in,
			query[time.Time](t, w, "SELECT deadline FROM retention_deadlines WHERE departure_id = ? AND category = 'contract'", p.departure).Sub(w.now(t)))
	}
}

// TestI6_ANewRuleIsFollowedByEveryDeadlineThatRuns: by those that a hold suspends or a reviewer looks at
// just as well; else they would be destroyed by the former rule once let go.
func TestI6_ANewRuleIsFollowedByEveryDeadlineThatRuns(t *testing.T) {
	w := newWorld(t)
	states := map[string]person{"scheduled": {}, "held": {}, "in_review": {}, "cancelled": {}}
	for state := range states {
		p := w.departedNow(t, "CN")
		switch states[state] = p; state {
		case "held":
			if _, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr}); err != nil {
				t.Fatal(err)
			}
		case "in_review", "cancelled":
			w.tx(t, func(tx *database.Tx) error {
				return tx.DB().Exec("UPDATE retention_deadlines SET state = ?, ledger_entry_id = ? WHERE departure_id = ?",
					state, databasetest.Entry(t, tx), p.departure).Error
			})
		}
		w.expectAll(t, p, state+"/open")
	}
	w.tx(t, func(tx *database.Tx) error {
		inForce, err := rulesInForce(tx, "CN")
		if err != nil {
			return err
		}
		next := inForce[models.CategoryContract]
		next.Period, next.Floor = "P9Y", "P9Y"
		return putInForce(tx, "CN", inForce, []models.RetentionRule{next})
	})
	for state, p := range states {
		follows := query[int](t, w, `SELECT count(*) FROM retention_deadlines l JOIN retention_rules r ON r.id = l.rule_id
			WHERE l.departure_id = ? AND l.category = 'contract' AND r.superseded_at IS NULL AND l.deadline > lethe_now() + interval '8 years'`, p.departure)
		if want := 1; state == "cancelled" && follows != 0 || state != "cancelled" && follows != want {
			t.Errorf("%s: %d deadlines follow the new rule", state, follows)
		}
	}
}
