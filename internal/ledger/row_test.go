package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/models"
)

// full writes an entry with something in every field, and reads its row.
func full(t testing.TB, env *databasetest.Env) ledger.Row {
	t.Helper()
	caller := models.Caller{
		Actor: models.Actor{EmployeeID: uuid.New(), Role: models.RoleHRAdmin}, UserID: uuid.New(), SessionID: uuid.New(),
		Authenticated: models.ByTOTP, RequestID: "r-1",
	}
	subject := uuid.New()
	e := ledger.Entry{
		Kind: ledger.KindDisclosure, Action: "a", Subject: &subject, Object: "o", RequestedBy: "求助人 <b>", Purpose: "p", Reason: "r \"quoted\" \\ \u202e",
		Result: ledger.Refused, Rule: "rule", Details: map[string]string{"a": "1", "b": "2", "长": "三", "": ""},
	}
	var id uuid.UUID
	must(t, database.Run(models.WithCaller(t.Context(), caller), env.Facts, func(tx *database.Tx) (err error) {
		id, err = ledger.Append(tx, e)
		return err
	}))
	var row ledger.Row
	must(t, ledger.Rows(env.Facts.Read(t.Context())).Where("c.entry_id = ?", id).Take(&row).Error)
	return row
}

func recompute(r ledger.Row) error {
	content, err := r.Content()
	if err != nil {
		return err
	}
	return ledger.Recompute(r, content)
}

// TestI19_RecomputeFindsAnyChange changes each column of a row by itself.
func TestI19_RecomputeFindsAnyChange(t *testing.T) {
	env := databasetest.New(t)
	row, other := full(t, env), full(t, env)
	must(t, recompute(row))
	for name, change := range map[string]func(r *ledger.Row){
		"id": func(r *ledger.Row) { r.ID = other.ID }, "at": func(r *ledger.Row) { r.At = r.At.Add(time.Millisecond) },
		"kind": func(r *ledger.Row) { r.Kind = ledger.KindPurge }, "action": func(r *ledger.Row) { r.Action = "b" },
		"actor": func(r *ledger.Row) { r.ActorID = other.ActorID }, "no actor": func(r *ledger.Row) { r.ActorID = nil },
		"role": func(r *ledger.Row) { r.ActorRole = "auditor" }, "authenticated": func(r *ledger.Row) { r.Authenticated = "token" },
		"user": func(r *ledger.Row) { r.UserID = nil }, "subject": func(r *ledger.Row) { r.SubjectID = other.SubjectID },
		"object": func(r *ledger.Row) { r.Object = "" }, "requested by": func(r *ledger.Row) { r.RequestedBy += " " },
		"purpose": func(r *ledger.Row) { r.Purpose, r.Reason = r.Reason, r.Purpose }, "reason": func(r *ledger.Row) { r.Reason = "R" },
		"result": func(r *ledger.Row) { r.Result = "done" }, "rule": func(r *ledger.Row) { r.Rule = "" }, "request": func(r *ledger.Row) { r.RequestID = "r-2" },
		"detail changed": func(r *ledger.Row) { r.Details = []byte(strings.Replace(string(r.Details), `"2"`, `"3"`, 1)) },
		"detail gone":    func(r *ledger.Row) { r.Details = []byte("{}") },
		"detail shifted": func(r *ledger.Row) { r.Details = []byte(strings.Replace(string(r.Details), `"b": "2"`, `"b2": ""`, 1)) },
		"no JSON":        func(r *ledger.Row) { r.Details = []byte("[]") },
		"salts":          func(r *ledger.Row) { r.Salts = append([]byte{r.Salts[0] ^ 1}, r.Salts[1:]...) },
		"salts cut":      func(r *ledger.Row) { r.Salts = r.Salts[1:] },
		"another leaf":   func(r *ledger.Row) { r.Leaf = other.Leaf }, "no leaf": func(r *ledger.Row) { r.Leaf = nil },
		"content moved": func(r *ledger.Row) { id, at, leaf := r.ID, r.At, r.Leaf; *r = other; r.ID, r.At, r.Leaf = id, at, leaf },
	} {
		changed := row
		change(&changed)
		if err := recompute(changed); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("%s: %v, want ErrTampered", name, err)
		}
	}
}

// TestProof_OfAChangedLeaf is refused, and the text of a good one is in the form of tlog-proof.
func TestProof_OfAChangedLeaf(t *testing.T) {
	env := databasetest.New(t)
	ids := write(t, env, 5)
	must(t, env.NewSequencer(t).Drain(t.Context()))
	proof, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, ids[2])
	must(t, err)
	if text := proof.Text(); !strings.HasPrefix(text, "c2sp.org/tlog-proof@v1\nextra ") || !strings.Contains(text, "\nindex 2\n") ||
		!strings.HasSuffix(text, "\n\n"+string(proof.Checkpoint)) {
		t.Errorf("the proof is written %s", text)
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		must(t, tx.DB().Exec("ALTER TABLE ledger_entries DISABLE TRIGGER USER").Error)
		return tx.DB().Exec("UPDATE ledger_entries SET leaf = set_byte(leaf, 99, get_byte(leaf, 99) # 1) WHERE id = ?", ids[2]).Error
	}))
	if _, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, ids[2]); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("the proof of a changed entry: %v", err)
	}
	damage(t, env)
	if _, err := ledger.ProofOf(t.Context(), env.Facts, env.LedgerStorage, ids[1]); !errors.Is(err, ledger.ErrInconsistent) {
		t.Errorf("a proof out of damaged tiles: %v", err)
	}
}

// damage changes a byte of the first tile.
func damage(t testing.TB, env *databasetest.Env) {
	t.Helper()
	path := filepath.Join(env.LedgerStorage.Log(1).Dir(), ledger.TilePath(0, 0, 5))
	data, err := os.ReadFile(path)
	must(t, err)
	data[40] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.json")
	must(t, ledger.CreateKeyFile(path))
	first, err := ledger.LoadKeys(path)
	must(t, err)
	if err := ledger.CreateKeyFile(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second creation: %v, want ErrExist", err)
	}
	again, err := ledger.LoadKeys(path)
	must(t, err)
	if fmt.Sprint(first.LogVerifiers("o", 1), first.ReceiptVerifiers("o")) != fmt.Sprint(again.LogVerifiers("o", 1), again.ReceiptVerifiers("o")) {
		t.Error("the keys changed")
	}
	if first.LogVerifiers("o", 1)[0] == ledger.NewKeys().LogVerifiers("o", 1)[0] {
		t.Error("two keys are equal")
	}
	content, err := os.ReadFile(path)
	must(t, err)
	for name, bad := range map[string]string{
		"another format": strings.Replace(string(content), "keys-v1", "keys-v2", 1), "no JSON": "x", "empty": "", "half": string(content[:len(content)/2]),
		"unknown name": strings.Replace(string(content), `"writer_keys"`, `"writers"`, 1), "generation 0": strings.Replace(string(content), `"generation": 1`, `"generation": 0`, 1),
	} {
		bent := filepath.Join(t.TempDir(), "bent.json")
		must(t, os.WriteFile(bent, []byte(bad), 0o600))
		if _, err := ledger.LoadKeys(bent); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
	must(t, os.Chmod(path, 0o640))
	if _, err := ledger.LoadKeys(path); err == nil {
		t.Error("a file that others can read is read")
	}
}
