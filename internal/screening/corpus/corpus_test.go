package corpus

import (
	"slices"
	"strings"
	"testing"

	"lethe/internal/screening"
)

// The goals hold on the development half. The test half does not reach them: it is held to what it has come to, of
// which only the figures are told, for who writes rules does not read it.
func TestTheFiguresAreKept(t *testing.T) {
	for _, name := range Halves() {
		cases, err := Half(name)
		if err != nil {
			t.Fatal(name, err)
		}
		f := Measure(screening.Builtin(), cases)
		kept := f.Met()
		if name == "test.jsonl" {
			kept = f.Share(screening.Refused, screening.Refused) >= 0.975 &&
				f.Share(screening.OK, screening.Refused) <= HonestRefused && f.Share(screening.OK, screening.Review) <= HonestReview
		}
		if !kept || len(cases) < 400 {
			t.Errorf("%s, %d reasons: %v, by category %v", name, len(cases), f.Found, f.Categories)
		}
	}
}

// Without any of the rules something gets through, and without the more important ones the goals are not met.
func TestEveryRuleIsNeeded(t *testing.T) {
	cases, err := Half("development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	whole := *screening.Builtin()
	refused := Measure(&whole, cases).Found[screening.Refused][screening.Refused]
	for i, rule := range whole.Rules {
		without := whole
		without.Rules = slices.Delete(slices.Clone(whole.Rules), i, i+1)
		f := Measure(&without, cases)
		if f.Found[screening.Refused][screening.Refused] >= refused {
			t.Errorf("no reason of the corpus needs the rule %s", rule.Name)
		}
		if slices.Contains([]string{"customers", "recruiting", "private_matter"}, rule.Name) && f.Met() {
			t.Errorf("the goals are met without the rule %s", rule.Name)
		}
	}
}

func TestAFaultyCorpusIsRefused(t *testing.T) {
	for file, says := range map[string]string{
		"": "line 1", "{}": `line 1: there is no verdict ""`, `{"verdict":"ok"}` + "\n" + `{"verdict":"maybe"}`: `line 2: there is no verdict "maybe"`,
		`{"verdict":"ok","why":1}`: "why", `{"verdict":"ok"} x`: "something follows",
	} {
		if _, err := Read([]byte(file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", file, err)
		}
	}
}
