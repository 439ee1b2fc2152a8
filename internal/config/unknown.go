package config

import (
	"fmt"
	"reflect"
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

// Surplus refuses secrets that are set although command has no use for them: whoever takes a process over
// must not find another one's. It is asked of the processes that run on, in production.
func Surplus(command string, environ []string) error {
	var problems []string
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		for _, v := range variablesOf(reflect.TypeFor[Config]()) {
			if value != "" && (name == v.Name || v.Secret && name == v.FileName()) && (v.Secret || strings.HasSuffix(v.Name, fileSuffix)) &&
				!slices.Contains(v.UsedBy, command) {
				problems = append(problems, fmt.Sprintf("%s is set, and `lethe %s` has no use for it: a process gets the secrets that it needs and no others", name, command))
			}
		}
	}
	if len(problems) > 0 {
		return invalid(problems)
	}
	return nil
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
