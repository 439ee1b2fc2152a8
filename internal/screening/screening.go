// Package screening judges what the text of a reason says: whether it names a matter for which nobody's data is
// opened, contradicts the purpose that it was given for, or says nothing. Text explains, it never suffices: that a
// text is ok opens nothing. Its functions are pure, and take time linear in the text, whatever it is.
//
// A text is refused by a named rule of a versioned pack alone (docs/screening.md has the format).
package screening

import (
	_ "embed"
	"slices"
	"sync"

	"lethe/internal/closed"
)

// Verdict is what a text comes to.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Review  Verdict = "review"
	Refused Verdict = "refused"
)

// Verdicts are all of them.
var Verdicts = closed.Of("screening.verdict", OK, Review, Refused)

// Category is the matter for which a text is refused.
type Category string

// The categories.
const (
	PrivateDebt       Category = "private_debt"
	CustomerResources Category = "customer_resources"
	PrivateContact    Category = "private_contact"
	ManagersDemand    Category = "managers_demand"
	Recruiting        Category = "recruiting"
	Marketing         Category = "marketing"
	Curiosity         Category = "curiosity"
	PrivateDispute    Category = "private_dispute"
)

// Categories are all of them.
var Categories = closed.Of("screening.category",
	PrivateDebt, CustomerResources, PrivateContact, ManagersDemand, Recruiting, Marketing, Curiosity, PrivateDispute)

// Doubt is why a person looks at a text that no rule refuses.
type Doubt string

// The doubts.
const (
	Contradiction Doubt = "contradiction" // the text tells of another matter than the purpose, or against it
	SaysNothing   Doubt = "says_nothing"  // mashed keys, a copy of the notice, a full stop
	Unclear       Doubt = "unclear"
)

// Doubts are all of them.
var Doubts = closed.Of("screening.doubt", Contradiction, SaysNothing, Unclear)

// Finding is what screening a text found.
type Finding struct {
	Verdict  Verdict
	Category Category // of a refusal, that of the first of the rules; else empty
	Doubt    Doubt    // of a review; else empty
	Rules    []string // the names of the rules that refuse, in the pack's order
}

//go:embed rules.yaml
var builtin []byte

// Builtin is the pack that the program carries.
var Builtin = sync.OnceValue(func() *Pack {
	p, err := Parse(builtin)
	if err == nil {
		p.likeness, err = ParseLikeness(trained)
	}
	if err != nil {
		panic(err)
	}
	return p
})

// Screen judges a text that was given as the reason for a purpose. A purpose that the pack does not know
// is judged as other.
func (p *Pack) Screen(text, purpose string) Finding { return p.ScreenWithout(text, purpose, nil) }

// Phrases are the numbers of the phrases of the pack that stand in a text.
func (p *Pack) Phrases(text string) []int {
	var found []int
	for _, h := range p.finder.find(tokens(p.plain(text))) {
		found = append(found, h.phrase)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// ScreenWithout judges a text as if the pack did not have some of its phrases: how it would be judged, had nobody
// seen it when the rules were written.
func (p *Pack) ScreenWithout(text, purpose string, without func(phrase int) bool) Finding {
	r := p.read(text, without)
	own, ok := p.Purposes[purpose]
	if !ok {
		own = p.Purposes[otherPurpose]
	}
	var f Finding
	weak := true
	for i := range p.Rules {
		rule := &p.Rules[i]
		if rule.fires(r, purpose, own, p.facts) {
			weak = weak && rule.Weak
			f.Rules = append(f.Rules, rule.Name)
			if f.Category == "" {
				f.Category = rule.Category
			}
		}
	}
	if weak && len(f.Rules) == 1 {
		return Finding{Verdict: Review, Doubt: Unclear}
	}
	if f.Category != "" {
		f.Verdict = Refused
		return f
	}
	if f.Doubt = p.doubt(r, own); f.Doubt != "" {
		f.Verdict = Review
		return f
	}
	f.Verdict = OK
	if p.likeness != nil && p.likeness.likens(p.features(r, text, purpose)) {
		f.Verdict, f.Doubt = Review, Unclear
	}
	return f
}

// fires says whether a rule refuses: something of each of its groups stands near enough together, and nothing that
// excuses it stands anywhere.
func (rule *Rule) fires(r *reading, purpose string, own Purpose, facts []string) bool {
	if slices.Contains(rule.NotFor, purpose) {
		return false
	}
	for _, g := range rule.Unless {
		if r.present[g] || g == ofPurpose && rule.outweighed(r, own) || g == ofTold && r.hasAny(own.Facts) || g == ofAny && (r.hasAny(own.Hints) || r.hasAny(facts)) {
			return false
		}
	}
	excepted := reach(r.hits, rule.Except, len(r.tokens))
	last := make([]int, len(rule.All))
	for i := range last {
		last[i] = -1
	}
	for _, h := range r.hits {
		if covered(excepted, h) {
			continue
		}
		complete, earliest := true, h.from
		for i, group := range rule.alternatives {
			if h.in(group) || r.said >= saysEnough && slices.Contains(group, saidEnough) {
				last[i] = max(last[i], h.from)
			}
			complete = complete && last[i] >= 0
			earliest = min(earliest, last[i])
		}
		if complete && h.to-earliest < rule.Within {
			return true
		}
	}
	return false
}

// outweighed says whether facts of the purpose are told, and more of what goes with them than of the rule's matter.
func (rule *Rule) outweighed(r *reading, own Purpose) bool {
	return r.hasAny(own.Facts) && r.count(own.weighty) > r.count(rule.alternatives[0])
}

// doubt is why a person should look at a text that is not refused.
func (p *Pack) doubt(r *reading, own Purpose) Doubt {
	if r.said < saysSomething {
		return SaysNothing
	}
	if r.hasAny(own.Against) {
		return Contradiction
	}
	if r.hasAny(own.Facts) || r.hasAny(own.Hints) {
		return ""
	}
	if r.hasAny(p.facts) {
		return Contradiction
	}
	if r.said < saysEnough || r.present[vague] || len(own.Facts) > 0 {
		return Unclear
	}
	return ""
}

// What a text says is measured in characters of Chinese and words of other languages.
const (
	saysSomething = 2
	saysEnough    = 6
)
