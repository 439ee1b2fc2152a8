package stranger

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/querylog"
	"lethe/internal/ledger/verify"
)

// theirs is the stranger's program: it takes a pack and a policy, and ends with 0 if the pack
// proves what it says and with 3 if it does not. Anything else is a program that broke.
const theirs = "../../tools/verifier/verify"

// ask asks them and us, and returns both answers: true for a pack without a fault.
func ask(t *testing.T, pack []byte, p *policy.Policy) (them, us bool, said string) {
	t.Helper()
	needPython(t)
	dir := t.TempDir()
	file, rules := filepath.Join(dir, "pack.zip"), filepath.Join(dir, "policy.json")
	must(t, os.WriteFile(file, pack, 0o600))
	must(t, os.WriteFile(rules, p.Marshal(), 0o600))
	out, err := exec.Command(theirs, file, "--policy", rules).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		them = true
	case !errors.As(err, &exit) || exit.ExitCode() != 3:
		t.Fatalf("the stranger's verifier broke: %v\n%s", err, out)
	}
	report, err := verify.Pack(file, verify.Evidence{Policy: p})
	must(t, err)
	return them, report.OK(), string(out)
}

// TestI19_AStrangerVerifiesFromThePageAlone: good packs are good to both, broken ones are broken to
// both, and nothing that the operators could fit together changes that.
func TestI19_AStrangerVerifiesFromThePageAlone(t *testing.T) {
	w := newWorld(t)
	w.write(300) // more than one tile
	whole := w.pack(evidence.Request{Range: &evidence.Range{Epoch: 1, First: 3, End: 271}})
	filtered := w.pack(evidence.Request{Filter: querylog.Filter{Kind: ledger.KindSession}})
	one := w.pack(evidence.Request{Range: &evidence.Range{Epoch: 1, First: 7, End: 8}})
	for what, pack := range map[string][]byte{"a range": whole, "a selection": filtered, "one entry": one} {
		if them, us, said := ask(t, pack, w.policy); !them || !us {
			t.Errorf("%s, untouched: they say %v, we say %v\n%s", what, them, us, said)
		}
	}
	strangers, err := policy.Of(w.policy.Origin, ledger.NewKeys(), 0)
	must(t, err)
	other, err := policy.Of("other.example/ledger", ledger.NewKeys(), 0)
	must(t, err)
	for what, p := range map[string]*policy.Policy{"keys of somebody else": strangers, "another log": other} {
		if them, us, said := ask(t, whole, p); them || us {
			t.Errorf("%s: they say %v, we say %v\n%s", what, them, us, said)
		}
	}
	for what, pack := range w.broken(whole, filtered) {
		if them, us, said := ask(t, pack, w.policy); them || us {
			t.Errorf("%s: they say %v, we say %v\n%s", what, them, us, said)
		}
	}
}

