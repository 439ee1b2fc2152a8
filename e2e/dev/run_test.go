package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
)

// installation is a data folder with ports of its own, on which `lethe dev` is started again and again.
type installation struct {
	folder, program string
	environment     []string
	ports           map[string]int // by setting
}

// report is dev.json as its readers know it.
type report struct {
	API             string            `json:"api"`
	TemporalAddress string            `json:"temporal_address"`
	TemporalUI      string            `json:"temporal_ui"`
	DatabaseURL     string            `json:"database_url"`
	KeysDatabaseURL string            `json:"keys_database_url"`
	Sandbox         map[string]string `json:"sandbox"`
	SandboxControl  map[string]string `json:"sandbox_control_tokens"`
	Tokens          map[string]string `json:"tokens"`
	Users           map[string]struct {
		Login      string `json:"login"`
		Password   string `json:"password"`
		TOTPSecret string `json:"totp_secret"`
	} `json:"users"`

	AppDatabaseURL   string `json:"app_database_url"`
	LedgerOrigin     string `json:"ledger_origin"`
	LedgerDir        string `json:"ledger_dir"`
	LedgerKeyFile    string `json:"ledger_key_file"`
	LedgerPolicyFile string `json:"ledger_policy_file"`
}

// verifiesLedger runs `lethe ledger verify` with what dev.json says, as an auditor would.
func (i *installation) verifiesLedger(t *testing.T, r report) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), i.program, "ledger", "verify", "--lang=en")
	cmd.Env = []string{
		"LETHE_DATABASE_URL=" + r.DatabaseURL, "LETHE_LEDGER_DIR=" + r.LedgerDir,
		"LETHE_LEDGER_KEY_FILE=" + r.LedgerKeyFile, "LETHE_LEDGER_POLICY_FILE=" + r.LedgerPolicyFile,
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), r.LedgerOrigin) || strings.Contains(string(out), "\n0 entries") {
		t.Errorf("lethe ledger verify: %v\n%s", err, out)
	}
}

// lists finds somebody's departure by the employee number, in a list and by following it.
func (i *installation) lists(t *testing.T, no, stage string) {
	t.Helper()
	for _, args := range [][]string{{"list", no, "--lang=zh"}, {"list", "--sort=last_working_day", "--lang=zh"}, {"watch", no, "--lang=zh"}} {
		cmd := exec.CommandContext(t.Context(), i.program, args...)
		cmd.Env = i.environment
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), stage) || args[0] == "list" && !strings.Contains(string(out), no) {
			t.Errorf("lethe %v: %v\n%s", args, err, out)
		}
	}
}

var portSettings = []string{
	"LETHE_POSTGRES_PORT", "LETHE_TEMPORAL_PORT", "LETHE_TEMPORAL_UI_PORT", "LETHE_WORKER_OPS_PORT",
	"LETHE_SANDBOX_MAIL_PORT", "LETHE_SANDBOX_FINANCE_PORT", "LETHE_SANDBOX_ATTENDANCE_PORT", "LETHE_SANDBOX_INBOX_PORT", "LETHE_SANDBOX_SMTP_PORT",
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	program, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	root, err := launchtest.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	free, err := launch.FreePorts(len(portSettings) + 2)
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{folder: filepath.Join(t.TempDir(), "data"), program: program, ports: map[string]int{}}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "LETHE_") && !strings.HasPrefix(variable, "DATABASE_URL=") && !strings.HasPrefix(variable, "TEMPORAL_ADDRESS=") {
			i.environment = append(i.environment, variable)
		}
	}
	i.set("LETHE_DATA_DIR", i.folder)
	i.set("LETHE_TEMPORAL_BINARY", filepath.Join(root, "bin", "temporal"))
	i.set("LETHE_LISTEN", net.JoinHostPort("127.0.0.1", strconv.Itoa(free[len(portSettings)])))
	i.set("LETHE_OPS_LISTEN", net.JoinHostPort("127.0.0.1", strconv.Itoa(free[len(portSettings)+1])))
	for n, setting := range portSettings {
		i.ports[setting] = free[n]
		i.set(setting, strconv.Itoa(free[n]))
	}
	return i
}

