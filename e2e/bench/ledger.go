package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/launch"
	"lethe/internal/ledger"
	"lethe/models"
)

// ledgerWorld is a ledger of its own, beside the database of the departures.
type ledgerWorld struct {
	folder  string
	url     string
	db      *database.DB
	origin  string
	mac     []byte
	keys    *ledger.Keys
	storage *ledger.Storage
	people  []uuid.UUID
	auditor models.Actor
}

// ledgerRows measures the ledger's and the search's rows of the performance budget.
func ledgerRows(ctx context.Context, postgres *launch.PostgresServer, folder string, entries int) error {
	w, err := openLedger(ctx, postgres, folder)
	if err != nil {
		return err
	}
	defer func() { _ = w.db.Close() }()
	for _, step := range []func(context.Context, int) error{w.append, w.fill, w.sequence, w.verify, w.search, w.export} {
		if err := step(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

func openLedger(ctx context.Context, postgres *launch.PostgresServer, folder string) (*ledgerWorld, error) {
	w := &ledgerWorld{folder: folder}
	for _, name := range []string{"ledger", "ledger_keys"} {
		if err := postgres.CreateDatabase(ctx, name); err != nil {
			return nil, err
		}
	}
	w.url = postgres.URL("ledger")
	var err error
	if w.db, err = database.Open(ctx, w.url, database.Options{MaxConnections: 40}); err != nil {
		return nil, err
	}
	keys, err := database.Open(ctx, postgres.URL("ledger_keys"), database.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = keys.Close() }()
	if err := errors.Join(database.Migrate(ctx, w.db, database.SchemaMain), database.Migrate(ctx, keys, database.SchemaKeys)); err != nil {
		return nil, err
	}
	in, err := database.Install(ctx, w.db, keys, database.ModeDev)
	if err != nil {
		return nil, err
	}
	w.origin = ledger.DefaultOrigin(in.ID)
	if err := w.openKeys(); err != nil {
		return nil, err
	}
	ledger.Attach(w.db, ledger.NewWriter(w.origin, w.keys.Writer()))
	if w.storage, err = ledger.OpenStorage(filepath.Join(folder, "tiles")); err != nil {
		return nil, err
	}
	return w, w.hire(ctx)
}

// openKeys makes the key file, and reads the writer's key as whoever has the file can.
func (w *ledgerWorld) openKeys() error {
	path := filepath.Join(w.folder, "ledger.json")
	if err := ledger.CreateKeyFile(path); err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the ledger's keys: %w", err)
	}
	var file struct {
		Writers []struct {
			Key []byte `json:"key"`
		} `json:"writer_keys"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return fmt.Errorf("reading the ledger's keys: %w", err)
	}
	w.mac = file.Writers[0].Key
	w.keys, err = ledger.LoadKeys(path)
	return err
}

const benchPeople = 20_000

// hire inserts people with names of two and three characters.
func (w *ledgerWorld) hire(ctx context.Context) error {
	entity, department := uuid.New(), uuid.New()
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{"INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'B', '甲', 'B', 'CN', 'Asia/Shanghai')", []any{entity}},
		{"INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, 'B', '部', 'B')", []any{department, entity}},
	} {
		if err := w.db.Read(ctx).Exec(s.sql, s.args...).Error; err != nil {
			return fmt.Errorf("preparing the ledger's bench: %w", database.Hide(err))
		}
	}
	err := w.db.Read(ctx).Raw(`INSERT INTO employees (id, employee_no, name, department_id)
		SELECT gen_random_uuid(), 'B' || lpad(n::text, 6, '0'),
			substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + n % 20, 1) || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平', 1 + n / 20 % 20, 1) ||
			CASE WHEN n % 3 = 0 THEN '' ELSE substr('一二三华国文建志海天宇浩然晨阳雪梅兰竹菊', 1 + n / 400 % 20, 1) END, ?
		FROM generate_series(1, ?) AS n RETURNING id`, department, benchPeople).Scan(&w.people).Error
	if err != nil {
		return fmt.Errorf("hiring people: %w", database.Hide(err))
	}
	w.auditor = models.Actor{EmployeeID: w.people[0], Role: models.RoleAuditor}
	return nil
}

// sequence orders what was filled in.
func (w *ledgerWorld) sequence(ctx context.Context, entries int) error {
	s := ledger.NewSequencer(w.db, w.storage, w.keys, ledger.Options{Origin: w.origin, Log: quiet()})
	began := time.Now()
	if err := s.Drain(ctx); err != nil {
		return err
	}
	rate := float64(entries) / time.Since(began).Seconds()
	fmt.Printf("sequencer: %.0f entries/s (goal: at least 20,000)\n", rate)
	return nil
}
