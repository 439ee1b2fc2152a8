package apitest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/operations"
	"lethe/internal/permission"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/models"
)

// SubjectDecides lets the person whom a request is about try to agree to it.
func (f *Fixture) SubjectDecides(t *testing.T, id uuid.UUID, role models.Role, body string) Reply {
	t.Helper()
	var subject []uuid.UUID
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT unnest(subject_ids) FROM approvals WHERE id = ? LIMIT 1", id).Scan(&subject).Error)
	})
	if len(subject) == 0 {
		return Reply{}
	}
	// A session without touching the user that the request may be about.
	user := uuid.New()
	f.Exec("INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (?, ?, ?, 'active', @entry)", user, subject[0], "other-"+user.String())
	v := &Visitor{F: f}
	f.Run(func(tx *database.Tx) error {
		if err := identity.Grant(tx, user, role, models.System); err != nil {
			return err
		}
		token, session, err := f.API.Identity.Open(tx, identity.Opening{User: models.User{ID: user, EmployeeID: subject[0], State: models.UserActive}, Role: role, Authenticated: models.ByTOTP})
		if err != nil {
			return err
		}
		v.Token, v.ID = token, session.ID
		v.Token, err = f.API.Identity.StepUp(tx, v.ID, databasetest.Entry(f.T, tx))
		return err
	})
	return v.Ask("POST", httpkit.AddressOf(models.RefApproval, id)+"/decision", body)
}

// Employment is the first employment of somebody.
func (f *Fixture) Employment(person uuid.UUID) (id uuid.UUID) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) error {
		var found []uuid.UUID
		err := tx.DB().Raw("SELECT id FROM employments WHERE employee_id = ?", person).Scan(&found).Error
		id = found[0]
		return database.Hide(err)
	})
	return id
}

// User is the account of somebody, which is made if there is none.
func (f *Fixture) User(person uuid.UUID) (id uuid.UUID) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) error {
		user, err := identity.EnsureUser(tx, person, "")
		id = user.ID
		return err
	})
	return id
}

// StuckCase is a support case of a stand-alone unlinking that is stuck.
func (f *Fixture) StuckCase(person uuid.UUID) uuid.UUID {
	f.T.Helper()
	kase, employment := uuid.New(), f.Employment(person)
	f.Run(func(tx *database.Tx) error {
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
			if err := tx.DB().Exec(sql, map[string]any{"op": op.ID, "id": kase, "entry": f.Entry(tx)}).Error; err != nil {
				return database.Hide(err)
			}
		}
		return nil
	})
	return kase
}

// PurgeInReview is a purge that waits for a reviewer. Nobody who decides in a test began the departure.
func (f *Fixture) PurgeInReview(d departures.DepartureView) uuid.UUID {
	f.T.Helper()
	id := uuid.New()
	err := databasetest.Unguarded(f.Env.Facts, "departures", "departures_matter", "UPDATE departures SET created_by = NULL WHERE id = '"+d.ID.String()+"'")
	if err != nil {
		f.T.Fatal(err)
	}
	employment := f.Employment(d.EmployeeID)
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("INSERT INTO purges (id, departure_id, employment_id, state, ledger_entry_id) VALUES (?, ?, ?, 'in_review', ?)",
			id, d.ID, employment, f.Entry(tx)).Error)
	})
	return id
}

// LeftLongAgo is a departure that took effect, with its deadlines; counted: two people agreed to count from then.
func (f *Fixture) LeftLongAgo(person uuid.UUID, days int, counted bool) (dep models.Departure) {
	f.T.Helper()
	last, err := clock.ParseDate(f.Day(days))
	if err != nil {
		f.T.Fatal(err)
	}
	begin := func(tx *database.Tx) (err error) {
		dep, err = departure.Begin(tx, f.Vault, models.System, departure.Notice{
			EmployeeID: person, Kind: models.KindResignation, Approved: counted,
			RequestedDates: departure.RequestedDates{LastWorkingDay: &last, ConfirmPast: true, CountFromEnd: counted},
		})
		if err == nil {
			_, err = departure.Advance(tx, dep.ID, f.Systems)
		}
		return err
	}
	if !counted {
		f.Run(begin)
		return dep
	}
	err = databasetest.Agreed(f.T, f.Env.Facts, databasetest.Agreement{
		Operation: operations.BeginImmediately, Subject: person, Kind: "employee", Target: person,
		Requester: f.People[models.RoleHRAdmin], Approver: f.People[models.RoleReviewer],
	}, begin)
	if err != nil {
		f.T.Fatal(err)
	}
	return dep
}

