package api

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/models"
)

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
			address := addressOf(models.RefDeparture, d.ID)
			for _, path := range []string{address, address + "/destruction-certificates", addressOf(models.RefEmployee, person), accountsAddress(person)} {
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
