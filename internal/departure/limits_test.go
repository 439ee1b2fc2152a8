package departure_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/activities"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/retention"
	"lethe/models"
)

// cutNow ends access at once, the employment in ten days.
func (s *stand) cutNow(t *testing.T, employee uuid.UUID) models.Departure {
	t.Helper()
	now, err := s.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 10), AccessCutoffAt: &now}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	return s.read(t, dep.ID)
}

func TestI12_NothingIsLinkedAfterTheCutoff(t *testing.T) {
	s := newStand(t)
	var person, employment uuid.UUID
	s.run(t, func(tx *database.Tx) (err error) {
		person, employment, err = archive.Create(tx, s.vault, archive.NewEmployee{
			EmployeeNo: "E-none", Name: "X", DepartmentID: s.department.ID, HiredOn: clock.NewDate(2020, 3, 1)})
		return err
	})
	s.cutNow(t, person)
	err := s.try(t, func(tx *database.Tx) error {
		if _, err := archive.LockEmployment(tx, employment); err != nil {
			return err
		}
		_, err := account.Link(tx, employment, "mail", "mail", nil)
		return err
	})
	if !errors.Is(err, account.ErrAccessEnded) {
		t.Errorf("linking after the cutoff: %v", err)
	}
}

func TestI12_NoStandAloneRelinkAfterTheCutoff(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	var employment models.Employment
	var alone models.AccountOperation
	s.run(t, func(tx *database.Tx) (err error) {
		if employment, err = archive.CurrentEmployment(tx, employee); err != nil {
			return err
		}
		alone, _, err = account.OrderUnlink(tx, account.UnlinkOrder{EmploymentID: employment.ID, Mode: models.ModeDisable, Origin: models.OriginStandalone, By: s.hr})
		return err
	})
	// what RunStep would have written
	s.run(t, func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: "account.step_done"})
		if err != nil {
			return err
		}
		for _, sql := range []string{
			"INSERT INTO account_evidence (step_id, attempt, substep, outcome, ledger_entry_id) SELECT s.id, a.attempt, e.sub, 'confirmed', '" + entry.String() + "' FROM account_steps s JOIN linked_accounts a ON a.id = s.account_id, (VALUES ('disable'), ('read_back'), ('find')) AS e (sub) WHERE s.operation_id = ?",
			"UPDATE account_steps SET state = 'running' WHERE operation_id = ?",
			"UPDATE account_steps SET state = 'done', ended_at = lethe_now() WHERE operation_id = ?",
			"UPDATE linked_accounts SET state = 'disabled', confirmed_at = lethe_now() WHERE operation_id = ?",
			"UPDATE account_operations SET state = 'settled', ended_at = lethe_now() WHERE id = ?",
		} {
			if err := tx.DB().Exec(sql, alone.ID).Error; err != nil {
				return err
			}
		}
		return nil
	})
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	err = s.try(t, func(tx *database.Tx) error {
		if _, err := archive.LockEmployment(tx, employment.ID); err != nil {
			return err
		}
		_, _, err := account.OrderRelink(tx, account.RelinkOrder{EmploymentID: employment.ID, Origin: models.OriginStandalone, Undoes: &alone.ID, By: s.hr})
		return err
	})
	if !errors.Is(err, account.ErrDepartureOwns) {
		t.Errorf("accounts of a departed person are given back: %v", err)
	}
}

func TestI6_AChangeOfZoneBringsNoDeadlineForward(t *testing.T) {
	s := newStand(t)
	s.run(t, func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE legal_entities SET jurisdiction = 'DE', ledger_entry_id = ?", databasetest.Entry(t, tx)).Error
	})
	employee := s.hire(t)
	// the clock stands at some time before 31 December of next year
	now, _ := s.Facts.Now(t.Context())
	year := now.Year() + 1
	first := clock.NewDate(year, 1, 1)
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{LastWorkingDay: &first, NoticeReceivedOn: s.inDays(t, -3), TimeZone: "Pacific/Kiritimati"}})
	if err != nil {
		t.Fatal(err)
	}
	var rules []models.RetentionRule
	s.run(t, func(tx *database.Tx) (err error) { rules, err = retention.Rules(tx, "DE"); return err })
	inputs := func(d models.Departure) retention.Inputs {
		loc, _ := clock.LoadZone(d.TimeZone)
		return retention.Inputs{EndedAt: d.EmploymentEndedAt, Zone: loc, Rules: rules}
	}
	old := inputs(dep)
	last := clock.NewDate(year-1, 12, 31)
	err = s.try(t, func(tx *database.Tx) error {
		return reschedule(tx, s.hr, dep.ID, departure.RequestedDates{LastWorkingDay: &last, TimeZone: "Pacific/Honolulu"})
	})
	if errors.Is(err, departure.ErrApprovalRequired) {
		return // Honolulu ends the year before at the same instant
	}
	after := s.read(t, dep.ID)
	t.Errorf("rescheduled: %v; ended %s -> %s; shortens: %v", err, dep.EmploymentEndedAt, after.EmploymentEndedAt, retention.Shortens(old, inputs(after)))
}

