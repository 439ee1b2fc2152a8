package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/connector"
	"lethe/internal/connector/scim"
	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger"
	"lethe/internal/payload"
	"lethe/internal/reasons"
	"lethe/internal/relay"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox"
	"lethe/sandbox/control"
	"lethe/workflows"
)

var systemNames = []string{"attendance", "finance", "mail"}

const sandboxToken = "bench-sandbox-token"

// world is everything that both halves of a pair share.
type world struct {
	scratch      *launchtest.Scratch
	postgres     *launch.PostgresServer
	temporal     *launch.TemporalServer
	temporalFile string
	facts, keys  *database.DB
	vault        *vault.Vault
	systems      *connector.Registry
	sandboxes    []*httptest.Server
	codec        *payload.Codec
	client       client.Client
	tombstones   string
	ledgerKeys   *ledger.Keys
	origin       string
	mu           sync.Mutex
	people       []uuid.UUID // not departed yet
}

var timings = workflows.Timings{
	StartToClose: time.Minute, Heartbeat: 10 * time.Second, ScheduleToClose: 10 * time.Minute,
	RetryInitial: time.Second, RetryMax: 30 * time.Second, ContinueAsNewAfter: 720 * time.Hour,
}

// open starts Postgres, with settings of its own, and what needs nothing else.
func open(ctx context.Context, settings map[string]string) (_ *world, err error) {
	fmt.Println("starting Postgres (fsync on)")
	w := &world{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.scratch, err = launchtest.NewScratch(benchFolder()); err != nil {
		return nil, err
	}
	if w.postgres, err = launch.Postgres(ctx, launch.PostgresOptions{Dir: filepath.Join(w.scratch.Path, "postgres"), Settings: settings}); err != nil {
		return nil, err
	}
	return w, errors.Join(w.openDatabases(ctx), w.openSandboxes())
}

// openTemporal starts Temporal beside it.
func (w *world) openTemporal(ctx context.Context) error {
	options, err := launchtest.TemporalOptions(w.scratch.Path)
	if err != nil {
		return err
	}
	options.DataFile = filepath.Join(w.scratch.Path, "temporal.db")
	w.temporalFile = options.DataFile
	if w.temporal, err = launch.Temporal(ctx, options); err != nil {
		return err
	}
	key := filepath.Join(w.scratch.Path, "codec.key")
	if err = payload.CreateKeyFile(key); err != nil {
		return err
	}
	if w.codec, err = payload.Load(key); err != nil {
		return err
	}
	w.client, err = relay.Connect(relay.Connection{
		Address: w.temporal.Address(), Namespace: w.temporal.Namespace(), Codec: w.codec, Log: quiet(),
	})
	if err != nil {
		return err
	}
	return w.target("").Prepare(ctx)
}

func (w *world) openDatabases(ctx context.Context) (err error) {
	for name, db := range map[string]**database.DB{"lethe": &w.facts, "lethe_keys": &w.keys} {
		if err = w.postgres.CreateDatabase(ctx, name); err != nil {
			return err
		}
		if *db, err = database.Open(ctx, w.postgres.URL(name), database.Options{MaxConnections: 40}); err != nil {
			return err
		}
	}
	if err = database.Migrate(ctx, w.facts, database.SchemaMain); err != nil {
		return err
	}
	if err = database.Migrate(ctx, w.keys, database.SchemaKeys); err != nil {
		return err
	}
	in, err := database.Install(ctx, w.facts, w.keys, database.ModeDev)
	if err != nil {
		return err
	}
	w.ledgerKeys, w.origin = ledger.NewKeys(), "lethe/"+in.ID.String()
	ledger.Attach(w.facts, ledger.NewWriter(w.origin, w.ledgerKeys.Writer()))
	kekFile := filepath.Join(w.scratch.Path, "kek")
	if err = vault.CreateKEKFile(kekFile); err != nil {
		return err
	}
	kek, err := vault.LoadKEKFile(kekFile)
	if err != nil {
		return err
	}
	w.vault = vault.New(w.keys, kek, in.ID)
	keyed.Attach(w.facts, w.vault)
	reasons.Attach(w.facts, w.vault)
	w.tombstones = filepath.Join(w.scratch.Path, "tombstones")
	return nil
}

func (w *world) openSandboxes() error {
	var systems []connector.SystemConfig
	for _, name := range systemNames {
		s, err := sandbox.New(sandbox.Options{
			Name: name, Kind: name, Token: sandboxToken, ControlToken: sandboxToken,
			StatePath: filepath.Join(w.scratch.Path, name+".state"),
		})
		if err != nil {
			return err
		}
		server := httptest.NewServer(s.Handler())
		w.sandboxes = append(w.sandboxes, server)
		systems = append(systems, connector.SystemConfig{
			Name: name, Kind: name, Protocol: "scim", BaseURL: server.URL + "/scim/v2", Token: sandboxToken,
		})
	}
	var err error
	w.systems, err = connector.NewRegistry(systems, map[string]connector.Factory{"scim": scim.Factory})
	return err
}

func (w *world) target(prefix string) *relay.Temporal {
	return &relay.Temporal{Client: w.client, Namespace: w.temporal.Namespace(), QueuePrefix: prefix, Timings: timings}
}

func (w *world) accounts() *account.Service {
	return account.New(w.facts, w.vault, w.systems, account.Timings{
		StartToClose: timings.StartToClose, ScheduleToClose: timings.ScheduleToClose, HTTPTimeout: 10 * time.Second,
		RetryInitial: timings.RetryInitial, RetryMax: timings.RetryMax, AcceptedCheck: 5 * time.Second, Tries: 10,
	})
}

// seed creates people with an account in each system.
func (w *world) seed(ctx context.Context, count int) error {
	department, err := w.seedOrganisation(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("creating %d people with three accounts each\n", count)
	for i, server := range w.sandboxes {
		c := control.NewClient(server.URL, sandboxToken)
		var plants []control.Plant
		for n := range count {
			plants = append(plants, control.Plant{ID: externalID(i, n), EmployeeNo: number(n), UserName: number(n), Groups: []string{"staff"}, Sessions: 1})
		}
		if _, err := c.Plant(ctx, plants...); err != nil {
			return fmt.Errorf("planting accounts: %w", err)
		}
		c.Close()
	}
	for n := range count {
		err := database.Run(ctx, w.facts, func(tx *database.Tx) error { return w.seedPerson(tx, department, n) })
		if err != nil {
			return fmt.Errorf("creating a person: %w", err)
		}
	}
	return nil
}

func (w *world) seedPerson(tx *database.Tx, department models.Department, n int) error {
	id, employment, err := archive.Create(tx, w.vault, archive.NewEmployee{
		EmployeeNo: number(n), Name: "Bench " + number(n), DepartmentID: department.ID,
		HiredOn: clock.NewDate(2020, time.March, 1),
	})
	if err != nil {
		return err
	}
	for i, system := range systemNames {
		external := externalID(i, n)
		if _, err := account.Link(tx, employment, system, system, &external); err != nil {
			return err
		}
	}
	w.people = append(w.people, id)
	return nil
}

func (w *world) seedOrganisation(ctx context.Context) (models.Department, error) {
	entity := models.LegalEntity{
		ID: uuid.Must(uuid.NewV7()), Code: "BENCH", NameZh: "性能测试", NameEn: "Bench",
		Jurisdiction: "CN", TimeZone: "Asia/Shanghai", CutoffTime: "18:00:00",
	}
	department := models.Department{
		ID: uuid.Must(uuid.NewV7()), LegalEntityID: entity.ID, Code: "BENCH", NameZh: "性能测试", NameEn: "Bench",
	}
	return department, database.Run(ctx, w.facts, func(tx *database.Tx) error {
		if err := archive.InstallCatalogue(tx); err != nil {
			return err
		}
		if err := retention.InstallRules(tx, true); err != nil {
			return err
		}
		if err := tx.DB().Create(&entity).Error; err != nil {
			return database.Hide(err)
		}
		return database.Hide(tx.DB().Create(&department).Error)
	})
}

func number(n int) string { return fmt.Sprintf("B-%06d", n) }

func externalID(system, n int) string { return fmt.Sprintf("%s-%06d", systemNames[system], n) }

// take hands out people who have not departed yet.
func (w *world) take(count int) ([]uuid.UUID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.people) < count {
		return nil, fmt.Errorf("only %d people are left", len(w.people))
	}
	taken := w.people[:count]
	w.people = w.people[count:]
	return taken, nil
}

func (w *world) close() {
	ctx := context.Background()
	if w.client != nil {
		w.client.Close()
	}
	for _, s := range w.sandboxes {
		s.Close()
	}
	for _, db := range []*database.DB{w.facts, w.keys} {
		if db != nil {
			_ = db.Close()
		}
	}
	if w.temporal != nil {
		_ = w.temporal.Stop(ctx)
	}
	if w.postgres != nil {
		_ = w.postgres.Stop(ctx)
	}
	if w.scratch != nil {
		_ = w.scratch.Remove()
	}
}

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}
