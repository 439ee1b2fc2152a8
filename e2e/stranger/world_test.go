// Package stranger runs a verifier that somebody else wrote, in another language, from
// docs/ledger-format.md alone. It shares no line of code with us; what it says about good and broken
// evidence packs must be what we say.
package stranger

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
	"lethe/models"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a ledger with a witness, and the secrets with which its operators could forge packs.
type world struct {
	t         testing.TB
	env       *databasetest.Env
	sequencer *ledger.Sequencer
	policy    *policy.Policy
	witness   *witness.Witness
	receipt   []byte // the seed of the key that signs manifests
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, env: databasetest.New(t)}
	path := filepath.Join(t.TempDir(), "ledger.json")
	must(t, ledger.CreateKeyFile(path))
	keys, err := ledger.LoadKeys(path)
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	var file struct {
		Receipts []struct{ Key []byte } `json:"receipt_keys"`
	}
	must(t, json.Unmarshal(content, &file))
	w.receipt = file.Receipts[0].Key
	ledger.Attach(w.env.Facts, ledger.NewWriter(w.env.LedgerOrigin(), keys.Writer()))
	w.sequencer = ledger.NewSequencer(w.env.Facts, w.env.LedgerStorage, keys, ledger.Options{Origin: w.env.LedgerOrigin(), Log: slog.New(slog.DiscardHandler)})

	path = filepath.Join(t.TempDir(), "witness.json")
	_, err = witness.CreateKeyFile(path, "witness.example/test")
	must(t, err)
	signer, err := witness.LoadKeyFile(path, time.Now)
	must(t, err)
	w.policy, err = policy.Of(w.env.LedgerOrigin(), keys, 1, policy.Witness{VerifierKey: signer.String()})
	must(t, err)
	store, err := witness.OpenStore(t.TempDir())
	must(t, err)
	w.witness = witness.New(signer, w.policy.Logs(), store)
	return w
}

// write appends entries of every sort: with and without subjects, with characters that JSON escapes.
func (w *world) write(n int) {
	w.t.Helper()
	subject := uuid.New()
	must(w.t, database.Run(w.t.Context(), w.env.Facts, func(tx *database.Tx) error {
		for i := range n {
			e := ledger.Entry{
				Kind: ledger.KindDeparture, Action: "departure.started", Object: fmt.Sprintf("departure/%d", i), Purpose: "audit",
				Reason:  []string{"", "年度审计 annual", "\"quoted\" \\ and\nlines\t<&>", "\u2028\u00e9\U0001F4DC"}[i%4],
				Details: map[string]string{"n": fmt.Sprint(i), "日期": "二月", "a\"b": "c\\d\n"},
			}
			if i%3 == 0 {
				e.Subject, e.Kind, e.Action, e.Details = &subject, ledger.KindSession, "session.started", nil
			}
			if _, err := ledger.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	}))
	w.sequence()
}

func (w *world) sequence() {
	w.t.Helper()
	must(w.t, w.sequencer.Drain(w.t.Context()))
	member := witness.Member{Verifier: w.witness.Verifier(), Cosigner: w.witness}
	feeder := witness.NewFeeder(w.env.LedgerStorage.Log(1), ledger.TreeName(w.policy.Origin, 1), []witness.Member{member}, 1, slog.New(slog.DiscardHandler))
	must(w.t, feeder.Round(w.t.Context()))
}

func (w *world) pack(r evidence.Request) []byte {
	w.t.Helper()
	dir := w.t.TempDir()
	maker, err := evidence.NewMaker(evidence.Options{
		DB: w.env.Facts, Storage: w.env.LedgerStorage, Origin: w.policy.Origin, Dir: dir, Patience: time.Nanosecond, Log: slog.New(slog.DiscardHandler),
	})
	must(w.t, err)
	auditor := models.Actor{EmployeeID: w.env.Hire(w.t, "CN").EmployeeID, Role: models.RoleAuditor}
	r.Reason = "取证"
	must(w.t, database.Run(w.t.Context(), w.env.Facts, func(tx *database.Tx) error {
		_, err := evidence.Order(tx, auditor, r)
		return err
	}))
	w.sequence()
	if made, err := maker.Once(context.Background()); err != nil || !made {
		w.t.Fatalf("making a pack: %v %v", made, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(files) != 1 {
		w.t.Fatalf("packs: %v %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	must(w.t, err)
	return content
}

// forge changes a pack as its operators could: digests and the manifest's signature fit again.
func (w *world) forge(content []byte, change func(members map[string][]byte, manifest map[string]any)) []byte {
	w.t.Helper()
	members := w.members(content)
	var manifest map[string]any
	must(w.t, json.Unmarshal(members["manifest.json"], &manifest))
	change(members, manifest)
	for _, f := range manifest["files"].([]any) {
		file := f.(map[string]any)
		sum := sha256.Sum256(members[file["name"].(string)])
		file["bytes"], file["sha256"] = len(members[file["name"].(string)]), hex.EncodeToString(sum[:])
	}
	var err error
	members["manifest.json"], err = json.Marshal(manifest)
	must(w.t, err)
	members["manifest.sig"] = w.sign(manifest["export_id"].(string), members["manifest.json"])
	var out bytes.Buffer
	next := zip.NewWriter(&out)
	for name, member := range members {
		f, err := next.Create(name)
		must(w.t, err)
		_, err = f.Write(member)
		must(w.t, err)
	}
	must(w.t, next.Close())
	return out.Bytes()
}

// members unpacks a pack.
func (w *world) members(pack []byte) map[string][]byte {
	w.t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	must(w.t, err)
	members := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		must(w.t, err)
		members[f.Name], err = io.ReadAll(r)
		must(w.t, err)
	}
	return members
}

func (w *world) sign(export string, manifest []byte) []byte {
	w.t.Helper()
	name := ledger.ReceiptName(w.policy.Origin)
	public := ed25519.NewKeyFromSeed(w.receipt).Public().(ed25519.PublicKey)
	id := sha256.Sum256(append([]byte(name+"\n\x01"), public...))
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(append([]byte{1}, w.receipt...))))
	must(w.t, err)
	digest := sha256.Sum256(manifest)
	text := fmt.Sprintf("%s/export\n%s\n%s\n", w.policy.Origin, export, base64.StdEncoding.EncodeToString(digest[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(w.t, err)
	return signed
}
