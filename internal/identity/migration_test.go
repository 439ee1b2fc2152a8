package identity

import (
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// TestTokensOfTheFormerVersionGoOn: each gets a user that holds its role.
func TestTokensOfTheFormerVersionGoOn(t *testing.T) {
	env := databasetest.New(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secrets := map[models.Role]string{}
	one, two := env.Hire(t, "CN").EmployeeID, env.Hire(t, "CN").EmployeeID
	must(database.MigrateDown(t.Context(), env.Facts, database.SchemaMain, 8))
	// Two numbers that differ in case only become two logins.
	must(env.Facts.Read(t.Context()).Exec("UPDATE employees SET employee_no = 'ab-1' WHERE id = ?", one).Error)
	must(env.Facts.Read(t.Context()).Exec("UPDATE employees SET employee_no = 'AB-1' WHERE id = ?", two).Error)
	for role, person := range map[models.Role]any{models.RoleHRAdmin: one, models.RoleAuditor: one, models.RoleITOps: two} {
		secret, err := newSecret(true)
		must(err)
		secrets[role] = secret
		must(env.Facts.Read(t.Context()).Exec(`INSERT INTO api_tokens (id, prefix, secret_hash, employee_id, role, expires_at)
			VALUES (gen_random_uuid(), 'p', ?, ?, ?, lethe_now() + interval '1 day')`, hash(secret), person, role).Error)
	}
	must(database.Migrate(t.Context(), env.Facts, database.SchemaMain))
	users := map[any]bool{}
	for role, secret := range secrets {
		bearer, err := Authenticate(t.Context(), env.Facts, secret, true)
		if err != nil || bearer.Actor.Role != role {
			t.Errorf("%s: %+v, %v", role, bearer, err)
		}
		users[bearer.UserID] = true
	}
	if len(users) != 2 {
		t.Errorf("%d users for two people", len(users))
	}
}
