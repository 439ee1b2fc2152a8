// Package docs keeps the documentation in step with the program: tables and diagrams are generated
// from it, and every link leads somewhere.
package docs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//go:generate go test -run Generated -update .

var update = flag.Bool("update", false, "write the generated parts of the documentation")

const root = "../.."

// block compares the part of a page between <!-- generated: name --> and <!-- end --> with what it
// should be, or writes it.
func block(t *testing.T, page, name, want string) {
	t.Helper()
	file := filepath.Join(root, page)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(raw), "<!-- generated: "+name+" -->\n")
	got, after, closed := strings.Cut(rest, "<!-- end -->\n")
	if !opened || !closed {
		t.Errorf("%s has no generated part %q", page, name)
		return
	}
	if got == want {
		return
	}
	if !*update {
		t.Errorf("%s: %q is out of date; run `make generate`\n%s", page, name, cmp.Diff(got, want))
		return
	}
	content := before + "<!-- generated: " + name + " -->\n" + want + "<!-- end -->\n" + after
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
