package departure_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

// People whose sudden absence would leave nobody to watch are not sent away by one person, in
// whatever way the dates say "at once".
func TestAHeadOrAdministratorIsNotSentAwayByOnePerson(t *testing.T) {
	s := newStand(t)
	head, admin, nobody := s.hire(t), s.hire(t), s.hire(t)
	s.run(t, func(tx *database.Tx) error {
		if _, err := identity.GrantTo(tx, admin, models.RoleITOps); err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, s.department.ID).Error)
	})
	past, soon := s.nowIs(t).Add(-time.Hour), s.nowIs(t).Add(2*time.Second)
	for name, w := range map[string]departure.RequestedDates{
		"immediate":         {Immediate: true},
		"a cutoff now":      {LastWorkingDay: s.inDays(t, 5), AccessCutoffAt: &past},
		"a cutoff in a sec": {LastWorkingDay: s.inDays(t, 5), AccessCutoffAt: &soon},
		"an end that was":   {LastWorkingDay: s.inDays(t, -5), ConfirmPast: true},
	} {
		for who, id := range map[string]uuid.UUID{"head": head, "administrator": admin} {
			if _, err := s.begin(t, departure.Notice{EmployeeID: id, RequestedDates: w}); !errors.Is(err, departure.ErrApprovalRequired) {
				t.Errorf("%s, %s: %v", name, who, err)
			}
		}
	}
	// With notice it is nobody's business; a cutoff that is moved to now afterwards is.
	dep, err := s.begin(t, departure.Notice{EmployeeID: head, RequestedDates: planned(s.inDays(t, 30))})
	if err != nil {
		t.Fatal(err)
	}
	sudden := departure.RequestedDates{LastWorkingDay: s.inDays(t, 30), AccessCutoffAt: &past}
	for name, at := range map[string]*time.Time{"now": &past, "the next second": &soon} {
		w := departure.RequestedDates{LastWorkingDay: s.inDays(t, 30), AccessCutoffAt: at}
		err = s.try(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, dep.ID, w) })
		if !errors.Is(err, departure.ErrApprovalRequired) {
			t.Errorf("a cutoff moved to %s: %v", name, err)
		}
	}
	s.run(t, func(tx *database.Tx) error { return departure.RescheduleApproved(tx, s.hr, dep.ID, sudden) })
	if _, err := s.begin(t, departure.Notice{EmployeeID: admin, Approved: true, RequestedDates: departure.RequestedDates{Immediate: true}}); err != nil {
		t.Errorf("an administrator, by two: %v", err)
	}
	if _, err := s.begin(t, departure.Notice{EmployeeID: nobody, RequestedDates: departure.RequestedDates{Immediate: true}}); err != nil {
		t.Errorf("anybody else: %v", err)
	}
}

func TestI6_TwoPeopleBringADeadlineForward(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: planned(s.inDays(t, 30))})
	if err != nil {
		t.Fatal(err)
	}
	sooner := planned(s.inDays(t, 10))
	if err := s.try(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, dep.ID, sooner) }); !errors.Is(err, departure.ErrApprovalRequired) {
		t.Errorf("one person: %v", err)
	}
	s.run(t, func(tx *database.Tx) error { return departure.RescheduleApproved(tx, s.hr, dep.ID, sooner) })
	if got := s.read(t, dep.ID); got.LastWorkingDay != *s.inDays(t, 10) || !got.EmploymentEndedAt.Before(dep.EmploymentEndedAt) {
		t.Errorf("by two: last day %v", got.LastWorkingDay)
	}
}

// What two people agree to is complete, also once the accounts are off: the cutoff stays what it was.
func TestDatesAreCompletedBeforeTheyAreAgreedTo(t *testing.T) {
	s := newStand(t)
	past := s.nowIs(t).Add(-time.Hour)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 30), AccessCutoffAt: &past}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	cut := s.read(t, dep.ID).AccessCutoffAt
	s.run(t, func(tx *database.Tx) error {
		w, err := departure.CompleteDates(tx, dep.ID, departure.RequestedDates{LastWorkingDay: s.inDays(t, 10)})
		if err != nil {
			return err
		}
		if w.EmploymentEndDate == nil || *w.EmploymentEndDate != *s.inDays(t, 10) || w.NoticeReceivedOn == nil || w.TimeZone == "" {
			t.Errorf("completed: %+v", w)
		}
		return departure.RescheduleApproved(tx, s.hr, dep.ID, w)
	})
	if got := s.read(t, dep.ID); got.LastWorkingDay != *s.inDays(t, 10) || !got.AccessCutoffAt.Equal(cut) {
		t.Errorf("last day %v, cutoff %v, was %v", got.LastWorkingDay, got.AccessCutoffAt, cut)
	}
}

// A withdrawal that gives access back needs two people; one before any account was touched does not.
func TestAWithdrawalAfterUnlinkingBeganNeedsTwoPeople(t *testing.T) {
	s := newStand(t)
	withdraw := func(id uuid.UUID) error {
		return s.try(t, func(tx *database.Tx) error { return departure.Withdraw(tx, s.vault, s.hr, id, "stays", true) })
	}
	early, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: planned(s.inDays(t, 30))})
	if err != nil {
		t.Fatal(err)
	}
	if err := withdraw(early.ID); err != nil {
		t.Errorf("before: %v", err)
	}
	past := s.nowIs(t).Add(-time.Hour)
	late, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 5), AccessCutoffAt: &past}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, late.ID)
	if err := withdraw(late.ID); !errors.Is(err, departure.ErrApprovalRequired) {
		t.Errorf("after: %v", err)
	}
	s.run(t, func(tx *database.Tx) error {
		return departure.WithdrawApproved(tx, s.vault, s.hr, late.ID, "stays", true)
	})
	if got := s.read(t, late.ID); got.Stage != models.StageWithdrawn {
		t.Errorf("by two: %s", got.Stage)
	}
}

// What was only asked for leaves no trace at the departure when it comes to nothing.
func TestADroppedAnnulmentLeavesNothing(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: planned(s.inDays(t, 30))})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, func(tx *database.Tx) error { return departure.AskAnnulment(tx, s.vault, s.hr, dep.ID, "wrong person") })
	s.run(t, func(tx *database.Tx) error { return departure.DropAnnulment(tx, s.second, dep.ID) })
	if got := s.read(t, dep.ID); got.AnnulmentAskedAt == nil {
		t.Error("somebody else's request was dropped")
	}
	s.run(t, func(tx *database.Tx) error { return departure.DropAnnulment(tx, s.hr, dep.ID) })
	if got := s.read(t, dep.ID); got.AnnulmentAskedAt != nil || got.AnnulmentAskedBy != nil || !got.AnnulmentReasonSealed.IsNull() {
		t.Error("something of the request is left")
	}
	if err := s.try(t, func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, s.second, dep.ID) }); !errors.Is(err, departure.ErrNoAnnulment) {
		t.Errorf("confirming afterwards: %v", err)
	}
}

// reschedule changes the dates of a pending departure on one person's word.
func reschedule(tx *database.Tx, by models.Actor, id uuid.UUID, w departure.RequestedDates) error {
	g, err := departure.PrepareDates(tx, by, id, w)
	if err != nil {
		return err
	}
	return g.Set(tx, by)
}
