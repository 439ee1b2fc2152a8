package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"lethe/cmd/lethe/install"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/config"
	"lethe/internal/connector"
	"lethe/internal/connector/scim"
	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/payload"
	"lethe/internal/reasons"
	"lethe/internal/relay"
	"lethe/internal/vault"
	"lethe/workflows"
)

// runtime is what serve and worker share: both databases, the ledger, the vault, the connected
// systems, the Temporal client and the relay.
type runtime struct {
	config       config.Config
	log          *slog.Logger
	facts        *database.DB
	keys         *database.DB
	installation database.Installation
	ledger       *recording
	vault        *vault.Vault
	tombstones   *vault.Tombstones
	systems      *connector.Registry
	codec        *payload.Codec
	temporal     client.Client
	target       *relay.Temporal
	relay        *relay.Relay
}

// connections is the size of a process's database pools.
const connections = 48

// lockTimeout is how long a statement waits for a lock before the request is answered 503, or the
// activity tried again: a table that somebody holds must not hold up everything.
const lockTimeout = 5 * time.Second

// open opens everything that the configuration names. It refuses a database of another mode or of
// another version, and destroys again what a restored backup brought back (I25).
func open(ctx context.Context, c config.Config) (*runtime, error) {
	r := &runtime{config: c, log: logger(c)}
	err := errors.Join(r.openDatabases(ctx))
	if err == nil {
		err = r.openLedger(ctx)
	}
	if err == nil {
		err = r.openKeys(ctx)
	}
	if err == nil {
		err = r.openTemporal()
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *runtime) openDatabases(ctx context.Context) (err error) {
	o := database.Options{MaxConnections: connections, LockTimeout: lockTimeout}
	if r.facts, err = database.Open(ctx, r.config.DatabaseURL, o); err != nil {
		return err
	}
	if err = database.RequireApp(ctx, r.facts); err != nil {
		return err
	}
	if r.keys, err = database.Open(ctx, r.config.KeysDatabaseURL, o); err != nil {
		return err
	}
	if r.installation, err = database.CheckInstallation(ctx, r.facts, r.keys, mode(r.config.Dev)); err != nil {
		return err
	}
	if err = database.RequireKeysApp(ctx, r.keys); err != nil {
		return err
	}
	if err := install.SamePair(ctx, r.facts, r.keys, r.installation.Mode); err != nil {
		return err
	}
	for schema, db := range map[database.Schema]*database.DB{database.SchemaMain: r.facts, database.SchemaKeys: r.keys} {
		current, newest, err := database.MigrationVersion(ctx, db, schema)
		if err != nil {
			return err
		}
		if current != newest {
			return fmt.Errorf("the %s database is at version %d, this program needs %d: run `lethe migrate`", schema, current, newest)
		}
	}
	return nil
}

func (r *runtime) openKeys(ctx context.Context) error {
	kek, err := vault.LoadKEKFile(r.config.KEKFile)
	if err != nil {
		return err
	}
	r.vault = vault.New(r.keys, kek, r.installation.ID)
	if err := r.vault.CheckBinding(ctx, r.facts); err != nil {
		return err
	}
	keyed.Attach(r.facts, r.vault)
	reasons.Attach(r.facts, r.vault)
	if err := r.vault.EndOver(ctx, r.facts); err != nil {
		return fmt.Errorf("destroying again what a backup brought back: %w", err)
	}
	if r.tombstones, err = vault.OpenTombstones(r.config.TombstoneFile); err != nil {
		return err
	}
	unpurged, err := r.vault.ReplayTombstones(ctx, r.facts, r.tombstones)
	if err != nil {
		return fmt.Errorf("destroying again what a backup brought back: %w", err)
	}
	if len(unpurged) > 0 {
		r.log.Warn("categories with a tombstone are not purged by the facts; their keys are destroyed", "count", len(unpurged))
	}
	again, err := archive.RemoveAgain(ctx, r.facts, r.tombstones)
	if err != nil { // a hold keeps it, or the log is not ready: it is tried again
		r.log.Warn("removed emergency contacts whom a backup brought back stay for now", "error", err.Error())
	}
	if again > 0 {
		r.log.Warn("a backup brought removed emergency contacts back; they are removed again", "count", again)
	}
	r.systems, err = connector.LoadFile(r.config.SystemsFile, map[string]connector.Factory{"scim": scim.Factory})
	return err
}

func (r *runtime) openTemporal() (err error) {
	if r.codec, err = payload.Load(r.config.CodecKeyFile); err != nil {
		return err
	}
	r.temporal, err = relay.Connect(relay.Connection{
		Address: r.config.TemporalAddress, Namespace: r.config.TemporalNamespace, Codec: r.codec, Log: r.log,
	})
	if err != nil {
		return err
	}
	c := r.config
	r.target = &relay.Temporal{
		Client: r.temporal, Namespace: c.TemporalNamespace, QueuePrefix: c.TaskQueuePrefix,
		Schedules: true, Every: c.ReconcileEvery, Offset: c.ReconcileOffset,
		Timings: workflows.Timings{
			StartToClose: c.StartToClose, Heartbeat: c.Heartbeat, ScheduleToClose: c.ScheduleToClose,
			RetryInitial: c.RetryInitial, RetryMax: c.RetryMax, ContinueAsNewAfter: c.ContinueAsNewAfter,
		},
	}
	r.relay = relay.New(r.facts, r.target, relay.Options{
		Poll: c.RelayPoll, Overdue: c.RelayOverdue, Backoff: c.RelayBackoff, Batch: c.RelayBatch,
	}, r.log)
	return nil
}

// accounts is the account service with this installation's timings.
func (r *runtime) accounts() *account.Service {
	c := r.config
	return account.New(r.facts, r.vault, r.systems, account.Timings{
		StartToClose: c.StartToClose, ScheduleToClose: c.ScheduleToClose, HTTPTimeout: c.HTTPTimeout,
		RetryInitial: c.RetryInitial, RetryMax: c.RetryMax, AcceptedCheck: c.AcceptedCheck, Tries: c.UnlinkTries,
	})
}

func (r *runtime) close() {
	if r.temporal != nil {
		r.temporal.Close()
	}
	if r.tombstones != nil {
		_ = r.tombstones.Close()
	}
	if r.ledger != nil {
		r.ledger.close()
	}
	for _, db := range []*database.DB{r.facts, r.keys} {
		if db != nil {
			_ = db.Close()
		}
	}
}

// surplus refuses in production what the process has no use for; lethe dev hands both all that it has.
func surplus(c config.Config, process string) error {
	if c.Dev {
		return nil
	}
	return config.Surplus(process, os.Environ())
}

func mode(dev bool) database.Mode {
	if dev {
		return database.ModeDev
	}
	return database.ModeProduction
}

func logger(c config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // validated by config
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(os.Stderr, o)
	if c.LogFormat == "text" {
		h = slog.NewTextHandler(os.Stderr, o)
	}
	log := slog.New(h)
	slog.SetDefault(log)
	return log
}
