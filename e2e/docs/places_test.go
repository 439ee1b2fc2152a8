package docs

import (
	"fmt"
	"strings"
	"testing"

	"lethe/internal/places"
)

// docs/security/places.md is the list in the code.
func TestGeneratedPlaces(t *testing.T) {
	var kinds, columns, elsewhere strings.Builder
	kinds.WriteString("| kind | holds | ends |\n| --- | --- | --- |\n")
	for _, k := range places.Kinds {
		fmt.Fprintf(&kinds, "| %s | %s | %s |\n", k.Name, k.Holds, k.Ends)
	}
	elsewhere.WriteString("| place | holds | ends |\n| --- | --- | --- |\n")
	for _, p := range places.Elsewhere {
		fmt.Fprintf(&elsewhere, "| %s | %s | %s |\n", p.Name, p.Holds, p.Ends)
	}
	columns.WriteString("| database | table | columns |\n| --- | --- | --- |\n")
	type table struct {
		database places.Database
		name     string
	}
	var order []table
	rows := map[table]string{}
	for _, c := range places.Columns() {
		key := table{c.Database, c.Table}
		if rows[key] == "" {
			order = append(order, key)
		} else {
			rows[key] += ", "
		}
		rows[key] += "`" + c.Column + "` " + c.Kind.Name
	}
	for _, key := range order {
		fmt.Fprintf(&columns, "| %s | %s | %s |\n", key.database, key.name, rows[key])
	}
	for name, want := range map[string]string{"kinds": kinds.String(), "columns": columns.String(), "elsewhere": elsewhere.String()} {
		block(t, "docs/security/places.md", name, want)
	}
}
