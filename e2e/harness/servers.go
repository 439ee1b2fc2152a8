package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"lethe/e2e/record/archive"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
)

// servers are the Postgres and the Temporal that a stack uses.
type servers struct {
	factsURL, keysURL string
	databases         []string // to drop on a shared server
	adminURL          string

	temporalAddress, namespace, queuePrefix string

	mu              sync.Mutex
	postgresOptions launch.PostgresOptions
	postgres        *launch.PostgresServer // nil: shared
	temporalOptions launch.TemporalOptions
	temporal        *launch.TemporalServer // nil: shared
}

// ErrShared says that a server belongs to the whole test run.
var ErrShared = errors.New("the server is shared with other tests")

func startServers(ctx context.Context, folder string, o Options, from archive.Installation) (*servers, error) {
	s := &servers{}
	if o.From != "" {
		return s, s.startRestored(ctx, folder, from)
	}
	unique := strings.ToLower(rand.Text()[:10])
	if err := s.startPostgres(ctx, folder, unique, o.OwnPostgres); err != nil {
		return s, err
	}
	return s, s.startTemporal(ctx, folder, unique, o.OwnTemporal)
}

// startRestored starts servers of the stack's own with what a recorded installation had in them.
func (s *servers) startRestored(ctx context.Context, folder string, from archive.Installation) error {
	if err := s.startOwnPostgres(ctx, folder); err != nil {
		return err
	}
	psql, err := archive.PostgresTool("psql")
	if err != nil {
		return fmt.Errorf("restoring a recorded installation: %w", err)
	}
	// The dump creates the superuser that exists already; nothing else in it may fail.
	out, err := exec.CommandContext(ctx, psql, "--quiet", "--dbname", s.adminURL, "--file", filepath.Join(folder, archive.Dump)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("restoring a recorded installation: %w: %s", err, out)
	}
	s.databases = []string{from.FactsDatabase, from.KeysDatabase}
	s.factsURL, s.keysURL = s.postgres.URL(from.FactsDatabase), s.postgres.URL(from.KeysDatabase)
	if err := s.startTemporal(ctx, folder, "", true); err != nil {
		return err
	}
	s.queuePrefix = from.QueuePrefix
	return nil
}

func (s *servers) startOwnPostgres(ctx context.Context, folder string) (err error) {
	s.postgresOptions = launchtest.PostgresOptions(folder)
	// As durable as in production: what was committed must survive the kills.
	s.postgresOptions.Settings = map[string]string{"max_connections": "300"}
	// A crowded machine takes its time to recover from a kill.
	s.postgresOptions.StartWithin = 3 * time.Minute
	if s.postgres, err = launch.Postgres(ctx, s.postgresOptions); err != nil {
		return err
	}
	s.postgresOptions.Port = s.postgres.Port()
	s.adminURL = s.postgres.URL("postgres")
	return nil
}

func (s *servers) startPostgres(ctx context.Context, folder, unique string, own bool) error {
	if own {
		if err := s.startOwnPostgres(ctx, folder); err != nil {
			return err
		}
	} else {
		s.adminURL = launchtest.Postgres()
	}
	admin, err := pgx.Connect(ctx, s.adminURL)
	if err != nil {
		return fmt.Errorf("connecting to the tests' Postgres: %w", err)
	}
	defer func() { _ = admin.Close(ctx) }()
	var urls []string
	for _, kind := range []string{"facts", "keys"} {
		name := "lethe_e2e_" + unique + "_" + kind
		if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
			return fmt.Errorf("creating a database: %w", err)
		}
		s.databases = append(s.databases, name)
		u, err := url.Parse(s.adminURL)
		if err != nil {
			return fmt.Errorf("reading the address of the tests' Postgres: %w", err)
		}
		u.Path = "/" + name
		urls = append(urls, u.String())
	}
	s.factsURL, s.keysURL = urls[0], urls[1]
	return nil
}

func (s *servers) startTemporal(ctx context.Context, folder, unique string, own bool) error {
	s.queuePrefix = unique + "-"
	if !own {
		s.temporalAddress, s.namespace = launchtest.Temporal()
		return nil
	}
	var err error
	if s.temporalOptions, err = launchtest.TemporalOptions(folder); err != nil {
		return err
	}
	s.temporalOptions.DataFile = filepath.Join(folder, "temporal", "data.db")
	if s.temporal, err = launch.Temporal(ctx, s.temporalOptions); err != nil {
		return err
	}
	s.temporalAddress, s.namespace = s.temporal.Address(), s.temporal.Namespace()
	if _, err := fmt.Sscanf(s.temporalAddress, "127.0.0.1:%d", &s.temporalOptions.Port); err != nil {
		return fmt.Errorf("reading Temporal's address: %w", err)
	}
	return nil
}

// FactsURL is the owner's address of the facts.
func (s *servers) FactsURL() string { return s.factsURL }

// KillPostgres ends the stack's own Postgres, backends included, by SIGKILL.
func (s *servers) KillPostgres() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres == nil {
		return ErrShared
	}
	return s.postgres.Kill()
}

// RestartPostgres starts it again on the same data and port.
func (s *servers) RestartPostgres(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres == nil {
		return ErrShared
	}
	server, err := launch.Postgres(ctx, s.postgresOptions)
	if err != nil {
		return err
	}
	s.postgres = server
	return nil
}

// KillTemporal ends the stack's own Temporal by SIGKILL.
func (s *servers) KillTemporal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temporal == nil {
		return ErrShared
	}
	return s.temporal.Kill()
}

// WipeTemporal throws the data file of a killed Temporal away.
func (s *servers) WipeTemporal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temporal == nil {
		return ErrShared
	}
	return launch.RemoveTemporalData(s.temporalOptions.DataFile)
}

// RestartTemporal starts it again on the same port, with what its data file holds.
func (s *servers) RestartTemporal(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.temporal == nil {
		return ErrShared
	}
	server, err := launch.Temporal(ctx, s.temporalOptions)
	if err != nil {
		return err
	}
	s.temporal = server
	return nil
}

// close stops the own servers and drops the databases on a shared one.
func (s *servers) close(ctx context.Context) error {
	var failures []error
	if s.temporal != nil {
		failures = append(failures, s.temporal.Kill())
	}
	if s.postgres != nil {
		return errors.Join(append(failures, s.postgres.Kill())...)
	}
	if len(s.databases) == 0 {
		return errors.Join(failures...)
	}
	admin, err := pgx.Connect(ctx, s.adminURL)
	if err != nil {
		return errors.Join(append(failures, err)...)
	}
	defer func() { _ = admin.Close(ctx) }()
	for _, name := range s.databases {
		_, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
