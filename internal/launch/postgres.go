package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresOptions say where a private Postgres lives.
type PostgresOptions struct {
	Dir         string            // holds data/, the password and the lock; created when missing
	Port        int               // on 127.0.0.1; 0 for a free one
	PortSetting string            // variable that chooses the port, for the error about a taken one
	Settings    map[string]string // server settings over the defaults, e.g. "fsync": "off"
	LogFile     string            // empty for Dir/postgres.log
	StartWithin time.Duration     // until it answers; 0 for 60 s
	Progress    io.Writer         // one line per slow step; nil for none
}

// PostgresServer is a running private Postgres. It listens on 127.0.0.1 only,
// asks for a generated password, and dies with this process.
type PostgresServer struct {
	*Process
	dir      string
	port     int
	password string
	lock     *folderLock
}

// Superuser is the role that [PostgresServer.URL] logs in as.
const Superuser = "postgres"

// Postgres starts a server on the data in opts.Dir, which it creates at first,
// and returns when it answers. It recovers from whatever a killed run left:
// backends that still shut down, a stale pid file, a half-made data folder.
// ctx bounds the start, not the server's life. As root it drops to another
// user, and on Debian installs the binaries when they are missing.
func Postgres(ctx context.Context, opts PostgresOptions) (*PostgresServer, error) {
	if opts.StartWithin == 0 {
		opts.StartWithin = 60 * time.Second
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of Postgres: %w", err)
	}
	opts.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of Postgres: %w", err)
	}
	lock, err := acquireSoon(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	server, err := startPostgres(ctx, opts, lock)
	if err != nil {
		lock.release()
		return nil, err
	}
	return server, nil
}

func startPostgres(ctx context.Context, opts PostgresOptions, lock *folderLock) (*PostgresServer, error) {
	binaries, err := findPostgres(ctx, opts)
	if err != nil {
		return nil, err
	}
	var account *Account
	if os.Geteuid() == 0 {
		if account, err = postgresAccount(ctx, opts.Progress); err != nil {
			return nil, err
		}
	}
	cluster := &cluster{dir: opts.Dir, binaries: binaries, account: account, progress: opts.Progress}
	password, err := cluster.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if opts.Port != 0 {
		if err := CheckPort(ctx, opts.Port, settingName(opts.PortSetting, "Postgres")); err != nil {
			return nil, err
		}
	} else if opts.Port, err = FreePort(); err != nil {
		return nil, err
	}
	process, err := cluster.serve(opts)
	if err != nil {
		return nil, err
	}
	server := &PostgresServer{Process: process, dir: opts.Dir, port: opts.Port, password: password, lock: lock}
	if err := server.waitReady(ctx, opts.StartWithin); err != nil {
		return nil, errors.Join(err, process.Kill())
	}
	return server, nil
}

func settingName(setting, fallback string) string {
	if setting == "" {
		return fallback
	}
	return setting
}

// URL is the address of a database on this server with the superuser's login.
func (s *PostgresServer) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(Superuser, s.password),
		Host:     loopback(s.port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Port is where it listens on 127.0.0.1.
func (s *PostgresServer) Port() int { return s.port }

// CreateDatabase makes an empty database unless it exists.
func (s *PostgresServer) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create the database %s: %w", name, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("create the database %s: %w", name, err)
	}
	return nil
}

// Stop ends the server in Postgres' fast mode: sessions are cut, data is flushed.
func (s *PostgresServer) Stop(ctx context.Context) error {
	defer s.lock.release()
	return s.Process.Stop(ctx)
}

// Kill ends the server by SIGKILL, backends included, as a power cut would.
func (s *PostgresServer) Kill() error {
	defer s.lock.release()
	err := s.Process.Kill()
	return errors.Join(err, killAll(filepath.Join(s.dir, dataFolder)))
}

// waitReady asks until the server answers, which after a crash includes the
// replay of its log.
func (s *PostgresServer) waitReady(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.Done():
			return s.Err()
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer within %s: %w; its last lines:\n%s", within, err, indent(s.Tail()))
		case <-time.After(30 * time.Millisecond):
		}
	}
}

func (s *PostgresServer) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// defaultSettings make a small, quiet server that says nothing of the rows it
// holds: no statements, no parameters, no detail that quotes a failing row.
func defaultSettings(port int) map[string]string {
	return map[string]string{
		"listen_addresses":                  "127.0.0.1",
		"port":                              strconv.Itoa(port),
		"unix_socket_directories":           "",
		"max_connections":                   "200",
		"shared_buffers":                    "128MB",
		"synchronous_commit":                "on",
		"fsync":                             "on",
		"jit":                               "off",
		"timezone":                          "UTC",
		"log_timezone":                      "UTC",
		"logging_collector":                 "off",
		"log_destination":                   "stderr",
		"log_statement":                     "none",
		"log_min_error_statement":           "panic",
		"log_parameter_max_length":          "0",
		"log_error_verbosity":               "terse",
		"log_checkpoints":                   "off",
		"password_encryption":               "scram-sha-256",
		"log_parameter_max_length_on_error": "0",
	}
}

// serve starts the server process on the prepared data folder.
func (c *cluster) serve(opts PostgresOptions) (*Process, error) {
	settings := defaultSettings(opts.Port)
	maps.Copy(settings, opts.Settings)
	logFile := opts.LogFile
	if logFile == "" {
		logFile = filepath.Join(c.dir, "postgres.log")
	}
	data := filepath.Join(c.dir, dataFolder)
	folder, err := os.Open(data)
	if err != nil {
		return nil, fmt.Errorf("open the data folder of Postgres: %w", err)
	}
	defer func() { _ = folder.Close() }()
	args := []string{"-D", c.path(data, inheritedFolder)}
	for _, name := range sortedKeys(settings) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return Start(Command{
		Name:       "postgres",
		Path:       filepath.Join(c.binaries, "postgres"),
		Args:       args,
		Dir:        "/",
		Env:        postgresEnvironment(),
		LogFile:    logFile,
		ExtraFiles: []*os.File{folder},
		RunAs:      c.account,
		StopSignal: syscall.SIGINT, // "fast" shutdown
		StopWithin: 30 * time.Second,
	})
}

// postgresEnvironment leaves out PG* variables of the caller's shell, which
// would point the server's own tools elsewhere.
func postgresEnvironment() []string {
	kept := []string{"LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"}
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "PATH=") || strings.HasPrefix(variable, "LD_LIBRARY_PATH=") {
			kept = append(kept, variable)
		}
	}
	return kept
}
