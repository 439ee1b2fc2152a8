package docs

import (
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	invariantRow  = regexp.MustCompile(`(?m)^\| (I\d+) \|`)
	invariantTest = regexp.MustCompile(`(?m)^func Test(I\d+)_`)
)

// Every invariant that CONTRIBUTING.md promises has a test with its number, and the other way round.
func TestInvariantsAreTested(t *testing.T) {
	promised := map[string]bool{}
	for _, m := range invariantRow.FindAllStringSubmatch(read(t, filepath.Join(root, "CONTRIBUTING.md")), -1) {
		promised[m[1]] = true
	}
	if len(promised) < 15 {
		t.Fatalf("only %d invariants are listed", len(promised))
	}
	tested := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, m := range invariantTest.FindAllStringSubmatch(read(t, path), -1) {
				tested[m[1]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range slices.Sorted(maps.Keys(promised)) {
		if !tested[number] {
			t.Errorf("%s is promised and has no test", number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(tested)) {
		if !promised[number] {
			t.Errorf("%s has a test and is not listed in CONTRIBUTING.md", number)
		}
	}
}
