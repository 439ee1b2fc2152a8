package databasetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/launch/launchtest"
)

// server is the Postgres on which the test databases live.
type server struct {
	address url.URL
	// idle are connections to the maintenance database; a process keeps them to its end, since a new one
	// costs as much as the copy of a database.
	idle chan *pgx.Conn
	// facts and keys are the names of the templates of these migrations.
	facts, keys string
}

// thisServer is reached once in a process.
var thisServer = sync.OnceValues(func() (*server, error) {
	address, err := url.Parse(launchtest.Postgres())
	if err != nil {
		return nil, errors.New("the address of the test server is not a URL")
	}
	s := &server{address: *address, idle: make(chan *pgx.Conn, 4)}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.admin(ctx, func(conn *pgx.Conn) error { return s.makeTemplates(ctx, conn) }); err != nil {
		return nil, fmt.Errorf("making the template databases: %w", err)
	}
	return s, nil
})

// admin does something on a connection to the maintenance database, which is closed if that fails.
func (s *server) admin(ctx context.Context, do func(*pgx.Conn) error) (err error) {
	var conn *pgx.Conn
	select {
	case conn = <-s.idle:
	default:
		if conn, err = pgx.Connect(ctx, s.url("postgres")); err != nil {
			return fmt.Errorf("reaching the test server: %w", err)
		}
	}
	if err := do(conn); err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	select {
	case s.idle <- conn:
		return nil
	default:
		return conn.Close(ctx)
	}
}

func newServer(t testing.TB) *server {
	t.Helper()
	s, err := thisServer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// url is the address of one database on the server.
func (s *server) url(name string) string {
	u := s.address
	u.Path = "/" + name
	return u.String()
}

// clone makes a copy of a template and connects to it; both end with the test.
func (s *server) clone(ctx context.Context, t testing.TB, template string) (string, *database.DB, error) {
	name := "lethe_t_" + strings.ToLower(rand.Text()[:16])
	if err := s.copy(ctx, name, template); err != nil {
		return "", nil, err
	}
	var db *database.DB
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if db != nil {
			_ = db.Close()
		}
		drop := "DROP DATABASE IF EXISTS " + quote(name) + " WITH (FORCE)"
		if err := s.admin(ctx, func(conn *pgx.Conn) error { _, err := conn.Exec(ctx, drop); return err }); err != nil {
			t.Errorf("dropping a test database: %v", err)
		}
	})
	address := s.url(name)
	db, err := database.Open(ctx, address, database.Options{MaxConnections: maxConnections})
	if err != nil {
		return "", nil, fmt.Errorf("opening a test database: %w", err)
	}
	return address, db, nil
}

// copy copies the files of a template: half the time of writing each page to the log, as servers from
// version 15 do unless told otherwise.
func (s *server) copy(ctx context.Context, name, template string) error {
	return s.admin(ctx, func(conn *pgx.Conn) error {
		strategy := ""
		major, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), ".")
		if n, _ := strconv.Atoi(major); n >= 15 {
			strategy = " STRATEGY file_copy"
		}
		_, err := conn.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)+strategy)
		return err
	})
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
