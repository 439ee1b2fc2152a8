package verify

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/querylog"
	"lethe/models"
)

// makePack makes a pack of everything in a range, or of what has one kind.
func (w *world) makePack(t testing.TB, r evidence.Request) []byte {
	t.Helper()
	dir := t.TempDir()
	maker, err := evidence.NewMaker(evidence.Options{
		DB: w.env.Facts, Storage: w.env.LedgerStorage, Origin: w.policy.Origin, Dir: dir, Patience: time.Nanosecond, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	auditor := models.Actor{EmployeeID: w.env.Hire(t, "CN").EmployeeID, Role: models.RoleAuditor}
	r.Reason = "取证"
	must(t, database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
		_, err := evidence.Order(tx, auditor, r)
		return err
	}))
	w.sequence(t)
	if made, err := maker.Once(context.Background()); err != nil || !made {
		t.Fatalf("making a pack: %v %v", made, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(files) != 1 {
		t.Fatalf("packs: %v %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	must(t, err)
	return content
}

func verifyPack(t testing.TB, content []byte, e Evidence) *Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pack.zip")
	must(t, os.WriteFile(path, content, 0o600))
	r, err := Pack(path, e)
	must(t, err)
	return r
}

// unpack and repack open a pack for a forger, who fits the manifest to what was changed.
func unpack(t testing.TB, content []byte) (names []string, members map[string][]byte) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	must(t, err)
	members = map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		must(t, err)
		members[f.Name], err = io.ReadAll(r)
		must(t, err)
		names = append(names, f.Name)
	}
	return names, members
}

func (w *world) repack(t testing.TB, names []string, members map[string][]byte, fit bool, change func(m map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	must(t, json.Unmarshal(members[packManifest], &m))
	if fit {
		for _, f := range m["files"].([]any) {
			file := f.(map[string]any)
			content := members[file["name"].(string)]
			sum := sha256.Sum256(content)
			file["bytes"], file["sha256"] = len(content), hex.EncodeToString(sum[:])
		}
	}
	if change != nil {
		change(m)
	}
	if fit || change != nil {
		var err error
		members[packManifest], err = json.Marshal(m)
		must(t, err)
	}
	if fit { // by somebody who has the key
		digest := sha256.Sum256(members[packManifest])
		text := fmt.Sprintf("%s/export\n%s\n%s\n", w.policy.Origin, m["export_id"], base64.StdEncoding.EncodeToString(digest[:]))
		var err error
		members[packSignature], err = note.Sign(&note.Note{Text: text}, signerOf(t, ledger.ReceiptName(w.policy.Origin), w.secrets.receipt))
		must(t, err)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range names {
		f, err := archive.Create(name)
		must(t, err)
		_, err = f.Write(members[name])
		must(t, err)
	}
	must(t, archive.Close())
	return out.Bytes()
}

func packWorld(t testing.TB) (*world, []byte, []byte) {
	t.Helper()
	w := newWorld(t)
	w.write(t, 40)
	w.sequence(t)
	whole := w.makePack(t, evidence.Request{Range: &evidence.Range{Epoch: 1, First: 3, End: 31}})
	filtered := w.makePack(t, evidence.Request{Filter: querylog.Filter{Kind: ledger.KindSession}})
	return w, whole, filtered
}

func TestI19_PacksAreVerifiedOffline(t *testing.T) {
	w, whole, filtered := packWorld(t)
	only := Evidence{Policy: w.policy}
	r := verifyPack(t, whole, only)
	wantClean(t, r)
	if r.Entries != 28 || !r.Pack.Complete || r.Pack.First != 3 || r.Pack.Last != 30 || r.Trees[0].Witnessed == 0 {
		t.Errorf("%+v %+v", r, r.Pack)
	}
	r = verifyPack(t, filtered, only)
	wantClean(t, r)
	if r.Entries != 10 || r.Pack.Complete {
		t.Errorf("%+v %+v", r, r.Pack)
	}
}

// What the issue names, each with an answer that says what it is.
func TestI19_BrokenPacksGetClearAnswers(t *testing.T) {
	w, whole, filtered := packWorld(t)
	only := Evidence{Policy: w.policy}
	other, err := policy.Of("other.example/ledger", ledger.NewKeys(), 0)
	must(t, err)
	strangers, err := policy.Of(w.policy.Origin, ledger.NewKeys(), 0)
	must(t, err)
	names, _ := unpack(t, whole)
	forged := func(pack []byte, change func(m map[string][]byte), manifest func(m map[string]any)) []byte {
		_, members := unpack(t, pack)
		if change != nil {
			change(members)
		}
		return w.repack(t, names, members, true, manifest)
	}
	lines := func(m map[string][]byte) []string {
		return strings.SplitAfter(strings.TrimSuffix(string(m[packLines]), "\n"), "\n")
	}
	for what, c := range map[string]struct {
		pack []byte
		e    Evidence
		want Code
	}{
		"cut in half":      {whole[:len(whole)/2], only, BadPack},
		"nothing":          {nil, only, BadPack},
		"not a pack":       {[]byte("PK\x03\x04"), only, BadPack},
		"of another log":   {whole, Evidence{Policy: other}, BadCheckpoint},
		"by another key":   {whole, Evidence{Policy: strangers}, BadCheckpoint},
		"a line dropped":   {forged(whole, func(m map[string][]byte) { m[packLines] = []byte(strings.Join(slices.Delete(lines(m), 4, 5), "")) }, nil), only, BadPack},
		"the last dropped": {forged(whole, func(m map[string][]byte) { l := lines(m); m[packLines] = []byte(strings.Join(l[:len(l)-1], "")) }, nil), only, BadPack},
		"two exchanged": {forged(whole, func(m map[string][]byte) {
			l := lines(m)
			l[3], l[4] = l[4], l[3]
			m[packLines] = []byte(strings.Join(l, ""))
		}, nil), only, DuplicateIndex},
		"a reason changed": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte("annual"), []byte("annuaI"), 1)
		}, nil), only, ChangedContent},
		"a reason said twice": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"reason":`), []byte(`"reason":"x","reason":`), 1)
		}, nil), only, Malformed},
		"a number in another form": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"epoch":1`), []byte(`"epoch":1.0`), 1)
		}, nil), only, Malformed},
		"a date": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"at":"2`), []byte(`"at":"3`), 1)
		}, nil), only, ChangedRow},
		"a kind": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"kind":"departure"`), []byte(`"kind":"account"`), 1)
		}, nil), only, ChangedLeaf},
		"called dropped": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"intact"`), []byte(`"dropped"`), 1)
		}, nil), only, ChangedContent},
		"hidden as dropped": {forged(whole, func(m map[string][]byte) {
			m[packLines] = regexp.MustCompile(`"salts":"[^"]*","content":\{.*\},"state":"intact"`).ReplaceAll(m[packLines], []byte(`"salts":null,"content":null,"state":"dropped"`))
		}, func(m map[string]any) { m["dropped"] = 28 }), only, MissingContent},
		"an index": {forged(whole, func(m map[string][]byte) {
			m[packLines] = bytes.Replace(m[packLines], []byte(`"index":30`), []byte(`"index":31`), 1)
		}, nil), only, BadPack},
		"a proof":      {forged(filtered, func(m map[string][]byte) { m[packProof] = append(m[packProof], m[packProof][:45]...) }, nil), only, BadPack},
		"no signature": {forged(whole, func(m map[string][]byte) { m[packCheckpoint] = bytes.SplitAfter(m[packCheckpoint], []byte("\n\n"))[0] }, nil), only, BadCheckpoint},
		"no witness": {forged(whole, func(m map[string][]byte) {
			m[packCheckpoint], _, _ = bytes.Cut(m[packCheckpoint], []byte("— witness"))
		}, nil), only, BadCheckpoint},
		"a count":       {forged(whole, nil, func(m map[string]any) { m["count"] = 29 }), only, BadPack},
		"another range": {forged(whole, nil, func(m map[string]any) { m["selection"].(map[string]any)["end_index"] = 32 }), only, MissingIndex},
		"called contiguous": {forged(filtered, nil, func(m map[string]any) {
			m["selection"] = map[string]any{"kind": "contiguous", "first_index": 1, "end_index": 38}
		}), only, MissingIndex},
		"a table changed": {func() []byte {
			_, m := unpack(t, whole)
			m["entries.csv"] = append(m["entries.csv"], ' ')
			return w.repack(t, names, m, false, nil)
		}(), only, BadPack},
		"an unsigned manifest": {func() []byte {
			_, m := unpack(t, whole)
			return w.repack(t, names, m, false, func(m map[string]any) { m["reason"] = "another" })
		}(), only, BadPack},
		"a member more": {func() []byte {
			_, m := unpack(t, whole)
			m["x"] = []byte("x")
			return w.repack(t, append(slices.Clone(names), "x"), m, false, nil)
		}(), only, BadPack},
		"a member twice": {func() []byte {
			_, m := unpack(t, whole)
			return w.repack(t, append(slices.Clone(names), packLines), m, false, nil)
		}(), only, BadPack},
		"a witness's other": {whole, Evidence{Policy: w.policy, Checkpoints: []Held{{File: "kept", Content: []byte("x\n1\n\n")}}}, BadCheckpoint},
	} {
		r := verifyPack(t, c.pack, c.e)
		if !r.Has(c.want) {
			t.Errorf("%s: want %s, got %s", what, c.want, describe(r))
		}
		for _, language := range []string{"zh", "en"} {
			if text := r.Text(language); !strings.Contains(text, string(c.want)) {
				t.Errorf("%s: %s", what, text)
			}
		}
	}
}

