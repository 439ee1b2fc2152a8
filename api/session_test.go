package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/models"
)

// visitor is somebody at a browser.
type visitor struct {
	f      *fixture
	id     uuid.UUID // of the session
	userID uuid.UUID
	token  string
}

// session is a session of the role's person, who has just proved again who they are.
func (f *fixture) session(role models.Role) *visitor {
	f.t.Helper()
	v := f.plainSession(f.people[role], role)
	f.run(func(tx *database.Tx) (err error) {
		v.token, err = f.server.Identity.StepUp(tx, v.id, databasetest.Entry(f.t, tx))
		return err
	})
	return v
}

// plainSession is a session without a step-up, of any person, who is granted the role.
func (f *fixture) plainSession(person uuid.UUID, role models.Role) *visitor {
	f.t.Helper()
	return f.openSession(person, role, models.ByTOTP)
}

func (f *fixture) openSession(person uuid.UUID, role models.Role, how models.Authentication) *visitor {
	f.t.Helper()
	v := &visitor{f: f}
	f.run(func(tx *database.Tx) error {
		user, err := identity.GrantTo(tx, person, role)
		if err != nil {
			return err
		}
		token, session, err := f.server.Identity.Open(tx, identity.Opening{User: user, Role: role, Authenticated: how})
		v.token, v.id, v.userID = token, session.ID, user.ID
		return err
	})
	return v
}

// ask sends a request with the session's cookie.
func (v *visitor) ask(method, path, body string, headers ...string) reply {
	v.f.t.Helper()
	return v.f.ask("", method, path, body, append([]string{"Cookie", "lethe=" + v.token}, headers...)...)
}

// credentials are what a user logs in with.
type credentials struct {
	id                      uuid.UUID
	login, password, secret string
}

const password = "ein Satz über Wolken"

func (f *fixture) enrolled(person uuid.UUID, roles ...models.Role) credentials {
	f.t.Helper()
	a := credentials{password: password}
	f.run(func(tx *database.Tx) error {
		for _, role := range roles {
			user, err := identity.GrantTo(tx, person, role)
			if err != nil {
				return err
			}
			a.id, a.login = user.ID, user.Login
		}
		return nil
	})
	var err error
	if a.secret, err = f.server.Identity.SetCredentials(context.Background(), a.id, a.password); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// code is what the account's authenticator shows, so many steps from now.
func (f *fixture) code(a credentials, steps int) string {
	f.t.Helper()
	now, err := f.env.Facts.Now(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	code, err := totp.GenerateCode(a.secret, now.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		f.t.Fatal(err)
	}
	return code
}

func (f *fixture) login(a credentials, code string, headers ...string) reply {
	f.t.Helper()
	return f.ask("", "POST", "/api/v1/sessions", `{"login": "`+a.login+`", "password": "`+a.password+`", "totp": "`+code+`"}`, headers...)
}

func cookieOf(t testing.TB, r reply, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in %v (%d %s)", name, r.header["Set-Cookie"], r.status, r.body)
	return nil
}

func TestLoginAndLogout(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr, auditor)
	opened := f.login(a, f.code(a, 0))
	var view SessionView
	opened.into(t, &view)
	cookie := cookieOf(t, opened, "lethe")
	if opened.status != 201 || view.Role != hr || !view.Current || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("answered %d, %+v, cookie %+v", opened.status, view, cookie)
	}
	v := &visitor{f: f, token: cookie.Value, id: view.ID}
	var me Me
	v.ask("GET", "/api/v1/me", "").into(t, &me)
	if me.Session == nil || me.Session.ID != view.ID || me.User.ID != a.id || len(me.User.Roles) != 2 || me.Session.SteppedUpAt != nil {
		t.Errorf("I am %+v", me)
	}
	var page Page[SessionView]
	v.ask("GET", "/api/v1/sessions", "").into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != view.ID || !page.Items[0].Current {
		t.Errorf("my sessions are %+v", page.Items)
	}
	gone := v.ask("DELETE", "/api/v1/sessions/current", "")
	if gone.status != 204 || cookieOf(t, gone, "lethe").MaxAge >= 0 {
		t.Errorf("logout answered %d %v", gone.status, gone.header["Set-Cookie"])
	}
	if got := v.ask("GET", "/api/v1/me", ""); got.status != 401 || got.problem.Code != codeSessionUnknown {
		t.Errorf("after the logout: %d %s", got.status, got.problem.Code)
	}
}

