package stranger

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger/corpus"
)

// TestI19_TheVerifiersAgreeOnMutations: both give one verdict on whatever becomes of a pack, folder,
// proof or policy of the corpus when bytes, members, lines and the zip's structure are changed at random.
func TestI19_TheVerifiersAgreeOnMutations(t *testing.T) {
	needPython(t)
	u, them := readCorpus(t), newBatch(t)
	seed := launchtest.Seed(t)
	m := &mutator{u: u, r: rand.New(rand.NewPCG(seed, 19)), dir: t.TempDir(), verdicts: map[string]int{}}
	apart := 0
	for n := range launchtest.Steps(t, 200) {
		q, how := m.next(n)
		ours, weSay := q.ours(t)
		theirs, theySay := them.ask(q.args()...)
		m.verdicts[ours]++
		if ours == theirs {
			continue
		}
		kept := filepath.Join(os.TempDir(), fmt.Sprintf("lethe-apart-%d-%d", seed, n)) //nolint:usetesting // it outlives the test
		for _, file := range []string{q.target, q.policy} {
			if content, err := os.ReadFile(file); err == nil {
				must(t, os.WriteFile(kept+"-"+filepath.Base(file), content, 0o600))
			}
		}
		t.Errorf("LETHE_TEST_SEED=%d, mutation %d (%s; kept as %s): we say %s, they say %s\n%s\n%s", seed, n, how, kept, ours, theirs, weSay, theySay)
		if apart++; apart == 20 {
			t.Fatal("too many")
		}
	}
	t.Logf("%v", m.verdicts)
}

// mutator changes cases of the corpus.
type mutator struct {
	u        *unpacked
	r        *rand.Rand
	dir      string
	verdicts map[string]int
}

// next is a case after a change, and how it was changed.
func (m *mutator) next(n int) (question, string) {
	i := m.r.IntN(len(m.u.c.Cases))
	x := m.u.c.Cases[i]
	for x.Verdict != corpus.Verified && m.r.IntN(10) > 0 || x.Mode == "folder" && m.r.IntN(3) > 0 {
		i = m.r.IntN(len(m.u.c.Cases))
		x = m.u.c.Cases[i]
	}
	x.Folder = maps.Clone(x.Folder)
	var how string
	add := func(content []byte) int {
		m.u.c.Blobs = append(m.u.c.Blobs, content)
		return len(m.u.c.Blobs) - 1
	}
	switch {
	case x.Mode == "folder":
		names := slices.Sorted(maps.Keys(x.Folder))
		name := names[m.r.IntN(len(names))]
		x.Folder[name] = add(m.bytes(m.u.c.Blobs[x.Folder[name]]))
		how = "bytes of " + name
	case m.r.IntN(6) == 0:
		x.Policy = add(m.text(m.u.c.Blobs[x.Policy]))
		how = "text of the policy"
	default:
		var content []byte
		content, how = m.file(x.Mode, m.u.c.Blobs[*x.File])
		file := add(content)
		x.File = &file
	}
	return m.u.question(1_000_000+n, x), x.Name + ": " + how
}

func (m *mutator) file(mode string, content []byte) ([]byte, string) {
	if mode == "proof" {
		return m.text(content), "text of the proof"
	}
	switch m.r.IntN(8) {
	case 0:
		return m.bytes(content), "bytes of the zip"
	case 1, 2:
		return m.structure(content), "structure of the zip"
	}
	name := []string{"entries.jsonl", "entries.jsonl", "manifest.json", "proof.txt", "checkpoint.txt", "signed checkpoint"}[m.r.IntN(6)]
	forged, err := corpus.Forge(content, func(members map[string][]byte) {
		if name != "signed checkpoint" {
			members[name] = m.text(members[name])
			return
		}
		text, _, _ := strings.Cut(string(members["checkpoint.txt"]), "\n\n")
		members["checkpoint.txt"] = []byte(corpus.Checkpoint(string(m.text([]byte(text + "\n")))))
	})
	if err != nil {
		return m.bytes(content), "bytes of the zip"
	}
	return forged, "text of " + name
}

// bytes changes some bytes.
func (m *mutator) bytes(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) == 0 {
		return []byte{byte(m.r.IntN(256))}
	}
	at := m.r.IntN(len(b))
	switch m.r.IntN(5) {
	case 0:
		return slices.Delete(b, at, min(len(b), at+1+m.r.IntN(40)))
	case 1:
		return slices.Insert(b, at, b[at:min(len(b), at+1+m.r.IntN(40))]...)
	case 2:
		return b[:at]
	}
	b[at] ^= 1 << m.r.IntN(8)
	return b
}

// structure changes a field of one of the zip's headers.
func (m *mutator) structure(b []byte) []byte {
	b = bytes.Clone(b)
	var places []int
	for i := 0; i+30 < len(b); i++ {
		if b[i] == 'P' && b[i+1] == 'K' && b[i+2] < 9 && b[i+3] < 9 {
			places = append(places, i)
		}
	}
	places = append(places, max(0, len(b)-22))
	for range 1 + m.r.IntN(2) {
		at := min(len(b)-1, places[m.r.IntN(len(places))]+m.r.IntN(50))
		if at >= 0 {
			b[at] = []byte{0, 1, 2, 8, 0x10, 0x40, 0x80, 0xff, byte(m.r.IntN(256))}[m.r.IntN(9)]
		}
	}
	return b
}

// pieces are what texts of the formats are made of, and what they are not.
var pieces = []string{
	" ", "\n", "\r", "\t", "\x00", "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "\xff", "\"", "\\", "\\u0041", "\\ud800", "\\udc00", "\\/", "{", "}", "[", "]", ",", ":",
	"null", "true", "0", "-", "+", ".0", "e0", "=", "/", "_", "— ", "1", "9223372036854775808", `"index":1,`, `"":0,`, "\n\n", "é", "\U0001F4DC", "NaN", "//", "A", "Z", "z",
}

// text changes a text, mostly at the borders of its parts.
func (m *mutator) text(b []byte) []byte {
	for range 1 + m.r.IntN(2) {
		b = m.piece(b)
	}
	return b
}

func (m *mutator) piece(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) == 0 {
		return []byte(pieces[m.r.IntN(len(pieces))])
	}
	at := m.r.IntN(len(b))
	if i := bytes.IndexAny(b[at:], "\",:{}[]\n =/"); i >= 0 && m.r.IntN(3) > 0 {
		at = min(len(b)-1, at+i+m.r.IntN(2))
	}
	switch m.r.IntN(7) {
	case 0, 1, 2:
		return slices.Insert(b, at, []byte(pieces[m.r.IntN(len(pieces))])...)
	case 3:
		return slices.Delete(b, at, at+1)
	case 4:
		end := min(len(b), at+1+m.r.IntN(60))
		return slices.Insert(b, at, b[at:end]...)
	case 5:
		return slices.Concat(b[:at], []byte(pieces[m.r.IntN(len(pieces))]), b[min(len(b), at+1):])
	}
	return m.bytes(b)
}
