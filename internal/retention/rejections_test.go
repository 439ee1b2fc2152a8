package retention

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/models"
)

// laidAside takes a rejected purge's place by a hold of one person, which is released again, and returns
// the purge that follows.
func laidAside(t *testing.T, w *world, p person, id uuid.UUID) uuid.UUID {
	t.Helper()
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.lookAtPurge(t, id); f.State != models.PurgeCancelled {
		t.Fatalf("under hold: %+v", f)
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) })
	return w.nextPurge(t, p)
}

// nextPurge is the one purge that is ordered now.
func (w *world) nextPurge(t *testing.T, p person) uuid.UUID {
	t.Helper()
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("%d purges are open, want 1", len(open))
	}
	w.lookAtPurge(t, open[0])
	return open[0]
}

func (w *world) overrule(t failer, id uuid.UUID, first, second models.Actor) error {
	return w.agreed(t, "purge.overrule", id, first, second, func(tx *database.Tx) error { return Overrule(tx, id, first, second) })
}

// stillRejected wants a purge to take two people other than the rejecters, by the program's rule and by the
// database's, and carries it out by two others.
func (w *world) stillRejected(t *testing.T, p person, id uuid.UUID, rejecters []models.Actor, others []models.Actor) {
	t.Helper()
	if f := w.lookAtPurge(t, id); f.Run || f.State != models.PurgeRejected {
		t.Errorf("it waits for nobody: %+v", f)
	}
	purge := query[models.Purge](t, w, "SELECT * FROM purges WHERE id = ?", id)
	if purge.RejectedBy == nil || purge.RejectedAt == nil {
		t.Errorf("it does not say who rejected it: %+v", purge)
	}
	for _, by := range append(rejecters, others...) {
		if err := w.decide(id, by, models.DecisionApproved); !errors.Is(err, ErrRejected) {
			t.Errorf("one person approves it: %v", err)
		}
	}
	forged := func(first, second any) string {
		t.Helper()
		err := w.try(func(tx *database.Tx) error {
			err := tx.DB().Exec("UPDATE purges SET state = 'in_review', decision = 'approved', decided_by = ?, confirmed_by = ? WHERE id = ?", first, second, id).Error
			if err == nil {
				err = tx.DB().Exec("UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE id IN (SELECT category_id FROM purge_claims WHERE purge_id = ?)", id).Error
			}
			return database.Hide(err)
		})
		return database.Code(err)
	}
	if code := forged(others[0].EmployeeID, nil); code != database.CodeNotPurgeable {
		t.Errorf("by one, with SQL: %q", code)
	}
	for _, r := range rejecters {
		for _, pair := range [][2]models.Actor{{r, others[0]}, {others[0], r}} {
			if err := w.overrule(t, id, pair[0], pair[1]); !errors.Is(err, ErrSamePerson) {
				t.Errorf("a rejecter approves it after all: %v", err)
			}
			if code := forged(pair[0].EmployeeID, pair[1].EmployeeID); code != database.CodeNotPurgeable {
				t.Errorf("a rejecter, with SQL: %q", code)
			}
		}
	}
	if err := w.overrule(t, id, others[0], others[1]); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

// TestI1_ARejectionSurvivesAHold: placed and released by HR alone, it does not give the purge back to one
// reviewer, least of all to the one who rejected it.
func TestI1_ARejectionSurvivesAHold(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	next := laidAside(t, w, p, id)
	w.env.Advance(t, 400*day)
	next = laidAside(t, w, p, next)
	w.stillRejected(t, p, next, []models.Actor{w.reviewer}, w.reviewers(t, 2))
}

// TestI1_ARejectionSurvivesAnExtension: at its end two others are asked again.
func TestI1_ARejectionSurvivesAnExtension(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	others := w.reviewers(t, 2)
	until := clock.Today(w.now(t), zone(t, zoneOf["CN"])).AddDays(90)
	err := w.agreed(t, "purge.extend", id, others[0], w.reviewer, func(tx *database.Tx) error { return Extend(tx, id, others[0], w.reviewer, until) })
	if err != nil {
		t.Fatal(err)
	}
	w.env.Advance(t, 92*day)
	w.stillRejected(t, p, w.nextPurge(t, p), []models.Actor{w.reviewer}, others)
}

// rejectedByTwo is a person whose first category one reviewer rejected, and another one the rest, each in a
// purge of its own. Nothing is claimed: a hold that is released now took it.
func rejectedByTwo(t *testing.T, w *world, first, second models.Actor) person {
	t.Helper()
	dueEarly(t, w)
	p, id := dueEarly(t, w)
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Categories: []models.Category{models.CategoryIdentity, models.CategoryContract}, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	w.lookAtPurge(t, id)
	if err := w.decide(id, first, models.DecisionRejected); err != nil {
		t.Fatal(err)
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) })
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 2 {
		t.Fatalf("%d purges are open, want 2", len(open))
	}
	if err := w.decide(open[1], second, models.DecisionRejected); err != nil {
		t.Fatal(err)
	}
	all, err := w.hold(HoldOrder{Everybody: true, Matter: "B", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range open {
		w.lookAtPurge(t, id)
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, all.ID, w.hr, models.Actor{}) })
	w.look(t, p)
	return p
}