func TestNobodyBeginsOrDecidesAboutTheOwnDeparture(t *testing.T) {
	s := newStand(t)
	self := models.Actor{EmployeeID: s.hire(t), Role: models.RoleHRAdmin}
	later := s.inDays(t, 20)
	err := s.try(t, func(tx *database.Tx) error {
		_, err := departure.Begin(tx, s.vault, self, departure.Notice{EmployeeID: self.EmployeeID, Kind: models.KindResignation, RequestedDates: planned(later)})
		return err
	})
	if !errors.Is(err, departure.ErrSubject) {
		t.Errorf("an HR admin begins the own departure: %v", err)
	}
	dep := s.cutNow(t, self.EmployeeID)
	err = s.try(t, func(tx *database.Tx) error {
		return departure.Withdraw(tx, s.vault, self, dep.ID, "I stay", true)
	})
	if !errors.Is(err, departure.ErrSubject) {
		t.Errorf("a dismissed HR admin takes the own departure back alone: %v", err)
	}
	err = s.try(t, func(tx *database.Tx) error { return reschedule(tx, self, dep.ID, planned(later)) })
	if !errors.Is(err, departure.ErrSubject) {
		t.Errorf("a dismissed HR admin puts the own end off: %v", err)
	}
}

// At the cutoff the person's own tokens end.
func TestTheOwnTokensEndAtTheCutoff(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	var secret string
	s.run(t, func(tx *database.Tx) (err error) {
		if _, err := identity.GrantTo(tx, employee, models.RoleEmployee); err != nil {
			return err
		}
		secret, _, err = identity.Issue(tx, employee, models.RoleEmployee, "own", time.Hour, true)
		return err
	})
	authenticate := func() error {
		_, err := identity.Authenticate(t.Context(), s.Facts, secret, true)
		return err
	}
	if err := authenticate(); err != nil {
		t.Fatal(err)
	}
	s.cutNow(t, employee)
	if err := authenticate(); !errors.Is(err, identity.ErrTokenRevoked) {
		t.Fatalf("after the cutoff: %v", err)
	}
}

// A jurisdiction that lost its rules keeps the stage where it is, and no account open.
func TestI12_WhatHindersTheEndKeepsNoAccountOpen(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE retention_rules SET superseded_at = lethe_now() WHERE jurisdiction = 'CN'").Error
	})
	a := &activities.Departure{DB: s.Facts, Connected: s.connected}
	if _, err := a.DepartureFacts(t.Context(), activities.Ref{ID: dep.ID.String()}); err == nil {
		t.Fatal("departed without rules")
	}
	if got := s.read(t, dep.ID); got.Stage != models.StagePendingDeparture || got.AccountsState != models.AccountsUnlinking {
		t.Fatalf("stage %s, accounts %s", got.Stage, got.AccountsState)
	}
}

// TestListShowsAHeadWhomTheyMayRead: by the department in which the person is now, as reading one
// departure does, and not by the one in which the employment began.
func TestListShowsAHeadWhomTheyMayRead(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: planned(s.inDays(t, 10))})
	if err != nil {
		t.Fatal(err)
	}
	former, present := s.department.ID, uuid.Must(uuid.NewV7())
	heads := map[uuid.UUID]models.Actor{}
	for _, department := range []uuid.UUID{former, present} {
		heads[department] = models.Actor{EmployeeID: s.hire(t), Role: models.RoleDepartmentHead}
	}
	s.run(t, func(tx *database.Tx) error {
		moved := models.Department{ID: present, LegalEntityID: s.department.LegalEntityID, Code: "D2", NameZh: "二部", NameEn: "Second"}
		if err := tx.DB().Create(&moved).Error; err != nil {
			return err
		}
		for department, head := range heads {
			if err := tx.DB().Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head.EmployeeID, department).Error; err != nil {
				return err
			}
		}
		return tx.DB().Exec("UPDATE employees SET department_id = ? WHERE id = ?", present, employee).Error
	})
	for department, want := range map[uuid.UUID]int{former: 0, present: 1} {
		head := heads[department]
		rows, err := departure.List(t.Context(), s.Facts, departure.Filter{VisibleTo: &head, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != want || want == 1 && rows[0].ID != dep.ID {
			t.Errorf("the head of %s sees %d departures, want %d", department, len(rows), want)
		}
	}
}
