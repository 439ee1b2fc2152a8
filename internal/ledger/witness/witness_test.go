package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lethe/internal/ledger/strict"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tree is a log of a test: it can prove anything about itself.
type tree struct {
	origin string
	key    note.Signer
	hashes []tlog.Hash
	sizes  int64
}

func newTree(t testing.TB, seedHex string) *tree {
	t.Helper()
	key, err := note.NewSigner(skey(origin, seed(t, seedHex)))
	if err != nil {
		t.Fatal(err)
	}
	return &tree{origin: origin, key: key}
}

func (l *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

func (l *tree) grow(records ...string) *tree {
	for _, r := range records {
		h, err := tlog.StoredHashes(l.sizes, []byte(r), l)
		if err != nil {
			panic(err)
		}
		l.hashes = append(l.hashes, h...)
		l.sizes++
	}
	return l
}

func (l *tree) root(size int64) tlog.Hash {
	if size == 0 {
		return emptyRoot
	}
	h, err := tlog.TreeHash(size, l)
	if err != nil {
		panic(err)
	}
	return h
}

func (l *tree) signed(size int64) []byte {
	signed, err := note.Sign(&note.Note{Text: strict.Checkpoint{Origin: l.origin, Size: size, Root: l.root(size)}.Text()}, l.key)
	if err != nil {
		panic(err)
	}
	return signed
}

func (l *tree) proof(older, newer int64) tlog.TreeProof {
	if older == 0 || older == newer {
		return nil
	}
	p, err := tlog.ProveTree(newer, older, l)
	if err != nil {
		panic(err)
	}
	return p
}

func (l *tree) request(older, newer int64) []byte {
	return FormatRequest(older, l.proof(older, newer), l.signed(newer))
}

func knowsLog(t testing.TB) Logs {
	t.Helper()
	v, err := note.NewVerifier(logVKey)
	if err != nil {
		t.Fatal(err)
	}
	return func(o string, _ int64) ([]note.Verifier, bool) { return []note.Verifier{v}, o == origin }
}

func newWitness(t testing.TB, dir string) *Witness {
	t.Helper()
	store, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	return New(vectorSigner(t), knowsLog(t), store)
}

func status(t testing.TB, err error) int {
	t.Helper()
	var r *RefusedError
	if err == nil {
		return http.StatusOK
	}
	if !errors.As(err, &r) {
		t.Fatalf("not a refusal: %v", err)
	}
	return r.Status
}

func TestI19_WitnessSpeaksTheProtocol(t *testing.T) {
	w := newWitness(t, t.TempDir())
	server := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	defer server.Close()
	post := func(body string) (int, string, string) {
		res, err := http.Post(server.URL+"/add-checkpoint", "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, res.Header.Get("Content-Type"), string(text)
	}
	latest := func() (int, string) {
		res, err := http.Get(server.URL + "/" + OriginHash(origin) + "/checkpoint")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(text)
	}
	if code, _ := latest(); code != http.StatusNotFound {
		t.Errorf("a checkpoint before the first: %d", code)
	}
	for _, step := range []struct {
		what, body string
		status     int
		answer     string // "" is not compared
	}{
		{"unknown origin", "old 0\n\n" + strings.Replace(text1, "ledger", "other", 1) + "\n" + log1, 404, ""},
		{"no signature by the log", "old 0\n\n" + text1 + "\n" + cosig, 403, ""},
		{"a signature of another text", "old 0\n\n" + text1 + "\n" + log3, 403, ""},
		{"the first", "old 0\n\n" + text1 + "\n" + log1, 200, cosig},
		{"the first again, from zero", "old 0\n\n" + text1 + "\n" + log1, 409, "1\n"},
		{"the first again", "old 1\n\n" + text1 + "\n" + log1, 200, cosig},
		{"old above the size", "old 2\n\n" + text1 + "\n" + log1, 400, ""},
		{"no proof", "old 1\n\n" + text3 + "\n" + log3, 422, ""},
		{"a wrong proof", "old 1\n" + strings.Replace(proof1, "V+s1", "V+s2", 1) + "\n" + text3 + "\n" + log3, 422, ""},
		{"a proof cut short", "old 1\n" + proof1[:45] + "\n" + text3 + "\n" + log3, 422, ""},
		{"a stale size", "old 0\n\n" + text3 + "\n" + log3, 409, "1\n"},
		{"the next", "old 1\n" + proof1 + "\n" + text3 + "\n" + log3, 200, cosig3},
		{"with another's signature on it", "old 3\n\n" + text3 + "\n" + log3 + cosig3, 200, cosig3},
		{"rolled back", "old 1\n\n" + text1 + "\n" + log1, 409, "3\n"},
		{"leading zero", "old 03\n\n" + text3 + "\n" + log3, 400, ""},
		{"no empty line", "old 3\n" + text3, 400, ""},
		{"no signatures", "old 3\n\n" + text3, 400, ""},
		{"nothing", "", 400, ""},
		{"64 hashes", "old 3\n" + strings.Repeat(proof1[:45], 64) + "\n" + text3 + "\n" + log3, 400, ""},
		{"a large body", "old 3\n" + strings.Repeat("x", maxBody) + "\n\n" + text3 + "\n" + log3, 400, ""},
	} {
		code, kind, answer := post(step.body)
		if code != step.status || step.answer != "" && answer != step.answer {
			t.Errorf("%s: %d %q, want %d %q", step.what, code, answer, step.status, step.answer)
		}
		if (code == http.StatusConflict) != (kind == "text/x.tlog.size") {
			t.Errorf("%s: %d with content type %s", step.what, code, kind)
		}
	}
	if code, text := latest(); code != http.StatusOK || text != text3+"\n"+log3+cosig3 {
		t.Errorf("the latest checkpoint: %d %q", code, text)
	}
	if res, err := http.Get(server.URL + "/add-checkpoint"); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v %v", res, err)
	}
}

// A fork shares a beginning with what the witness saw and has the log's own signature.
func TestI19_WitnessRefusesForksRollbacksAndEmptyTrees(t *testing.T) {
	w := newWitness(t, t.TempDir())
	honest := newTree(t, logSeed).grow("a", "b", "c", "d")
	fork := newTree(t, logSeed).grow("a", "b", "x", "d", "e", "f", "g")
	empty := strict.Checkpoint{Origin: origin, Root: honest.root(1)}
	wrongEmpty, err := note.Sign(&note.Note{Text: empty.Text()}, honest.key)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what string
		body []byte
		want int
	}{
		{"an empty tree with a root", FormatRequest(0, nil, wrongEmpty), 422},
		{"the empty tree", honest.request(0, 0), 200},
		{"a proof from nothing", FormatRequest(0, honest.proof(1, 2), honest.signed(2)), 422},
		{"three", honest.request(0, 3), 200},
		{"the fork at the same size", FormatRequest(3, nil, fork.signed(3)), 422},
		{"the fork, larger, with its own proof", fork.request(3, 7), 422},
		{"the fork, with an honest proof", FormatRequest(3, honest.proof(3, 4), fork.signed(4)), 422},
		{"the fork from where both were one", fork.request(2, 7), 409},
		{"a rollback", honest.request(2, 2), 409},
		{"four", honest.request(3, 4), 200},
	} {
		_, err := w.AddCheckpoint(t.Context(), step.body)
		if got := status(t, err); got != step.want {
			t.Errorf("%s: %d, want %d", step.what, got, step.want)
		}
	}
	stranger := newTree(t, witnessSeed).grow("a", "b", "c", "d", "e")
	if _, err := w.AddCheckpoint(t.Context(), stranger.request(4, 5)); status(t, err) != http.StatusForbidden {
		t.Errorf("a checkpoint signed by another key: %v", err)
	}
}

