package apitest

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

// FreshSession is a session of any person in a role, with a step-up a moment ago.
func (f *Fixture) FreshSession(person uuid.UUID, role models.Role) *Visitor {
	f.T.Helper()
	v := f.PlainSession(person, role)
	f.Run(func(tx *database.Tx) (err error) {
		v.Token, err = f.API.Identity.StepUp(tx, v.ID, databasetest.Entry(f.T, tx))
		return err
	})
	return v
}

// Visitor is somebody at a browser.
type Visitor struct {
	F      *Fixture
	ID     uuid.UUID // of the session
	UserID uuid.UUID
	Token  string
}

// Session is a session of the role's person, who has just proved again who they are.
func (f *Fixture) Session(role models.Role) *Visitor {
	f.T.Helper()
	v := f.PlainSession(f.People[role], role)
	f.Run(func(tx *database.Tx) (err error) {
		v.Token, err = f.API.Identity.StepUp(tx, v.ID, databasetest.Entry(f.T, tx))
		return err
	})
	return v
}

// PlainSession is a session without a step-up, of any person, who is granted the role.
func (f *Fixture) PlainSession(person uuid.UUID, role models.Role) *Visitor {
	f.T.Helper()
	return f.OpenSession(person, role, models.ByTOTP)
}

// OpenSession is a session of anybody, who is granted the role.
func (f *Fixture) OpenSession(person uuid.UUID, role models.Role, how models.Authentication) *Visitor {
	f.T.Helper()
	v := &Visitor{F: f}
	f.Run(func(tx *database.Tx) error {
		user, err := identity.GrantTo(tx, person, role)
		if err != nil {
			return err
		}
		token, session, err := f.API.Identity.Open(tx, identity.Opening{User: user, Role: role, Authenticated: how})
		v.Token, v.ID, v.UserID = token, session.ID, user.ID
		return err
	})
	return v
}

// Ask sends a request with the session's cookie.
func (v *Visitor) Ask(method, path, body string, headers ...string) Reply {
	v.F.T.Helper()
	return v.F.Ask("", method, path, body, append([]string{"Cookie", "lethe=" + v.Token}, headers...)...)
}

// Credentials are what a user logs in with.
type Credentials struct {
	ID                      uuid.UUID
	Login, Password, secret string
}

// Password is that of whoever is Enrolled.
const Password = "ein Satz über Wolken" //nolint:gosec // of people in tests

// Enrolled is somebody with a password and an authenticator.
func (f *Fixture) Enrolled(person uuid.UUID, roles ...models.Role) Credentials {
	f.T.Helper()
	a := Credentials{Password: Password}
	f.Run(func(tx *database.Tx) error {
		for _, role := range roles {
			user, err := identity.GrantTo(tx, person, role)
			if err != nil {
				return err
			}
			a.ID, a.Login = user.ID, user.Login
		}
		return nil
	})
	var err error
	if a.secret, err = f.API.Identity.SetCredentials(context.Background(), a.ID, a.Password); err != nil {
		f.T.Fatal(err)
	}
	return a
}

// Code is what the account's authenticator shows, so many steps from now.
func (f *Fixture) Code(a Credentials, steps int) string {
	f.T.Helper()
	now, err := f.Env.Facts.Now(context.Background())
	if err != nil {
		f.T.Fatal(err)
	}
	code, err := totp.GenerateCode(a.secret, now.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		f.T.Fatal(err)
	}
	return code
}

// Login tries to log in.
func (f *Fixture) Login(a Credentials, code string, headers ...string) Reply {
	f.T.Helper()
	return f.Ask("", "POST", "/api/v1/sessions", `{"login": "`+a.Login+`", "password": "`+a.Password+`", "totp": "`+code+`"}`, headers...)
}

// CookieOf is a cookie that an answer sets.
func CookieOf(t testing.TB, r Reply, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: r.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in %v (%d %s)", name, r.Header["Set-Cookie"], r.Status, r.Body)
	return nil
}
