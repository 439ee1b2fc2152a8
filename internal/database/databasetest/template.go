package databasetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
)

// templateLock is the advisory lock under which one of the many test processes makes the templates.
const templateLock = 0x4c54504c // "LTPL"

// makeTemplates makes the template databases of these migrations unless they exist on the server.
func (s *server) makeTemplates(ctx context.Context, conn *pgx.Conn) error {
	fingerprint, err := database.Fingerprint()
	if err != nil {
		return err
	}
	s.facts, s.keys = "lethe_facts_"+fingerprint[:16], "lethe_keys_"+fingerprint[:16]
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
