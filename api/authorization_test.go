package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/models"
)

// credential is a way of asking as a role: header fields, and what every answer must say; "" leaves
// it to the table.
type credential struct {
	headers []string
	refusal string
	token   bool // it is a token, which a person's routes refuse
	glass   bool // it was opened with the sealed codes
}

// credentials of a role: good ones and ended ones.
func (f *fixture) credentials(role models.Role) map[string]credential {
	f.t.Helper()
	bearer := func(secret string) []string { return []string{"Authorization", "Bearer " + secret} }
	cookie := func(v *visitor) []string { return []string{"Cookie", "lethe=" + v.token} }
	expired, expiredID := f.token(f.people[role], role)
	f.exec("UPDATE api_tokens SET expires_at = lethe_now() WHERE id = ?", expiredID)
	revoked, revokedID := f.token(f.people[role], role)
	f.run(func(tx *database.Tx) error { _, err := identity.Revoke(tx, revokedID.String()); return err })
	foreign := identity.DevelopmentPrefix + strings.Repeat("x", 43)
	ended, over, idle := f.session(role), f.session(role), f.session(role)
	f.exec("UPDATE sessions SET revoked_at = lethe_now() WHERE id = ?", ended.id)
	f.exec("UPDATE sessions SET expires_at = lethe_now() WHERE id = ?", over.id)
	f.exec("UPDATE sessions SET idle_expires_at = lethe_now() WHERE id = ?", idle.id)
	return map[string]credential{
		"token":         {headers: bearer(f.tokens[role]), token: true},
		"session":       {headers: cookie(f.session(role))},
		"break-glass":   {headers: cookie(f.openSession(f.people[role], role, models.ByBreakGlass)), glass: true},
		"nothing":       {refusal: codeTokenMissing},
		"expired":       {headers: bearer(expired), refusal: codeTokenExpired},
		"revoked":       {headers: bearer(revoked), refusal: codeTokenRevoked},
		"foreign":       {headers: bearer(foreign), refusal: codeTokenUnknown},
		"ended session": {headers: cookie(ended), refusal: codeSessionUnknown},
		"old session":   {headers: cookie(over), refusal: codeSessionUnknown},
		"idle session":  {headers: cookie(idle), refusal: codeSessionUnknown},
	}
}

// expected is the code of the refusal, or "" if the call gets past all of them.
func (r rule) expected(role models.Role, c credential) string {
	switch {
	case r.with == "nothing":
		return ""
	case c.refusal != "":
		return c.refusal
	case !r.allows(role):
		return codeRoleNotAllowed
	case c.token && !strings.Contains(r.with, "token"):
		return codeSessionRequired
	case c.glass && !strings.Contains(r.with, "sealed codes"):
		return codeBreakGlassMayNot
	}
	return ""
}

// refusals of who asks, as opposed to what is asked.
var refusalsOfWho = []string{
	codeTokenMissing, codeTokenExpired, codeTokenRevoked, codeTokenUnknown, codeSessionUnknown, codeUserEnded, codeRoleNotAllowed,
	codeSessionRequired, codeBreakGlassMayNot, codeScopeNotAllowed, codeTwoCredentials, codeCrossOrigin,
}

// TestAuthorizationMatrix asks every route as every role with every kind of credential, good and
// bad, and compares with the matrix.
func TestAuthorizationMatrix(t *testing.T) {
	f := newFixture(t)
	authorization := readMatrix(t)
	start := time.Now()
	asked := 0
	for _, role := range models.Roles {
		all := f.credentials(role)
		// The routes that end what asks come last.
		routes := f.routes()
		slices.SortStableFunc(routes, func(a, b string) int { return strings.Count(a, "/current") - strings.Count(b, "/current") })
		for _, route := range routes {
			method, path, _ := strings.Cut(route, " ")
			path = strings.NewReplacer("{id}", uuid.NewString(), "{name}", "mail", "{account_id}", uuid.NewString(),
				"{link_id}", uuid.NewString(), "{role}", "auditor").Replace(path)
			body := ""
			if method != http.MethodGet {
				body = `{"no_such_field": 1}`
			}
			for name, c := range all {
				asked++
				got := f.ask("", method, path, body, c.headers...)
				want := authorization[route].expected(role, c)
				refused := slices.Contains(refusalsOfWho, got.problem.Code)
				if refused && got.problem.Code != want || !refused && want != "" || got.problem.Code == codeInternal || got.problem.Code == codeUnavailable {
					t.Errorf("%s as %s with %s: %d %q, want %q", route, role, name, got.status, got.problem.Code, want)
				}
			}
		}
	}
	t.Logf("%d requests in %v", asked, time.Since(start).Round(time.Millisecond))
}

func TestScopesNarrowATokenAndNeverWidenIt(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ scopes, method, path, want string }{
		{"read", "GET", "/api/v1/departures", ""},
		{"read", "POST", "/api/v1/departures", codeScopeNotAllowed},
		{"departures", "GET", "/api/v1/departures", ""},
		{"departures", "POST", "/api/v1/departures", codeUnknownField},
		{"departures", "GET", "/api/v1/employees", codeScopeNotAllowed},
		{"people", "GET", "/api/v1/employees/" + uuid.NewString() + "/accounts", codeScopeNotAllowed},
		{"accounts", "GET", "/api/v1/employees/" + uuid.NewString() + "/accounts", codeEmployeeNotFound},
		{"people accounts", "GET", "/api/v1/employees", ""},
		{"people", "GET", "/api/v1/me", ""},
		{"people", "POST", "/api/v1/systems/mail/check", codeRoleNotAllowed},
		{"departures", "GET", "/api/v1/sessions", codeScopeNotAllowed},
	} {
		narrow := fmt.Sprintf("UPDATE api_tokens SET scopes = '%s' WHERE id = '%s'", c.scopes, f.tokenIDs[hr])
		if err := databasetest.Unguarded(f.env.Facts, "api_tokens", "api_tokens_matter", narrow); err != nil {
			t.Fatal(err)
		}
		body := ""
		if c.method == "POST" {
			body = `{"no_such_field": 1}`
		}
		if got := f.ask(hr, c.method, c.path, body); got.problem.Code != c.want {
			t.Errorf("%s: %s %s: %d %q, want %q", c.scopes, c.method, c.path, got.status, got.problem.Code, c.want)
		}
	}
}
