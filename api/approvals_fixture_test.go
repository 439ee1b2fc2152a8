package api

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// freshSession is a session of any person in a role, with a step-up a moment ago.
func (f *fixture) freshSession(person uuid.UUID, role models.Role) *visitor {
	f.t.Helper()
	v := f.plainSession(person, role)
	f.run(func(tx *database.Tx) (err error) {
		v.token, err = f.server.Identity.StepUp(tx, v.id, databasetest.Entry(f.t, tx))
		return err
	})
	return v
}

// subjectDecides lets the person whom a request is about try to agree to it.
func (f *fixture) subjectDecides(t *testing.T, id uuid.UUID, role models.Role, body string) reply {
	t.Helper()
	var subject []uuid.UUID
	f.run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT unnest(subject_ids) FROM approvals WHERE id = ? LIMIT 1", id).Scan(&subject).Error)
	})
	if len(subject) == 0 {
		return reply{}
	}
	// A session without touching the user that the request may be about.
	user := uuid.New()
	f.exec("INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (?, ?, ?, 'active', @entry)", user, subject[0], "other-"+user.String())
	v := &visitor{f: f}
	f.run(func(tx *database.Tx) error {
		if err := identity.Grant(tx, user, role, models.System); err != nil {
			return err
		}
		token, session, err := f.server.Identity.Open(tx, identity.Opening{User: models.User{ID: user, EmployeeID: subject[0], State: models.UserActive}, Role: role, Authenticated: models.ByTOTP})
		if err != nil {
			return err
		}
		v.token, v.id = token, session.ID
		v.token, err = f.server.Identity.StepUp(tx, v.id, databasetest.Entry(f.t, tx))
		return err
	})
	return v.ask("POST", addressOf(models.RefApproval, id)+"/decision", body)
}

func (f *fixture) employment(person uuid.UUID) (id uuid.UUID) {
	f.t.Helper()
	f.run(func(tx *database.Tx) error {
		var found []uuid.UUID
		err := tx.DB().Raw("SELECT id FROM employments WHERE employee_id = ?", person).Scan(&found).Error
		id = found[0]
		return database.Hide(err)
	})
	return id
}

func (f *fixture) user(person uuid.UUID) (id uuid.UUID) {
	f.t.Helper()
	f.run(func(tx *database.Tx) error {
		user, err := identity.EnsureUser(tx, person, "")
		id = user.ID
		return err
	})
	return id
}

// stuckCase is a support case of a stand-alone unlinking that is stuck.
func (f *fixture) stuckCase(person uuid.UUID) uuid.UUID {
	f.t.Helper()
	kase, employment := uuid.New(), f.employment(person)
	f.run(func(tx *database.Tx) error {
		op, _, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: employment, Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System,
		})
		if err != nil {
			return err
		}
		for _, sql := range []string{
			"UPDATE account_steps SET state = 'stuck' WHERE operation_id = @op",
			"UPDATE linked_accounts SET state = 'stuck' WHERE operation_id = @op",
			"UPDATE account_operations SET state = 'needs_attention' WHERE id = @op",
			`INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, ledger_entry_id)
				SELECT @id, operation_id, id, account_id, system, 'unavailable', @entry FROM account_steps WHERE operation_id = @op`,
		} {
			if err := tx.DB().Exec(sql, map[string]any{"op": op.ID, "id": kase, "entry": f.entry(tx)}).Error; err != nil {
				return database.Hide(err)
			}
		}
		return nil
	})
	return kase
}

// purgeInReview is a purge that waits for a reviewer. Nobody who decides in a test began the departure.
func (f *fixture) purgeInReview(d DepartureView) uuid.UUID {
	f.t.Helper()
	id := uuid.New()
	err := databasetest.Unguarded(f.env.Facts, "departures", "departures_matter", "UPDATE departures SET created_by = NULL WHERE id = '"+d.ID.String()+"'")
	if err != nil {
		f.t.Fatal(err)
	}
	employment := f.employment(d.EmployeeID)
	f.run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("INSERT INTO purges (id, departure_id, employment_id, state, ledger_entry_id) VALUES (?, ?, ?, 'in_review', ?)",
			id, d.ID, employment, f.entry(tx)).Error)
	})
	return id
}

// leftLongAgo is a departure that took effect, with its deadlines; counted: two people agreed to count from then.
func (f *fixture) leftLongAgo(person uuid.UUID, days int, counted bool) (dep models.Departure) {
	f.t.Helper()
	last, err := clock.ParseDate(f.day(days))
	if err != nil {
		f.t.Fatal(err)
	}
	begin := func(tx *database.Tx) (err error) {
		dep, err = departure.Begin(tx, f.vault, models.System, departure.Notice{
			EmployeeID: person, Kind: models.KindResignation, Approved: counted,
			Wish: departure.Wish{LastWorkingDay: &last, ConfirmPast: true, CountFromEnd: counted},
		})
		if err == nil {
			_, err = departure.Advance(tx, dep.ID, f.systems)
		}
		return err
	}
	if !counted {
		f.run(begin)
		return dep
	}
	err = databasetest.Agreed(f.t, f.env.Facts, databasetest.Agreement{
		Operation: operations.BeginImmediately, Subject: person, Kind: "employee", Target: person,
		Requester: f.people[models.RoleHRAdmin], Approver: f.people[models.RoleReviewer],
	}, begin)
	if err != nil {
		f.t.Fatal(err)
	}
	return dep
}

// rejectedPurge is one that a reviewer refused who is nobody else in a test.
func (f *fixture) rejectedPurge(person uuid.UUID) (id uuid.UUID) {
	f.t.Helper()
	dep := f.leftLongAgo(person, -1200, true)
	refuser := models.Actor{EmployeeID: f.hire("R"+uuid.NewString()[:8], f.b), Role: models.RoleReviewer}
	f.run(func(tx *database.Tx) error {
		if _, err := retention.Look(tx, dep.ID, retention.Spread{}); err != nil {
			return err
		}
		if err := tx.DB().Raw("SELECT id FROM purges WHERE departure_id = ?", dep.ID).Row().Scan(&id); err != nil {
			return database.Hide(err)
		}
		return retention.Decide(tx, id, refuser, models.DecisionRejected)
	})
	return id
}

// entry is what a row that a test writes itself refers to.
func (f *fixture) entry(tx *database.Tx) uuid.UUID {
	f.t.Helper()
	id, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindConfiguration, Action: "test.prepared"})
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}
