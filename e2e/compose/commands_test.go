package compose

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"lethe/e2e/harness"
	"lethe/internal/connector"
	"lethe/internal/vault"
)

func build(t *testing.T) string {
	t.Helper()
	binary, err := harness.Binary()
	if err != nil {
		t.Fatalf("building: %v", err)
	}
	return binary
}

// parses asks the real grammar: --help ends the program after the whole line was parsed, before
// anything runs.
func parses(t *testing.T, binary string, line []string) error {
	t.Helper()
	return exec.CommandContext(t.Context(), binary, append(slices.Clone(line), "--help")...).Run()
}

func TestCommandLinesParse(t *testing.T) {
	p := project(t)
	binary := build(t)
	for _, s := range ours(t, p) {
		if err := parses(t, binary, s.Command); err != nil {
			t.Errorf("%s: `lethe %s` does not parse: %v", s.Name, strings.Join(s.Command, " "), err)
		}
		if s.HealthCheck != nil {
			if err := parses(t, binary, healthLine(t, s)); err != nil {
				t.Errorf("%s: its health check does not parse: %v", s.Name, err)
			}
		}
	}
	for _, line := range [][]string{{"serve", "--no-such-flag"}, {"no-such-command"}, {"migrate", "surplus"}} {
		if parses(t, binary, line) == nil {
			t.Errorf("`lethe %s` parses", strings.Join(line, " "))
		}
	}
}

func healthLine(t *testing.T, s types.ServiceConfig) []string {
	t.Helper()
	if len(s.HealthCheck.Test) < 3 || s.HealthCheck.Test[0] != "CMD" || s.HealthCheck.Test[1] != "/lethe" {
		t.Fatalf("%s: %v: an image without a shell can run /lethe only", s.Name, s.HealthCheck.Test)
	}
	return s.HealthCheck.Test[2:]
}

// The script makes every file that the compose file mounts, for its owner alone, and leaves what
// exists as it is.
func TestSecretsScript(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "deploy"), os.DirFS(filepath.Join(root, "deploy"))); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{"secrets", "state"} { // of an installation on this machine
		if err := os.RemoveAll(filepath.Join(folder, "deploy", made)); err != nil {
			t.Fatal(err)
		}
	}
	binary := build(t)
	run := func() {
		command := exec.CommandContext(t.Context(), "bash", filepath.Join(folder, "deploy/secrets.sh"))
		command.Env = append(os.Environ(), "LETHE="+binary)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	run()
	before := contents(t, folder)
	run()
	if after := contents(t, folder); !maps.Equal(before, after) {
		t.Error("a second run changed what was there")
	}
	for name := range project(t).Secrets {
		if len(before["deploy/secrets/"+name]) < 20 {
			t.Errorf("secret %s is missing or short", name)
		}
	}
	if before["deploy/secrets/postgres_password"] == before["deploy/secrets/lethe_role_password"] {
		t.Error("passwords are not random")
	}
	if _, err := vault.LoadKEKFile(filepath.Join(folder, "deploy/state/keys/kek.json")); err != nil {
		t.Errorf("the KEK: %v", err)
	}
	if _, err := connector.ReadConfig(filepath.Join(folder, "deploy/state/systems/systems.json")); err != nil {
		t.Errorf("the systems: %v", err)
	}
}

// contents reads everything that the script made and checks that it is its owner's alone.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{".env", "deploy/secrets/*", "deploy/state/*/*.*", "deploy/state/ledger-keys/*/*"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %s", file, info.Mode())
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(folder, file)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(raw)
		}
	}
	return found
}
