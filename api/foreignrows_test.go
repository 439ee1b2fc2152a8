package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestForeignRowsDoNotExist: heads and employees see only what is theirs, and get 404 for the rest.
func TestForeignRowsDoNotExist(t *testing.T) {
	f := apitest.New(t)
	inA, inB := f.Hire("EA", f.A), f.Hire("EB", f.B)
	leaving := map[uuid.UUID]departures.DepartureView{inA: f.Resign(inA), inB: f.Resign(inB)}
	own := f.Resign(f.People[models.RoleEmployee])
	leaving[f.People[models.RoleEmployee]] = own
	sees := map[models.Role][]uuid.UUID{
		models.RoleHRAdmin:        {inA, inB, own.EmployeeID},
		models.RoleAuditor:        {inA, inB, own.EmployeeID},
		models.RoleReviewer:       {inA, inB, own.EmployeeID},
		models.RoleITOps:          {inA, inB, own.EmployeeID},
		models.RoleDepartmentHead: {inA, own.EmployeeID},
		models.RoleEmployee:       {own.EmployeeID},
	}
	for role, visible := range sees {
		for person, d := range leaving {
			want := http.StatusNotFound
			if slices.Contains(visible, person) {
				want = http.StatusOK
			}
			address := httpkit.AddressOf(models.RefDeparture, d.ID)
			for _, path := range []string{address, address + "/destruction-certificates", httpkit.AddressOf(models.RefEmployee, person), accounts.AccountsAddress(person)} {
				if got := f.Ask(role, "GET", path, ""); got.Status != want {
					t.Errorf("%s reads %s: %d %s, want %d", role, path, got.Status, got.Problem.Code, want)
				}
			}
			if want == http.StatusNotFound {
				if got := f.Ask(role, "GET", address+"/events", ""); got.Status != want {
					t.Errorf("%s follows a foreign departure: %d", role, got.Status)
				}
			}
		}
		var page struct {
			Items []struct {
				EmployeeID uuid.UUID `json:"employee_id"`
			} `json:"items"`
		}
		f.Ask(role, "GET", "/api/v1/departures", "").Into(t, &page)
		if len(page.Items) != len(visible) {
			t.Errorf("%s lists %d departures, want %d", role, len(page.Items), len(visible))
		}
	}
}
