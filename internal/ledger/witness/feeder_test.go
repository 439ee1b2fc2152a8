package witness

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lethe/internal/ledger/strict"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// memory is a log's storage of a test.
type memory struct {
	tree      *tree
	offered   int64 // the size of the signed checkpoint
	witnessed []byte
}

func (m *memory) Signed(context.Context) ([]byte, error)    { return m.tree.signed(m.offered), nil }
func (m *memory) Witnessed(context.Context) ([]byte, error) { return m.witnessed, nil }
func (m *memory) Publish(_ context.Context, signed []byte) error {
	m.witnessed = signed
	return nil
}

func (m *memory) Prove(_ context.Context, older, newer int64) (tlog.TreeProof, error) {
	return m.tree.proof(older, newer), nil
}

// cosigner is a witness whose answers a test changes.
type cosigner func(ctx context.Context, body []byte) ([]byte, error)

func (c cosigner) AddCheckpoint(ctx context.Context, body []byte) ([]byte, error) {
	return c(ctx, body)
}

func feed(m *memory, quorum int, members ...Member) *Feeder {
	return NewFeeder(m, origin, members, quorum, slog.New(slog.DiscardHandler))
}

func overHTTP(t *testing.T, w *Witness) Member {
	t.Helper()
	server := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	client := NewClient(server.URL+"/", 5*time.Second)
	t.Cleanup(client.Close)
	return Member{Verifier: w.Verifier(), Cosigner: client}
}

func TestI19_FeederGetsCosignatures(t *testing.T) {
	w := newWitness(t, t.TempDir())
	m := &memory{tree: newTree(t, logSeed).grow("a", "b", "c", "d", "e"), offered: 2}
	f := feed(m, 1, overHTTP(t, w))
	for _, size := range []int64{2, 2, 5} {
		m.offered = size
		if err := f.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open(m.witnessed, note.VerifierList(w.Verifier()))
		if err != nil || !strings.HasPrefix(opened.Text, strict.Checkpoint{Origin: origin, Size: size, Root: m.tree.root(size)}.Text()) {
			t.Fatalf("size %d: %v\n%s", size, err, m.witnessed)
		}
	}
	// A process that starts anew knows nothing of what the witness has; it learns.
	m.tree.grow("f")
	m.offered = 6
	if err := feed(m, 1, overHTTP(t, w)).Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := f.Status(); s.Witnessed != 5 || s.Waiting != 0 || len(s.Failing) != 0 {
		t.Errorf("status %+v", s)
	}
}

func TestI19_FeederTellsWhatIsWrong(t *testing.T) {
	w := newWitness(t, t.TempDir())
	m := &memory{tree: newTree(t, logSeed).grow("a", "b", "c", "d"), offered: 3}
	member := Member{Verifier: w.Verifier(), Cosigner: w}
	if err := feed(m, 1, member).Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	fork := &memory{tree: newTree(t, logSeed).grow("a", "b", "x", "y", "z"), offered: 5}
	for what, c := range map[string]struct {
		source *memory
		member Member
		want   error
		answer string
	}{
		"rolled back":  {&memory{tree: m.tree, offered: 2}, member, ErrAhead, "ahead"},
		"forked":       {fork, member, nil, "refused"},
		"not our key":  {&memory{tree: m.tree, offered: 4}, Member{mustVerifier(t, 9), w}, ErrNoSignature, "refused"},
		"out of reach": {&memory{tree: m.tree, offered: 4}, Member{w.Verifier(), NewClient("http://127.0.0.1:1", time.Second)}, ErrUnavailable, "unavailable"},
		"not a witness": {&memory{tree: m.tree, offered: 4}, Member{w.Verifier(), serverThat(t, func(rw http.ResponseWriter, _ *http.Request) {
			http.Redirect(rw, &http.Request{}, "/elsewhere", http.StatusFound)
		})}, ErrUnavailable, "unavailable"},
		"too slow": {&memory{tree: m.tree, offered: 4}, Member{w.Verifier(), serverThat(t, func(http.ResponseWriter, *http.Request) {
			time.Sleep(300 * time.Millisecond)
		})}, ErrUnavailable, "unavailable"},
		"a size that is no size": {&memory{tree: m.tree, offered: 4}, Member{w.Verifier(), serverThat(t, func(rw http.ResponseWriter, _ *http.Request) {
			answer(rw, http.StatusConflict, typeSize, []byte("-1\n"))
		})}, ErrUnavailable, "unavailable"},
		"a 409 without end": {&memory{tree: m.tree, offered: 4}, Member{w.Verifier(), cosigner(func(context.Context, []byte) ([]byte, error) {
			return nil, &RefusedError{Status: http.StatusConflict, Size: 1}
		})}, ErrUnavailable, "unavailable"},
	} {
		f := feed(c.source, 1, c.member)
		err := f.Round(t.Context())
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		if c.source.witnessed != nil {
			t.Errorf("%s: published", what)
		}
		if s := f.Status(); s.Failing[c.member.Verifier.Name()] != c.answer || s.Waiting == 0 {
			t.Errorf("%s: status %+v, want %s", what, s, c.answer)
		}
	}
}

