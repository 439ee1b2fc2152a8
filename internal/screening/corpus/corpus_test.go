package corpus

import (
	"os"
	"slices"
	"strings"
	"testing"

	"lethe/internal/screening"
)

// The goals hold on what the rules were written by. That says little of what nobody has seen: without the phrases that
// a reason alone has, less is found, and what is found then is held to what it has come to.
func TestTheFiguresAreKept(t *testing.T) {
	cases, err := Half("development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if f := Measure(screening.Builtin(), cases); !f.Met() || len(cases) < 5100 {
		t.Errorf("%d reasons: %v, by category %v", len(cases), f.Found, f.Categories)
	}
	f := CrossValidate(screening.Builtin(), cases)
	if f.Share(screening.Refused, screening.Refused) < 0.90 || f.Share(screening.OK, screening.Refused) > 0.04 || f.Share(screening.OK, screening.Review) > 0.09 ||
		f.NotLetThrough() < 0.98 {
		t.Errorf("cross-validated: %v, by category %v", f.Found, f.Categories)
	}
}

// What the others taught holds for each writer.
func TestEachWriterIsJudgedByWhatTheOthersTaught(t *testing.T) {
	cases, err := Half("development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	all := ByWriter(screening.Builtin(), cases)
	if len(all) < 8 {
		t.Errorf("%d writers", len(all))
	}
	for _, w := range all {
		t.Logf("%s %d: refused %.3f, not let through %.3f, honest refused %.3f, reviewed %.3f", w.Writer, w.Cases, w.Share(screening.Refused, screening.Refused),
			w.NotLetThrough(), w.Share(screening.OK, screening.Refused), w.Share(screening.OK, screening.Review))
		if w.Writer == "" || w.Share(screening.Refused, screening.Refused) < 0.85 || w.NotLetThrough() < 0.975 || w.Share(screening.OK, screening.Refused) > 0.065 ||
			w.Share(screening.OK, screening.Review) > 0.10 {
			t.Errorf("%s: %v", w.Writer, w.Found)
		}
	}
}

// Without any of the rules something gets through, at the latest where nobody has seen the reason; without those of one
// of the larger categories the goals are not met, whatever the others still find.
func TestEveryRuleIsNeeded(t *testing.T) {
	cases, err := Half("development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	whole := *screening.Builtin().With(nil) // quicker, and of no account for what is refused
	in := map[int]int{}
	for _, c := range cases {
		for _, phrase := range whole.Phrases(c.Text) {
			in[phrase]++
		}
	}
	unseen := func(phrase int) bool { return in[phrase] < 2 }
	as := []func(p *screening.Pack, c Case) screening.Finding{
		func(p *screening.Pack, c Case) screening.Finding { return p.Screen(c.Text, c.Purpose) },
		func(p *screening.Pack, c Case) screening.Finding { return p.ScreenWithout(c.Text, c.Purpose, unseen) },
	}
	type screened struct {
		Case
		as    int
		found screening.Finding
	}
	var caught []screened
	for _, c := range cases {
		for i, screen := range as {
			if f := screen(&whole, c); c.Verdict == screening.Refused && f.Verdict != screening.OK {
				caught = append(caught, screened{c, i, f})
			}
		}
	}
	needed := func(rule string, without *screening.Pack) bool {
		return slices.ContainsFunc(caught, func(c screened) bool {
			if c.found.Verdict == screening.Refused && !slices.Contains(c.found.Rules, rule) {
				return false // others refuse it
			}
			found := as[c.as](without, c.Case).Verdict
			return found == screening.OK || found == screening.Review && c.found.Verdict == screening.Refused
		})
	}
	for i, rule := range whole.Rules {
		without := whole
		without.Rules = slices.Delete(slices.Clone(whole.Rules), i, i+1)
		if !needed(rule.Name, &without) {
			t.Errorf("no reason of the corpus needs the rule %s", rule.Name)
		}
	}
	for _, category := range []screening.Category{screening.PrivateDebt, screening.CustomerResources, screening.PrivateContact, screening.ManagersDemand, screening.Recruiting, screening.Curiosity} {
		without := whole
		without.Rules = slices.DeleteFunc(slices.Clone(whole.Rules), func(r screening.Rule) bool { return r.Category == category })
		if f := Measure(&without, cases); f.Met() {
			t.Errorf("the goals are met without the rules for %s", category)
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

// The weights are those that the command trains by this corpus and for this version of the rules.
func TestTheLikenessIsTrained(t *testing.T) {
	cases, err := Half("development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../likeness.txt")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := screening.ParseLikeness(file)
	if err != nil || kept.Version != screening.Builtin().Version {
		t.Fatalf("the likeness is of another version than the rules: %v", err)
	}
	agree, trained := 0, screening.Builtin().With(Train(screening.Builtin(), cases))
	for _, c := range cases {
		if trained.Screen(c.Text, c.Purpose).Verdict == screening.Builtin().Screen(c.Text, c.Purpose).Verdict {
			agree++
		}
	}
	if agree < len(cases)-5 { // other machines round otherwise while they train
		t.Errorf("%d of %d reasons are judged alike: lethe reasons train", agree, len(cases))
	}
}
