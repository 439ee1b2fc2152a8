package database

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Migrations are the files of all migrations.
//
//go:embed migrations
var Migrations embed.FS

// Schema names a set of migrations: the facts, or the keys in their own database.
type Schema string

// The two schemas.
const (
	SchemaMain Schema = "main"
	SchemaKeys Schema = "keys"
)

// Migrate brings db to the newest version of schema. Several callers may race: goose's session
// lock lets one at a time.
func Migrate(ctx context.Context, db *DB, schema Schema) error {
	p, err := provider(db, schema)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	if Code(hide(err)) == codeRolesMissing {
		if schema == SchemaKeys {
			return ErrKeysRoleMissing
		}
		return ErrRolesMissing
	}
	if err != nil {
		return fmt.Errorf("migrating %s: %w", schema, err)
	}
	return nil
}

// MigrateDown takes db back to version (0: empty). For tests and for operators who know why.
func MigrateDown(ctx context.Context, db *DB, schema Schema, version int64) error {
	p, err := provider(db, schema)
	if err != nil {
		return err
	}
	if _, err := p.DownTo(ctx, version); err != nil {
		return fmt.Errorf("migrating %s down: %w", schema, err)
	}
	return nil
}

// MigrationVersion is the version db is at and the newest one this program knows.
func MigrationVersion(ctx context.Context, db *DB, schema Schema) (current, newest int64, err error) {
	p, err := provider(db, schema)
	if err != nil {
		return 0, 0, err
	}
	if current, newest, err = p.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("reading the version of %s: %w", schema, hide(err))
	}
	return current, newest, nil
}

func provider(db *DB, schema Schema) (*goose.Provider, error) {
	files, err := fs.Sub(Migrations, "migrations/"+string(schema))
	if err != nil {
		return nil, fmt.Errorf("finding the migrations of %s: %w", schema, err)
	}
	locker, err := newLocker()
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db.pool, files, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("reading the migrations of %s: %w", schema, err)
	}
	return p, nil
}