func TestI19_DamagedMemorySignsNothing(t *testing.T) {
	dir := t.TempDir()
	w := newWitness(t, dir)
	l := newTree(t, logSeed).grow("a", "b", "c")
	if _, err := w.AddCheckpoint(t.Context(), l.request(0, 2)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, OriginHash(origin))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	another, err := note.Sign(&note.Note{Text: strict.Checkpoint{Origin: "another.example/log", Size: 1, Root: l.root(1)}.Text()}, w.signer)
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{
		"of another log": another, "empty": nil, "cut": good[:len(good)/2], "the log's signature alone": l.signed(1),
		"a smaller one without our signature": bytes.Replace(good, []byte("\n2\n"), []byte("\n1\n"), 1),
	} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddCheckpoint(t.Context(), l.request(0, 3)); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Many submit at once, from several processes' point of view: sizes only ever grow, and each size
// that was signed has one root.
func TestI19_ConcurrentSubmissionsNeverRollBack(t *testing.T) {
	dir := t.TempDir()
	l := newTree(t, logSeed)
	for i := range 60 {
		l.grow(fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for range 8 {
		w := newWitness(t, dir)
		wg.Go(func() {
			seen := int64(0)
			for range 40 {
				size := seen + rand.Int64N(61-seen)
				_, err := w.AddCheckpoint(t.Context(), l.request(seen, size))
				var r *RefusedError
				switch {
				case err == nil:
					seen = size
				case errors.As(err, &r) && r.Status == http.StatusConflict:
					if r.Size < seen {
						t.Errorf("rolled back from %d to %d", seen, r.Size)
					}
					seen = r.Size
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	files, err := filepath.Glob(filepath.Join(dir, ".next-*"))
	if err != nil || len(files) > 0 {
		t.Errorf("left behind: %v %v", files, err)
	}
}

// A witness that is killed between remembering and answering has forgotten nothing when it is back.
func TestI19_KilledBetweenStateAndAnswer(t *testing.T) {
	const variable = "WITNESS_TEST_DIES_IN"
	l := newTree(t, logSeed).grow("a", "b", "c")
	fork := newTree(t, logSeed).grow("a", "x", "y")
	if dir := os.Getenv(variable); dir != "" {
		w := newWitness(t, dir)
		w.store.written = func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		_, _ = w.AddCheckpoint(t.Context(), l.request(0, 2))
		t.Fatal("it lives")
	}
	dir := t.TempDir()
	command := exec.Command(os.Args[0], "-test.run=^TestI19_KilledBetweenStateAndAnswer$")
	command.Env = append(os.Environ(), variable+"="+dir)
	if out, err := command.CombinedOutput(); err == nil || command.ProcessState.ExitCode() != -1 {
		t.Fatalf("it was not killed: %v %s", err, out)
	}
	w := newWitness(t, dir)
	for _, step := range []struct {
		body []byte
		want int
	}{{fork.request(0, 2), 409}, {fork.request(2, 3), 422}, {l.request(2, 3), 200}} {
		if _, err := w.AddCheckpoint(t.Context(), step.body); status(t, err) != step.want {
			t.Errorf("%v, want %d", err, step.want)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "witness.json")
	v, err := CreateKeyFile(path, witnessName)
	if err != nil {
		t.Fatal(err)
	}
	s, err := LoadKeyFile(path, time.Now)
	if err != nil || s.String() != v.String() {
		t.Fatalf("%v %v", s, err)
	}
	if _, err := CreateKeyFile(path, witnessName); err == nil {
		t.Error("a key file was written over")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeyFile(path, time.Now); !errors.Is(err, ErrKeyFile) {
		t.Errorf("readable by all: %v", err)
	}
	if _, err := CreateKeyFile(filepath.Join(t.TempDir(), "x"), "with space"); !errors.Is(err, ErrKey) {
		t.Errorf("a name with a space: %v", err)
	}
}
