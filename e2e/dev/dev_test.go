// Package dev tests `lethe dev` as somebody meets it who has just cloned the project.
package dev

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"lethe/internal/launch"
	"lethe/sandbox/control"
)

// startAgainWithin is the promise for every start but the first. On a machine that other tests
// keep busy, half of what the first start took there stands for it.
func startAgainWithin(first time.Duration) time.Duration { return max(10*time.Second, first/2) }

func TestOneCommand(t *testing.T) {
	i := newInstallation(t)
	p, first, firstTook := i.start(t)
	t.Logf("first start: %s", firstTook)
	checkReport(t, i, first)
	checkModes(t, i.folder)

	// Another run on the same folder is refused while this one lives.
	second := i.run(t)
	<-second.Done()
	if second.Succeeded() || !strings.Contains(second.Tail(), launch.ErrInUse.Error()) {
		t.Errorf("a second run on the folder: %v", second.Err())
	}

	// A life from resignation to purge: worker and Temporal are killed at its beginning, and Ctrl-C
	// comes in the middle of the retention period, whose timer sleeps on.
	began := time.Now()
	id := first.leave(t, "DEMO-0005")
	for _, word := range []string{"worker", "start-dev"} {
		if err := syscall.Kill(childOf(t, p.Pid(), word), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	i.says(t, "worker 已恢复 · is back", "Temporal 已恢复 · is back")
	first.reaches(t, id, 60*time.Second, "departed", "purging")
	t.Logf("stop: %s", i.stop(t, p))
	if _, err := os.Stat(filepath.Join(i.folder, "dev.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("dev.json is there although nothing runs: %v", err)
	}
	before := counts(t, i)

	p, again, took := i.start(t)
	t.Logf("second start: %s", took)
	if took > startAgainWithin(firstTook) {
		t.Errorf("the second start took %s", took)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the second start differs from the first (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(before, counts(t, i)); diff != "" {
		t.Errorf("a start changed the data (-before +after):\n%s", diff)
	}
	d := again.reaches(t, id, 90*time.Second, "purged")
	t.Logf("purged after %s, the restart included", time.Since(began))
	t.Logf("accounts are %s by then", d.AccountsState)
	again.settles(t, id, 60*time.Second)
	t.Logf("settled after %s", time.Since(began))
	checkDisabled(t, again, "DEMO-0005")
	i.lists(t, "DEMO-0005", "敏感信息已删除")

	// kill -9.
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	p, last, took := i.start(t)
	t.Logf("start after kill -9: %s", took)
	i.verifiesLedger(t, last)
	if took > startAgainWithin(firstTook) {
		t.Errorf("the start after kill -9 took %s", took)
	}
	t.Logf("stop: %s", i.stop(t, p))
}

func TestTakenPortsAreNamed(t *testing.T) {
	i := newInstallation(t)
	taken := []string{"LETHE_SANDBOX_FINANCE_PORT", "LETHE_POSTGRES_PORT", "LETHE_TEMPORAL_UI_PORT"}
	for _, setting := range taken {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(i.ports[setting])))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
	}
	i.set("LETHE_OPS_LISTEN", "0.0.0.0:"+strconv.Itoa(i.ports["LETHE_SANDBOX_MAIL_PORT"]))
	p := i.run(t)
	<-p.Done()
	if p.Succeeded() {
		t.Fatal("it started")
	}
	for _, setting := range taken {
		if !strings.Contains(p.Tail(), "choose another with "+setting) {
			t.Errorf("%s is not named: %v", setting, p.Err())
		}
	}
	if !strings.Contains(p.Tail(), "both LETHE_OPS_LISTEN and LETHE_SANDBOX_MAIL_PORT") {
		t.Errorf("two settings with one port are not named: %v", p.Err())
	}
	if _, err := os.Stat(filepath.Join(i.folder, "postgres")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("Postgres was started although a port is taken")
	}
}

func checkReport(t *testing.T, i *installation, r report) {
	t.Helper()
	for name, value := range map[string]string{
		"api": r.API, "temporal_address": r.TemporalAddress, "temporal_ui": r.TemporalUI,
		"database_url": r.DatabaseURL, "app_database_url": r.AppDatabaseURL,
		"ledger_origin": r.LedgerOrigin, "ledger_dir": r.LedgerDir, "ledger_policy_file": r.LedgerPolicyFile,
		"keys_database_url": r.KeysDatabaseURL,
		"sandbox.mail":      r.Sandbox["mail"], "sandbox.finance": r.Sandbox["finance"], "sandbox.attendance": r.Sandbox["attendance"],
	} {
		if value == "" {
			t.Errorf("dev.json has no %s", name)
		}
	}
	seen := map[string]string{}
	for _, role := range []string{"hr_admin", "department_head", "employee", "reviewer", "auditor", "it_ops"} {
		var me struct {
			Role       string `json:"role"`
			EmployeeID string `json:"employee_id"`
		}
		if !strings.HasPrefix(r.Tokens[role], "lethe_dev_") {
			t.Errorf("the token of %s is none of development", role)
		}
		r.call(t, role, "GET", "/api/v1/me", nil, &me)
		if me.Role != role {
			t.Errorf("the token of %s has the role %s", role, me.Role)
		}
		if other := seen[me.EmployeeID]; other != "" {
			t.Errorf("%s and %s are the same person", role, other)
		}
		seen[me.EmployeeID] = role
	}
	logins := map[string]bool{}
	for _, name := range []string{"hr_admin", "second_hr_admin", "reviewer", "second_reviewer", "third_reviewer", "it_ops", "auditor"} {
		login := r.Users[name].Login
		if login == "" || logins[login] {
			t.Errorf("%s has the login %q: none, or somebody else's", name, login)
		}
		logins[login] = true
	}
	if out := i.output(t); !strings.Contains(out, r.Tokens["hr_admin"]) || !strings.Contains(out, "depart DEMO-0006 --follow") {
		t.Error("the tokens or the commands to try are not printed")
	}
}

// checkModes wants everything that we write closed to others; Postgres sees to its own folder.
func checkModes(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "postgres" {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a draft that was moved meanwhile
		}
		if err != nil {
			return err
		}
		inside := strings.HasPrefix(path, filepath.Join(folder, "secrets")) || strings.Contains(path, "installation-") || entry.Name() == "dev.json"
		if info.Mode().Perm()&0o077 != 0 && (inside || entry.IsDir()) {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkDisabled asks the systems themselves.
func checkDisabled(t *testing.T, r report, no string) {
	t.Helper()
	for system, address := range r.Sandbox {
		client := control.NewClient(address, r.SandboxControl[system])
		accounts, err := client.Accounts(t.Context(), no)
		client.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(accounts) != 1 || accounts[0].Active {
			t.Errorf("%s has %+v for %s", system, accounts, no)
		}
	}
}

// counts is how many rows there are of what a start could do twice. It starts the private Postgres
// if nothing runs.
func counts(t *testing.T, i *installation) map[string]int {
	t.Helper()
	url := ""
	if server, err := launch.Postgres(t.Context(), launch.PostgresOptions{Dir: filepath.Join(i.folder, "postgres")}); err == nil {
		url = server.URL("lethe")
		defer func() { _ = server.Stop(context.Background()) }()
	} else if errors.Is(err, launch.ErrInUse) {
		password, err := os.ReadFile(filepath.Join(i.folder, "postgres", "password"))
		if err != nil {
			t.Fatal(err)
		}
		url = "postgres://postgres:" + strings.TrimSpace(string(password)) + "@127.0.0.1:" + strconv.Itoa(i.ports["LETHE_POSTGRES_PORT"]) + "/lethe?sslmode=disable"
	} else {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	found := map[string]int{}
	for _, table := range []string{
		"legal_entities", "departments", "employees", "employments", "field_values", "linked_accounts", "departures", "api_tokens",
	} {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		found[table] = n
	}
	return found
}
