package api

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// Nobody changes the own pay, post or hold, from any of their accounts, alone or as one of two.
func TestI21_NobodyEditsTheOwnPayPostOrHold(t *testing.T) {
	f := newFixture(t)
	me, other := f.people[hr], f.hire("E-other", f.a)
	// A second account of the same person, and a token.
	alias := uuid.New()
	f.exec("INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (?, ?, 'alias', 'active', @entry)", alias, me)
	second := &visitor{f: f}
	f.run(func(tx *database.Tx) error {
		if err := identity.Grant(tx, alias, hr, models.System); err != nil {
			return err
		}
		token, session, err := f.server.Identity.Open(tx, identity.Opening{User: models.User{ID: alias, EmployeeID: me, State: models.UserActive}, Role: hr, Authenticated: models.ByTOTP})
		if err != nil {
			return err
		}
		second.id = session.ID
		second.token, err = f.server.Identity.StepUp(tx, session.ID, databasetest.Entry(f.t, tx))
		_ = token
		return err
	})
	var mine, theirs models.Hold
	f.run(func(tx *database.Tx) (err error) {
		if mine, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: me, Matter: "M-1", By: models.System}); err != nil {
			return err
		}
		theirs, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: other, Matter: "M-2", By: models.System})
		return err
	})
	own := []struct{ name, method, path, body string }{
		{"the own post", "PATCH", addressOf(models.RefEmployee, me), `{"post": "chief"}`},
		{"the own pay", "PATCH", addressOf(models.RefEmployee, me), `{"fields": {"salary": "1"}}`},
		{"the own department", "PATCH", addressOf(models.RefEmployee, me), `{"department_id": "` + f.a.String() + `"}`},
		{"the own zone, by two", "PATCH", addressOf(models.RefEmployee, me), `{"time_zone": "Europe/Berlin"}`},
		{"a hold on the own data", "POST", "/api/v1/holds", `{"employee_id": "` + me.String() + `", "matter": "M-3"}`},
		{"the release of the own hold", "POST", addressOf(models.RefHold, mine.ID) + "/release", `{}`},
		{"the own accounts", "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + me.String() + `"}`},
		{"another account for oneself", "POST", accountsAddress(me), `{"system": "finance", "external_id": "x"}`},
	}
	for _, c := range own {
		for who, v := range map[string]*visitor{"a session": f.session(hr), "another account": second} {
			if got := v.ask(c.method, c.path, c.body); got.status != 403 || got.problem.Code != codeOwnMatter {
				t.Errorf("%s by %s: %d %s", c.name, who, got.status, got.body)
			}
		}
		if got := f.ask(hr, c.method, c.path, c.body); got.status != 403 || got.problem.Code != codeOwnMatter {
			t.Errorf("%s by a token: %d %s", c.name, got.status, got.body)
		}
	}
	// Of somebody else all of it is everyday.
	if got := second.ask("PATCH", addressOf(models.RefEmployee, other), `{"post": "clerk"}`); got.status != 200 {
		t.Errorf("another's post: %d %s", got.status, got.body)
	}
	if got := second.ask("POST", addressOf(models.RefHold, theirs.ID)+"/release", `{}`); got.status != 202 {
		t.Errorf("another's hold: %d %s", got.status, got.body)
	}
	if got := second.ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+other.String()+`"}`); got.status != 202 || got.header.Get("Location")[:len("/api/v1/account-")] != "/api/v1/account-" {
		t.Errorf("another's accounts: %d %s", got.status, got.body)
	}
	// As the second person: who is it about does not agree either.
	asked := f.freshSession(f.hire("R-hr-2", f.b), hr).ask("PATCH", addressOf(models.RefEmployee, me), `{"time_zone": "Europe/Berlin"}`)
	if got := second.ask("POST", asked.header.Get("Location")+"/decision", `{"decision": "approved"}`); got.status != 403 || got.problem.Code != codeOwnMatter {
		t.Errorf("the own zone as approver: %d %s", got.status, got.body)
	}
}

// What one person may do to most people's access takes two for who heads a department or administers: else
// whoever is watched could lock the others out and act alone.
func TestI21_TheAccessOfThoseWhoWatchTakesTwo(t *testing.T) {
	f := newFixture(t)
	plain, headOfB := f.hire("E-plain", f.a), f.hire("E-head", f.b)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", headOfB, f.b)
	watched := map[string]uuid.UUID{"a head": f.people[head], "another head": headOfB}
	for _, role := range []models.Role{hr, it, reviewer} {
		p := f.hire("E-"+string(role), f.a)
		f.run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, p, role); return err })
		watched[string(role)] = p
	}
	by := f.session(it)
	unlink := func(p uuid.UUID) reply {
		return by.ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+p.String()+`"}`)
	}
	isRequest := func(name string, got reply) {
		t.Helper()
		if got.status != 202 || got.header.Get("Location")[:len("/api/v1/approvals/")] != "/api/v1/approvals/" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, p := range watched {
		isRequest("unlinking "+name, unlink(p))
		var op models.AccountOperation
		f.run(func(tx *database.Tx) (err error) {
			op, _, err = account.OrderUnlink(tx, account.UnlinkOrder{EmploymentID: f.employment(p), Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System})
			return err
		})
		isRequest("relinking "+name, by.ask("POST", "/api/v1/account-relinkings", `{"unlinking_id": "`+op.ID.String()+`"}`))
		isRequest("disabling "+name, by.ask("POST", "/api/v1/users/"+f.user(p).String()+"/disabling", ""))
	}
	kase := f.stuckCase(f.hireWatched("E-case"))
	isRequest("giving back a stuck one", by.ask("POST", "/api/v1/support-cases/"+kase.String()+"/resolution", `{"action": "abort"}`))
	if got := unlink(plain); got.status != 202 || got.header.Get("Location")[:len("/api/v1/account-unlinkings/")] != "/api/v1/account-unlinkings/" {
		t.Errorf("anybody's: %d %s", got.status, got.body)
	}
}

func (f *fixture) hireWatched(no string) uuid.UUID {
	f.t.Helper()
	p := f.hire(no, f.a)
	f.run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, p, reviewer); return err })
	return p
}
