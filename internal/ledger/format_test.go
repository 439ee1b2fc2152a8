package ledger_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/witness"
)

var update = flag.Bool("update", false, "write the worked example of docs/ledger-format.md")

const exampleOrigin = "ledger.example/acme"

func sum(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// example is one entry of the worked example.
type example struct {
	id      uuid.UUID
	kind    ledger.Kind
	content ledger.Content
	salts   [][]byte
	leaf    []byte
}

func id(text string) *uuid.UUID {
	parsed := uuid.MustParse(text)
	return &parsed
}

func examples() []example {
	list := []example{
		{id: *id("019c1352-1e7b-7000-8000-000000000001"), kind: ledger.KindDeparture, content: ledger.Content{
			Action: "departure.started", ActorID: id("019c0000-0000-7000-8000-00000000000a"), ActorRole: "hr_admin",
			Authenticated: "password_totp", UserID: id("019c0000-0000-7000-8000-00000000000b"), SubjectID: id("019c0000-0000-7000-8000-00000000000c"),
			Object: "departure/019c1352-1e7b-7000-8000-00000000000d", Result: "done", RequestID: "8f14e45f",
			Details: map[string]string{"stage": "pending_departure", "last_working_day": "2026-02-27", "日期": "二月"},
		}},
		{id: *id("019c1352-2262-7000-8000-000000000002"), kind: ledger.KindExport, content: ledger.Content{
			Action: "query_log.exported", ActorID: id("019c0000-0000-7000-8000-00000000000e"), ActorRole: "auditor", Authenticated: "oidc",
			Reason: "劳动仲裁", Result: "done",
		}},
		{id: *id("019c1352-2649-7000-8000-000000000003"), kind: ledger.KindPurge, content: ledger.Content{
			Action: "purge.certified", ActorRole: "system", Authenticated: "none", Result: "done", Rule: "CN/identity/1",
		}},
	}
	for n := range list {
		e := &list[n]
		leaf := ledger.Leaf{Origin: exampleOrigin, Epoch: 1, ID: e.id, Kind: e.kind}
		for i, value := range ledger.ValuesForTest(e.content) {
			salt := sum(fmt.Sprintf("salt %d %d", n, i))[:ledger.SaltSize]
			e.salts = append(e.salts, salt)
			leaf.Commitments[i] = ledger.CommitForTest(i, salt, value)
		}
		e.leaf = leaf.Marshal()
	}
	return list
}

// TestFormat_WorkedExample keeps the numbers of the page right. What it shows was computed once and
// must never change: a change of the format is a new format.
func TestFormat_WorkedExample(t *testing.T) {
	keys := ledger.KeysForTest(sum("example writer key"), sum("example log key"), sum("example receipt key"))
	cosigner, err := witness.NewSigner("witness.example/w1", sum("example witness key"), func() time.Time { return time.Unix(1769851900, 0) })
	must(t, err)
	list := examples()
	var b strings.Builder
	block := func(title, text string) {
		fmt.Fprintf(&b, "%s\n\n```\n%s\n```\n\n", title, strings.TrimSuffix(text, "\n"))
	}
	b.WriteString("\n")
	block("Names and public keys:", strings.Join([]string{
		"origin         " + exampleOrigin, "epoch          1",
		`writer key     SHA-256 of "example writer key"`, `log key        SHA-256 of "example log key"`,
		"               " + keys.LogVerifiers(exampleOrigin, 1)[0],
		`receipt key    SHA-256 of "example receipt key"`, "               " + keys.ReceiptVerifiers(exampleOrigin)[0],
		`witness key    SHA-256 of "example witness key"`, "               " + cosigner.String(),
	}, "\n"))
	var inputs []string
	for n, e := range list {
		content, err := json.Marshal(fieldsOf(e.content))
		must(t, err)
		inputs = append(inputs, fmt.Sprintf("%d  %s  %s  %s\n%s", n, e.id, ledger.TimeOf(e.id).Format("2006-01-02T15:04:05.000Z"), e.kind, content))
	}
	block("Three entries (index, id, time, kind; the fields that are not empty):", strings.Join(inputs, "\n"))
	var fields []string
	for i, value := range ledger.ValuesForTest(list[0].content) {
		c := ledger.CommitForTest(i, list[0].salts[i], value)
		fields = append(fields, fmt.Sprintf("%2d %s\n   value      %s\n   salt       %x\n   commitment %x", i, ledger.FieldNames[i], hex.EncodeToString(value), list[0].salts[i], c))
	}
	block("The fields of entry 0, in hexadecimal:", strings.Join(fields, "\n"))
	block(fmt.Sprintf("The leaf of entry 0, %d bytes, in hexadecimal:", len(list[0].leaf)), wrap(hex.EncodeToString(list[0].leaf)))
	block("Its MAC, in hexadecimal:", hex.EncodeToString(ledger.MACForTest(sum("example writer key"), list[0].leaf)))

	var hashes []tlog.Hash
	var lines []string
	for n, e := range list {
		hashes = append(hashes, ledger.LeafHash(e.leaf))
		lines = append(lines, fmt.Sprintf("leaf %d  %s", n, hashes[n]))
	}
	for n := range 4 {
		lines = append(lines, fmt.Sprintf("root of %d  %s", n, naiveRoot(hashes[:n])))
	}
	block("Hashes of the leaves, and of the trees of 0 to 3 leaves, in base64:", strings.Join(lines, "\n"))
	bundle := ledger.MarshalBundle([][]byte{list[0].leaf, list[1].leaf, list[2].leaf})
	block("Files of the tree of three leaves (path, bytes, SHA-256 in hexadecimal):", fmt.Sprintf("1/%s  %d  %x\n1/%s  %d  %x",
		ledger.TilePath(ledger.EntriesLevel, 0, 3), len(bundle), sha256.Sum256(bundle),
		ledger.TilePath(0, 0, 3), 3*tlog.HashSize, sha256.Sum256(joined(hashes))))

	checkpoint := signExample(t, keys, cosigner, naiveRoot(hashes))
	block("The checkpoint, with the log's signature and the witness's cosignature of 2026-01-31 09:31:40 UTC:", string(checkpoint))
	receipt, err := ledger.ReceiptForTest(exampleOrigin, keys.Writer(), list[2].id, list[2].leaf)
	must(t, err)
	block("The receipt for entry 2:", receipt)
	proof := ledger.Proof{Index: 1, Leaf: list[1].leaf, Hashes: tlog.RecordProof{hashes[0], hashes[2]}, Checkpoint: checkpoint}
	must(t, tlog.CheckRecord(proof.Hashes, 3, naiveRoot(hashes), 1, hashes[1]))
	block("The proof of entry 1:", proof.Text())
	compareExample(t, b.String())
}

// signExample is the checkpoint as a log's folder has it.
func signExample(t *testing.T, keys *ledger.Keys, cosigner note.Signer, root tlog.Hash) []byte {
	t.Helper()
	storage, err := ledger.OpenStorage(t.TempDir())
	must(t, err)
	log := storage.Log(1)
	must(t, ledger.SignForTest(log, t.Context(), exampleOrigin, keys, ledger.Head{Origin: ledger.TreeName(exampleOrigin, 1), Size: 3, Root: root}))
	signed, err := log.Signed(t.Context())
	must(t, err)
	opened, err := note.Open(signed, verifiers(t, keys.LogVerifiers(exampleOrigin, 1)))
	must(t, err)
	full, err := note.Sign(opened, cosigner)
	must(t, err)
	return full
}

func fieldsOf(c ledger.Content) map[string]any {
	out := map[string]any{}
	for i, value := range ledger.ValuesForTest(c) {
		if name := ledger.FieldNames[i]; name == "details" && len(c.Details) > 0 {
			out[name] = c.Details
		} else if name != "details" && len(value) > 0 {
			out[name] = string(value)
		}
	}
	return out
}

func joined(hashes []tlog.Hash) []byte {
	var out []byte
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

func wrap(s string) string {
	var lines []string
	for ; len(s) > 64; s = s[64:] {
		lines = append(lines, s[:64])
	}
	return strings.Join(append(lines, s), "\n")
}

// compareExample compares with the page, or writes it.
func compareExample(t *testing.T, want string) {
	t.Helper()
	const page, start, end = "../../docs/ledger-format.md", "<!-- generated: ledger example -->\n", "<!-- end -->\n"
	raw, err := os.ReadFile(page)
	must(t, err)
	before, rest, opened := strings.Cut(string(raw), start)
	got, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatal("the page has no worked example")
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("the worked example is not what the code computes:\n%s", cmp.Diff(got, want))
	}
	must(t, os.WriteFile(page, []byte(before+start+want+end+after), 0o600))
}

// TestFormat_VerifierKeysAreSignedNotes: the key of the example in the signed-note package of Go.
func TestFormat_VerifierKeysAreSignedNotes(t *testing.T) {
	const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
	raw, err := base64.StdEncoding.DecodeString("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
	must(t, err)
	if got := ledger.VerifierKey("PeterNeumann", raw[1:]); got != vkey {
		t.Errorf("the key of the known note is written %s", got)
	}
}
