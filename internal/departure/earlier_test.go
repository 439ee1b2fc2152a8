package departure_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/models"
)

func (s *stand) deadlines(t *testing.T, id uuid.UUID) map[models.Category]retention.DeadlineView {
	t.Helper()
	rows, err := retention.DeadlinesOf(t.Context(), s.Facts, []uuid.UUID{id})
	if err != nil {
		t.Fatal(err)
	}
	byCategory := map[models.Category]retention.DeadlineView{}
	for _, l := range rows[id] {
		byCategory[l.Category] = l
	}
	if len(byCategory) != len(models.Categories) {
		t.Fatalf("%d deadlines", len(byCategory))
	}
	return byCategory
}

func (s *stand) nowIs(t *testing.T) time.Time {
	t.Helper()
	now, err := s.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// agreed is what two people agreed to for a departure.
func (s *stand) agreed(t testing.TB, dep models.Departure, fn func(tx *database.Tx) error) {
	t.Helper()
	err := databasetest.Agreed(t, s.Facts, databasetest.Agreement{
		Operation: "departure.earlier_dates", Subject: dep.EmployeeID, Kind: "departure", Target: dep.ID,
		Requester: s.hr.EmployeeID, Approver: s.second.EmployeeID,
	}, fn)
	if err != nil {
		t.Fatal(err)
	}
}

// TestI6_DeadlinesCountFromTheEntryUntilTwoPeopleSayOtherwise, for an end within one person's word and for
// one far beyond.
func TestI6_DeadlinesCountFromTheEntryUntilTwoPeopleSayOtherwise(t *testing.T) {
	for back, name := range map[int]string{-20: "within 30 days", -1000: "far beyond"} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			other, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, back), ConfirmPast: true}})
			if err != nil {
				t.Fatal(err)
			}
			w := departure.RequestedDates{LastWorkingDay: s.inDays(t, back), ConfirmPast: true, CountFromEnd: true}
			dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: w})
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []uuid.UUID{other.ID, dep.ID} {
				s.advance(t, id)
				got := s.read(t, id)
				if got.Stage != models.StageDeparted || got.AccountsState == models.AccountsLinked {
					t.Fatalf("stage %s, accounts %s: the cut waits", got.Stage, got.AccountsState)
				}
				for category, l := range s.deadlines(t, id) {
					if l.Deadline.Before(s.nowIs(t).AddDate(0, 0, 29)) || l.Advanced {
						t.Errorf("%s is due %s, advanced %v", category, l.Deadline, l.Advanced)
					}
				}
			}
			begun := departure.Entry{Dates: departure.Dates{EmploymentEndDate: dep.EmploymentEndDate, EmploymentEndedAt: dep.EmploymentEndedAt}, CountsFrom: dep.CountsFrom}
			if !begun.Remains(w) {
				t.Fatal("nothing of the wish is left for two people")
			}
			before := s.deadlines(t, dep.ID)
			s.agreed(t, dep, func(tx *database.Tx) error { return departure.CountEarlier(tx, s.hr, dep.ID, w) })
			got := s.read(t, dep.ID)
			if got.LastWorkingDay != *s.inDays(t, back) || !got.Advanced || !got.EventAt().Equal(got.EmploymentEndedAt) {
				t.Errorf("by two: %+v", got)
			}
			for category, l := range s.deadlines(t, dep.ID) {
				if !l.Deadline.Before(before[category].Deadline) || !l.Advanced || !l.EventAt.Equal(got.EmploymentEndedAt) {
					t.Errorf("%s: %s, was %s, advanced %v", category, l.Deadline, before[category].Deadline, l.Advanced)
				}
			}
			for category, l := range s.deadlines(t, other.ID) {
				if l.Advanced {
					t.Errorf("the other one's %s came forward too", category)
				}
			}
			if err := s.try(t, func(tx *database.Tx) error { return departure.CountEarlier(tx, s.hr, dep.ID, w) }); !errors.Is(err, departure.ErrNotEarlier) {
				t.Errorf("again: %v", err)
			}
			subject := models.Actor{EmployeeID: other.EmployeeID, Role: models.RoleHRAdmin}
			if err := s.try(t, func(tx *database.Tx) error { return departure.CountEarlier(tx, subject, other.ID, w) }); !errors.Is(err, departure.ErrSubject) {
				t.Errorf("by the leaver: %v", err)
			}
		})
	}
}

