package database

import (
	"context"
	"errors"
	"fmt"

	"lethe/models"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"
)

// Mode says what a database is for.
type Mode string

// The modes. A process started with --dev refuses a production database and the other way round.
const (
	ModeProduction Mode = "production"
	ModeDev        Mode = "dev"
)

// Installation identifies a pair of databases.
type Installation struct {
	ID   uuid.UUID
	Mode Mode
}

// ErrWrongMode says that a dev process met a production database or the other way round.
var ErrWrongMode = errors.New("the database is marked for another mode")

// ErrNotInstalled says that the database was never initialised.
var ErrNotInstalled = errors.New("the database is not initialised: run `lethe migrate`")

// What is wrong with the two databases together.
var (
	// ErrForeignKeys says that the keys are another installation's.
	ErrForeignKeys = errors.New("the keys database belongs to another installation than the facts: LETHE_KEYS_DATABASE_URL must name the one that was installed with them")
	// ErrEmptyKeys says that a used installation was given a keys database without anything in it.
	ErrEmptyKeys = errors.New("the keys database is empty, and the facts were sealed with keys of another one: " +
		"LETHE_KEYS_DATABASE_URL must name that one, restored from its backup if it is lost (docs/operations.md)")
)

func newLocker() (lock.SessionLocker, error) {
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return nil, fmt.Errorf("preparing the migration lock: %w", err)
	}
	return l, nil
}

// Install marks a migrated pair of databases with one installation id and mode. A second call with
// the same mode finds the first one's mark; with another mode it is ErrWrongMode.
func Install(ctx context.Context, facts, keys *DB, mode Mode) (Installation, error) {
	if err := CheckPair(ctx, facts, keys); err != nil {
		return Installation{}, err
	}
	id := models.NewID()
	in, err := mark(ctx, facts, id, mode)
	if err != nil {
		return Installation{}, err
	}
	if _, err := mark(ctx, keys, in.ID, mode); err != nil {
		return Installation{}, err
	}
	for _, db := range []*DB{facts, keys} {
		if err := closeToEverybody(ctx, db); err != nil {
			return Installation{}, err
		}
	}
	if mode == ModeDev {
		if err := movable(ctx, facts); err != nil {
			return Installation{}, err
		}
	}
	return CheckInstallation(ctx, facts, keys, mode)
}

// CheckPair refuses a keys database that does not belong to the facts, before anything is migrated or
// marked: one of another installation, or an empty one beside facts that use keys. Two databases that
// hold nothing yet belong together.
func CheckPair(ctx context.Context, facts, keys *DB) error {
	ofFacts, err := markOf(ctx, facts)
	if err != nil {
		return err
	}
	ofKeys, err := markOf(ctx, keys)
	if err != nil || ofFacts.ID == ofKeys.ID {
		return err
	}
	if ofKeys.ID != uuid.Nil {
		return ErrForeignKeys
	}
	// The first start may have been killed between the two marks.
	used, err := usesKeys(ctx, facts)
	if err == nil && used {
		err = ErrEmptyKeys
	}
	return err
}

// usesKeys says whether there is anybody in the facts whose data may have been sealed.
func usesKeys(ctx context.Context, facts *DB) (used bool, err error) {
	err = hide(facts.Read(ctx).Raw("SELECT EXISTS (SELECT FROM employees)").Scan(&used).Error)
	if Code(err) == codeNoTable {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking whether the facts use keys: %w", err)
	}
	return used, nil
}

// markOf is the mark of a database; the zero value if it has none yet.
func markOf(ctx context.Context, db *DB) (Installation, error) {
	found, err := First[Installation](db.Read(ctx).Table("installation").Select("id", "mode"))
	if errors.Is(err, ErrNotFound) || Code(err) == codeNoTable {
		return Installation{}, nil
	}
	if err != nil {
		return Installation{}, fmt.Errorf("reading the installation: %w", err)
	}
	return found, nil
}

// CheckInstallation reads the mark of both databases and refuses another mode or a foreign pair.
func CheckInstallation(ctx context.Context, facts, keys *DB, mode Mode) (Installation, error) {
	if err := CheckPair(ctx, facts, keys); err != nil {
		return Installation{}, err
	}
	for _, db := range []*DB{facts, keys} {
		found, err := markOf(ctx, db)
		switch {
		case err != nil:
			return Installation{}, err
		case found.ID == uuid.Nil:
			return Installation{}, ErrNotInstalled
		case found.Mode != mode:
			return Installation{}, wrongMode(mode, found.Mode)
		}
	}
	return markOf(ctx, facts)
}

func mark(ctx context.Context, db *DB, id uuid.UUID, mode Mode) (Installation, error) {
	err := db.Read(ctx).Exec("INSERT INTO installation (id, mode) VALUES (?, ?) ON CONFLICT DO NOTHING", id, mode).Error
	if err != nil {
		return Installation{}, fmt.Errorf("marking the database: %w", hide(err))
	}
	found, err := First[Installation](db.Read(ctx).Table("installation").Select("id", "mode"))
	if err != nil {
		return Installation{}, fmt.Errorf("reading the installation: %w", err)
	}
	if found.Mode != mode {
		return Installation{}, wrongMode(mode, found.Mode)
	}
	return found, nil
}

// wrongMode says what to do about a database of the other mode.
func wrongMode(mode, found Mode) error {
	what := "a database marked dev wants --dev"
	if mode == ModeDev {
		what = "leave --dev out: only an empty database, or one marked dev, takes it"
	}
	return fmt.Errorf("this process runs as %s, the database is %s (%s): %w", mode, found, what, ErrWrongMode)
}

// closeToEverybody takes back what Postgres grants to everybody in a new database, and so in one that was
// restored: whoever may make a table, a temporary one too, can put it in the place of ours. A user who
// does not own the database cannot take it back; [RequireApp] says so then.
func closeToEverybody(ctx context.Context, db *DB) error {
	var name string
	if err := db.Read(ctx).Raw("SELECT current_database()").Scan(&name).Error; err != nil {
		return fmt.Errorf("reading the database's name: %w", hide(err))
	}
	for _, sql := range []string{
		"REVOKE TEMPORARY, CREATE ON DATABASE " + pgx.Identifier{name}.Sanitize() + " FROM PUBLIC",
		"REVOKE CREATE ON SCHEMA public FROM PUBLIC",
	} {
		if err := hide(db.Read(ctx).Exec(sql).Error); err != nil && Code(err) != codeDenied {
			return fmt.Errorf("closing the database to everybody: %w", err)
		}
	}
	return nil
}

// movable gives a dev database a clock that MoveClock can set forward.
func movable(ctx context.Context, db *DB) error {
	err := db.Read(ctx).Exec(`
		CREATE TABLE IF NOT EXISTS lethe_clock (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), shift interval NOT NULL);
		INSERT INTO lethe_clock (shift) VALUES ('0') ON CONFLICT DO NOTHING;
		GRANT SELECT ON lethe_clock TO lethe_app, lethe_sequencer, lethe_ledger_retention;
		-- PL/pgSQL keeps its plan; an SQL function would be planned anew by each query that calls it.
		CREATE OR REPLACE FUNCTION public.lethe_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS
			'BEGIN RETURN clock_timestamp() + (SELECT shift FROM public.lethe_clock); END';`).Error
	if err != nil {
		return fmt.Errorf("making the clock movable: %w", hide(err))
	}
	return nil
}