func TestLoginNeedsBothFactors(t *testing.T) {
	f := newFixture(t)
	a := f.enrolled(f.people[hr], hr)
	body := func(login, password, rest string) string {
		return `{"login": "` + login + `", "password": "` + password + `"` + rest + `}`
	}
	code := `, "totp": "` + f.code(a, 0) + `"`
	for name, sent := range map[string]string{
		"unknown login":  body("nobody", a.password, code),
		"wrong password": body(a.login, a.password+"x", code),
		"no code":        body(a.login, a.password, ""),
		"wrong code":     body(a.login, a.password, `, "totp": "000000"`),
		"wrong recovery": body(a.login, a.password, `, "recovery_code": "AAAA-BBBB-CCCC-DDDD"`),
	} {
		got := f.ask("", "POST", "/api/v1/sessions", sent)
		if got.status != 401 || got.problem.Code != codeLoginFailed || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", name, got.status, got.problem.Code)
		}
	}
	if got := f.ask("", "POST", "/api/v1/sessions", body(a.login, a.password, code+`, "role": "it_ops"`)); got.problem.Code != codeRoleNotGranted {
		t.Errorf("a role that is not held: %d %s", got.status, got.problem.Code)
	}
	if got := f.login(a, f.code(a, 0)); got.status != 201 {
		t.Fatalf("the right ones: %d %s", got.status, got.body)
	}
	if got := f.login(a, f.code(a, 0)); got.problem.Code != codeLoginFailed {
		t.Errorf("the same code again: %d %s", got.status, got.problem.Code)
	}
}

func TestTokenAndSessionTogetherAreRefused(t *testing.T) {
	f := newFixture(t)
	v := f.session(hr)
	if got := f.ask(hr, "GET", "/api/v1/me", "", "Cookie", "lethe="+v.token); got.status != 400 || got.problem.Code != codeTwoCredentials {
		t.Errorf("both: %d %s", got.status, got.problem.Code)
	}
	if got := f.ask("", "GET", "/api/v1/me", "", "Cookie", "lethe="+v.token+"; lethe=x"); got.status != 401 {
		t.Errorf("two cookies of one name: %d", got.status)
	}
}

func TestI23_ARevokedSessionStopsWithTheNextRequest(t *testing.T) {
	f := newFixture(t)
	for name, revoke := range map[string]func(v *visitor) func(tx *database.Tx) error{
		"session": func(v *visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error {
				return f.server.Identity.RevokeSession(tx, identity.Bearer{UserID: v.userID, Actor: models.Actor{EmployeeID: f.people[auditor], Role: auditor}}, v.id)
			}
		},
		"role": func(v *visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error { return identity.RevokeRole(tx, v.userID, auditor, models.System) }
		},
		"user": func(v *visitor) func(tx *database.Tx) error {
			return func(tx *database.Tx) error { return identity.EndAll(tx, f.people[auditor]) }
		},
	} {
		v := f.session(auditor)
		if got := v.ask("GET", "/api/v1/me", ""); got.status != 200 {
			t.Fatalf("%s: before %d %s", name, got.status, got.body)
		}
		f.run(revoke(v))
		if got := v.ask("GET", "/api/v1/me", ""); got.status != 401 || got.problem.Code != codeSessionUnknown {
			t.Errorf("%s: after %d %s", name, got.status, got.problem.Code)
		}
		byToken := f.ask(auditor, "GET", "/api/v1/me", "")
		if want := map[bool]int{true: 200, false: 401}[name == "session"]; byToken.status != want {
			t.Errorf("%s: the token answers %d", name, byToken.status)
		}
		if name != "session" { // for the next one
			f.exec("UPDATE users SET state = 'enrolling', ledger_entry_id = @entry WHERE id = ? AND state = 'disabled'", v.userID)
			f.exec("UPDATE users SET state = 'active', ledger_entry_id = @entry WHERE id = ? AND state = 'enrolling'", v.userID)
			f.people[auditor] = f.hire("AUD-"+name, f.b)
			f.tokens[auditor], f.tokenIDs[auditor] = f.token(f.people[auditor], auditor)
		}
	}
}

func TestI23_StreamEndsWithItsSession(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	defer func(r rhythm) { normalRhythm = r }(normalRhythm)
	normalRhythm.recheck = 100 * time.Millisecond
	v := f.session(auditor)
	events := f.followWith(addressOf(models.RefDeparture, d.ID), "", "Cookie", "lethe="+v.token)
	f.next(events)
	f.run(func(tx *database.Tx) error { return identity.RevokeRole(tx, v.userID, auditor, models.System) })
	if e := f.next(events); e.kind != eventProblem || e.problem.Code != codeSessionUnknown {
		t.Errorf("came %+v", e)
	}
	f.ended(events)
}

// TestI23_StreamsLookOftenEnough: what keeps the promise of 15 seconds.
func TestI23_StreamsLookOftenEnough(t *testing.T) {
	if worst := normalRhythm.recheck + streamWriteLimit; worst > 15*time.Second {
		t.Errorf("a stream may go on for %v after its bearer ended", worst)
	}
}
