package retention

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// rehire opens another employment of somebody who left, in the department of a jurisdiction.
func (w *world) rehire(t failer, p person, jurisdiction string) person {
	t.Helper()
	return w.hireAs(t, jurisdiction, p.number, clock.DateOf(w.now(t)).AddDays(1))
}

// lived is a person with three employments: the first left long ago, the second just now, the third current.
func (w *world) lived(t failer) (first, second, third person) {
	t.Helper()
	first = w.depart(t, w.hire(t, "DEMO"), w.now(t).Add(-400*day))
	second = w.depart(t, w.rehire(t, first, "DEMO"), w.now(t))
	return first, second, w.rehire(t, second, "CN")
}

func (w *world) release(t failer, id uuid.UUID) {
	t.Helper()
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, id, w.hr, w.reviewer) })
}

// drive does what the workflows of a departure's retention do, until nothing more happens.
func (w *world) drive(t failer, p person) {
	t.Helper()
	w.look(t, p)
	for _, id := range w.openPurges(t, p) {
		if w.lookAtPurge(t, id).Run {
			if err := w.carryOut(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.look(t, p)
}

// TestI4_AHoldReachesEveryEmployment: somebody left, came back, left and came back, and is put under a
// hold. No category of a former employment is destroyed before the release, and each is after it.
func TestI4_AHoldReachesEveryEmployment(t *testing.T) {
	entity := func(w *world, t failer) uuid.UUID {
		return query[models.Department](t, w, "SELECT * FROM departments WHERE id = ?", w.department["CN"]).LegalEntityID
	}
	for name, order := range map[string]func(w *world, t failer, p person) HoldOrder{
		"person":    func(_ *world, _ failer, p person) HoldOrder { return HoldOrder{EmployeeID: p.employee} },
		"everybody": func(*world, failer, person) HoldOrder { return HoldOrder{Everybody: true} },
		"department": func(w *world, _ failer, _ person) HoldOrder {
			d := w.department["CN"]
			return HoldOrder{Query: HoldQuery{DepartmentID: &d}}
		},
		"entity": func(w *world, t failer, _ person) HoldOrder {
			e := entity(w, t)
			return HoldOrder{Query: HoldQuery{LegalEntityID: &e}}
		},
		"period": func(w *world, t failer, _ person) HoldOrder {
			today := clock.DateOf(w.now(t)).AddDays(-2)
			return HoldOrder{Query: HoldQuery{LeftFrom: &today}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first, second, third := w.lived(t)
			other := w.departedNow(t, "DEMO")
			o := order(w, t, third)
			o.Matter, o.By = "A-1", w.hr
			hold, err := w.hold(o)
			if err != nil {
				t.Fatal(err)
			}
			w.env.Advance(t, 3*365*day)
			for _, p := range []person{first, second} {
				w.drive(t, p)
				w.expectAll(t, p, "held/open")
			}
			if w.drive(t, other); name == "person" || name == "department" || name == "entity" {
				w.expectAll(t, other, "purged/purged")
			} else {
				w.expectAll(t, other, "held/open")
			}
			w.exec(t, "UPDATE retentions SET seen_revision = revision")
			w.release(t, hold.ID)
			for _, p := range []person{first, second} {
				if !query[bool](t, w, "SELECT revision > seen_revision FROM retentions WHERE employment_id = ?", p.employment) {
					t.Error("nobody looks at an employment that was held")
				}
				w.drive(t, p)
				w.expectAll(t, p, "purged/purged")
			}
			third = w.depart(t, third, w.now(t)) // what the release let go of did not touch it
			w.expectAll(t, third, "scheduled/open")
		})
	}
}

// TestI4_AHoldCoversWhoMatchesLaterAndWhoMatchedOnce: a hold by a filter is judged at each intent; a
// change that one person makes (another department) does not release anybody.
func TestI4_AHoldCoversWhoMatchesLaterAndWhoMatchedOnce(t *testing.T) {
	w := newWorld(t)
	left := w.departedNow(t, "DEMO")
	later := w.rehire(t, left, "DE")
	never := w.departedNow(t, "DEMO")
	department := w.department["CN"]
	hold, err := w.hold(HoldOrder{Query: HoldQuery{DepartmentID: &department}, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	purge := w.onePurge(t, left) // nobody of them matches: it is ordered
	w.exec(t, "UPDATE employments SET department_id = ? WHERE id = ?", department, later.employment)
	if intent, err := w.intent(purge); err != nil || intent.Began {
		t.Fatalf("matching before the intent: %+v, %v", intent, err)
	}
	w.exec(t, "UPDATE employments SET department_id = ? WHERE id = ?", w.department["DE"], later.employment)
	w.drive(t, left)
	w.expectAll(t, left, "held/open")
	w.drive(t, never)
	w.expectAll(t, never, "purged/purged")
	if got := query[int](t, w, "SELECT count(*) FROM hold_people WHERE hold_id = ? AND employee_id = ?", hold.ID, left.employee); got != 1 {
		t.Errorf("%d rows remember who matched", got)
	}
	w.release(t, hold.ID)
	w.drive(t, left)
	w.expectAll(t, left, "purged/purged")
}

// TestAHoldSaysHowManyItCovers: people and employments of which something is left that it keeps.
func TestAHoldSaysHowManyItCovers(t *testing.T) {
	w := newWorld(t)
	_, _, third := w.lived(t) // two employments by DEMO's rules, and one in CN
	w.hire(t, "CN")
	left := w.departedNow(t, "DE")
	gone := w.departedNow(t, "DEMO")
	w.env.Advance(t, time.Minute)
	w.drive(t, gone)
	w.expectAll(t, gone, "purged/purged")
	department, today := w.department["CN"], clock.DateOf(w.now(t)).AddDays(-2)
	all := query[HoldCover](t, w, `SELECT count(DISTINCT employee_id) AS people, count(*) AS files FROM employments m
		WHERE EXISTS (SELECT FROM employment_categories c WHERE c.employment_id = m.id AND c.state = 'open')`)
	for name, c := range map[string]struct {
		order HoldOrder
		want  HoldCover
	}{
		"a person":           {HoldOrder{EmployeeID: third.employee}, HoldCover{1, 3}},
		"one category":       {HoldOrder{EmployeeID: left.employee, Categories: []models.Category{models.CategoryContract}}, HoldCover{1, 1}},
		"a department":       {HoldOrder{Query: HoldQuery{DepartmentID: &department}}, HoldCover{4, 6}}, // HR and the reviewer too
		"who left, of DEMO":  {HoldOrder{Query: HoldQuery{LeftFrom: &today}}, HoldCover{2, 4}},
		"everybody with any": {HoldOrder{Everybody: true}, all},
	} {
		c.order.Matter, c.order.By = "A", w.hr
		if c.order.EmployeeID == uuid.Nil {
			c.order.Approver = w.reviewer
		}
		hold, err := w.hold(c.order)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := CoverOf(t.Context(), w.env.Facts, hold.ID); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
		w.release(t, hold.ID)
		if got, err := CoverOf(t.Context(), w.env.Facts, hold.ID); err != nil || got != (HoldCover{}) {
			t.Errorf("%s, released: %+v, %v", name, got, err)
		}
	}
}

// TestI4_AHoldOfSomeCategoriesIsTooLateOnlyIfNothingIsLeft: what one employment has lost, another has.
func TestI4_AHoldOfSomeCategoriesIsTooLateOnlyIfNothingIsLeft(t *testing.T) {
	w := newWorld(t)
	first := w.departedNow(t, "DEMO")
	w.env.Advance(t, time.Minute)
	w.drive(t, first)
	w.expectAll(t, first, "purged/purged")
	named := HoldOrder{EmployeeID: first.employee, Categories: []models.Category{models.CategoryContract}, Matter: "A", By: w.hr}
	var tooLate *TooLateError
	if _, err := w.hold(named); !errors.As(err, &tooLate) {
		t.Errorf("everything is gone: %v", err)
	}
	second := w.rehire(t, first, "DEMO")
	if _, err := w.hold(named); err != nil {
		t.Fatalf("the second employment has it: %v", err)
	}
	second = w.depart(t, second, w.now(t))
	w.env.Advance(t, time.Minute)
	w.drive(t, second)
	for category, state := range w.states(t, second) {
		want := "purged/purged"
		if category == models.CategoryContract {
			want = "held/open"
		}
		if state != want {
			t.Errorf("%s is %s, want %s", category, state, want)
		}
	}
}

// TestHold_WhatItIsAbout refuses what is unclear or names nothing.
func TestHold_WhatItIsAbout(t *testing.T) {
	w := newWorld(t)
	p := w.hire(t, "CN")
	nobody, day1, day2 := uuid.New(), clock.NewDate(2026, 3, 2), clock.NewDate(2026, 3, 1)
	department := w.department["CN"]
	for name, c := range map[string]struct {
		order HoldOrder
		want  error
	}{
		"nothing":            {HoldOrder{}, ErrHoldScope},
		"two":                {HoldOrder{EmployeeID: p.employee, Everybody: true}, ErrHoldScope},
		"a person, a filter": {HoldOrder{EmployeeID: p.employee, Query: HoldQuery{DepartmentID: &department}}, ErrHoldScope},
		"backwards":          {HoldOrder{Query: HoldQuery{LeftFrom: &day1, LeftTo: &day2}}, ErrHoldPeriod},
		"no such entity":     {HoldOrder{Query: HoldQuery{LegalEntityID: &nobody}}, ErrHoldEntity},
		"no such department": {HoldOrder{Query: HoldQuery{DepartmentID: &nobody}}, ErrHoldDepartment},
		"nobody":             {HoldOrder{EmployeeID: nobody}, database.ErrNotFound},
		"oneself":            {HoldOrder{EmployeeID: w.hr.EmployeeID}, ErrSubject},
		"one day":            {HoldOrder{Query: HoldQuery{LeftFrom: &day1, LeftTo: &day1}}, nil},
	} {
		c.order.Matter, c.order.By = "A", w.hr
		if _, err := w.hold(c.order); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestI4_AHoldChangesByItsReleaseOnly: a hold that names somebody else, or ends twice, would be a release
// by one person.
func TestI4_AHoldChangesByItsReleaseOnly(t *testing.T) {
	w := newWorld(t)
	p, other := w.hire(t, "CN"), w.hire(t, "CN")
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	department := w.department["CN"]
	wide, err := w.hold(HoldOrder{Query: HoldQuery{DepartmentID: &department}, Matter: "B", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	w.exec(t, "INSERT INTO hold_people (hold_id, employee_id) VALUES (?, ?)", wide.ID, other.employee)
	for _, sql := range []string{
		"UPDATE holds SET employee_id = '" + other.employee.String() + "' WHERE employee_id IS NOT NULL",
		"UPDATE holds SET categories = '{contract}'",
		"UPDATE holds SET left_from = '2020-01-01' WHERE employee_id IS NULL",
		"UPDATE holds SET department_id = NULL, everybody = true WHERE employee_id IS NULL",
		"DELETE FROM holds", "TRUNCATE holds CASCADE", "DELETE FROM hold_people",
		"UPDATE hold_people SET employee_id = '" + p.employee.String() + "'",
	} {
		if err := w.try(func(tx *database.Tx) error { return database.Hide(tx.DB().Exec(sql).Error) }); database.Code(err) != database.CodeAppendOnly {
			t.Errorf("%s: %v", sql, err)
		}
	}
	w.release(t, hold.ID)
	err = w.try(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE holds SET released_at = NULL WHERE id = ?", hold.ID).Error)
	})
	if database.Code(err) != database.CodeAppendOnly {
		t.Errorf("a release taken back: %v", err)
	}
}

// TestHold_AWideOneIsShownAtEachDeadline: nobody has looked since it was placed, and the view says held.
func TestHold_AWideOneIsShownAtEachDeadline(t *testing.T) {
	w := newWorld(t)
	p, other := w.departedNow(t, "CN"), w.departedNow(t, "DE")
	department := w.department["CN"]
	if _, err := w.hold(HoldOrder{Query: HoldQuery{DepartmentID: &department}, Matter: "A", By: w.hr, Categories: []models.Category{models.CategoryContract}}); err != nil {
		t.Fatal(err)
	}
	shown, err := DeadlinesOf(t.Context(), w.env.Facts, []uuid.UUID{p.departure, other.departure})
	if err != nil {
		t.Fatal(err)
	}
	for departure, deadlines := range shown {
		for _, l := range deadlines {
			want := models.DeadlineScheduled
			if departure == p.departure && l.Category == models.CategoryContract {
				want = models.DeadlineHeld
			}
			if l.State != want {
				t.Errorf("%s is shown as %s, want %s", l.Category, l.State, want)
			}
		}
	}
	for _, c := range []struct {
		who  uuid.UUID
		want int
	}{{p.employee, 1}, {other.employee, 0}} {
		holds, _, err := Holds(t.Context(), w.env.Facts, HoldFilter{EmployeeID: &c.who, Active: new(true), Limit: 10})
		if err != nil || len(holds) != c.want {
			t.Errorf("%d holds cover the person, want %d: %v", len(holds), c.want, err)
		}
	}
}

// TestI4_AHoldFindsEveryEmploymentLocked: the employments of a person are locked in the order of their ids.
func TestI4_AHoldFindsEveryEmploymentLocked(t *testing.T) {
	w := newWorld(t)
	first, _, third := w.lived(t)
	w.tx(t, func(tx *database.Tx) error {
		locked, err := archive.LockEmployments(tx, first.employee)
		if err != nil || len(locked) != 3 || locked[0].ID != first.employment || locked[2].ID != third.employment {
			t.Errorf("%d employments: %v", len(locked), err)
		}
		return err
	})
}

// TestI4_AHoldThatWillReachALeaverTakesTwo: HR with an open departure places and releases alone no hold by a
// filter that covers them once it has taken effect; one of other days, or of another department, they do.
func TestI4_AHoldThatWillReachALeaverTakesTwo(t *testing.T) {
	w := newWorld(t)
	now := w.now(t)
	end := now.Add(7 * day)
	last := clock.DateOf(end)
	employment := uuid.MustParse(query[string](t, w, "SELECT id::text FROM employments WHERE employee_id = ?", w.hr.EmployeeID))
	w.exec(t, databasetest.Begun(`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date, access_cutoff_at, employment_ended_at, time_zone, created_by)
		VALUES (gen_random_uuid(), ?, ?, 'resignation', ?, ?, ?, ?, ?, 'Asia/Shanghai', ?)`),
		w.hr.EmployeeID, employment, clock.DateOf(now), last, last, end, end, w.reviewer.EmployeeID)
	before, after, from := last.AddDays(-1), last.AddDays(1), last.AddDays(-30)
	own := uuid.MustParse(query[string](t, w, "SELECT department_id::text FROM employments WHERE id = ?", employment))
	other := uuid.MustParse(query[string](t, w, "SELECT id::text FROM departments WHERE id <> ? LIMIT 1", own))
	for name, c := range map[string]struct {
		query HoldQuery
		two   bool
	}{
		"the day":            {HoldQuery{LeftFrom: &last, LeftTo: &last}, true},
		"from before":        {HoldQuery{LeftFrom: &from}, true},
		"until after":        {HoldQuery{LeftTo: &after}, true},
		"the own department": {HoldQuery{LeftFrom: &from, DepartmentID: &own}, true},
		"ends before":        {HoldQuery{LeftFrom: &from, LeftTo: &before}, false},
		"begins after":       {HoldQuery{LeftFrom: &after}, false},
		"another department": {HoldQuery{LeftFrom: &from, DepartmentID: &other}, false},
	} {
		want := error(nil)
		if c.two {
			want = ErrReachesOneself
		}
		order := HoldOrder{Query: c.query, Matter: "M", By: w.hr}
		err := w.try(func(tx *database.Tx) error { _, _, err := PlaceHold(tx, order); return err })
		if !errors.Is(err, want) {
			t.Errorf("%s, placed alone: %v, want %v", name, err, want)
		}
		hold, err := w.hold(order)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.try(func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) }); !errors.Is(err, want) {
			t.Errorf("%s, released alone: %v, want %v", name, err, want)
		}
	}
}
