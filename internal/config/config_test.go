package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	factsURL = "postgres://app:s3cret-facts@127.0.0.1:5432/lethe"
	keysURL  = "postgres://app:s3cret-keys@127.0.0.1:5432/lethe_keys"
)

// complete is the least that `lethe worker` starts with.
func complete(extra ...string) []string {
	return append([]string{
		"PATH=/usr/bin",
		"LETHE_DATABASE_URL=" + factsURL,
		"LETHE_KEYS_DATABASE_URL=" + keysURL,
		"LETHE_KEK_FILE=/run/secrets/kek",
		"LETHE_TOMBSTONE_FILE=/var/lib/lethe/tombstones",
		"LETHE_CODEC_KEY_FILE=/run/secrets/codec",
		"LETHE_SYSTEMS_FILE=/etc/lethe/systems.json",
		"LETHE_TEMPORAL_ADDRESS=temporal:7233",
		"LETHE_SEQUENCER_DATABASE_URL=postgres://order:s3cret-order@127.0.0.1:5432/lethe",
		"LETHE_LEDGER_KEY_FILE=/run/secrets/ledger",
		"LETHE_LEDGER_DIR=/var/lib/lethe/ledger",
	}, extra...)
}

func TestLoadAppliesDefaultsAndOverrides(t *testing.T) {
	c, err := Load("worker", complete("LETHE_RELAY_POLL=250ms", "LETHE_RELAY_BATCH=7", "LETHE_LISTEN="))
	if err != nil {
		t.Fatal(err)
	}
	if c.RelayPoll != 250*time.Millisecond || c.RelayBatch != 7 {
		t.Errorf("overrides not taken: poll %v, batch %d", c.RelayPoll, c.RelayBatch)
	}
	if c.RelayOverdue != time.Minute || c.TemporalNamespace != "lethe" || c.Listen != "127.0.0.1:8080" {
		t.Errorf("defaults not taken: overdue %v, namespace %q, listen %q", c.RelayOverdue, c.TemporalNamespace, c.Listen)
	}
	if c.Dev {
		t.Error("Dev is on without its flag")
	}
}

func TestLoadRequiresOnlyWhatTheCommandReads(t *testing.T) {
	if _, err := Load("dev", nil); err != nil {
		t.Errorf("dev needs nothing: %v", err)
	}
	_, err := Load("serve", []string{"LETHE_DATABASE_URL=" + factsURL})
	requireProblem(t, err, "LETHE_KEYS_DATABASE_URL is not set", "LETHE_KEYS_DATABASE_URL_FILE", "LETHE_KEK_FILE is not set",
		"LETHE_TOMBSTONE_FILE is not set", "LETHE_SYSTEMS_FILE is not set")
	if strings.Contains(err.Error(), "LETHE_SEQUENCER_DATABASE_URL") {
		t.Errorf("serve does not order the ledger: %v", err)
	}
}

func TestSecretFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte(factsURL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := complete("LETHE_DATABASE_URL_FILE=" + path)
	_, err := Load("worker", environ)
	requireProblem(t, err, "LETHE_DATABASE_URL and LETHE_DATABASE_URL_FILE are both set")

	environ = append(environ, "LETHE_DATABASE_URL=")
	c, err := Load("worker", environ)
	if err != nil {
		t.Fatal(err)
	}
	if c.DatabaseURL != factsURL {
		t.Errorf("DatabaseURL = %q", c.DatabaseURL)
	}

	_, err = Load("worker", append(environ, "LETHE_DATABASE_URL_FILE="+path+".missing"))
	requireProblem(t, err, "LETHE_DATABASE_URL_FILE", "no such file")
}

func TestUnknownVariableNamesTheNearest(t *testing.T) {
	_, err := Load("worker", complete("LETHE_RELAY_PULL=1s"))
	requireProblem(t, err, "LETHE_RELAY_PULL is not a known variable; did you mean LETHE_RELAY_POLL?")
	if _, err := Load("worker", complete("LETHE_TEST_DATABASE_URL=x", "LETHE_FAILPOINTS=1:0.1", "LETHE_FAILPOINTS_DIR=x", "OTHER=1", "LETHE_TOKEN=t", "LETHE_TEMPORAL_PORT=1")); err != nil {
		t.Errorf("variables of other commands and of tests are fine: %v", err)
	}
}

