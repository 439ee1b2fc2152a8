package dev

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"

	"lethe/cmd/lethe/demo"
	"lethe/cmd/lethe/install"
	"lethe/internal/database"
	"lethe/internal/launch"
	"lethe/internal/vault"
)

// The databases on the private Postgres.
const (
	factsDatabase = "lethe"
	keysDatabase  = "lethe_keys"
)

// startPostgres starts the private Postgres, or uses the one that DATABASE_URL names.
func (d *development) startPostgres(ctx context.Context) error {
	if d.settings.DatabaseURL != "" {
		return d.useDatabase(ctx)
	}
	var server *launch.PostgresServer
	var err error
	done := d.show.step("Postgres")
	d.postgres, err = newService(ctx, "Postgres", func(ctx context.Context) (child, error) {
		started, err := launch.Postgres(ctx, launch.PostgresOptions{
			Dir: d.files.postgres(), Port: d.settings.PostgresPort, PortSetting: "LETHE_POSTGRES_PORT",
			LogFile: d.files.log("postgres"), Progress: d.show,
		})
		if err != nil {
			return nil, err
		}
		server = started
		return started, nil
	})
	if err != nil {
		return err
	}
	for _, name := range []string{factsDatabase, keysDatabase} {
		if err := server.CreateDatabase(ctx, name); err != nil {
			return err
		}
	}
	d.factsURL, d.keysURL = server.URL(factsDatabase), server.URL(keysDatabase)
	done(local(server.Port()))
	return nil
}

// useDatabase takes DATABASE_URL and, unless KEYS_DATABASE_URL is set, a second database beside it.
func (d *development) useDatabase(ctx context.Context) error {
	d.factsURL, d.keysURL = d.settings.DatabaseURL, d.settings.KeysDatabaseURL
	if d.keysURL != "" {
		return nil
	}
	u, err := url.Parse(d.factsURL)
	if err != nil {
		return errors.New("DATABASE_URL is not an address") // the error would quote the password
	}
	u.Path += "_keys"
	d.keysURL = u.String()
	return createBeside(ctx, d.factsURL, u.Path[1:])
}

// createBeside makes a database on the server of another one unless it exists.
func createBeside(ctx context.Context, beside, name string) error {
	conn, err := pgx.Connect(ctx, beside)
	if err != nil {
		return errors.New("the database that DATABASE_URL names does not answer")
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("the user of DATABASE_URL cannot create the database %s for the keys: create it, or set KEYS_DATABASE_URL", name)
	}
	return nil
}

// Why a database is left alone.
var (
	errForeignDatabase = errors.New("lethe dev touches only an empty database or one that it made itself")
	errForeignKeys     = errors.New("this database was filled from another data folder, which has its keys: set LETHE_DATA_DIR to that folder, or use an empty database")
)

// openInstallation migrates both databases and marks them dev, and makes sure that their keys are
// in our data folder.
func (d *development) openInstallation(ctx context.Context) error {
	done := d.show.step("数据库 · databases")
	var err error
	if d.facts, err = database.Open(ctx, d.factsURL, database.Options{}); err != nil {
		return fmt.Errorf("the facts: %w", err)
	}
	if d.keys, err = database.Open(ctx, d.keysURL, database.Options{}); err != nil {
		return fmt.Errorf("the keys: %w", err)
	}
	if err := refuseForeign(ctx, d.facts, "employees"); err != nil {
		return fmt.Errorf("the database for the facts: %w", err)
	}
	if err := refuseForeign(ctx, d.keys, "data_keys"); err != nil {
		return fmt.Errorf("the database for the keys: %w", err)
	}
	writer := func(in database.Installation) error { return d.openLedger(ctx, in) }
	if d.installation, err = install.Databases(ctx, d.facts, d.keys, database.ModeDev, writer); err != nil {
		return err
	}
	if err := d.openKEK(ctx); err != nil {
		return err
	}
	err = install.SealFormer(ctx, d.facts, func() (*vault.Vault, error) {
		return install.Sealer(d.files.kek(d.installation.ID), d.keys, d.installation)
	})
	if err != nil {
		return err
	}
	if err := d.openLogins(ctx); err != nil {
		return err
	}
	done("")
	return nil
}

// openKEK makes the key-encryption key of an empty installation and insists on that of another.
func (d *development) openKEK(ctx context.Context) error {
	path := d.files.kek(d.installation.ID)
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	empty, err := demo.Empty(ctx, d.facts)
	if err != nil {
		return err
	}
	if !empty {
		return errForeignKeys
	}
	if err := os.MkdirAll(d.files.installation(d.installation.ID), 0o700); err != nil {
		return fmt.Errorf("making the installation's folder: %w", err)
	}
	return vault.CreateKEKFile(path)
}

// refuseForeign lets an empty database through, one that is marked dev, and one whose first start
// was killed between migration and mark, as long as nothing is in the table that fills first.
func refuseForeign(ctx context.Context, db *database.DB, fillsFirst string) error {
	var tables struct{ Foreign, Marks, Ours bool }
	err := db.Read(ctx).Raw(`
		SELECT to_regclass('public.installation') IS NOT NULL AS marks,
		       to_regclass('public.' || ?) IS NOT NULL AS ours,
		       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'goose_db_version'
		                 AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
		                 AND NOT EXISTS (SELECT FROM pg_depend p WHERE p.objid = c.oid AND p.deptype = 'e')) AS foreign`,
		fillsFirst).Scan(&tables).Error
	if err != nil {
		return database.Wrap("looking at its tables", err)
	}
	if !tables.Marks {
		if tables.Foreign {
			return errForeignDatabase
		}
		return nil
	}
	var modes []database.Mode
	if err := db.Read(ctx).Table("installation").Pluck("mode", &modes).Error; err != nil {
		return errForeignDatabase // an installation table of somebody else
	}
	switch {
	case len(modes) > 0 && modes[0] == database.ModeDev:
		return nil
	case len(modes) > 0:
		return fmt.Errorf("it is marked %s: %w", modes[0], errForeignDatabase)
	case !tables.Ours:
		return nil // the migration was killed before it came that far
	}
	var filled bool
	if err := db.Read(ctx).Raw("SELECT EXISTS (SELECT FROM " + fillsFirst + ")").Scan(&filled).Error; err != nil {
		return database.Wrap("looking whether it is empty", err)
	}
	if filled {
		return errForeignDatabase
	}
	return nil
}
