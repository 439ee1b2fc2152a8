package api

import (
	"net/http"
	"slices"
	"strings"

	"lethe/internal/identity"
	"lethe/models"
)

const (
	hr       = models.RoleHRAdmin
	head     = models.RoleDepartmentHead
	employee = models.RoleEmployee
	reviewer = models.RoleReviewer
	auditor  = models.RoleAuditor
	it       = models.RoleITOps
)

var (
	everyone = models.Roles
	// staff see rows of everybody; heads and employees only what is theirs.
	staff = []models.Role{hr, reviewer, auditor, it}
)

// permissions is who may call what. A route that is missing here is closed to everybody, and a test
// fails for it. Which rows somebody sees is decided by the domain, not here.
var permissions = map[string][]models.Role{
	"GET /api/v1/me":                             everyone,
	"PUT /api/v1/me/password":                    everyone,
	"POST /api/v1/notices/{id}/acknowledgement":  everyone,
	"POST /api/v1/sessions":                      everyone,
	"POST /api/v1/sessions/break-glass":          everyone,
	"GET /api/v1/sessions":                       everyone,
	"DELETE /api/v1/sessions/current":            everyone,
	"DELETE /api/v1/sessions/{id}":               everyone,
	"POST /api/v1/enrolments":                    everyone,
	"POST /api/v1/enrolments/confirmation":       everyone,
	"POST /api/v1/totp":                          everyone,
	"POST /api/v1/totp/confirmation":             everyone,
	"POST /api/v1/recovery-codes":                everyone,
	"GET /api/v1/tokens":                         everyone,
	"POST /api/v1/tokens":                        everyone,
	"DELETE /api/v1/tokens/{id}":                 everyone,
	"POST /api/v1/step-ups":                      everyone,
	"GET /api/v1/oidc/login":                     everyone,
	"GET /api/v1/oidc/callback":                  everyone,
	"GET /api/v1/users/{id}/logins":              {hr, auditor},
	"DELETE /api/v1/users/{id}/logins/{link_id}": {hr},

	"GET /api/v1/users":                      {hr, it, auditor},
	"POST /api/v1/users":                     {hr, it},
	"POST /api/v1/users/{id}/roles":          {hr, it},
	"POST /api/v1/users/{id}/reset":          {hr, it},
	"POST /api/v1/users/{id}/logins":         {hr, it},
	"GET /api/v1/users/{id}":                 {hr, it, auditor},
	"DELETE /api/v1/users/{id}/roles/{role}": {hr, it},
	"POST /api/v1/users/{id}/disabling":      {hr, it},
	"POST /api/v1/users/{id}/enrolment-code": {hr, it, reviewer},

	"POST /api/v1/employees":       {hr},
	"GET /api/v1/employees":        everyone,
	"GET /api/v1/employees/{id}":   everyone,
	"PATCH /api/v1/employees/{id}": {hr},

	"POST /api/v1/departures":                              {hr},
	"GET /api/v1/departures":                               everyone,
	"GET /api/v1/departures/{id}":                          everyone,
	"GET /api/v1/departures/{id}/events":                   everyone,
	"PUT /api/v1/departures/{id}/dates":                    {hr},
	"POST /api/v1/departures/{id}/withdrawal":              {hr},
	"POST /api/v1/departures/{id}/annulment":               {hr},
	"POST /api/v1/departures/{id}/annulment/confirmation":  {reviewer},
	"GET /api/v1/departures/{id}/destruction-certificates": everyone,

	"GET /api/v1/employees/{id}/accounts":              everyone,
	"POST /api/v1/employees/{id}/accounts":             {hr, it},
	"GET /api/v1/employees/{id}/accounts/{account_id}": everyone,
	"POST /api/v1/account-unlinkings":                  {hr, it},
	"GET /api/v1/account-unlinkings/{id}":              staff,
	"POST /api/v1/account-relinkings":                  {hr, it},
	"GET /api/v1/account-relinkings/{id}":              staff,

	"GET /api/v1/support-cases":                    staff,
	"GET /api/v1/support-cases/{id}":               staff,
	"POST /api/v1/support-cases/{id}/resolution":   {it},
	"POST /api/v1/support-cases/{id}/confirmation": {reviewer},

	"GET /api/v1/purges":                {hr, reviewer, auditor, it},
	"GET /api/v1/purges/{id}":           {hr, reviewer, auditor, it},
	"POST /api/v1/purges/{id}/decision": {reviewer},

	"POST /api/v1/holds":              {hr},
	"GET /api/v1/holds":               {hr, reviewer, auditor},
	"GET /api/v1/holds/{id}":          {hr, reviewer, auditor},
	"POST /api/v1/holds/{id}/release": {hr},

	"GET /api/v1/approvals":                  staff,
	"GET /api/v1/approvals/{id}":             staff,
	"POST /api/v1/approvals/{id}/decision":   {hr, reviewer},
	"POST /api/v1/approvals/{id}/withdrawal": {hr, reviewer, auditor, it},

	"GET /api/v1/query-log":                     {auditor},
	"POST /api/v1/query-log/exports":            {auditor},
	"GET /api/v1/query-log/exports/{id}":        {auditor},
	"GET /api/v1/query-log/exports/{id}/events": {auditor},
	"GET /api/v1/query-log/exports/{id}/file":   {auditor},
	"GET /api/v1/ledger/entries/{id}/proof":     everyone,
	"GET /api/v1/ledger/checkpoint":             everyone,

	"GET /api/v1/systems":               staff,
	"POST /api/v1/systems/{name}/check": {it},
}