// TestI1_WhatDifferentPeopleRejectedStaysApart: three reviewers, of whom two rejected something else each.
// Brought together by a hold on everything, there would be no two of them who could approve it.
func TestI1_WhatDifferentPeopleRejectedStaysApart(t *testing.T) {
	w := newWorld(t)
	three := w.reviewers(t, 3)
	x, y, z := three[0], three[1], three[2]
	p := rejectedByTwo(t, w, x, y)
	open := w.openPurges(t, p)
	if len(open) != 2 {
		t.Fatalf("%d purges are open, want one of each rejecter", len(open))
	}
	for _, id := range open {
		purge := query[models.Purge](t, w, "SELECT * FROM purges WHERE id = ?", id)
		rejecter, other := x, y
		if *purge.RejectedBy == y.EmployeeID {
			rejecter, other = y, x
		}
		if err := w.overrule(t, id, rejecter, z); !errors.Is(err, ErrSamePerson) {
			t.Errorf("a rejecter approves it after all: %v", err)
		}
		if err := w.overrule(t, id, other, z); err != nil {
			t.Errorf("two others: %v", err)
		}
		if err := w.carryOut(id); err != nil {
			t.Error(err)
		}
	}
	w.expectAll(t, p, "purged/purged")
}

// TestI1_EveryRejecterCounts: what two people rejected, each in another purge, takes two others than both.
func TestI1_EveryRejecterCounts(t *testing.T) {
	w := newWorld(t)
	_, former := dueEarly(t, w)
	p, id := rejectedPurge(t, w)
	first := w.reviewers(t, 1)[0]
	w.tx(t, func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindPurge, Action: actionPurgeDecided})
		if err != nil {
			return err
		}
		for _, c := range models.Categories {
			row := models.PurgeRejection{CategoryID: w.categoryID(t, p, c), PurgeID: former, RejectedBy: &first.EmployeeID, LedgerEntryID: &entry}
			if err := tx.DB().Create(&row).Error; err != nil {
				return database.Hide(err)
			}
		}
		return nil
	})
	w.stillRejected(t, p, laidAside(t, w, p, id), []models.Actor{w.reviewer, first}, w.reviewers(t, 2))
}

// TestI1_ARejectionIsOfOneEmployment: it survives an annulment and a second departure of the employment, and
// does not reach the next one.
func TestI1_ARejectionIsOfOneEmployment(t *testing.T) {
	w := newWorld(t)
	p, _ := rejectedPurge(t, w)
	w.tx(t, func(tx *database.Tx) error {
		if err := Cancel(tx, p.departure, w.hr); err != nil {
			return err
		}
		if err := archive.EndEmployment(tx, p.employment, nil, databasetest.Entry(t, tx)); err != nil {
			return err
		}
		if err := archive.SetStatus(tx, p.employee, models.StatusActive); err != nil {
			return err
		}
		err := database.UpdateOne(tx.DB().Exec("UPDATE departures SET stage = 'annulled', annulled_at = lethe_now() WHERE id = ?", p.departure))
		return errors.Join(err, databasetest.Told(tx, p.departure))
	})
	again := w.depart(t, p, w.now(t).Add(-3*365*day))
	second := w.hireAs(t, "CN", p.number, clock.DateOf(w.now(t)).AddDays(1))
	second = w.depart(t, second, w.now(t).Add(2*day-3*365*day))
	if err := w.decide(w.nextPurge(t, second), w.reviewer, models.DecisionApproved); err != nil {
		t.Errorf("of the next employment: %v", err)
	}
	w.stillRejected(t, again, w.nextPurge(t, again), []models.Actor{w.reviewer}, w.reviewers(t, 2))
}

