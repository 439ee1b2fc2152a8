// Package database opens Postgres, runs transactions and migrations, and tells the time that
// every predicate of the project uses.
package database

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"lethe/models"
)

// DB is a pool of connections to one Postgres database.
type DB struct {
	gorm  *gorm.DB
	pool  *sql.DB
	nudge func(ctx context.Context, refs []models.DrivenRef)
	// attached is what transactions carry along for packages further right, by their own key.
	attached map[any]any
}

// Options tune a pool. Zero values mean the defaults.
type Options struct {
	MaxConnections int // default 16
	// LockTimeout bounds the wait for any one lock; zero waits without end, as migrations must.
	LockTimeout time.Duration
}

// Open connects to the database at url and checks that it answers.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.MaxConnections == 0 {
		o.MaxConnections = 16
	}
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the database: %w", hide(err))
	}
	settings.RuntimeParams["timezone"] = "UTC" // days and months of intervals are counted in it
	if o.LockTimeout > 0 {
		settings.RuntimeParams["lock_timeout"] = strconv.FormatInt(o.LockTimeout.Milliseconds(), 10)
	}
	// Else each id travels as text, by way of driver.Valuer: a page of a list has some two thousand of them.
	pool := stdlib.OpenDB(*settings, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		pgxuuid.Register(conn.TypeMap())
		return nil
	}))
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		TranslateError:         false,
		NamingStrategy:         schema.NamingStrategy{},
	})
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", hide(err))
	}
	pool.SetMaxOpenConns(o.MaxConnections)
	pool.SetMaxIdleConns(o.MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("opening the database: %w", hide(err))
	}
	return &DB{gorm: g, pool: pool}, nil
}

// Close closes the pool.
func (db *DB) Close() error { return db.pool.Close() }

// SQL is the pool itself, for migrations and bulk work.
func (db *DB) SQL() *sql.DB { return db.pool }

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.PingContext(ctx); err != nil {
		return fmt.Errorf("reaching the database: %w", hide(err))
	}
	return nil
}

// Read is a handle for queries outside of a transaction.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.gorm.WithContext(ctx) }

// Now is the database's clock, lethe_now().
func (db *DB) Now(ctx context.Context) (time.Time, error) { return now(db.Read(ctx)) }

// OnNudge registers what is told, after a commit, which driven rows were touched. It is called
// once at start-up, must return quickly and may lose nudges: the relay finds what it lost.
func (db *DB) OnNudge(hook func(ctx context.Context, refs []models.DrivenRef)) { db.nudge = hook }

// Attach gives every transaction on db something to carry along, found again by [Tx.Attached] with
// the same key, a type of the package that it belongs to. It is called at start-up only.
func (db *DB) Attach(key, value any) {
	if db.attached == nil {
		db.attached = map[any]any{}
	}
	db.attached[key] = value
}

// Attached is what was attached to db under key, nil if nothing was.
func (db *DB) Attached(key any) any { return db.attached[key] }

func now(g *gorm.DB) (time.Time, error) {
	var t time.Time
	if err := g.Raw("SELECT lethe_now()").Scan(&t).Error; err != nil {
		return time.Time{}, fmt.Errorf("reading the clock: %w", hide(err))
	}
	return t.UTC(), nil
}
