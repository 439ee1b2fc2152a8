package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/models"
)

// routes is every registered operation, as the OpenAPI document lists it.
func (f *fixture) routes() []string {
	var routes []string
	for path, item := range f.server.api.OpenAPI().Paths {
		for method, op := range map[string]bool{
			"GET": item.Get != nil, "POST": item.Post != nil, "PUT": item.Put != nil, "PATCH": item.Patch != nil, "DELETE": item.Delete != nil,
		} {
			if op {
				routes = append(routes, method+" "+path)
			}
		}
	}
	slices.Sort(routes)
	return routes
}

func TestEveryRouteIsInThePermissionTable(t *testing.T) {
	f := newFixture(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(permissions)), f.routes()); diff != "" {
		t.Errorf("table and routes differ (-table +routes):\n%s", diff)
	}
}

// TestAuthorizationMatrix asks every route as every role: who is not in the table is refused by
// role, everybody else gets past that.
func TestAuthorizationMatrix(t *testing.T) {
	f := newFixture(t)
	expected := map[models.Role]int{}
	for _, route := range f.routes() {
		method, path, _ := strings.Cut(route, " ")
		path = strings.NewReplacer("{id}", uuid.NewString(), "{name}", "mail", "{account_id}", uuid.NewString()).Replace(path)
		body := ""
		if method != http.MethodGet {
			body = `{"no_such_field": 1}`
		}
		if got := f.ask("", method, path, body); got.problem.Code != codeTokenMissing {
			t.Errorf("%s without a token: %d %s", route, got.status, got.problem.Code)
		}
		for _, role := range models.Roles {
			got := f.ask(role, method, path, body)
			refusedByRole := got.problem.Code == codeRoleNotAllowed
			if want := !slices.Contains(permissions[route], role); refusedByRole != want {
				t.Errorf("%s as %s: %d %s, refused by role should be %v", route, role, got.status, got.problem.Code, want)
			}
			if !refusedByRole {
				expected[role]++
			}
		}
	}
	for role, n := range expected {
		if n == 0 || n == len(f.routes()) {
			t.Errorf("%s may call %d of %d routes", role, n, len(f.routes()))
		}
	}
}

// TestRolesOfTheIssue pins who may do what, beside the table that the code goes by.
func TestRolesOfTheIssue(t *testing.T) {
	commands := map[string][]models.Role{
		"POST /api/v1/departures":                             {hr},
		"PUT /api/v1/departures/{id}/dates":                   {hr},
		"POST /api/v1/departures/{id}/withdrawal":             {hr},
		"POST /api/v1/departures/{id}/annulment":              {hr},
		"POST /api/v1/departures/{id}/annulment/confirmation": {reviewer},
		"POST /api/v1/support-cases/{id}/confirmation":        {reviewer},
		"POST /api/v1/purges/{id}/decision":                   {reviewer},
		"POST /api/v1/employees":                              {hr},
		"PATCH /api/v1/employees/{id}":                        {hr},
		"POST /api/v1/systems/{name}/check":                   {it},
		"POST /api/v1/support-cases/{id}/resolution":          {it},
		"POST /api/v1/account-unlinkings":                     {hr, it},
		"POST /api/v1/account-relinkings":                     {hr, it},
		"POST /api/v1/employees/{id}/accounts":                {hr, it},
	}
	for route, roles := range permissions {
		if strings.HasPrefix(route, "GET ") {
			continue
		}
		if diff := cmp.Diff(commands[route], roles); diff != "" {
			t.Errorf("%s: %s", route, diff)
		}
	}
}

// TestForeignRowsDoNotExist: heads and employees see only what is theirs, and get 404 for the rest.
func TestForeignRowsDoNotExist(t *testing.T) {
	f := newFixture(t)
	inA, inB := f.hire("EA", f.a), f.hire("EB", f.b)
	departures := map[uuid.UUID]DepartureView{inA: f.resign(inA), inB: f.resign(inB)}
	own := f.resign(f.people[models.RoleEmployee])
	departures[f.people[models.RoleEmployee]] = own
	sees := map[models.Role][]uuid.UUID{
		models.RoleHRAdmin:        {inA, inB, own.EmployeeID},
		models.RoleAuditor:        {inA, inB, own.EmployeeID},
		models.RoleReviewer:       {inA, inB, own.EmployeeID},
		models.RoleITOps:          {inA, inB, own.EmployeeID},
		models.RoleDepartmentHead: {inA, own.EmployeeID},
		models.RoleEmployee:       {own.EmployeeID},
	}
	for role, visible := range sees {
		for person, d := range departures {
			want := http.StatusNotFound
			if slices.Contains(visible, person) {
				want = http.StatusOK
			}
			address := departureAddress(d.ID)
			for _, path := range []string{address, address + "/destruction-certificates", employeeAddress(person), accountsAddress(person)} {
				if got := f.ask(role, "GET", path, ""); got.status != want {
					t.Errorf("%s reads %s: %d %s, want %d", role, path, got.status, got.problem.Code, want)
				}
			}
			if want == http.StatusNotFound {
				if got := f.ask(role, "GET", address+"/events", ""); got.status != want {
					t.Errorf("%s follows a foreign departure: %d", role, got.status)
				}
			}
		}
		var page struct {
			Items []struct {
				EmployeeID uuid.UUID `json:"employee_id"`
			} `json:"items"`
		}
		f.ask(role, "GET", "/api/v1/departures", "").into(t, &page)
		if len(page.Items) != len(visible) {
			t.Errorf("%s lists %d departures, want %d", role, len(page.Items), len(visible))
		}
	}
}