func TestContradictionsAreRefused(t *testing.T) {
	for _, test := range []struct{ set, want string }{
		{"LETHE_KEYS_DATABASE_URL=" + factsURL, "database of their own"},
		{"LETHE_SEQUENCER_DATABASE_URL=" + factsURL, "a login of its own"},
		{"LETHE_DATABASE_URL=mysql://root:s3cret-facts@db/x", "LETHE_DATABASE_URL is not a Postgres address"},
		{"LETHE_DATABASE_URL=postgres://root:s3cret-facts@db", "LETHE_DATABASE_URL is not a Postgres address"},
		{"LETHE_OIDC_ISSUER=https://login.example.com", "LETHE_OIDC_CLIENT_ID is not set"},
		{"LETHE_OIDC_ISSUER=http://login.example.com", "LETHE_OIDC_ISSUER must begin with https://"},
		{"LETHE_OIDC_ISSUER=login.example.com", "LETHE_OIDC_ISSUER is not a web address"},
		{"LETHE_OIDC_CLIENT_ID=lethe", "without LETHE_OIDC_ISSUER"},
		{"LETHE_RELAY_POLL=soon", "LETHE_RELAY_POLL is not a valid duration; its default is 1s"},
		{"LETHE_RELAY_POLL=-1s", "LETHE_RELAY_POLL must be at least"},
		{"LETHE_RELAY_BATCH=0", "LETHE_RELAY_BATCH must be between"},
		{"LETHE_UNLINK_TRIES=many", "LETHE_UNLINK_TRIES is not a valid whole number"},
		{"LETHE_LISTEN=8080", "LETHE_LISTEN is not host:port"},
		{"LETHE_LISTEN=127.0.0.1:99999", "LETHE_LISTEN is not host:port"},
		{"LETHE_PUBLIC_URL=lethe.example.com", "LETHE_PUBLIC_URL is not a web address"},
		{"LETHE_LOG_LEVEL=loud", "LETHE_LOG_LEVEL must be one of"},
		{"LETHE_HTTP_TIMEOUT=60s", "LETHE_HTTP_TIMEOUT must be below"},
		{"LETHE_ACTIVITY_HEARTBEAT=2m", "LETHE_ACTIVITY_HEARTBEAT must be below"},
		{"LETHE_ACTIVITY_SCHEDULE_TO_CLOSE=1s", "LETHE_ACTIVITY_START_TO_CLOSE must not be above"},
		{"LETHE_ACTIVITY_RETRY_INITIAL=1h", "LETHE_ACTIVITY_RETRY_INITIAL must not be above"},
		{"LETHE_CONTINUE_AS_NEW_AFTER=721h", "above 720h"},
		{"LETHE_PURGE_JITTER=-1s", "never run before"},
	} {
		_, err := Load("worker", complete(test.set))
		requireProblem(t, err, test.want)
	}
}

func TestAllProblemsAreReportedTogether(t *testing.T) {
	_, err := Load("worker", []string{"LETHE_NONSENSE=1", "LETHE_RELAY_POLL=x"})
	requireProblem(t, err, "LETHE_NONSENSE", "LETHE_RELAY_POLL", "LETHE_DATABASE_URL", "LETHE_SYSTEMS_FILE")
}

func TestDevelopment(t *testing.T) {
	d, err := LoadDevelopment([]string{"DATABASE_URL=" + factsURL, "TEMPORAL_ADDRESS=10.0.0.1:7233", "LETHE_TEMPORAL_PORT=9000"})
	if err != nil {
		t.Fatal(err)
	}
	if d.DatabaseURL != factsURL || d.TemporalAddress != "10.0.0.1:7233" || d.TemporalPort != 9000 || d.DataDir != ".data" {
		t.Error("development settings were not read")
	}
	_, err = LoadDevelopment([]string{"LETHE_TEMPORAL_PORT=8233", "KEYS_DATABASE_URL=" + keysURL})
	requireProblem(t, err, "LETHE_TEMPORAL_PORT and LETHE_TEMPORAL_UI_PORT are both 8233", "without DATABASE_URL")
}

