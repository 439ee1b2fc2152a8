package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
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
func waysIn(f *apitest.Fixture, role models.Role) map[string]credential {
	f.T.Helper()
	bearer := func(secret string) []string { return []string{"Authorization", "Bearer " + secret} }
	cookie := func(v *apitest.Visitor) []string { return []string{"Cookie", "lethe=" + v.Token} }
	expired, expiredID := f.Token(f.People[role], role)
	f.Exec("UPDATE api_tokens SET expires_at = lethe_now() WHERE id = ?", expiredID)
	revoked, revokedID := f.Token(f.People[role], role)
	f.Run(func(tx *database.Tx) error { _, err := identity.Revoke(tx, revokedID.String()); return err })
	foreign := identity.DevelopmentPrefix + strings.Repeat("x", 43)
	ended, over, idle := f.Session(role), f.Session(role), f.Session(role)
	f.Exec("UPDATE sessions SET revoked_at = lethe_now() WHERE id = ?", ended.ID)
	f.Exec("UPDATE sessions SET expires_at = lethe_now() WHERE id = ?", over.ID)
	f.Exec("UPDATE sessions SET idle_expires_at = lethe_now() WHERE id = ?", idle.ID)
	return map[string]credential{
		"token":         {headers: bearer(f.Tokens[role]), token: true},
		"session":       {headers: cookie(f.Session(role))},
		"break-glass":   {headers: cookie(f.OpenSession(f.People[role], role, models.ByBreakGlass)), glass: true},
		"nothing":       {refusal: "token_missing"},
		"expired":       {headers: bearer(expired), refusal: "token_expired"},
		"revoked":       {headers: bearer(revoked), refusal: "token_revoked"},
		"foreign":       {headers: bearer(foreign), refusal: "token_unknown"},
		"ended session": {headers: cookie(ended), refusal: "session_unknown"},
		"old session":   {headers: cookie(over), refusal: "session_unknown"},
		"idle session":  {headers: cookie(idle), refusal: "session_unknown"},
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
		return "role_not_allowed"
	case c.token && !strings.Contains(r.with, "token"):
		return "session_required"
	case c.glass && !strings.Contains(r.with, "sealed codes"):
		return "break_glass_not_allowed"
	}
	return ""
}

// refusals of who asks, as opposed to what is asked.
var refusalsOfWho = []string{
	"token_missing", "token_expired", "token_revoked", "token_unknown", "session_unknown", "user_ended", "role_not_allowed",
	"session_required", "break_glass_not_allowed", "scope_not_allowed", "two_credentials", "cross_origin_refused",
}

// TestAuthorizationMatrix asks every route as every role with every kind of credential, good and
// bad, and compares with the matrix.
func TestAuthorizationMatrix(t *testing.T) {
	f := apitest.New(t)
	authorization := readMatrix(t)
	start := time.Now()
	asked := 0
	for _, role := range models.Roles {
		all := waysIn(f, role)
		// The routes that end what asks come last.
		routes := f.Routes()
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
				got := f.Ask("", method, path, body, c.headers...)
				want := authorization[route].expected(role, c)
				refused := slices.Contains(refusalsOfWho, got.Problem.Code)
				if refused && got.Problem.Code != want || !refused && want != "" || got.Problem.Code == "internal" || got.Problem.Code == "unavailable" {
					t.Errorf("%s as %s with %s: %d %q, want %q", route, role, name, got.Status, got.Problem.Code, want)
				}
			}
		}
	}
	t.Logf("%d requests in %v", asked, time.Since(start).Round(time.Millisecond))
}

func TestScopesNarrowATokenAndNeverWidenIt(t *testing.T) {
	f := apitest.New(t)
	for _, c := range []struct{ scopes, method, path, want string }{
		{"read", "GET", "/api/v1/departures", ""},
		{"read", "POST", "/api/v1/departures", "scope_not_allowed"},
		{"departures", "GET", "/api/v1/departures", ""},
		{"departures", "POST", "/api/v1/departures", "unknown_field"},
		{"departures", "GET", "/api/v1/employees", "scope_not_allowed"},
		{"people", "GET", "/api/v1/employees/" + uuid.NewString() + "/accounts", "scope_not_allowed"},
		{"accounts", "GET", "/api/v1/employees/" + uuid.NewString() + "/accounts", "employee_not_found"},
		{"people accounts", "GET", "/api/v1/employees", ""},
		{"people", "GET", "/api/v1/me", ""},
		{"people", "POST", "/api/v1/systems/mail/check", "role_not_allowed"},
		{"departures", "GET", "/api/v1/sessions", "scope_not_allowed"},
	} {
		narrow := fmt.Sprintf("UPDATE api_tokens SET scopes = '%s' WHERE id = '%s'", c.scopes, f.TokenIDs[httpkit.HR])
		if err := databasetest.Unguarded(f.Env.Facts, "api_tokens", "api_tokens_matter", narrow); err != nil {
			t.Fatal(err)
		}
		body := ""
		if c.method == "POST" {
			body = `{"no_such_field": 1}`
		}
		if got := f.Ask(httpkit.HR, c.method, c.path, body); got.Problem.Code != c.want {
			t.Errorf("%s: %s %s: %d %q, want %q", c.scopes, c.method, c.path, got.Status, got.Problem.Code, c.want)
		}
	}
}
