package docs

import (
	"fmt"
	"strings"
	"testing"

	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/succession"
)

// docs/succession.md is the table in the code.
func TestGeneratedHoldings(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("| thing | 事项 | effect | a successor needs | without one |\n| --- | --- | --- | --- | --- |\n")
	for _, k := range succession.Kinds {
		needs, falls := "to work here", closed.Text(i18n.English, k.FallsTo)
		switch {
		case k.Effect != "passes":
			needs = ""
		case k.Needs != "":
			needs = closed.Text(i18n.English, k.Needs)
		}
		if k.Effect == "ends" {
			falls = ""
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s |\n", closed.Text(i18n.English, k.Name), closed.Text(i18n.Chinese, k.Name), k.Effect, needs, falls)
	}
	block(t, "docs/succession.md", "holdings", rows.String())
}