// Two processes feed one witness: who is behind is not taken for a rollback.
func TestI19_BehindAnotherProcessIsNoAlarm(t *testing.T) {
	w := newWitness(t, t.TempDir())
	m := &memory{tree: newTree(t, logSeed).grow("a", "b", "c", "d"), offered: 2}
	var asked atomic.Int32
	f := feed(m, 1, Member{w.Verifier(), cosigner(func(ctx context.Context, body []byte) ([]byte, error) {
		if asked.Add(1) == 1 {
			m.offered = 4 // the other process sequences and is cosigned in between
			if _, err := w.AddCheckpoint(ctx, m.tree.request(0, 4)); err != nil {
				t.Error(err)
			}
		}
		return w.AddCheckpoint(ctx, body)
	})})
	if err := f.Round(t.Context()); err != nil || m.witnessed != nil || len(f.Status().Failing) > 0 {
		t.Errorf("%v, %+v", err, f.Status())
	}
	if err := f.Round(t.Context()); err != nil || f.Status().Witnessed != 4 {
		t.Errorf("%v, %+v", err, f.Status())
	}
}

// One of two witnesses is enough for a quorum of one, and not for one of two.
func TestI19_Quorum(t *testing.T) {
	w := newWitness(t, t.TempDir())
	alive := Member{w.Verifier(), w}
	dead := Member{mustVerifier(t, 7), NewClient("http://127.0.0.1:1", time.Second)}
	m := &memory{tree: newTree(t, logSeed).grow("a"), offered: 1}
	if err := feed(m, 2, alive, dead).Round(t.Context()); err == nil || m.witnessed != nil {
		t.Errorf("one of two: %v", err)
	}
	if err := feed(m, 1, alive, dead).Round(t.Context()); err != nil || m.witnessed == nil {
		t.Errorf("one of one: %v", err)
	}
}

func TestI19_AWitnessThatForgotIsNoticed(t *testing.T) {
	m := &memory{tree: newTree(t, logSeed).grow("a", "b", "c"), offered: 2}
	w := newWitness(t, t.TempDir())
	var current Cosigner = w
	member := Member{w.Verifier(), cosigner(func(ctx context.Context, body []byte) ([]byte, error) { return current.AddCheckpoint(ctx, body) })}
	var log strings.Builder
	f := NewFeeder(m, origin, []Member{member}, 1, slog.New(slog.NewTextHandler(&log, nil)))
	if err := f.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	current, m.offered = newWitness(t, t.TempDir()), 3
	if err := f.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "forgot") {
		t.Errorf("nobody noticed: %s", log.String())
	}
}

func serverThat(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	client := NewClient(server.URL, 200*time.Millisecond)
	t.Cleanup(client.Close)
	return client
}

func mustVerifier(t *testing.T, first byte) Verifier {
	t.Helper()
	s, err := NewSigner("witness.example/other", append([]byte{first}, seed(t, witnessSeed)[1:]...), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s.Verifier
}
