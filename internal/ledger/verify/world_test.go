package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a ledger with a witness.
type world struct {
	env       *databasetest.Env
	keys      *ledger.Keys
	keyFile   string
	secrets   secrets
	sequencer *ledger.Sequencer
	policy    *policy.Policy
	witness   *witness.Witness
	receipts  []Held
}

func newWorld(t testing.TB) *world {
	t.Helper()
	env := databasetest.New(t)
	keyFile, keys, stolen := newSecrets(t)
	ledger.Attach(env.Facts, ledger.NewWriter(env.LedgerOrigin(), keys.Writer()))
	path := t.TempDir() + "/witness.json"
	_, err := witness.CreateKeyFile(path, "witness.example/test")
	must(t, err)
	signer, err := witness.LoadKeyFile(path, time.Now)
	must(t, err)
	p, err := policy.Of(env.LedgerOrigin(), keys, 1, policy.Witness{VerifierKey: signer.String()})
	must(t, err)
	store, err := witness.OpenStore(t.TempDir())
	must(t, err)
	sequencer := ledger.NewSequencer(env.Facts, env.LedgerStorage, keys, ledger.Options{Origin: env.LedgerOrigin(), Log: slog.New(slog.DiscardHandler)})
	return &world{env: env, keys: keys, keyFile: keyFile, secrets: stolen, sequencer: sequencer, policy: p, witness: witness.New(signer, p.Logs(), store)}
}

// secrets are what somebody within the administration could take along.
type secrets struct{ writer, log, receipt []byte }

// newSecrets makes keys whose secrets the test knows, out of their file.
func newSecrets(t testing.TB) (path string, keys *ledger.Keys, stolen secrets) {
	t.Helper()
	path = t.TempDir() + "/ledger.json"
	must(t, ledger.CreateKeyFile(path))
	keys, err := ledger.LoadKeys(path)
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	var file struct {
		Writers []struct{ Key []byte } `json:"writer_keys"`
		Logs    []struct{ Key []byte } `json:"log_keys"`

		Receipts []struct{ Key []byte } `json:"receipt_keys"`
	}
	must(t, json.Unmarshal(content, &file))
	return path, keys, secrets{file.Writers[0].Key, file.Logs[0].Key, file.Receipts[0].Key}
}

// write appends n entries, a third of them with a receipt that somebody keeps.
func (w *world) write(t testing.TB, n int) {
	t.Helper()
	subject := uuid.New()
	for i := range n {
		e := ledger.Entry{
			Kind: ledger.KindDeparture, Action: "departure.started", Subject: &subject, Object: fmt.Sprintf("departure/%d", i),
			Purpose: "audit", Reason: "年度审计 annual audit", Details: map[string]string{"stage": "pending_departure", "day": "2026-01-31"},
		}
		if i%4 == 1 {
			e = ledger.Entry{Kind: ledger.KindSession, Action: "session.started"}
		}
		must(t, database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
			if i%3 != 0 {
				_, err := ledger.Append(tx, e)
				return err
			}
			id, receipt, err := ledger.AppendWithReceipt(tx, e, "")
			w.receipts = append(w.receipts, Held{File: id.String(), Content: []byte(receipt)})
			return err
		}))
	}
}

// sequence gives what waits its place and has the tree witnessed.
func (w *world) sequence(t testing.TB) {
	t.Helper()
	must(t, w.sequencer.Drain(t.Context()))
	epoch := w.sequencer.Status().Epoch
	member := witness.Member{Verifier: w.witness.Verifier(), Cosigner: w.witness}
	feeder := witness.NewFeeder(w.env.LedgerStorage.Log(epoch), ledger.TreeName(w.policy.Origin, epoch), []witness.Member{member}, 1, slog.New(slog.DiscardHandler))
	must(t, feeder.Round(t.Context()))
}

// evidence is what lies outside of the database. The witness's own copy comes from the witness.
func (w *world) evidence(t testing.TB) Evidence {
	t.Helper()
	e := Evidence{Policy: w.policy, Receipts: w.receipts, Keys: w.keys}
	must(t, e.Folder(t.Context(), w.env.LedgerStorage))
	for epoch := 1; ; epoch++ {
		signed, err := w.witness.Latest(ledger.TreeName(w.policy.Origin, epoch))
		must(t, err)
		if signed == nil {
			return e
		}
		e.Checkpoints = append(e.Checkpoints, Held{File: fmt.Sprintf("witness/%d", epoch), Content: signed})
	}
}

// connect is a superuser's connection of its own, with a transaction of one moment.
func (w *world) connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), w.env.FactsURL)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (w *world) verify(t testing.TB, e Evidence) *Report {
	t.Helper()
	r, err := Open(t.Context(), w.env.FactsURL, e)
	must(t, err)
	return r
}

func wantClean(t testing.TB, r *Report) {
	t.Helper()
	if !r.OK() {
		t.Fatalf("a false alarm: %v", r.Problems)
	}
}

func describe(r *Report) string {
	var all []string
	for _, p := range r.Problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

// seeded is a source of chance that a failing test can repeat.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(seed, 19))
}