// openRoutes are those where people who are not known yet prove who they are.
var openRoutes = map[string]bool{
	"POST /api/v1/sessions":                true,
	"POST /api/v1/sessions/break-glass":    true,
	"POST /api/v1/enrolments":              true,
	"POST /api/v1/enrolments/confirmation": true,
	"GET /api/v1/oidc/login":               true,
	"GET /api/v1/oidc/callback":            true,
}

// sessionRoutes need a person who is there: no token, whatever its role. What makes credentials is in
// operations.Credentials.
var sessionRoutes = map[string]bool{
	"POST /api/v1/notices/{id}/acknowledgement":           true,
	"DELETE /api/v1/sessions/current":                     true,
	"DELETE /api/v1/sessions/{id}":                        true,
	"POST /api/v1/departures/{id}/annulment/confirmation": true,
	"POST /api/v1/support-cases/{id}/confirmation":        true,
	"DELETE /api/v1/users/{id}/logins/{link_id}":          true,
	"DELETE /api/v1/users/{id}/roles/{role}":              true,
	"POST /api/v1/users/{id}/disabling":                   true,
}

// closedToBreakGlass is what a session opened with the sealed codes cannot do: disclose, purge,
// approve, and (operations.Credentials) step up and make itself at home.
var closedToBreakGlass = map[string]bool{
	"POST /api/v1/departures/{id}/annulment/confirmation": true,
	"POST /api/v1/support-cases/{id}/confirmation":        true,
	"POST /api/v1/purges/{id}/decision":                   true,
	"POST /api/v1/query-log/exports":                      true,
	"GET /api/v1/query-log/exports/{id}/file":             true,
}

// scopes are the routes that a token of a scope may call, by how their paths begin; the longest
// beginning counts. Reading is a scope of its own.
var scopes = map[string]string{
	"/api/v1/employees":               identity.ScopePeople,
	"/api/v1/employees/{id}/accounts": identity.ScopeAccounts,
	"/api/v1/departures":              identity.ScopeDepartures,
	"/api/v1/holds":                   identity.ScopeDepartures,
	"/api/v1/purges":                  identity.ScopeDepartures,
	"/api/v1/retention":               identity.ScopeDepartures,
	"/api/v1/account-":                identity.ScopeAccounts,
	"/api/v1/support-cases":           identity.ScopeAccounts,
	"/api/v1/systems":                 identity.ScopeAccounts,
}

// inScope says whether a token's scopes cover a route; without scopes they cover all. Who one is,
// every token may ask.
func inScope(held []string, method, path string) bool {
	if len(held) == 0 || path == base+"/me" || method == http.MethodGet && slices.Contains(held, identity.ScopeRead) {
		return true
	}
	longest := ""
	for beginning := range scopes {
		if strings.HasPrefix(path, beginning) && len(beginning) > len(longest) {
			longest = beginning
		}
	}
	return longest != "" && slices.Contains(held, scopes[longest])
}

func allowed(role models.Role, method, path string) bool {
	return slices.Contains(permissions[method+" "+path], role)
}
