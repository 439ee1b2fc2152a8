package identity

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// person inserts an employee with all it hangs on.
func person(t *testing.T, db *database.DB) uuid.UUID {
	t.Helper()
	entity, department, id := uuid.New(), uuid.New(), uuid.New()
	exec := func(sql string, args ...any) {
		if err := db.Read(t.Context()).Exec(sql, args...).Error; err != nil {
			t.Fatal(err)
		}
	}
	exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'A', 'CN', 'Asia/Shanghai')", entity, entity.String())
	exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", department, entity, department.String())
	exec("INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, ?, 'Someone', ?)", id, "E"+id.String()[:8], department)
	return id
}

func issueTo(t *testing.T, db *database.DB, employee uuid.UUID, ttl time.Duration, dev bool) (string, models.APIToken) {
	t.Helper()
	var secret string
	var token models.APIToken
	err := database.Run(t.Context(), db, func(tx *database.Tx) (err error) {
		if _, err := GrantTo(tx, employee, models.RoleHRAdmin); err != nil {
			return err
		}
		secret, token, err = Issue(tx, employee, models.RoleHRAdmin, "test", ttl, dev)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret, token
}

func TestTokenLife(t *testing.T) {
	env := databasetest.New(t)
	employee := person(t, env.Facts)
	secret, token := issueTo(t, env.Facts, employee, time.Hour, true)
	if !strings.HasPrefix(secret, DevelopmentPrefix) || len(secret) != len(DevelopmentPrefix)+secretDigits {
		t.Errorf("the secret has the form %q (%d)", secret[:len(DevelopmentPrefix)], len(secret))
	}
	bearer, err := Authenticate(t.Context(), env.Facts, secret, true)
	if err != nil || bearer.Actor != (models.Actor{EmployeeID: employee, Role: models.RoleHRAdmin}) || bearer.TokenID != token.ID {
		t.Fatalf("a fresh token: %+v, %v", bearer, err)
	}
	if _, err := Authenticate(t.Context(), env.Facts, secret[:len(secret)-1]+"!", true); !errors.Is(err, ErrTokenUnknown) {
		t.Errorf("an altered token: %v", err)
	}
	if _, err := Authenticate(t.Context(), env.Facts, secret, false); !errors.Is(err, ErrTokenUnknown) {
		t.Errorf("a development token in production: %v", err)
	}
	env.Advance(t, time.Hour)
	if _, err := Authenticate(t.Context(), env.Facts, secret, true); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("after its time: %v", err)
	}
	if _, err := Recheck(t.Context(), env.Facts, bearer); !errors.Is(err, ErrTokenExpired) {
		t.Errorf("rechecked after its time: %v", err)
	}
}

func TestI23_RevokedTokenStopsWithTheNextRequest(t *testing.T) {
	env := databasetest.New(t)
	employee := person(t, env.Facts)
	for _, byPrefix := range []bool{true, false} {
		secret, token := issueTo(t, env.Facts, employee, time.Hour, false)
		name := token.ID.String()
		if byPrefix {
			name = token.Prefix
		}
		for range 2 { // the second changes nothing
			err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
				revoked, err := Revoke(tx, name)
				if err == nil && revoked.ID != token.ID {
					t.Error("another token was revoked")
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Authenticate(t.Context(), env.Facts, secret, false); !errors.Is(err, ErrTokenRevoked) {
			t.Errorf("by prefix %v: %v", byPrefix, err)
		}
	}
}

func TestRevokeNamesWhatIsWrong(t *testing.T) {
	env := databasetest.New(t)
	_, token := issueTo(t, env.Facts, person(t, env.Facts), time.Hour, false)
	err := databasetest.Exec(t, env.Facts, `INSERT INTO api_tokens (id, prefix, secret_hash, user_id, employee_id, role, expires_at, ledger_entry_id)
		SELECT gen_random_uuid(), prefix, sha256('other'), user_id, employee_id, role, expires_at, @entry FROM api_tokens`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{token.Prefix: ErrAmbiguous, "lethe_nobody": ErrNoSuchToken, uuid.NewString(): ErrNoSuchToken} {
		err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { _, err := Revoke(tx, name); return err })
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

func TestSecretIsNotStored(t *testing.T) {
	env := databasetest.New(t)
	secret, _ := issueTo(t, env.Facts, person(t, env.Facts), time.Hour, false)
	var row string
	if err := env.Facts.Read(t.Context()).Raw("SELECT row_to_json(t)::text FROM api_tokens t").Scan(&row).Error; err != nil {
		t.Fatal(err)
	}
	for shownSoFar := len(ProductionPrefix) + shownDigits + 1; shownSoFar <= len(secret); shownSoFar++ {
		if strings.Contains(row, secret[:shownSoFar]) {
			t.Fatalf("the row shows %d characters of the secret", shownSoFar)
		}
	}
}

func TestIssueRefuses(t *testing.T) {
	env := databasetest.New(t)
	employee := person(t, env.Facts)
	try := func(id uuid.UUID, role models.Role, label string, ttl time.Duration) error {
		return database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			_, _, err := Issue(tx, id, role, label, ttl, false)
			return err
		})
	}
	for name, c := range map[string]struct{ got, want error }{
		"no time":        {try(employee, models.RoleAuditor, "", 0), ErrTTL},
		"too much time":  {try(employee, models.RoleAuditor, "", MaxTTL+1), ErrTTL},
		"long label":     {try(employee, models.RoleAuditor, strings.Repeat("长", 101), time.Hour), ErrLabel},
		"unknown role":   {try(employee, "root", "", time.Hour), ErrRole},
		"system role":    {try(employee, models.RoleSystem, "", time.Hour), ErrRole},
		"no such grant":  {try(employee, models.RoleAuditor, "", time.Hour), ErrRoleNotGranted},
		"unknown person": {try(uuid.New(), models.RoleAuditor, "", time.Hour), ErrRoleNotGranted},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	var rows int64
	if err := env.Facts.Read(t.Context()).Table("api_tokens").Count(&rows).Error; err != nil || rows != 0 {
		t.Errorf("%d rows were written, %v", rows, err)
	}
}

func TestDevelopmentTokenNeedsADevelopmentDatabase(t *testing.T) {
	env := databasetest.New(t)
	employee := person(t, env.Facts)
	if err := env.Facts.Read(t.Context()).Exec("UPDATE installation SET mode = 'production'").Error; err != nil {
		t.Fatal(err)
	}
	err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		_, _, err := Issue(tx, employee, models.RoleAuditor, "", time.Hour, true)
		return err
	})
	if !errors.Is(err, ErrWrongMode) {
		t.Errorf("got %v", err)
	}
}

func TestSecretsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		secret, err := newSecret(false)
		if err != nil || seen[secret] || len(secret) != len(ProductionPrefix)+secretDigits {
			t.Fatalf("a secret of %d characters, seen %v, %v", len(secret), seen[secret], err)
		}
		seen[secret] = true
		if bytes.Equal(hash(secret), hash(secret+" ")) {
			t.Fatal("hash ignores its input")
		}
	}
}
