package docs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lethe/internal/database/databasetest"
)

type transition struct{ Machine, FromState, ToState string }

// What docs/states.md shows is what the database allows, no more and no less.
func TestGeneratedStates(t *testing.T) {
	env := databasetest.New(t)
	var all []transition
	err := env.Facts.Read(t.Context()).Table("legal_transitions").
		Select("machine", "from_state", "to_state").Find(&all).Error
	if err != nil {
		t.Fatal(err)
	}
	machines := map[string][]transition{}
	for _, tr := range all {
		machines[tr.Machine] = append(machines[tr.Machine], tr)
	}
	if len(machines) < 8 {
		t.Fatalf("only %d state machines were found", len(machines))
	}
	for name, transitions := range machines {
		block(t, "docs/states.md", name, diagram(transitions))
	}
	page := read(t, filepath.Join(root, "docs/states.md"))
	if shown := strings.Count(page, "<!-- generated: "); shown != len(machines) {
		t.Errorf("docs/states.md shows %d machines, the database has %d", shown, len(machines))
	}
}

func diagram(transitions []transition) string {
	lines := make([]string, 0, len(transitions))
	for _, tr := range transitions {
		lines = append(lines, fmt.Sprintf("    %s --> %s\n", tr.FromState, tr.ToState))
	}
	slices.Sort(lines)
	return "```mermaid\nstateDiagram-v2\n" + strings.Join(lines, "") + "```\n"
}
