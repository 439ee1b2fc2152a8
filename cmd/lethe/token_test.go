package main

import (
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// A token is issued with the owner's login of the database, not with the one that serves requests.
func TestTokenIssueIsTheOwners(t *testing.T) {
	env := hosted(t)
	employee := env.Hire(t, "CN").EmployeeID
	err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		_, err := identity.GrantTo(tx, employee, models.RoleAuditor)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var no string
	if err := env.Facts.Read(t.Context()).Raw("SELECT employee_no FROM employees WHERE id = ?", employee).Scan(&no).Error; err != nil {
		t.Fatal(err)
	}
	issue := []string{"token", "issue", "--employee-no=" + no, "--role=auditor", "--ttl=1h"}
	if code, printed := output(t, issue...); code != 0 || !strings.HasPrefix(printed, identity.ProductionPrefix) {
		t.Errorf("as the owner: exit %d", code)
	}
	app, _ := env.Login(t, database.RoleApp)
	t.Setenv("LETHE_DATABASE_URL", app)
	if code, printed := output(t, issue...); code == 0 || printed != "" {
		t.Errorf("as the app: exit %d", code)
	}
}
