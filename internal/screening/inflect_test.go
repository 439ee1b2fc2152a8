package screening

import (
	"slices"
	"testing"
)

// A phrase stands for the forms of its last word, of its first where the last is short, and of nothing else.
func TestForms(t *testing.T) {
	for phrase, want := range map[string][]string{
		"customer":     {"customer", "customers", "customered", "customering", "customerred", "customerring"},
		"pay back":     {"pay back", "paid back", "pays back", "payed back", "paying back"},
		"chase":        {"chase", "chases", "chased", "chasing"},
		"his country":  {"his country", "his countries", "his countried", "his countrying"},
		"owe":          {"owe"},
		"walk out on":  {"walk out on", "walks out on", "walked out on", "walking out on"},
		"was owed":     {"was owed"},
		"bring a":      {"bring a", "brought a"},
		"his 2nd wife": {"his 2nd wife", "his 2nd wives", "his 2nd wifes", "his 2nd wifed", "his 2nd wifing"},
		"x":            {"x"},
	} {
		if got := forms(phrase); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", phrase, got, want)
		}
	}
	for text, want := range map[string]bool{"they lend money": true, "she lent me money, wants it back": true, "blended money": false} {
		if got := slices.Contains(Builtin().read(text, nil).groupsOf(), "lend"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func (r *reading) groupsOf() []string {
	var groups []string
	for g := range r.present {
		groups = append(groups, g)
	}
	return groups
}