func (i *installation) set(name, value string) {
	i.environment = append(i.environment, name+"="+value)
}

// run starts `lethe dev` and returns at once.
func (i *installation) run(t *testing.T) *launch.Process {
	t.Helper()
	p, err := launch.Start(launch.Command{
		Name: "lethe dev", Path: i.program, Args: []string{"dev"}, Env: i.environment,
		LogFile: filepath.Join(filepath.Dir(i.folder), "output.txt"), StopWithin: 30 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// start starts it, waits until all is ready, and says how long that took.
func (i *installation) start(t *testing.T) (*launch.Process, report, time.Duration) {
	t.Helper()
	began := time.Now()
	// What a killed run left would look like readiness.
	_ = os.Remove(filepath.Join(i.folder, "dev.json"))
	p := i.run(t)
	var r report
	for {
		content, err := os.ReadFile(filepath.Join(i.folder, "dev.json"))
		if err == nil {
			if err := json.Unmarshal(content, &r); err != nil {
				t.Fatalf("dev.json was there before it was whole: %v", err)
			}
			return p, r, time.Since(began)
		}
		select {
		case <-p.Done():
			t.Fatalf("lethe dev ended: %v", p.Err())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(began) > 3*time.Minute {
			t.Fatalf("lethe dev is not ready: %s", p.Tail())
		}
	}
}

// stop presses Ctrl-C.
func (i *installation) stop(t *testing.T, p *launch.Process) time.Duration {
	t.Helper()
	began := time.Now()
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !p.Succeeded() {
		t.Errorf("lethe dev ended with a failure: %v", p.Err())
	}
	return time.Since(began)
}

// output is what all runs have printed.
func (i *installation) output(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(filepath.Dir(i.folder), "output.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// says waits until it has printed all of the texts.
func (i *installation) says(t *testing.T, texts ...string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for _, text := range texts {
		for !strings.Contains(i.output(t), text) {
			if time.Now().After(deadline) {
				t.Fatalf("it never printed %q", text)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// call calls the API and decodes the answer.
func (r report) call(t *testing.T, role, method, path string, body, answer any) {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, r.API+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.Tokens[role])
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// leave starts an immediate departure and returns its id.
func (r report) leave(t *testing.T, no string) string {
	t.Helper()
	var page struct {
		Items []struct {
			ID         string `json:"id"`
			EmployeeNo string `json:"employee_no"`
		} `json:"items"`
	}
	r.call(t, "hr_admin", http.MethodGet, "/api/v1/employees?q="+no, nil, &page)
	if len(page.Items) != 1 || page.Items[0].EmployeeNo != no {
		t.Fatalf("looking for %s found %+v", no, page.Items)
	}
	var d harness.Departure
	r.call(t, "hr_admin", http.MethodPost, "/api/v1/departures",
		map[string]any{"employee_id": page.Items[0].ID, "kind": "resignation", "immediate": true}, &d)
	return d.ID
}

// reaches waits until a departure is in one of the stages and returns it.
func (r report) reaches(t *testing.T, id string, within time.Duration, stages ...string) harness.Departure {
	t.Helper()
	return r.until(t, id, within, func(d harness.Departure) bool { return slices.Contains(stages, d.Stage) })
}

// settles waits for the accounts: retention does not, so a person may be purged first.
func (r report) settles(t *testing.T, id string, within time.Duration) {
	t.Helper()
	r.until(t, id, within, func(d harness.Departure) bool { return d.AccountsState == "settled" })
}

func (r report) until(t *testing.T, id string, within time.Duration, holds func(harness.Departure) bool) harness.Departure {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		var d harness.Departure
		r.call(t, "hr_admin", http.MethodGet, "/api/v1/departures/"+id, nil, &d)
		if holds(d) {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s the departure is %s, accounts %s, timeline %v", within, d.Stage, d.AccountsState, d.Events())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// childOf finds a child of a process by a word of its command line.
func childOf(t *testing.T, parent int, word string) int {
	t.Helper()
	statuses, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range statuses {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		command, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err == nil && fields[1] == strconv.Itoa(parent) && slices.Contains(strings.Split(string(command), "\x00"), word) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no child with %q", word)
	return 0
}