// TestI6_TheApprovalIsOfThisDeparture: without one, or with that of another departure, of another operation,
// or of a beginning, deadlines count from no earlier day, whatever the program was told.
func TestI6_TheApprovalIsOfThisDeparture(t *testing.T) {
	s := newStand(t)
	w := departure.RequestedDates{LastWorkingDay: s.inDays(t, -20), ConfirmPast: true, CountFromEnd: true}
	var deps []models.Departure
	for range 2 {
		dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: w})
		if err != nil {
			t.Fatal(err)
		}
		deps = append(deps, dep)
	}
	dep, other := deps[0], deps[1]
	for name, a := range map[string]databasetest.Agreement{
		"another departure":        {Operation: "departure.earlier_dates", Subject: dep.EmployeeID, Kind: "departure", Target: other.ID},
		"another person":           {Operation: "departure.earlier_dates", Subject: other.EmployeeID, Kind: "departure", Target: dep.ID},
		"another operation":        {Operation: "departure.annul", Subject: dep.EmployeeID, Kind: "departure", Target: dep.ID},
		"a beginning":              {Operation: "departure.begin_immediately", Subject: dep.EmployeeID, Kind: "employee", Target: dep.EmployeeID},
		"an employee of that name": {Operation: "departure.earlier_dates", Subject: dep.EmployeeID, Kind: "employee", Target: dep.ID},
	} {
		a.Requester, a.Approver = s.hr.EmployeeID, s.second.EmployeeID
		err := databasetest.Agreed(t, s.Facts, a, func(tx *database.Tx) error { return departure.CountEarlier(tx, s.hr, dep.ID, w) })
		if database.Code(err) != database.CodeUntimely {
			t.Errorf("with the approval of %s: %v", name, err)
		}
	}
	if err := s.try(t, func(tx *database.Tx) error { return departure.CountEarlier(tx, s.hr, dep.ID, w) }); database.Code(err) != database.CodeUntimely {
		t.Errorf("without an approval: %v", err)
	}
	if got := s.read(t, dep.ID); got.Advanced || got.CountsFrom.Before(dep.CountsFrom) {
		t.Errorf("it counts from %s", got.CountsFrom)
	}
	if _, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), Approved: true, RequestedDates: w}); database.Code(err) != database.CodeUntimely {
		t.Errorf("begun without an approval: %v", err)
	}
	s.agreed(t, dep, func(tx *database.Tx) error { return departure.CountEarlier(tx, s.hr, dep.ID, w) })
}

// TestI6_WhatTwoPeopleBringForwardWantsTheReview: an earlier end of a departure that is still ahead, too.
func TestI6_WhatTwoPeopleBringForwardWantsTheReview(t *testing.T) {
	s := newStand(t)
	var ids []uuid.UUID
	for range 2 {
		dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: planned(s.inDays(t, 30))})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, dep.ID)
	}
	s.run(t, func(tx *database.Tx) error {
		return departure.RescheduleApproved(tx, s.hr, ids[0], planned(s.inDays(t, 3)))
	})
	s.run(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, ids[1], planned(s.inDays(t, 31))) })
	s.Advance(t, 40*24*time.Hour)
	for i, id := range ids {
		s.advance(t, id)
		for category, l := range s.deadlines(t, id) {
			if l.Advanced != (i == 0) {
				t.Errorf("%d: %s, advanced %v", i, category, l.Advanced)
			}
		}
	}
}

// TestTheCutWaitsForNobody: a last working day that is over cuts at once, whatever two people say to the dates.
func TestTheCutWaitsForNobody(t *testing.T) {
	s := newStand(t)
	head, anybody := s.hire(t), s.hire(t)
	s.run(t, func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, s.department.ID).Error)
	})
	for who, cut := range map[uuid.UUID]bool{head: false, anybody: true} {
		dep, err := s.begin(t, departure.Notice{EmployeeID: who, RequestedDates: planned(s.inDays(t, 30))})
		if err != nil {
			t.Fatal(err)
		}
		past := departure.RequestedDates{LastWorkingDay: s.inDays(t, -3), ConfirmPast: true}
		if err := s.try(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, dep.ID, past) }); !errors.Is(err, departure.ErrApprovalRequired) {
			t.Fatalf("the dates alone: %v", err)
		}
		for range 2 {
			s.run(t, func(tx *database.Tx) error { return departure.CutNow(tx, s.hr, dep.ID, past) })
			s.advance(t, dep.ID)
		}
		got := s.read(t, dep.ID)
		if (got.AccountsState != models.AccountsLinked) != cut || got.Stage != models.StagePendingDeparture {
			t.Errorf("cut %v: accounts %s, stage %s", cut, got.AccountsState, got.Stage)
		}
		// Two people agree: the dates are those, and count from them.
		s.agreed(t, dep, func(tx *database.Tx) error { return departure.RescheduleApproved(tx, s.hr, dep.ID, past) })
		s.advance(t, dep.ID)
		if got := s.read(t, dep.ID); got.Stage != models.StageDeparted || !got.Advanced || got.LastWorkingDay != *past.LastWorkingDay {
			t.Errorf("by two: stage %s, %s", got.Stage, got.LastWorkingDay)
		}
	}
}