// broken are packs that prove nothing, or not what they say.
func (w *world) broken(whole, filtered []byte) map[string][]byte {
	lines := func(change func(lines []string) []string) func(map[string][]byte, map[string]any) {
		return func(m map[string][]byte, _ map[string]any) {
			all := strings.SplitAfter(strings.TrimSuffix(string(m["entries.jsonl"]), "\n"), "\n")
			m["entries.jsonl"] = []byte(strings.TrimSuffix(strings.Join(change(all), ""), "\n") + "\n")
		}
	}
	replace := func(member, old, by string) func(map[string][]byte, map[string]any) {
		return func(m map[string][]byte, _ map[string]any) {
			m[member] = bytes.Replace(m[member], []byte(old), []byte(by), 1)
		}
	}
	flipped := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		return b
	}
	// Somewhere within what is compressed, not in a date of the archive.
	from, to := bytes.Index(whole, []byte("entries.jsonl"))+64, bytes.LastIndex(whole, []byte("PK\x01\x02"))/2
	return map[string][]byte{
		"cut in half":      whole[:len(whole)/2],
		"the end cut off":  whole[:len(whole)-30],
		"nothing":          {},
		"one byte changed": flipped(min(from, to) + rand.IntN(max(1, to-from))),
		"a line dropped":   w.forge(whole, lines(func(l []string) []string { return slices.Delete(l, 5, 6) })),
		"the last dropped": w.forge(whole, lines(func(l []string) []string { return l[:len(l)-1] })),
		"a line twice":     w.forge(whole, lines(func(l []string) []string { return slices.Insert(l, 5, l[5]) })),
		"two exchanged":    w.forge(whole, lines(func(l []string) []string { l[5], l[6] = l[6], l[5]; return l })),
		"a reason changed": w.forge(whole, replace("entries.jsonl", "annual", "annuaI")),
		"a detail changed": w.forge(whole, replace("entries.jsonl", "二月", "三月")),
		"a date changed":   w.forge(whole, replace("entries.jsonl", `"at":"2`, `"at":"3`)),
		"a kind changed":   w.forge(whole, replace("entries.jsonl", `"kind":"departure"`, `"kind":"account"`)),
		"a place changed":  w.forge(whole, replace("entries.jsonl", `"index":270`, `"index":271`)),
		"a name twice":     w.forge(whole, replace("entries.jsonl", `"epoch":1`, `"epoch":2,"epoch":1`)),
		"a name more":      w.forge(whole, replace("entries.jsonl", `"content":{`, `"content":{"note":"x",`)),
		"an empty line":    w.forge(whole, replace("entries.jsonl", "}\n", "}\n\n")),
		"half a character": w.forge(whole, replace("entries.jsonl", `"requested_by":""`, `"requested_by":"\ud800"`)),
		"called tampered":  w.forge(whole, replace("entries.jsonl", `"intact"`, `"tampered"`)),
		"hidden as dropped": w.forge(whole, func(m map[string][]byte, manifest map[string]any) {
			m["entries.jsonl"] = regexp.MustCompile(`"salts":"[^"]*","content":\{.*\},"state":"intact"`).ReplaceAll(m["entries.jsonl"], []byte(`"salts":null,"content":null,"state":"dropped"`))
			manifest["dropped"] = 268
		}),
		"called dropped": w.forge(whole, replace("entries.jsonl", `"intact"`, `"dropped"`)),
		"a proof cut":    w.forge(filtered, func(m map[string][]byte, _ map[string]any) { m["proof.txt"] = m["proof.txt"][45:] }),
		"a proof too long": w.forge(filtered, func(m map[string][]byte, _ map[string]any) {
			m["proof.txt"] = append(m["proof.txt"], m["proof.txt"][:45]...)
		}),
		"another size": w.forge(whole, replace("checkpoint.txt", "\n30", "\n31")),
		"without a witness": w.forge(whole, func(m map[string][]byte, _ map[string]any) {
			m["checkpoint.txt"], _, _ = bytes.Cut(m["checkpoint.txt"], []byte("— witness"))
		}),
		"a wrong count":  w.forge(whole, func(_ map[string][]byte, m map[string]any) { m["count"] = 267 }),
		"a larger range": w.forge(whole, func(_ map[string][]byte, m map[string]any) { m["selection"].(map[string]any)["end_index"] = 272 }),
		"called contiguous": w.forge(filtered, func(_ map[string][]byte, m map[string]any) {
			m["selection"] = map[string]any{"kind": "contiguous", "first_index": 0, "end_index": 298}
		}),
		"a member more":      w.forge(whole, func(m map[string][]byte, _ map[string]any) { m["more.txt"] = []byte("x") }),
		"without its lines":  w.forge(whole, func(m map[string][]byte, _ map[string]any) { m["entries.jsonl"] = nil }),
		"signed by somebody": w.withOtherKey().forge(whole, func(map[string][]byte, map[string]any) {}),
	}
}

// withOtherKey forges without the key that signs manifests.
func (w *world) withOtherKey() *world {
	other := *w
	other.receipt = bytes.Repeat([]byte{7}, len(w.receipt))
	return &other
}
