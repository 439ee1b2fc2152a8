package retention

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// reviewers are as many as asked for, none of whom began anything.
func (w *world) reviewers(t *testing.T, n int) []models.Actor {
	t.Helper()
	list := make([]models.Actor, n)
	for i := range list {
		list[i] = models.Actor{EmployeeID: w.hire(t, "DE").employee, Role: models.RoleReviewer}
	}
	return list
}

// rejectedPurge is a purge that a reviewer refused, of one of two people who left alike.
func rejectedPurge(t *testing.T, w *world) (person, uuid.UUID) {
	t.Helper()
	dueEarly(t, w)
	p, id := dueEarly(t, w)
	if err := w.decide(id, w.reviewer, models.DecisionRejected); err != nil {
		t.Fatal(err)
	}
	return p, id
}

// TestI1_ARejectedPurgeIsNotWaitedOut: that nobody decides never carries out what somebody refused.
func TestI1_ARejectedPurgeIsNotWaitedOut(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	for _, wait := range []time.Duration{day, 29 * day, 370 * day, 4000 * day} {
		w.env.Advance(t, wait)
		w.look(t, p)
		if f := w.lookAtPurge(t, id); f.Run || f.State != models.PurgeRejected {
			t.Fatalf("after another %s: %+v", wait, f)
		}
		if err := w.carryOut(id); err != nil {
			t.Fatal(err)
		}
		w.expectAll(t, p, "in_review/open")
	}
	if open := w.openPurges(t, p); len(open) != 1 {
		t.Errorf("beside it %d purges were ordered", len(open)-1)
	}
}