func TestClient(t *testing.T) {
	c, err := LoadClient([]string{"LETHE_TOKEN=abc"})
	if err != nil {
		t.Fatal(err)
	}
	if c.API != "http://127.0.0.1:8080" || c.Token != "abc" {
		t.Error("client settings were not read")
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c, err := Load("worker", complete())
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("configuration", "config", c)
	for _, printed := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), log.String()} {
		if strings.Contains(printed, "s3cret") {
			t.Errorf("a secret is printed: %s", printed)
		}
	}
	if !strings.Contains(log.String(), "temporal:7233") {
		t.Errorf("the log says nothing: %s", log.String())
	}
}

// Whatever a secret holds, no message about it repeats it.
func TestErrorsNeverRepeatASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9 %:@/\\]{0,8}QZXJ[A-Za-z0-9 %:@/\\]{0,8}`).Draw(t, "secret")
		name := rapid.SampledFrom([]string{"LETHE_DATABASE_URL", "LETHE_KEYS_DATABASE_URL"}).Draw(t, "name")
		_, err := Load("worker", complete(name+"="+secret))
		if err == nil {
			t.Fatal("accepted")
		}
		if strings.Contains(err.Error(), "QZXJ") {
			t.Fatalf("the message repeats the secret: %v", err)
		}
	})
}

func TestVariablesAreFullyDeclared(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Variables() {
		if seen[v.Name] {
			t.Errorf("%s is declared twice", v.Name)
		}
		seen[v.Name] = true
		if v.DescriptionEN == "" || v.DescriptionZH == "" || len(v.UsedBy) == 0 {
			t.Errorf("%s lacks a description or its users", v.Name)
		}
		for _, command := range v.RequiredBy {
			if !strings.Contains(","+strings.Join(v.UsedBy, ",")+",", ","+command+",") {
				t.Errorf("%s is required by %s, which does not read it", v.Name, command)
			}
		}
		if v.Required && v.Default != "" {
			t.Errorf("%s is required and has a default", v.Name)
		}
	}
	for _, name := range []string{"LETHE_DATABASE_URL", "DATABASE_URL", "TEMPORAL_ADDRESS", "LETHE_TOKEN"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if got := reflect.TypeFor[Config]().NumField() - 1; got != len(variablesOf(reflect.TypeFor[Config]())) {
		t.Errorf("%d fields beside Dev, %d variables", got, len(variablesOf(reflect.TypeFor[Config]())))
	}
}

// Levenshtein's distance is a metric; the nearest name follows from it.
func TestDistanceIsAMetric(t *testing.T) {
	word := rapid.StringMatching(`[ABC_]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		if (distance(a, b) == 0) != (a == b) {
			t.Fatal("zero exactly for equal words")
		}
		if distance(a, b) != distance(b, a) {
			t.Fatal("not symmetric")
		}
		if distance(a, c) > distance(a, b)+distance(b, c) {
			t.Fatal("a detour is shorter")
		}
	})
	if got := distance("kitten", "sitting"); got != 3 {
		t.Errorf("distance(kitten, sitting) = %d", got)
	}
}

func requireProblem(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("want %v, got %v", parts, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error repeats a secret: %v", err)
	}
}

// TestSurplus: the worker must not hold the client secret of the people's login.
func TestSurplus(t *testing.T) {
	for command, environ := range map[string][]string{
		"serve":  {"LETHE_OIDC_CLIENT_SECRET_FILE=/secret", "LETHE_KEK_FILE=/kek", "LETHE_API=x"},
		"worker": {"LETHE_OIDC_CLIENT_SECRET=", "LETHE_LISTEN=127.0.0.1:1", "LETHE_SEQUENCER_DATABASE_URL=postgres://a/b"},
	} {
		if err := Surplus(command, environ); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, one := range []string{"LETHE_OIDC_CLIENT_SECRET=x", "LETHE_OIDC_CLIENT_SECRET_FILE=/x"} {
		if err := Surplus("worker", []string{one}); !errors.Is(err, ErrInvalid) {
			t.Errorf("worker with %s: %v", one, err)
		}
	}
}
