package evidence_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/batchproof"
	"lethe/internal/ledger/evidence"
	"lethe/models"
)

// world is a ledger with a maker of packs.
type world struct {
	t       testing.TB
	env     *databasetest.Env
	maker   *evidence.Maker
	dir     string
	auditor models.Actor
	person  uuid.UUID
}

func newWorld(t testing.TB, entries int) *world {
	t.Helper()
	w := &world{t: t, env: databasetest.New(t), dir: t.TempDir()}
	w.person = w.env.Hire(t, "CN").EmployeeID
	w.auditor = models.Actor{EmployeeID: w.env.Hire(t, "CN").EmployeeID, Role: models.RoleAuditor}
	var err error
	w.maker, err = evidence.NewMaker(evidence.Options{
		DB: w.env.Facts, Storage: w.env.LedgerStorage, Origin: w.env.LedgerOrigin(), Dir: w.dir, Patience: time.Nanosecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.fill(entries)
	return w
}

// fill appends entries: every third is about the person.
func (w *world) fill(entries int) {
	w.t.Helper()
	w.run(func(tx *database.Tx) error {
		for i := range entries {
			e := ledger.Entry{
				Kind: ledger.KindDeparture, Action: "departure.started", Actor: &w.auditor, Object: "departure/" + uuid.NewString(),
				Reason: []string{"", "=1+1", "核对\n\"离职\"", "\t@SUM(A1)"}[i%4], Details: map[string]string{"n": fmt.Sprint(i), "a\"b": "c\\"},
			}
			if i%3 == 0 {
				e.Subject = &w.person
			}
			if _, err := ledger.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) run(do func(tx *database.Tx) error) {
	w.t.Helper()
	if err := database.Run(context.Background(), w.env.Facts, do); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sequence() {
	w.t.Helper()
	if err := w.env.NewSequencer(w.t).Drain(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// order asks for a pack, and has everything sequenced.
func (w *world) order(r evidence.Request) uuid.UUID {
	w.t.Helper()
	if r.Reason == "" {
		r.Reason = "取证"
	}
	var id uuid.UUID
	w.run(func(tx *database.Tx) (err error) {
		id, err = evidence.Order(tx, w.auditor, r)
		return err
	})
	w.sequence()
	return id
}

// pack makes the pack and opens it.
func (w *world) pack(r evidence.Request) unpacked {
	w.t.Helper()
	id := w.order(r)
	if made, err := w.maker.Once(context.Background()); err != nil || !made {
		w.t.Fatalf("Once: %v, %v", made, err)
	}
	e, err := evidence.Get(context.Background(), w.env.Facts, id)
	if err != nil || e.State != evidence.Done {
		w.t.Fatalf("the export is %s (%s), %v", e.State, e.Failure, err)
	}
	return unpack(w.t, w.maker.Path(e), e)
}

// unpacked is a pack as a stranger reads it.
type unpacked struct {
	export   evidence.Export
	members  map[string][]byte
	manifest evidence.Manifest
	lines    []evidence.Line
}

func unpack(t testing.TB, path string, e evidence.Export) unpacked {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	u := unpacked{export: e, members: map[string][]byte{}}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if u.members[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	if err := json.Unmarshal(u.members["manifest.json"], &u.manifest); err != nil {
		t.Fatal(err)
	}
	for _, f := range u.manifest.Files {
		sum := sha256.Sum256(u.members[f.Name])
		if hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(u.members[f.Name])) != f.Bytes {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
	}
	if len(u.manifest.Files) != len(u.members)-2 { // but itself and its signature
		t.Errorf("the manifest lists %d of %d members", len(u.manifest.Files), len(u.members))
	}
	lines := bufio.NewScanner(bytes.NewReader(u.members["entries.jsonl"]))
	for lines.Scan() {
		var line evidence.Line
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&line); err != nil {
			t.Fatalf("line %d: %v: %s", len(u.lines), err, lines.Bytes())
		}
		u.lines = append(u.lines, line)
	}
	return u
}

// root is what entries and proof give, by the leaves' own bytes.
func (u unpacked) root(t testing.TB) tlog.Hash {
	t.Helper()
	rest := u.lines
	leaf := func() (batchproof.Leaf, bool, error) {
		if len(rest) == 0 {
			return batchproof.Leaf{}, false, nil
		}
		line := rest[0]
		rest = rest[1:]
		l := ledger.Leaf{Origin: u.manifest.Origin, Epoch: line.Epoch, ID: line.ID, Kind: ledger.Kind(line.Kind)}
		for i := range l.Commitments {
			copy(l.Commitments[i][:], line.Commitments[i*ledger.CommitmentSize:])
		}
		hash := ledger.LeafHash(l.Marshal())
		if !bytes.Equal(hash[:], line.LeafHash) {
			t.Errorf("entry %d: the leaf's hash is not that of its commitments", line.Index)
		}
		return batchproof.Leaf{Index: line.Index, Hash: hash}, true, nil
	}
	proof := bufio.NewScanner(bytes.NewReader(u.members["proof.txt"]))
	root, err := batchproof.Root(u.manifest.TreeSize, leaf, func() (h tlog.Hash, ok bool, err error) {
		if !proof.Scan() {
			return h, false, nil
		}
		raw, err := base64.StdEncoding.DecodeString(proof.Text())
		copy(h[:], raw)
		return h, true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// checkpoint is the tree that the pack's checkpoint names.
func (u unpacked) checkpoint(t testing.TB) ledger.Head {
	t.Helper()
	text, _, _ := strings.Cut(string(u.members["checkpoint.txt"]), "\n\n")
	head, err := ledger.ParseHead(text + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return head
}
