package api

import (
	"net/http"
	"strings"
	"testing"

	"lethe/models"
)

// I27: by which id a system knows an account is for those who link accounts, and not of their own.
func TestI27_WhoSeesTheIDsOfAccounts(t *testing.T) {
	const id = "known-to-mail-as"
	f := newFixture(t)
	leaver := f.people[models.RoleEmployee]
	f.exec("UPDATE linked_accounts SET external_id = ? WHERE system = 'mail'", id)
	var made DepartureView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(leaver, 40)).into(t, &made)
	for role, sees := range map[models.Role]bool{
		models.RoleHRAdmin: true, models.RoleITOps: true, models.RoleReviewer: false, models.RoleAuditor: false,
		models.RoleDepartmentHead: false, models.RoleEmployee: false,
	} {
		for _, path := range []string{addressOf(models.RefEmployee, leaver) + "/accounts", addressOf(models.RefDeparture, made.ID), "/api/v1/departures"} {
			got := f.ask(role, "GET", path, "")
			if got.status != http.StatusOK || strings.Contains(string(got.body), id) != sees {
				t.Errorf("%s reads %s: %d %s", role, path, got.status, got.body)
			}
		}
	}
	if got := f.ask(models.RoleHRAdmin, "GET", accountsAddress(f.people[models.RoleHRAdmin]), ""); strings.Contains(string(got.body), id) {
		t.Error("HR reads the id of the own account")
	}
}

func TestWhatIsLinkedIsNotLinkedAgain(t *testing.T) {
	f := newFixture(t)
	one, two := f.hire("E1", f.a), f.hire("E2", f.b)
	f.exec("UPDATE linked_accounts SET external_id = 'x', state = 'unlinking' WHERE employment_id = ?", f.employment(one))
	for body, want := range map[string]string{
		`{"system": "mail", "external_id": "x"}`: codeAccountExists,
		`{"system": "mail", "external_id": "X"}`: codeAccountExists,
		`{"system": "mail"}`:                     codeAccountExists,
	} {
		if got := f.ask(models.RoleITOps, "POST", accountsAddress(one), body); got.status != http.StatusConflict || got.problem.Code != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	got := f.ask(models.RoleITOps, "POST", accountsAddress(two), `{"system": "mail", "external_id": "x"}`)
	if got.status != http.StatusConflict || got.problem.Code != codeAccountOfAnother || strings.Contains(string(got.body), one.String()) {
		t.Errorf("somebody else's: %d %s", got.status, got.body)
	}
}
