package stranger

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lethe/internal/ledger/evidence"
)

// TestI19_TheStrangersExampleIsThePages: what their self-test compares with is what the page says today.
func TestI19_TheStrangersExampleIsThePages(t *testing.T) {
	needPython(t)
	page, err := os.ReadFile("../../docs/ledger-format.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(page), "<!-- generated: ledger example -->\n")
	example, _, whole := strings.Cut(rest, "<!-- end -->")
	held, err := os.ReadFile("../../tools/verifier/ledgercheck/example.txt")
	must(t, err)
	if !whole || strings.TrimSpace(example) != strings.TrimSpace(string(held)) {
		t.Error("tools/verifier/ledgercheck/example.txt is not the page's worked example; copy it")
	}
	if out, err := exec.Command(theirs, "--self-test").CombinedOutput(); err != nil {
		t.Errorf("their self-test: %v\n%s", err, out)
	}
}

// TestI19_AStrangerVerifiesTheFolder: the published files are those of the page, and what was
// changed in them, or held by somebody and is not in them any more, shows.
func TestI19_AStrangerVerifiesTheFolder(t *testing.T) {
	w := newWorld(t)
	w.write(300)
	folder := w.folder()
	pack := w.pack(evidence.Request{Range: &evidence.Range{Epoch: 1, First: 0, End: 300}})
	rules, held := filepath.Join(t.TempDir(), "policy.json"), filepath.Join(t.TempDir(), "held")
	must(t, os.WriteFile(rules, w.policy.Marshal(), 0o600))
	must(t, os.WriteFile(held, w.members(pack)["checkpoint.txt"], 0o600))
	intact := func(folder string) (bool, string) {
		return askTree(t, "--tree", folder, "--policy", rules, "--checkpoint", held)
	}
	if ok, said := intact(folder); !ok {
		t.Fatalf("untouched: %s", said)
	}
	older := t.TempDir()
	must(t, os.CopyFS(older, os.DirFS(folder)))
	w.write(3)
	must(t, os.WriteFile(held, mustRead(t, filepath.Join(folder, "1", "checkpoint.witnessed")), 0o600))
	if ok, said := intact(folder); !ok {
		t.Errorf("grown: %s", said)
	}
	if ok, said := intact(older); ok || !strings.Contains(said, "cut off") {
		t.Errorf("the end cut off: %v %s", ok, said)
	}
	for _, name := range []string{"checkpoint", "checkpoint.witnessed", "tile/0/000", "tile/entries/000", "tile/1/000.p/1"} {
		file := filepath.Join(folder, "1", name)
		content := mustRead(t, file)
		changed := bytes.Clone(content)
		changed[len(changed)/2] ^= 1
		must(t, os.WriteFile(file, changed, 0o600))
		if ok, said := intact(folder); ok || !strings.Contains(said, name) && !strings.Contains(said, "tile/0/000") {
			t.Errorf("%s changed: %v %s", name, ok, said)
		}
		must(t, os.WriteFile(file, content, 0o600))
	}
}

// askTree is true if they find no fault.
func askTree(t *testing.T, args ...string) (ok bool, said string) {
	t.Helper()
	needPython(t)
	out, err := exec.Command(theirs, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		t.Fatalf("the stranger's verifier broke: %v\n%s", err, out)
	}
	return err == nil, string(out)
}

func mustRead(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	must(t, err)
	return content
}

// folder is the ledger's: the one temporary folder of the test that has a witnessed checkpoint.
func (w *world) folder() string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(w.t.TempDir()), "*", "1", "checkpoint.witnessed"))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("ledger folders: %v %v", found, err)
	}
	return filepath.Dir(filepath.Dir(found[0]))
}
