package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lethe/internal/launch/launchtest"
)

// A table that no longer fits the code would say nothing about it. When a change of the code fails
// this, put the same fault into the new code.
func TestEachMutationFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := launchtest.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	all, err := readTable("table")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 150 {
		t.Errorf("the table has %d mutations: 150 are the least", len(all))
	}
	for _, m := range all {
		if _, err := m.mutated(root); err != nil {
			t.Error(err)
		}
		for _, s := range m.tests {
			if names := testsIn(t, filepath.Join(root, s.folder)); !someExist(names, s.run) {
				t.Errorf("%s: %s: %s has no test for each of %s", m.at, m.name, s.folder, s.run)
			}
		}
	}
}

func testsIn(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// someExist says whether each alternative of a pattern begins the name of a test.
func someExist(source, pattern string) bool {
	for _, name := range strings.Split(pattern, "|") {
		if !strings.Contains(source, "func "+strings.TrimSuffix(name, "$")) {
			return false
		}
	}
	return true
}

func TestTableIsRefused(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"without a file":    "# a\ntest ./x TestX\n- a\n+ b\n",
		"without a test":    "# a\nfile x.go\n- a\n+ b\n",
		"without a change":  "# a\nfile x.go\ntest ./x TestX\n- a\n+ a\n",
		"without old text":  "# a\nfile x.go\ntest ./x TestX\n+ a\n",
		"with another word": "# a\nfile x.go\ntest ./x TestX\nold a\n",
		"without a pattern": "# a\nfile x.go\ntest ./x\n- a\n+ b\n",
	} {
		if got, err := parse("t", text); err == nil {
			t.Errorf("%s: read as %+v", what, got)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	all := []mutation{{name: "a fault", file: "api/one.go", at: "edges.txt:3"}, {name: "another", file: "api/two.go", at: "people.txt:7"}}
	for text, want := range map[string]int{"fault": 1, "two.go": 1, "people.txt": 1, "api/": 2, "nothing": 0} {
		if got := chosen(all, []string{text}); len(got) != want {
			t.Errorf("%q chooses %d, want %d", text, len(got), want)
		}
	}
	if got := chosen(all, nil); len(got) != 2 {
		t.Errorf("no text chooses %d, want all", len(got))
	}
}

func TestOldTextOccursOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "x.go"), []byte("a b a c"), 0o600); err != nil {
		t.Fatal(err)
	}
	for old, fits := range map[string]bool{"a": false, "b": true, "d": false} {
		content, err := mutation{file: "x.go", old: old, new: "z"}.mutated(root)
		if (err == nil) != fits {
			t.Errorf("%q: %v", old, err)
		}
		if fits && string(content) != "a z a c" {
			t.Errorf("%q became %q", old, content)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	many := func(f fate, n int) (all []outcome) {
		for range n {
			all = append(all, outcome{fate: f})
		}
		return all
	}
	for _, c := range []struct{ killed, harmless, survived, wrong, code int }{
		{19, 5, 1, 0, 0}, {18, 20, 1, 0, 1}, {20, 0, 0, 1, 1}, {0, 3, 0, 0, 0}, {0, 0, 1, 0, 1},
	} {
		outcomes := append(append(many(killed, c.killed), many(harmless, c.harmless)...), append(many(survived, c.survived), many(wrong, c.wrong)...)...)
		if got := report(io.Discard, outcomes); got != c.code {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
