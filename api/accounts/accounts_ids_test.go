package accounts_test

import (
	"net/http"
	"strings"
	"testing"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// I27: by which id a system knows an account is for those who link accounts, and not of their own.
func TestI27_WhoSeesTheIDsOfAccounts(t *testing.T) {
	const id = "known-to-mail-as"
	f := apitest.New(t)
	leaver := f.People[models.RoleEmployee]
	f.Exec("UPDATE linked_accounts SET external_id = ? WHERE system = 'mail'", id)
	var made departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(leaver, 40)).Into(t, &made)
	for role, sees := range map[models.Role]bool{
		models.RoleHRAdmin: true, models.RoleITOps: true, models.RoleReviewer: false, models.RoleAuditor: false,
		models.RoleDepartmentHead: false, models.RoleEmployee: false,
	} {
		for _, path := range []string{httpkit.AddressOf(models.RefEmployee, leaver) + "/accounts", httpkit.AddressOf(models.RefDeparture, made.ID), "/api/v1/departures"} {
			got := f.Ask(role, "GET", path, "")
			if got.Status != http.StatusOK || strings.Contains(string(got.Body), id) != sees {
				t.Errorf("%s reads %s: %d %s", role, path, got.Status, got.Body)
			}
		}
	}
	if got := f.Ask(models.RoleHRAdmin, "GET", accounts.AccountsAddress(f.People[models.RoleHRAdmin]), ""); strings.Contains(string(got.Body), id) {
		t.Error("HR reads the id of the own account")
	}
}

func TestWhatIsLinkedIsNotLinkedAgain(t *testing.T) {
	f := apitest.New(t)
	one, two := f.Hire("E1", f.A), f.Hire("E2", f.B)
	f.Exec("UPDATE linked_accounts SET external_id = 'x', state = 'unlinking' WHERE employment_id = ?", f.Employment(one))
	for body, want := range map[string]string{
		`{"system": "mail", "external_id": "x"}`: "account_exists",
		`{"system": "mail", "external_id": "X"}`: "account_exists",
		`{"system": "mail"}`:                     "account_exists",
	} {
		if got := f.Ask(models.RoleITOps, "POST", accounts.AccountsAddress(one), body); got.Status != http.StatusConflict || got.Problem.Code != want {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	got := f.Ask(models.RoleITOps, "POST", accounts.AccountsAddress(two), `{"system": "mail", "external_id": "x"}`)
	if got.Status != http.StatusConflict || got.Problem.Code != "account_of_another" || strings.Contains(string(got.Body), one.String()) {
		t.Errorf("somebody else's: %d %s", got.Status, got.Body)
	}
}
