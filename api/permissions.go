package api

import (
	"slices"

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
	"GET /api/v1/me": everyone,

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

	"GET /api/v1/systems":               staff,
	"POST /api/v1/systems/{name}/check": {it},
}

func allowed(role models.Role, method, path string) bool {
	return slices.Contains(permissions[method+" "+path], role)
}