// TestI1_ARejectionSurvivesItsRejecter: who was disabled meanwhile still counts (I32), with a login or without.
func TestI1_ARejectionSurvivesItsRejecter(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	w.exec(t, "INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (gen_random_uuid(), ?, 'gone', 'disabled', @entry)", w.reviewer.EmployeeID)
	next := laidAside(t, w, p, id)
	w.stillRejected(t, p, next, []models.Actor{w.reviewer}, w.reviewers(t, 2))
}

// TestI1_TheDatabaseKeepsRejections: with SQL alone nobody takes one back, and a purge is not rejected without.
func TestI1_TheDatabaseKeepsRejections(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	_, other := dueEarly(t, w)
	for name, c := range map[string]struct{ sql, want string }{
		"deleted":        {"DELETE FROM purge_rejections", database.CodeAppendOnly},
		"changed":        {"UPDATE purge_rejections SET rejected_by = NULL", database.CodeAppendOnly},
		"invented":       {"INSERT INTO purge_rejections (category_id, purge_id) SELECT category_id, purge_id FROM purge_claims WHERE purge_id = '" + other.String() + "'", "LT013"},
		"not kept":       {"UPDATE purges SET state = 'rejected', decision = 'rejected', rejected_at = lethe_now(), decision_entry_id = @entry WHERE id = '" + other.String() + "'", "LT013"},
		"without a hold": {"UPDATE purges SET state = 'cancelled' WHERE id = '" + id.String() + "'", ""},
	} {
		err := databasetest.Exec(t, w.env.Facts, c.sql)
		if code := database.Code(err); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	// Whatever became of the purge, its categories are not free; nor is another purge that claims them.
	w.exec(t, "UPDATE purge_claims SET state = 'left' WHERE purge_id = ?", id)
	w.env.Advance(t, 400*day)
	another := uuid.New()
	by := w.reviewers(t, 1)[0].EmployeeID
	w.tx(t, func(tx *database.Tx) error {
		entry := databasetest.Entry(t, tx)
		return errors.Join(
			tx.DB().Exec(`INSERT INTO purges (id, departure_id, employment_id, state, ledger_entry_id)
				SELECT ?, departure_id, employment_id, 'claimed', ? FROM purges WHERE id = ?`, another, entry, id).Error,
			tx.DB().Exec(`INSERT INTO purge_claims (purge_id, departure_id, category_id, category)
				SELECT ?, departure_id, category_id, category FROM purge_claims WHERE purge_id = ?`, another, id).Error,
			tx.DB().Exec("UPDATE purges SET decision = 'approved', decided_by = ?, decision_entry_id = ? WHERE id = ?", by, entry, another).Error)
	})
	for _, c := range models.Categories {
		if query[bool](t, w, "SELECT lethe_purgeable(?)", w.categoryID(t, p, c)) {
			t.Errorf("%s may be destroyed", c)
		}
	}
}

// TestI1_APurgeLetsGoOfWhatWasRejectedBefore: one from before rejections stayed claims such a category, even
// approved. It holds the rest no longer up than that, and the category waits for two others in one of its own.
func TestI1_APurgeLetsGoOfWhatWasRejectedBefore(t *testing.T) {
	w := newWorld(t)
	_, former := dueEarly(t, w)
	p, id := dueEarly(t, w)
	others := w.reviewers(t, 3)
	category := w.categoryID(t, p, models.CategoryIdentity)
	w.tx(t, func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindPurge, Action: actionPurgeDecided})
		if err != nil {
			return err
		}
		row := models.PurgeRejection{CategoryID: category, PurgeID: former, RejectedBy: &w.reviewer.EmployeeID, LedgerEntryID: &entry}
		return database.Hide(tx.DB().Create(&row).Error)
	})
	if err := w.decide(id, others[0], models.DecisionApproved); err != nil {
		t.Fatal(err)
	}
	if query[bool](t, w, "SELECT lethe_purgeable(?)", category) {
		t.Error("the database lets what was rejected be destroyed")
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	for c, state := range w.states(t, p) {
		want := "purged/purged"
		if c == models.CategoryIdentity {
			want = "scheduled/open"
		}
		if state != want {
			t.Errorf("%s is %s, want %s", c, state, want)
		}
	}
	w.stillRejected(t, p, w.nextPurge(t, p), []models.Actor{w.reviewer}, others)
}
