package house

import (
	"os/exec"
	"strings"
	"testing"
)

// Recorded histories are promises to sleeping workflows: a release may add some and change none.
func TestRecordedHistoriesAreOnlyAdded(t *testing.T) {
	command := exec.Command("git", "log", "--format=%h %s", "--diff-filter=MDRT", "--", "workflows/testdata/histories")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("reading the history of the fixtures: %v", err)
	}
	if changed := strings.TrimSpace(string(out)); changed != "" {
		t.Errorf("recorded histories were changed or removed by:\n%s", changed)
	}
	command = exec.Command("git", "status", "--porcelain", "--", "workflows/testdata/histories")
	command.Dir = "../.."
	if out, err = command.Output(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "??") && !strings.HasPrefix(line, "A ") {
			t.Errorf("a recorded history is changed: %s", line)
		}
	}
}
