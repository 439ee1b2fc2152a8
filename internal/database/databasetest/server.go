package databasetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/launch/launchtest"
)

// server is the Postgres on which the test databases live.
type server struct{ address url.URL }

func newServer(t testing.TB) *server {
	t.Helper()
	address, err := url.Parse(launchtest.Postgres())
	if err != nil {
		t.Fatal("the address of the test server is not a URL")
	}
	return &server{address: *address}
}

// url is the address of one database on the server.
func (s *server) url(name string) string {
	u := s.address
	u.Path = "/" + name
	return u.String()
}

// admin connects to the maintenance database.
func (s *server) admin(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return nil, fmt.Errorf("reaching the test server: %w", err)
	}
	return conn, nil
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
		if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
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
	conn, err := s.admin(ctx)
	if err != nil {
		return err
	}
	var version, strategy string
	err = conn.QueryRow(ctx, "SHOW server_version_num").Scan(&version)
	if n, _ := strconv.Atoi(version); n >= 150000 {
		strategy = " STRATEGY file_copy"
	}
	if err == nil {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)+strategy)
	}
	return errors.Join(err, conn.Close(ctx))
}

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := s.admin(ctx)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
