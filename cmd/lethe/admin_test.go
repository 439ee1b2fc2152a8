package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/vault"
)

// hosted sets the environment that commands on the host find.
func hosted(t *testing.T) *databasetest.Env {
	t.Helper()
	env := databasetest.New(t)
	file := filepath.Join(t.TempDir(), "ledger.json")
	if err := ledger.CreateKeyFile(file); err != nil {
		t.Fatal(err)
	}
	keys, err := ledger.LoadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	ledger.Attach(env.Facts, ledger.NewWriter(env.LedgerOrigin(), keys.Writer()))
	t.Setenv("LETHE_DATABASE_URL", env.FactsURL)
	t.Setenv("LETHE_LEDGER_KEY_FILE", file)
	return env
}

// output runs a command and returns its exit code and what it wrote to standard output.
func output(t *testing.T, args ...string) (int, string) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = write
	code := run(t.Context(), args)
	os.Stdout = before
	_ = write.Close()
	content, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return code, string(content)
}

const firstPeople = `{
	"legal_entity": {"code": "HQ", "name_zh": "总部", "name_en": "Headquarters", "jurisdiction": "CN", "time_zone": "Asia/Shanghai"},
	"department": {"code": "HR", "name_zh": "人力资源部", "name_en": "Human Resources"},
	"people": [
		{"employee_no": "0001", "name": "王芳", "hired_on": "2020-03-01", "login": "wang.fang"},
		{"employee_no": "0002", "name": "李强", "hired_on": "2021-07-01", "login": "li.qiang"}
	]
}`

// TestBootstrap begins with an empty installation: two people enrol with what it prints, and it works once.
func TestBootstrap(t *testing.T) {
	env := hosted(t)
	file := filepath.Join(t.TempDir(), "first.json")
	if err := os.WriteFile(file, []byte(firstPeople), 0o600); err != nil {
		t.Fatal(err)
	}
	code, printed := output(t, "admin", "bootstrap", file)
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit %d, printed %q", code, printed)
	}
	code, printed = output(t, "admin", "renew-codes")
	former, lines := lines, strings.Split(strings.TrimSpace(printed), "\n")
	if code != 0 || len(lines) != 2 || slices.Contains(lines, former[0]) || slices.Contains(lines, former[1]) {
		t.Fatalf("renewing: exit %d, printed %q after %q", code, printed, former)
	}
	kekFile := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(kekFile); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(kekFile)
	if err != nil {
		t.Fatal(err)
	}
	service := identity.New(env.Facts, vault.New(env.Keys, kek, env.Installation.ID), identity.Options{})
	for _, line := range lines {
		login, enrolment, _ := strings.Cut(line, "\t")
		if _, err := service.BeginEnrolment(t.Context(), identity.Enrolling{Login: login, Code: enrolment}, "ein Satz über Wolken"); err != nil {
			t.Errorf("%s: %v", login, err)
		}
	}
	if code, printed := output(t, "admin", "bootstrap", file); code == 0 || printed != "" {
		t.Errorf("again: exit %d, %q", code, printed)
	}
	code, printed = output(t, "admin", "break-glass", "seal")
	if code != 0 || !strings.HasPrefix(printed, "code_1\t") || !strings.Contains(printed, "\ncode_2\t") {
		t.Errorf("sealing: exit %d, %q", code, printed)
	}
	var how []string
	err = env.Facts.Read(t.Context()).Raw(
		"SELECT DISTINCT authenticated FROM ledger_content WHERE action IN ('installation.bootstrapped', 'enrolment_code.renewed', 'break_glass.sealed', 'user.created')").Scan(&how).Error
	if err != nil || len(how) != 1 || how[0] != "host" {
		t.Errorf("in the ledger as done by %v, %v", how, err)
	}
}

func TestBootstrapRefusesHalfAPlan(t *testing.T) {
	env := hosted(t)
	for name, content := range map[string]string{
		"one person":    strings.Replace(firstPeople, `{"employee_no": "0001", "name": "王芳", "hired_on": "2020-03-01", "login": "wang.fang"},`, "", 1),
		"one twice":     strings.ReplaceAll(firstPeople, "0002", "0001"),
		"no department": strings.Replace(firstPeople, `"department"`, `"no_department"`, 1),
		"no zone":       strings.Replace(firstPeople, "Asia/Shanghai", "Nowhere", 1),
		"no JSON":       "{",
	} {
		file := filepath.Join(t.TempDir(), "first.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, printed := output(t, "admin", "bootstrap", file); code == 0 || printed != "" {
			t.Errorf("%s: exit %d, %q", name, code, printed)
		}
	}
	var rows int64
	if err := env.Facts.Read(t.Context()).Raw("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM employees) + (SELECT count(*) FROM legal_entities)").Scan(&rows).Error; err != nil || rows != 0 {
		t.Errorf("%d rows are left, %v", rows, err)
	}
}