// TestI1_TheDatabaseRefusesToBeginARejectedPurge: whatever the program thinks, with SQL alone.
func TestI1_TheDatabaseRefusesToBeginARejectedPurge(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	w.env.Advance(t, 400*day)
	others := w.reviewers(t, 2)
	category := w.categoryID(t, p, models.CategoryIdentity)
	try := func(sql string, args ...any) string {
		t.Helper()
		return database.Code(w.try(func(tx *database.Tx) error { return database.Hide(tx.DB().Exec(sql, args...).Error) }))
	}
	forge := "UPDATE purges SET state = 'in_review', decision = 'approved', decided_by = ?, confirmed_by = ? WHERE id = ?"
	for name, c := range map[string]struct {
		sql  string
		args []any
		want string
	}{
		"the category":        {"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE id = ?", []any{category}, database.CodeNotPurgeable},
		"the purge":           {"UPDATE purges SET state = 'purging', intent_at = lethe_now() WHERE id = ?", []any{id}, database.CodeNotPurgeable},
		"back to review":      {"UPDATE purges SET state = 'in_review', decision = '' WHERE id = ?", []any{id}, database.CodeNotPurgeable},
		"nobody rejected it":  {"UPDATE purges SET rejected_by = NULL, rejected_at = NULL WHERE id = ?", []any{id}, database.CodeAppendOnly},
		"somebody else did":   {"UPDATE purges SET rejected_by = ? WHERE id = ?", []any{others[0].EmployeeID, id}, database.CodeAppendOnly},
		"one approval":        {forge, []any{others[0].EmployeeID, nil, id}, database.CodeNotPurgeable},
		"twice the same":      {forge, []any{others[0].EmployeeID, others[0].EmployeeID, id}, database.CodeNotPurgeable},
		"the rejecter first":  {forge, []any{w.reviewer.EmployeeID, others[0].EmployeeID, id}, database.CodeNotPurgeable},
		"the rejecter second": {forge, []any{others[0].EmployeeID, w.reviewer.EmployeeID, id}, database.CodeNotPurgeable},
		"the leaver":          {forge, []any{others[0].EmployeeID, p.employee, id}, database.CodeNotPurgeable},
		"who began it":        {forge, []any{w.hr.EmployeeID, others[0].EmployeeID, id}, database.CodeNotPurgeable},
	} {
		if code := try(c.sql, c.args...); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	// A claim that is left makes nothing free either: the deadline remembers.
	if code := try("WITH l AS (UPDATE purge_claims SET state = 'left' WHERE purge_id = ? RETURNING category_id) "+
		"UPDATE employment_categories c SET state = 'purging', purging_at = lethe_now() FROM l WHERE c.id = l.category_id", id); code != database.CodeNotPurgeable {
		t.Errorf("without the claim: %q", code)
	}
	if code := try(forge, others[0].EmployeeID, others[1].EmployeeID, id); code != database.CodeUnrecorded {
		t.Errorf("by two others, unrecorded: %q", code)
	}
}

// TestI1_TheDatabaseRefusesAnUnreviewedPurge: one that wants the review does not begin without, at whatever age.
func TestI1_TheDatabaseRefusesAnUnreviewedPurge(t *testing.T) {
	w := newWorld(t)
	p, id := dueEarly(t, w)
	w.env.Advance(t, 60*day)
	id2 := w.categoryID(t, p, models.CategoryContract)
	may := func() bool { return query[bool](t, w, "SELECT lethe_purgeable(?)", id2) }
	if !may() {
		t.Fatal("undecided after 60 days it is not purgeable")
	}
	w.exec(t, "UPDATE purges SET review_required = true WHERE id = ?", id)
	if may() {
		t.Error("the purge wants a review, and its category is purgeable")
	}
	if err := w.env.Facts.Read(t.Context()).Exec("UPDATE purges SET state = 'purging', intent_at = lethe_now() WHERE id = ?", id).Error; database.Code(database.Hide(err)) != database.CodeNotPurgeable {
		t.Errorf("the purge itself begins: %v", err)
	}
	w.exec(t, "UPDATE purges SET review_required = false, decision_entry_id = @entry WHERE id = ?", id)
	w.exec(t, "UPDATE retention_deadlines SET advanced = true WHERE category_id = ?", id2)
	if may() {
		t.Error("the deadline was brought forward, and the category is purgeable")
	}
	if f := w.lookAtPurge(t, id); f.Run {
		t.Errorf("it runs: %+v", f)
	}
	if err := w.decide(id, w.reviewer, models.DecisionApproved); err != nil {
		t.Fatal(err)
	}
	if !may() {
		t.Error("reviewed, it is not purgeable")
	}
	w.tx(t, func(tx *database.Tx) error {
		if err := tx.DB().Exec("UPDATE departures SET counts_from = lethe_now() WHERE id = ?", p.departure).Error; err != nil {
			return err
		}
		return databasetest.Told(tx, p.departure)
	})
	if may() {
		t.Error("the deadline counts from before the day of entry, and the category is purgeable")
	}
}

// TestI21_TheApprovalOfAPurgeIsOfItsTwo: two people decide about a rejected purge by the approval that they
// are the two of, for this purge and for what they decided; the program's word is not enough.
func TestI21_TheApprovalOfAPurgeIsOfItsTwo(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	_, other := rejectedPurge(t, w)
	o := w.reviewers(t, 4)
	overrule := func(tx *database.Tx) error { return Overrule(tx, id, o[0], o[1]) }
	for name, a := range map[string]databasetest.Agreement{
		"of two others":        {Operation: "purge.overrule", Subject: p.employee, Target: id, Requester: o[2].EmployeeID, Approver: o[3].EmployeeID},
		"in the other order":   {Operation: "purge.overrule", Subject: p.employee, Target: id, Requester: o[1].EmployeeID, Approver: o[0].EmployeeID},
		"of another purge":     {Operation: "purge.overrule", Subject: p.employee, Target: other, Requester: o[0].EmployeeID, Approver: o[1].EmployeeID},
		"of another person":    {Operation: "purge.overrule", Subject: w.hr.EmployeeID, Target: id, Requester: o[0].EmployeeID, Approver: o[1].EmployeeID},
		"of an extension":      {Operation: "purge.extend", Subject: p.employee, Target: id, Requester: o[0].EmployeeID, Approver: o[1].EmployeeID},
		"of another operation": {Operation: "purge.decide", Subject: p.employee, Target: id, Requester: o[0].EmployeeID, Approver: o[1].EmployeeID},
	} {
		a.Kind = "purge"
		if err := databasetest.Agreed(t, w.env.Facts, a, overrule); database.Code(err) != database.CodeUntimely {
			t.Errorf("by the approval %s: %v", name, err)
		}
	}
	if err := w.try(overrule); database.Code(err) != database.CodeUntimely {
		t.Errorf("without an approval: %v", err)
	}
	if err := w.agreed(t, "purge.overrule", id, o[0], o[1], overrule); err != nil {
		t.Errorf("by their own: %v", err)
	}
}

func TestI1_TwoOthersApproveARejectedPurge(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	others := w.reviewers(t, 2)
	overrule := func(first, second models.Actor) error { return w.overrule(t, id, first, second) }
	for name, c := range map[string]struct {
		first, second models.Actor
		want          error
	}{
		"one person":          {others[0], others[0], ErrSamePerson},
		"the rejecter first":  {w.reviewer, others[0], ErrSamePerson},
		"the rejecter second": {others[0], w.reviewer, ErrSamePerson},
		"the leaver":          {others[0], models.Actor{EmployeeID: p.employee, Role: models.RoleReviewer}, ErrSubject},
		"who began it":        {models.Actor{EmployeeID: w.hr.EmployeeID, Role: models.RoleReviewer}, others[1], ErrSamePerson},
		"HR":                  {others[0], models.Actor{EmployeeID: others[1].EmployeeID, Role: models.RoleHRAdmin}, ErrRoleMayNot},
	} {
		if err := overrule(c.first, c.second); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, by := range append(others, w.reviewer) {
		if err := w.decide(id, by, models.DecisionApproved); !errors.Is(err, ErrRejected) {
			t.Errorf("alone: %v", err)
		}
	}
	if err := overrule(others[0], others[1]); err != nil {
		t.Fatal(err)
	}
	if err := overrule(others[0], others[1]); !errors.Is(err, ErrNotRejected) {
		t.Errorf("again: %v", err)
	}
	if f := w.lookAtPurge(t, id); !f.Run {
		t.Fatalf("approved by two it does not run: %+v", f)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

// TestI1_AHoldTakesARejectedPurgeOver: by one person; after its release a purge is rejected as before, since
// somebody had refused.
func TestI1_AHoldTakesARejectedPurgeOver(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	if f := w.lookAtPurge(t, id); !f.Done || f.State != models.PurgeCancelled {
		t.Fatalf("under hold: %+v", f)
	}
	w.expectAll(t, p, "held/open")
	w.env.Advance(t, 100*day)
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) })
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("%d purges after the release", len(open))
	}
	w.env.Advance(t, 400*day)
	if f := w.lookAtPurge(t, open[0]); f.Run {
		t.Fatalf("it goes on by itself: %+v", f)
	}
	others := w.reviewers(t, 2)
	if err := w.overrule(t, open[0], others[0], others[1]); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(open[0]); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

func TestI6_AnExtensionKeepsARejectedPurgeToItsEnd(t *testing.T) {
	w := newWorld(t)
	p, id := rejectedPurge(t, w)
	others := w.reviewers(t, 2)
	today := clock.Today(w.now(t), zone(t, zoneOf["CN"]))
	extend := func(first, second models.Actor, until clock.Date) error {
		return w.agreed(t, "purge.extend", id, first, second, func(tx *database.Tx) error { return Extend(tx, id, first, second, until) })
	}
	w.exec(t, "UPDATE retention_rules SET ceiling = 'P6Y' WHERE jurisdiction = 'CN' AND category = 'identity'")
	for name, c := range map[string]struct {
		first, second models.Actor
		until         clock.Date
		want          error
	}{
		"one person":           {others[0], others[0], today.AddDays(90), ErrSamePerson},
		"the leaver":           {models.Actor{EmployeeID: p.employee, Role: models.RoleReviewer}, others[0], today.AddDays(90), ErrSubject},
		"an end that was":      {others[0], others[1], today.AddDays(-1), ErrUntilPast},
		"above a rule's limit": {others[0], others[1], today.AddDays(3*365 + 10), ErrAboveCeiling},
		"for ever":             {others[0], others[1], clock.NewDate(9999, 12, 31), ErrAboveCeiling},
	} {
		if err := extend(c.first, c.second, c.until); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// Who rejected it may be one of the two: that it is kept is what they wanted.
	if err := extend(w.reviewer, others[0], today.AddDays(90)); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "scheduled/open")
	if f := w.lookAtPurge(t, id); !f.Done {
		t.Fatalf("extended: %+v", f)
	}
	w.env.Advance(t, 89*day)
	w.look(t, p)
	if open := w.openPurges(t, p); len(open) != 0 {
		t.Fatalf("due again before the end: %v", open)
	}
	// A rule that counts less than the extension brings nothing forward.
	w.tx(t, func(tx *database.Tx) error {
		old, err := database.First[models.RetentionRule](tx.DB().Where("jurisdiction = 'CN' AND category = 'contract' AND superseded_at IS NULL"))
		if err != nil {
			return err
		}
		next := old
		next.Period = "P2Y1M"
		return putInForce(tx, "CN", map[models.Category]models.RetentionRule{old.Category: old}, []models.RetentionRule{next})
	})
	w.env.Advance(t, 3*day)
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("after the end %d purges are open", len(open))
	}
	if err := w.overrule(t, open[0], others[0], others[1]); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(open[0]); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

// TestNobodyDecidesEscalates is the calendar of escalations, as a table: days after the purge began to
// wait at which it is looked at, and those at which that escalates.
func TestNobodyDecidesEscalates(t *testing.T) {
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		state  models.PurgeState
		looks  []int
		strike []int
	}{
		"undecided":            {models.PurgeInReview, []int{1, 13, 14, 15, 28, 29, 30, 31, 42, 56, 57}, []int{14, 28, 30, 42, 56}},
		"rejected":             {models.PurgeRejected, []int{1, 13, 14, 15, 28, 30, 42, 56, 57}, []int{14, 28, 42, 56}},
		"nothing ran for long": {models.PurgeRejected, []int{300, 301, 307, 308, 309}, []int{300, 308}},
	} {
		p := models.Purge{State: c.state, CreatedAt: begin, RejectedAt: &begin}
		var got []int
		for _, after := range c.looks {
			now := begin.Add(time.Duration(after) * day)
			if next := nextEscalation(p); !next.After(now) {
				p.EscalatedAt = &now
				got = append(got, after)
			}
			if next := nextEscalation(p); !next.After(now) {
				t.Fatalf("%s: at day %d the next is %s", name, after, next)
			}
		}
		if !equalInts(got, c.strike) {
			t.Errorf("%s: %v, want %v", name, got, c.strike)
		}
	}
}

func equalInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TestI6_WhatCountsFromAnEarlierDayNeverShortensAnExtension: extended, recounted and re-derived in any order.
func TestI6_WhatCountsFromAnEarlierDayNeverShortensAnExtension(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := models.RetentionRule{Jurisdiction: "CN", Category: models.CategoryContract, Period: "P2Y", Floor: "P2Y", Anchor: models.AnchorEmploymentEnd}
		event := time.Unix(rapid.Int64Range(1e9, 2e9).Draw(rt, "event"), 0).UTC()
		until := event.AddDate(0, 0, rapid.IntRange(0, 4000).Draw(rt, "until"))
		r := running{EventAt: event, Deadline: until, ExtendedUntil: &until, TimeZone: rapid.SampledFrom([]string{"Asia/Shanghai", "America/St_Johns"}).Draw(rt, "zone")}
		r.EventAt = event.AddDate(0, 0, -rapid.IntRange(0, 4000).Draw(rt, "back"))
		if err := r.obey(rule); err != nil {
			rt.Fatal(err)
		}
		plain, floor, err := Deadline(rule, r.EventAt, zone(rt, r.TimeZone))
		if err != nil {
			rt.Fatal(err)
		}
		if r.Deadline.Before(until) || r.Deadline.Before(plain) || !r.FloorAt.Equal(floor) {
			rt.Fatalf("%s, extended to %s, by the rule %s", r.Deadline, until, plain)
		}
	})
}