// RejectedPurge is one that a reviewer refused who is nobody else in a test.
func (f *Fixture) RejectedPurge(person uuid.UUID) (id uuid.UUID) {
	f.T.Helper()
	dep := f.LeftLongAgo(person, -1200, true)
	refuser := models.Actor{EmployeeID: f.Hire("R"+uuid.NewString()[:8], f.B), Role: models.RoleReviewer}
	f.Run(func(tx *database.Tx) error {
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

// Entry is what a row that a test writes itself refers to.
func (f *Fixture) Entry(tx *database.Tx) uuid.UUID {
	f.T.Helper()
	id, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindConfiguration, Action: "test.prepared"})
	if err != nil {
		f.T.Fatal(err)
	}
	return id
}

// WantEntries counts the ledger's entries of an action.
func (f *Fixture) WantEntries(action string, want int) {
	f.T.Helper()
	var n int
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT count(*) FROM ledger_content WHERE action = ?", action).Scan(&n).Error)
	})
	if n != want || want == 0 {
		f.T.Errorf("%d entries of %s, want %d", n, action, want)
	}
}

// Count is how many rows a table has.
func (f *Fixture) Count(table string) int64 {
	f.T.Helper()
	var n int64
	if err := f.Env.Facts.Read(context.Background()).Table(table).Count(&n).Error; err != nil {
		f.T.Fatal(err)
	}
	return n
}

// Logged appends entries about the employee.
func (f *Fixture) Logged(entries int) (ids []uuid.UUID) {
	f.T.Helper()
	subject := f.People[models.RoleEmployee]
	f.Run(func(tx *database.Tx) error {
		for i := range entries {
			id, err := ledger.Append(tx, ledger.Entry{
				Kind: ledger.KindRetention, Action: "hold.placed", Subject: &subject, Reason: fmt.Sprintf("劳动仲裁 case %d", i),
			})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids
}

// Marker is planted in values; no answer and no log line may repeat it.
const Marker = "MARKER-7f3a-机密"

// Newcomer is the body of a hire.
func (f *Fixture) Newcomer(no string, department uuid.UUID, fields string) string {
	return `{"employee_no": "` + no + `", "name": "新人` + Marker + `", "department_id": "` + department.String() +
		`", "hired_on": "2024-05-06", "fields": {` + fields + `}}`
}

// TokenOrder is the body of a token that lasts an hour.
func (f *Fixture) TokenOrder(rest string) string {
	now, err := f.Env.Facts.Now(f.T.Context())
	if err != nil {
		f.T.Fatal(err)
	}
	return `{"label": "script", "expires_at": "` + now.Add(time.Hour).Format(time.RFC3339) + `"` + rest + `}`
}

// Configures lets somebody ask for other permissions and another privacy policy.
func (f *Fixture) Configures(person uuid.UUID) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) error {
		before, err := permission.Current(tx.DB())
		if err != nil {
			return err
		}
		m := *before
		m.Configurers = append(slices.Clone(m.Configurers), person)
		asker, agrees := models.Actor{EmployeeID: f.People[models.RoleEmployee], Role: models.RoleHRAdmin}, models.Actor{EmployeeID: f.People[models.RoleReviewer], Role: models.RoleReviewer}
		own, err := archive.OwnNow(tx.DB())
		if err != nil {
			return err
		}
		return permission.Set(tx, asker, agrees, m, own.Groups())
	})
}

// AskedToErase is a request of somebody for an erasure, which waits for its answer.
func (f *Fixture) AskedToErase(person uuid.UUID) (id uuid.UUID) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) error {
		r, err := subject.Ask(tx, models.Actor{EmployeeID: person, Role: models.RoleEmployee}, subject.New{EmployeeID: person, Kind: models.SubjectErasure, Text: "请删除"})
		id = r.ID
		return err
	})
	return id
}
