package docs

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The requirements of levels 1 and 2 in OWASP ASVS 5.0.0 (May 2025): chapters 6, 7, 8 and 16 whole,
// and of 9 and 10 what a relying party has to do. "6.5", "1:2 2:2" is 6.5.1 and 6.5.2, both of
// level 2. Numbers that are left out are of level 3.
var asvs = []struct{ section, requirements string }{
	{"6.1", "1:1 2:2 3:2"},
	{"6.2", "1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:2 10:2 11:2 12:2"},
	{"6.3", "1:1 2:1 3:2 4:2"},
	{"6.4", "1:1 2:1 3:2 4:2"},
	{"6.5", "1:2 2:2 3:2 4:2 5:2"},
	{"6.6", "1:2 2:2 3:2"},
	{"6.8", "1:2 2:2 3:2 4:2"},
	{"7.1", "1:2 2:2 3:2"},
	{"7.2", "1:1 2:1 3:1 4:1"},
	{"7.3", "1:2 2:2"},
	{"7.4", "1:1 2:1 3:2 4:2 5:2"},
	{"7.5", "1:2 2:2"},
	{"7.6", "1:2 2:2"},
	{"8.1", "1:1 2:2"},
	{"8.2", "1:1 2:1 3:2"},
	{"8.3", "1:1"},
	{"8.4", "1:2"},
	{"9.1", "1:1 2:1 3:1"},
	{"9.2", "1:1 2:2 3:2 4:2"},
	{"10.1", "1:2 2:2"},
	{"10.2", "1:2 2:2"},
	{"10.5", "1:2 2:2 3:2 4:2 5:2"},
	{"16.1", "1:2"},
	{"16.2", "1:2 2:2 3:2 4:2 5:2"},
	{"16.3", "1:2 2:2 3:2 4:2"},
	{"16.4", "1:2 2:2 3:2"},
	{"16.5", "1:2 2:2 3:2"},
}

var (
	asvsRow    = regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \|(.*)\|$`)
	namedTest  = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	writtenOut = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	asvsStates = []string{"met", "partly", "not met", "does not apply"}
)

// Each requirement has one row that says what it asks, whether it is met and how, and names a test,
// or says why there is none. The tests exist.
func TestASVSTableIsWholeAndTrue(t *testing.T) {
	wanted := map[string]string{}
	for _, s := range asvs {
		for one := range strings.FieldsSeq(s.requirements) {
			number, level, _ := strings.Cut(one, ":")
			wanted[s.section+"."+number] = level
		}
	}
	tests, rows := testNames(t), map[string]int{}
	for _, m := range asvsRow.FindAllStringSubmatch(read(t, filepath.Join(root, "docs/security/asvs.md")), -1) {
		id, cells := m[1], strings.Split(m[2], " | ")
		rows[id]++
		if wanted[id] == "" {
			t.Errorf("%s is no requirement of these levels and sections", id)
		}
		for _, complaint := range asvsComplaints(cells, wanted[id], tests) {
			t.Errorf("%s: %s", id, complaint)
		}
	}
	for id := range wanted {
		if rows[id] != 1 {
			t.Errorf("%s has %d rows", id, rows[id])
		}
	}
}

// asvsComplaints are what is wrong with a row: level, what is asked, state, how, proof.
func asvsComplaints(cells []string, level string, tests map[string]bool) (all []string) {
	if len(cells) != 5 {
		return []string{"a row has five cells after the number"}
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
		if len(cells[i]) == 0 {
			all = append(all, "an empty cell")
		}
	}
	if cells[0] != level {
		all = append(all, "the level is another")
	}
	if !slices.Contains(asvsStates, cells[2]) {
		all = append(all, "no such state: "+cells[2])
	}
	named := namedTest.FindAllStringSubmatch(cells[4], -1)
	if len(named) == 0 && !strings.HasPrefix(cells[4], "no test: ") {
		all = append(all, "neither a test nor a reason")
	}
	for _, n := range named {
		if !tests[n[1]] {
			all = append(all, "there is no "+n[1])
		}
	}
	return all
}

func TestASVSComplaints(t *testing.T) {
	tests := map[string]bool{"TestThere": true}
	for row, fine := range map[string]bool{
		"1 | asks | met | so | `TestThere`":                  true,
		"1 | asks | not met | why | no test: nothing to see": true,
		"2 | asks | met | so | `TestThere`":                  false,
		"1 | asks | met | so | `TestGone`":                   false,
		"1 | asks | met |  | `TestThere`":                    false,
		"1 | asks | almost | so | `TestThere`":               false,
		"1 | asks | met | so | trust us":                     false,
		"1 | asks | met | so":                                false,
	} {
		if got := asvsComplaints(strings.Split(row, " | "), "1", tests); fine != (len(got) == 0) {
			t.Errorf("%s: %v", row, got)
		}
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, "_test.go") {
			for _, m := range writtenOut.FindAllStringSubmatch(read(t, path), -1) {
				names[m[1]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
