package api_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// Nobody changes the own pay, post or hold, from any of their accounts, alone or as one of two.
func TestI21_NobodyEditsTheOwnPayPostOrHold(t *testing.T) {
	f := apitest.New(t)
	me, other := f.People[httpkit.HR], f.Hire("E-other", f.A)
	// A second account of the same person, and a token.
	alias := uuid.New()
	f.Exec("INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (?, ?, 'alias', 'active', @entry)", alias, me)
	second := &apitest.Visitor{F: f}
	f.Run(func(tx *database.Tx) error {
		if err := identity.Grant(tx, alias, httpkit.HR, models.System); err != nil {
			return err
		}
		token, session, err := f.API.Identity.Open(tx, identity.Opening{User: models.User{ID: alias, EmployeeID: me, State: models.UserActive}, Role: httpkit.HR, Authenticated: models.ByTOTP})
		if err != nil {
			return err
		}
		second.ID = session.ID
		second.Token, err = f.API.Identity.StepUp(tx, session.ID, databasetest.Entry(f.T, tx))
		_ = token
		return err
	})
	var mine, theirs models.Hold
	f.Run(func(tx *database.Tx) (err error) {
		if mine, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: me, Matter: "M-1", By: models.System}); err != nil {
			return err
		}
		theirs, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: other, Matter: "M-2", By: models.System})
		return err
	})
	own := []struct{ name, method, path, body string }{
		{"the own post", "PATCH", httpkit.AddressOf(models.RefEmployee, me), `{"post": "chief"}`},
		{"the own pay", "PATCH", httpkit.AddressOf(models.RefEmployee, me), `{"fields": {"salary": "1"}}`},
		{"the own department", "PATCH", httpkit.AddressOf(models.RefEmployee, me), `{"department_id": "` + f.A.String() + `"}`},
		{"the own zone, by two", "PATCH", httpkit.AddressOf(models.RefEmployee, me), `{"time_zone": "Europe/Berlin"}`},
		{"a hold on the own data", "POST", "/api/v1/holds", `{"employee_id": "` + me.String() + `", "matter": "M-3"}`},
		{"the release of the own hold", "POST", httpkit.AddressOf(models.RefHold, mine.ID) + "/release", `{}`},
		{"the own departure", "POST", "/api/v1/departures", f.Notice(me, 30)},
		{"the own departure at once, by two", "POST", "/api/v1/departures", `{"employee_id": "` + me.String() + `", "kind": "resignation", "immediate": true}`},
		{"a look at the own departure", "POST", "/api/v1/departures/preview", f.Notice(me, 30)},
		{"the own accounts", "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + me.String() + `"}`},
		{"another account for oneself", "POST", accounts.AccountsAddress(me), `{"system": "finance", "external_id": "x"}`},
	}
	for _, c := range own {
		for who, v := range map[string]*apitest.Visitor{"a session": f.Session(httpkit.HR), "another account": second} {
			if got := v.Ask(c.method, c.path, c.body); got.Status != 403 || got.Problem.Code != "own_matter" {
				t.Errorf("%s by %s: %d %s", c.name, who, got.Status, got.Body)
			}
		}
		if got := f.Ask(httpkit.HR, c.method, c.path, c.body); got.Status != 403 || got.Problem.Code != "own_matter" {
			t.Errorf("%s by a token: %d %s", c.name, got.Status, got.Body)
		}
	}
	// Of somebody else all of it is everyday.
	if got := second.Ask("PATCH", httpkit.AddressOf(models.RefEmployee, other), `{"post": "clerk"}`); got.Status != 200 {
		t.Errorf("another's post: %d %s", got.Status, got.Body)
	}
	if got := second.Ask("POST", httpkit.AddressOf(models.RefHold, theirs.ID)+"/release", `{}`); got.Status != 202 {
		t.Errorf("another's hold: %d %s", got.Status, got.Body)
	}
	if got := second.Ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+other.String()+`"}`); got.Status != 202 || got.Header.Get("Location")[:len("/api/v1/account-")] != "/api/v1/account-" {
		t.Errorf("another's accounts: %d %s", got.Status, got.Body)
	}
	// As the second person: who is it about does not agree either.
	asked := f.FreshSession(f.Hire("R-hr-2", f.B), httpkit.HR).Ask("PATCH", httpkit.AddressOf(models.RefEmployee, me), `{"time_zone": "Europe/Berlin"}`)
	if got := second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 403 || got.Problem.Code != "own_matter" {
		t.Errorf("the own zone as approver: %d %s", got.Status, got.Body)
	}
}

// What one person may do to most people's access takes two for who heads a department or administers: else
// whoever is watched could lock the others out and act alone.
func TestI21_TheAccessOfThoseWhoWatchTakesTwo(t *testing.T) {
	f := apitest.New(t)
	plain, headOfB := f.Hire("E-plain", f.A), f.Hire("E-head", f.B)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", headOfB, f.B)
	watched := map[string]uuid.UUID{"a head": f.People[httpkit.Head], "another head": headOfB}
	for _, role := range []models.Role{httpkit.HR, httpkit.IT, httpkit.Reviewer} {
		p := f.Hire("E-"+string(role), f.A)
		f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, p, role); return err })
		watched[string(role)] = p
	}
	by := f.Session(httpkit.IT)
	unlink := func(p uuid.UUID) apitest.Reply {
		return by.Ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+p.String()+`"}`)
	}
	isRequest := func(name string, got apitest.Reply) {
		t.Helper()
		if got.Status != 202 || got.Header.Get("Location")[:len("/api/v1/approvals/")] != "/api/v1/approvals/" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	for name, p := range watched {
		isRequest("unlinking "+name, unlink(p))
		var op models.AccountOperation
		f.Run(func(tx *database.Tx) (err error) {
			op, _, err = account.OrderUnlink(tx, account.UnlinkOrder{EmploymentID: f.Employment(p), Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System})
			return err
		})
		isRequest("relinking "+name, by.Ask("POST", "/api/v1/account-relinkings", `{"unlinking_id": "`+op.ID.String()+`"}`))
		isRequest("disabling "+name, by.Ask("POST", "/api/v1/users/"+f.User(p).String()+"/disabling", ""))
	}
	kase := f.StuckCase(hireWatched(f, "E-case"))
	isRequest("giving back a stuck one", by.Ask("POST", "/api/v1/support-cases/"+kase.String()+"/resolution", `{"action": "abort"}`))
	if got := unlink(plain); got.Status != 202 || got.Header.Get("Location")[:len("/api/v1/account-unlinkings/")] != "/api/v1/account-unlinkings/" {
		t.Errorf("anybody's: %d %s", got.Status, got.Body)
	}
}

func hireWatched(f *apitest.Fixture, no string) uuid.UUID {
	f.T.Helper()
	p := f.Hire(no, f.A)
	f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, p, httpkit.Reviewer); return err })
	return p
}
