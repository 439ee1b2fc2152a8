package config

import (
	"fmt"
	"slices"
	"strings"
)

// unknown reports every variable with our prefix that nothing reads. A typing
// error must not silently leave a default in force.
func unknown(values map[string]string) []string {
	known := knownNames()
	var problems []string
	for name := range values {
		if !strings.HasPrefix(name, Prefix) || isForeign(name) || slices.Contains(known, name) {
			continue
		}
		problems = append(problems, fmt.Sprintf("%s is not a known variable; did you mean %s?", name, nearest(name, known)))
	}
	slices.Sort(problems)
	return problems
}

func isForeign(name string) bool {
	return slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// knownNames are the variables that begin with our prefix, X_FILE forms included.
func knownNames() []string {
	var known []string
	for _, v := range Variables() {
		if !strings.HasPrefix(v.Name, Prefix) {
			continue
		}
		known = append(known, v.Name)
		if v.Secret {
			known = append(known, v.FileName())
		}
	}
	return known
}

// nearest is the candidate that needs the fewest edits, the first of equals.
func nearest(name string, candidates []string) string {
	return slices.MinFunc(candidates, func(a, b string) int {
		return distance(name, a) - distance(name, b)
	})
}

// distance is Levenshtein's: inserted, deleted and replaced bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