// One byte, anywhere: never a wrong answer.
func TestI19_EachByteOfAPackCounts(t *testing.T) {
	w, whole, _ := packWorld(t)
	only := Evidence{Policy: w.policy}
	_, before := unpack(t, whole)
	rapid.Check(t, func(r *rapid.T) {
		content := bytes.Clone(whole)
		at := rapid.IntRange(0, len(content)-1).Draw(r, "at")
		content[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		if report := verifyPack(t, content, only); !report.OK() {
			return
		}
		// Some bytes of a zip are of no meaning, such as its dates: then every member is what it was.
		_, after := unpack(t, content)
		if fmt.Sprint(before) != fmt.Sprint(after) {
			r.Fatalf("byte %d was changed and nothing noticed", at)
		}
	})
}

func TestEveryCodeHasItsSentences(t *testing.T) {
	for _, code := range []Code{
		MissingEntry, MissingIndex, DuplicateIndex, Unsequenced, WrongPending, ChangedLeaf, ChangedRow, ChangedContent, MissingContent, UnknownContent,
		WrongMAC, WrongHead, WrongEpoch, BadCheckpoint, Truncated, ForkedFrom, ChangedPlace, BadReceipt, ReceiptMissing, ReceiptDiffers, DamagedTiles,
		MissingCheckpoint, NotCompared, Malformed, BadPack, BadProof, MissingFile,
	} {
		if s := sentences[code]; s[0] == "" || s[1] == "" {
			t.Errorf("%s says nothing", code)
		}
	}
	if len(sentences) != 27 {
		t.Errorf("%d sentences", len(sentences))
	}
}
