package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
	"lethe/internal/payload"
)

// shared is a log that one goroutine writes and another reads.
type sharedLog struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.content.Write(p)
}

func (l *sharedLog) waitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		l.mu.Lock()
		found := strings.Contains(l.content.String(), text)
		l.mu.Unlock()
		if found {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log never says %q:\n%s", text, l.content.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestLedgerAlarm keeps the head locked until an entry has waited too long, and lets go of it.
func TestLedgerAlarm(t *testing.T) {
	env := databasetest.New(t)
	log := &sharedLog{}
	l := &recording{
		origin: env.LedgerOrigin(), keys: env.LedgerKeys, storage: env.LedgerStorage,
		log: slog.New(slog.NewTextHandler(log, nil)), sequencer: env.NewSequencer(t),
	}
	blocker := env.Facts.SQL()
	tx, err := blocker.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "SELECT FROM ledger_head FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx) })
	defer running.Wait()
	defer cancel()
	err = database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindLedger, Action: "test.probed"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	log.waitFor(t, `msg="ledger alarm" alarm="entries wait longer than a second"`)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	log.waitFor(t, `msg="ledger alarm is over" alarm="entries wait longer than a second"`)
}

func TestFileWitnessIsForDevelopment(t *testing.T) {
	folder := t.TempDir()
	keyFile, policyFile := filepath.Join(folder, "witness.json"), filepath.Join(folder, "policy.json")
	own, err := witness.CreateKeyFile(keyFile, "witness.example/test")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Of("lethe/test", ledger.NewKeys(), 1, policy.Witness{VerifierKey: own.String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(policyFile, p.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	for dev, want := range map[bool]error{true: nil, false: errFileWitness} {
		l := &recording{origin: "lethe/test", log: slog.New(slog.DiscardHandler)}
		err := l.openWitnesses(config.Config{LedgerPolicyFile: policyFile, WitnessFile: keyFile, Dev: dev})
		if !errors.Is(err, want) || (dev && len(l.members) != 1) {
			t.Errorf("dev %v: %v, %d witnesses", dev, err, len(l.members))
		}
	}
	l := &recording{origin: "lethe/other", log: slog.New(slog.DiscardHandler)}
	if err := l.openWitnesses(config.Config{LedgerPolicyFile: policyFile, Dev: true}); err == nil {
		t.Error("the policy of another ledger is accepted")
	}
}

// TestServeRefusesAnotherProcessesPartOfTheKeys: without the key of receipts it could answer no auditor, and what it
// wrote with another ledger's keys would never get a place. It says so before it has recorded that it began.
func TestServeRefusesAnotherProcessesPartOfTheKeys(t *testing.T) {
	h := newHost(t)
	h.must(database.Run(t.Context(), h.env.Facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindLedger, Action: "test.probed"})
		return err
	}))
	facts, _ := h.env.Login(t, database.RoleApp)
	keys, _ := h.env.KeysLogin(t, database.RoleApp)
	whole, codec := os.Getenv("LETHE_LEDGER_KEY_FILE"), filepath.Join(h.dir, "codec.json")
	h.must(payload.CreateKeyFile(codec))
	systems := filepath.Join(h.dir, "systems.json")
	h.must(os.WriteFile(systems, []byte("[]"), 0o600))
	for name, value := range map[string]string{
		"DATABASE_URL": facts, "KEYS_DATABASE_URL": keys, "CODEC_KEY_FILE": codec, "TEMPORAL_ADDRESS": "127.0.0.1:1",
		"LISTEN": "127.0.0.1:0", "OPS_LISTEN": "127.0.0.1:0",
		"TOMBSTONE_FILE": filepath.Join(h.dir, "tombstones"), "SYSTEMS_FILE": systems,
	} {
		t.Setenv(config.Prefix+name, value)
	}
	foreign := filepath.Join(h.dir, "foreign.json")
	h.must(ledger.CreateKeyFile(foreign))
	for _, c := range []struct {
		run  func(context.Context) error
		file string
		part ledger.Part
		want error
	}{
		{ServeCmd{Dev: true}.Run, whole, ledger.PartWorker, errNoReceipts},
		{ServeCmd{Dev: true}.Run, whole, ledger.PartHost, errNoReceipts},
		{ServeCmd{Dev: true}.Run, foreign, ledger.PartServe, ledger.ErrForeignKeys},
		{func(ctx context.Context) error {
			orders, _ := h.env.Login(t, database.RoleSequencer)
			t.Setenv(config.Prefix+"SEQUENCER_DATABASE_URL", orders)
			return WorkerCmd{Dev: true}.Run(ctx)
		}, foreign, ledger.PartWorker, ledger.ErrForeignKeys},
	} {
		path := filepath.Join(h.dir, string(c.part))
		h.must(ledger.PartKeyFile(c.file, path, c.part))
		t.Setenv("LETHE_LEDGER_KEY_FILE", path)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		if err := c.run(ctx); !errors.Is(err, c.want) {
			t.Errorf("with the part of %s from %s: %v", c.part, filepath.Base(c.file), err)
		}
		cancel()
	}
	var began int64
	h.must(h.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM ledger_content WHERE action LIKE 'configuration.%'").Scan(&began).Error)
	if began != 0 {
		t.Errorf("%d entries say that it began", began)
	}
}
