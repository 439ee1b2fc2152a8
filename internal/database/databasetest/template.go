package databasetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
)

// templateLock is the advisory lock under which one of the many test processes makes the templates.
const templateLock = 0x4c54504c // "LTPL"

// makeTemplates makes the template databases of these migrations unless they exist on the server.
func (s *server) makeTemplates(ctx context.Context, conn *pgx.Conn) error {
	version, err := fingerprint()
	if err != nil {
		return err
	}
	s.facts, s.keys = "lethe_facts_"+version[:16], "lethe_keys_"+version[:16]
	if complete, err := exist(ctx, conn, s.facts, s.keys); err != nil || complete {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return fmt.Errorf("locking the templates: %w", err)
	}
	for name, schema := range map[string]database.Schema{s.facts: database.SchemaMain, s.keys: database.SchemaKeys} {
		complete, err := exist(ctx, conn, name)
		if err == nil && !complete {
			err = s.makeTemplate(ctx, conn, name, schema)
		}
		if err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", int64(templateLock)); err != nil {
		return fmt.Errorf("unlocking the templates: %w", err)
	}
	return nil
}

// makeTemplate migrates under another name first: a process killed on the way leaves nothing that
// looks complete.
func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string, schema database.Schema) error {
	draft := name + "_draft"
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + quote(draft) + " WITH (FORCE)", "CREATE DATABASE " + quote(draft)} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("making a template: %w", err)
		}
	}
	db, err := database.Open(ctx, s.url(draft), database.Options{MaxConnections: 2})
	if err != nil {
		return fmt.Errorf("opening a template: %w", err)
	}
	if err := errors.Join(database.Migrate(ctx, db, schema), db.Close()); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+quote(draft)+" RENAME TO "+quote(name)); err != nil {
		return fmt.Errorf("publishing a template: %w", err)
	}
	return nil
}

func exist(ctx context.Context, conn *pgx.Conn, names ...string) (bool, error) {
	var found int
	err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_database WHERE datname = ANY ($1)", names).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("looking for the templates: %w", err)
	}
	return found == len(names), nil
}

// fingerprint names the content of all migrations: templates of test databases are kept under it,
// so that a changed migration never meets an old template.
func fingerprint() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(database.Migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(database.Migrations, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the migrations: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
