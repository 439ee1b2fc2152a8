package retention

import (
	"errors"
	"sync"
	"testing"
	"time"

	"lethe/internal/database"
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
