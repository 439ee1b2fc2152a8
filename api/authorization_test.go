package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/models"
)

// rule is who may call a route. how: open, nobody is asked who they are; person, no token whatever
// its role; usual, no session opened with the sealed codes.
type rule struct{ who, how string }

// authorization is what is allowed, said a second time: the code goes by tables of its own, and both
// must agree. A new route that is missing here fails the test.
var authorization = map[string]rule{
	"GET /api/v1/me":                                       {"everyone", ""},
	"PUT /api/v1/me/password":                              {"everyone", "person usual"},
	"POST /api/v1/notices/{id}/acknowledgement":            {"everyone", "person"},
	"POST /api/v1/sessions":                                {"everyone", "open"},
	"POST /api/v1/sessions/break-glass":                    {"everyone", "open"},
	"GET /api/v1/sessions":                                 {"everyone", ""},
	"DELETE /api/v1/sessions/current":                      {"everyone", "person"},
	"DELETE /api/v1/sessions/{id}":                         {"everyone", "person"},
	"POST /api/v1/enrolments":                              {"everyone", "open"},
	"POST /api/v1/enrolments/confirmation":                 {"everyone", "open"},
	"POST /api/v1/totp":                                    {"everyone", "person usual"},
	"POST /api/v1/totp/confirmation":                       {"everyone", "person usual"},
	"POST /api/v1/recovery-codes":                          {"everyone", "person usual"},
	"GET /api/v1/tokens":                                   {"everyone", ""},
	"POST /api/v1/tokens":                                  {"everyone", "person usual"},
	"DELETE /api/v1/tokens/{id}":                           {"everyone", ""},
	"POST /api/v1/step-ups":                                {"everyone", "person usual"},
	"GET /api/v1/oidc/login":                               {"everyone", "open"},
	"GET /api/v1/oidc/callback":                            {"everyone", "open"},
	"GET /api/v1/users/{id}/logins":                        {"hr auditor", ""},
	"DELETE /api/v1/users/{id}/logins/{link_id}":           {"hr", "person"},
	"GET /api/v1/users":                                    {"hr it auditor", ""},
	"POST /api/v1/users":                                   {"hr it", ""},
	"POST /api/v1/users/{id}/roles":                        {"hr it", ""},
	"POST /api/v1/users/{id}/reset":                        {"hr it", ""},
	"POST /api/v1/users/{id}/logins":                       {"hr it", ""},
	"GET /api/v1/users/{id}":                               {"hr it auditor", ""},
	"DELETE /api/v1/users/{id}/roles/{role}":               {"hr it", "person"},
	"POST /api/v1/users/{id}/disabling":                    {"hr it", "person"},
	"POST /api/v1/users/{id}/enrolment-code":               {"hr it reviewer", "person usual"},
	"POST /api/v1/employees":                               {"hr", ""},
	"GET /api/v1/employees":                                {"everyone", ""},
	"GET /api/v1/employees/{id}":                           {"everyone", ""},
	"PATCH /api/v1/employees/{id}":                         {"hr", ""},
	"POST /api/v1/departures":                              {"hr", ""},
	"GET /api/v1/departures":                               {"everyone", ""},
	"GET /api/v1/departures/{id}":                          {"everyone", ""},
	"GET /api/v1/departures/{id}/events":                   {"everyone", ""},
	"PUT /api/v1/departures/{id}/dates":                    {"hr", ""},
	"POST /api/v1/departures/{id}/withdrawal":              {"hr", ""},
	"POST /api/v1/departures/{id}/annulment":               {"hr", ""},
	"POST /api/v1/departures/{id}/annulment/confirmation":  {"reviewer", "person usual"},
	"GET /api/v1/departures/{id}/destruction-certificates": {"everyone", ""},
	"GET /api/v1/employees/{id}/accounts":                  {"everyone", ""},
	"POST /api/v1/employees/{id}/accounts":                 {"hr it", ""},
	"GET /api/v1/employees/{id}/accounts/{account_id}":     {"everyone", ""},
	"POST /api/v1/account-unlinkings":                      {"hr it", ""},
	"GET /api/v1/account-unlinkings/{id}":                  {"hr reviewer auditor it", ""},
	"POST /api/v1/account-relinkings":                      {"hr it", ""},
	"GET /api/v1/account-relinkings/{id}":                  {"hr reviewer auditor it", ""},
	"GET /api/v1/support-cases":                            {"hr reviewer auditor it", ""},
	"GET /api/v1/support-cases/{id}":                       {"hr reviewer auditor it", ""},
	"POST /api/v1/support-cases/{id}/resolution":           {"it", ""},
	"POST /api/v1/support-cases/{id}/confirmation":         {"reviewer", "person usual"},
	"GET /api/v1/purges":                                   {"hr reviewer auditor it", ""},
	"GET /api/v1/purges/{id}":                              {"hr reviewer auditor it", ""},
	"POST /api/v1/purges/{id}/decision":                    {"reviewer", "usual"},
	"POST /api/v1/holds":                                   {"hr", ""},
	"GET /api/v1/holds":                                    {"hr reviewer auditor", ""},
	"GET /api/v1/holds/{id}":                               {"hr reviewer auditor", ""},
	"POST /api/v1/holds/{id}/release":                      {"hr", ""},
	"GET /api/v1/approvals":                                {"hr reviewer auditor it", ""},
	"GET /api/v1/approvals/{id}":                           {"hr reviewer auditor it", ""},
	"POST /api/v1/approvals/{id}/decision":                 {"hr reviewer", "person usual"},
	"POST /api/v1/approvals/{id}/withdrawal":               {"hr reviewer auditor it", ""},
	"GET /api/v1/query-log":                                {"auditor", ""},
	"POST /api/v1/query-log/exports":                       {"auditor", "usual"},
	"GET /api/v1/query-log/exports/{id}":                   {"auditor", ""},
	"GET /api/v1/query-log/exports/{id}/events":            {"auditor", ""},
	"GET /api/v1/query-log/exports/{id}/file":              {"auditor", "usual"},
	"GET /api/v1/ledger/entries/{id}/proof":                {"everyone", ""},
	"GET /api/v1/ledger/checkpoint":                        {"everyone", ""},
	"GET /api/v1/systems":                                  {"hr reviewer auditor it", ""},
	"POST /api/v1/systems/{name}/check":                    {"it", ""},
}

func (r rule) allows(role models.Role) bool {
	names := map[string]models.Role{"hr": hr, "head": head, "employee": employee, "reviewer": reviewer, "auditor": auditor, "it": it}
	if r.who == "everyone" {
		return true
	}
	return slices.ContainsFunc(strings.Fields(r.who), func(name string) bool { return names[name] == role })
}

func (r rule) is(what string) bool { return slices.Contains(strings.Fields(r.how), what) }

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
	case r.is("open"):
		return ""
	case c.refusal != "":
		return c.refusal
	case !r.allows(role):
		return codeRoleNotAllowed
	case c.token && r.is("person"):
		return codeSessionRequired
	case c.glass && r.is("usual"):
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
// bad, and compares with the table.
func TestAuthorizationMatrix(t *testing.T) {
	f := newFixture(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(authorization)), f.routes()); diff != "" {
		t.Fatalf("the table and the routes differ (-table +routes):\n%s", diff)
	}
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
