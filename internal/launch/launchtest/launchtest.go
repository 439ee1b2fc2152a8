// Package launchtest gives tests a real Postgres and a real Temporal server:
// those of the test run when `make test` started them, else ones of the test
// binary's own, so that plain `go test ./internal/vault` works too.
package launchtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.uber.org/goleak"

	"lethe/internal/launch"
)

// The variables through which a test run names its servers.
const (
	DatabaseURL       = "LETHE_TEST_DATABASE_URL"
	TemporalAddress   = "LETHE_TEST_TEMPORAL_ADDRESS"
	TemporalNamespace = "LETHE_TEST_TEMPORAL_NAMESPACE"
)

// Postgres is the URL of the database "postgres" on the tests' server, with the
// right to create databases. The first call of a process may start a server,
// which dies with the process. It panics when there is none: no test could run.
func Postgres() string { return ownPostgres() }

// Temporal is the address and the namespace of the tests' Temporal server. It
// starts one and panics as [Postgres] does.
func Temporal() (address, namespace string) {
	t := ownTemporal()
	return t.address, t.namespace
}

// Goroutines exempts what keeps a process's own servers running from a check
// for leaked goroutines: goleak.VerifyTestMain(m, launchtest.Goroutines()...).
func Goroutines() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("lethe/internal/launch.spawnForever"),
		goleak.IgnoreAnyFunction("lethe/internal/launch.(*Process).copyOutput"),
		goleak.IgnoreAnyFunction("lethe/internal/launch.(*Process).watch"),
	}
}

var ownPostgres = sync.OnceValue(func() string {
	if url := os.Getenv(DatabaseURL); url != "" {
		return url
	}
	server, err := launch.Postgres(context.Background(), PostgresOptions(folder()))
	if err != nil {
		panic(fmt.Errorf("tests need a Postgres: %w", err))
	}
	return server.URL("postgres")
})

type temporal struct{ address, namespace string }

var ownTemporal = sync.OnceValue(func() temporal {
	if address := os.Getenv(TemporalAddress); address != "" {
		return temporal{address, os.Getenv(TemporalNamespace)}
	}
	opts, err := TemporalOptions(folder())
	if err != nil {
		panic(fmt.Errorf("tests need a Temporal server: %w", err))
	}
	server, err := launch.Temporal(context.Background(), opts)
	if err != nil {
		panic(fmt.Errorf("tests need a Temporal server: %w", err))
	}
	return temporal{server.Address(), server.Namespace()}
})

// folder is removed by the next process that needs one, since a test binary has
// no moment at which it could do so itself.
var folder = sync.OnceValue(func() string {
	scratch, err := NewScratch(filepath.Join(os.TempDir(), fmt.Sprintf("lethe-test-%d", os.Geteuid())))
	if err != nil {
		panic(err)
	}
	kept = scratch
	return scratch.Path
})

// kept holds the folder's lock until the process ends.
var kept *Scratch //nolint:unused // it is kept, not used

// PostgresOptions are those of a server for tests under the folder. Its data
// need not survive a power cut, so it does not wait for the disk; kills of its
// processes lose nothing.
func PostgresOptions(folder string) launch.PostgresOptions {
	return launch.PostgresOptions{
		Dir: filepath.Join(folder, "postgres"),
		Settings: map[string]string{
			"fsync":            "off",
			"full_page_writes": "off",
			"max_connections":  "400",
			// Databases of tests live for seconds: looking after them costs more than it gives.
			"autovacuum": "off",
			"jit":        "off",
			// A server that is killed leaves its shared memory behind: in its folder it goes with that.
			"dynamic_shared_memory_type": "mmap",
		},
	}
}

// TemporalOptions are those of a server for tests that keeps nothing.
func TemporalOptions(folder string) (launch.TemporalOptions, error) {
	root, err := ModuleRoot()
	if err != nil {
		return launch.TemporalOptions{}, err
	}
	return launch.TemporalOptions{
		Binary:   filepath.Join(root, "bin", "temporal"),
		LogFile:  filepath.Join(folder, "temporal.log"),
		Headless: true,
	}, nil
}

// ModuleRoot is the checkout that the working directory is in: tests run in
// their package's folder.
func ModuleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), "module lethe\n") {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("find the checkout: no go.mod of module lethe above the working directory")
		}
		folder = parent
	}
}
