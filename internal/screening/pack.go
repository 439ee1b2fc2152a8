package screening

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"lethe/internal/i18n"
)

// Pack is a version of the rules. docs/screening.md has its format.
type Pack struct {
	Version  string              `yaml:"version"`
	Sounds   map[string]string   `yaml:"sounds"`   // a character, and those that are written for it because they sound alike
	Dialects map[string]string   `yaml:"dialects"` // a word in Chinese characters, and what it means
	Groups   map[string][]string `yaml:"groups"`   // of phrases
	Purposes map[string]Purpose  `yaml:"purposes"`
	Rules    []Rule              `yaml:"rules"`

	standard *strings.Replacer // of Dialects
	finder   *finder
	likeness *Likeness // nil: none
	facts    []string  // of all purposes
	excusing []string  // those, and what goes with them
}

// Purpose is what the pack knows of a purpose: groups of phrases.
type Purpose struct {
	Facts   []string `yaml:"facts"`   // that tell of its matter
	Hints   []string `yaml:"hints"`   // that go with it, but tell little
	Against []string `yaml:"against"` // that contradict it

	weighty []string // what speaks for the purpose
}

// Rule refuses a text that has a phrase of each of its groups near enough together.
type Rule struct {
	Name     string                   `yaml:"name"`
	Category Category                 `yaml:"category"`
	Text     map[i18n.Language]string `yaml:"text"`    // a sentence for people
	All      []string                 `yaml:"all"`     // groups; a|b is either
	Unless   []string                 `yaml:"unless"`  // groups that excuse wherever they stand; facts: those of the purpose
	Except   []string                 `yaml:"except"`  // groups within whose phrases nothing counts for this rule
	NotFor   []string                 `yaml:"not_for"` // purposes
	Within   int                      `yaml:"within"`  // characters of Chinese, or words; 40 if left out
	Weak     bool                     `yaml:"weak"`    // refuses beside another rule; alone, a reviewer reads the text

	alternatives [][]string // All, taken apart
}

// Sentence is what a rule refuses, for people; empty for a name that the pack does not have.
func (p *Pack) Sentence(rule string, l i18n.Language) string {
	i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.Name == rule })
	if i < 0 {
		return ""
	}
	return p.Rules[i].Text[l]
}

// The groups that every pack has, and what rules can name like a group.
const (
	neutral      = "neutral"   // phrases within which nothing counts for any rule
	nothing      = "nothing"   // what says nothing
	formal       = "formal"    // how people write who have facts: times, documents, checks
	vague        = "vague"     // what says too little where no fact stands beside it
	denial       = "denial"    // what denies what follows: 不是, not a
	pretext      = "pretext"   // what says that what stands before is for show: 是借口
	ofMoney      = "amount"    // a sum of money
	ofPurpose    = "facts"     // the facts of the purpose
	ofTold       = "told"      // those of the purpose, however much else there is
	ofAny        = "any_fact"  // those of any purpose, and what goes with this one
	saidEnough   = "enough"    // that the text is no single word
	inDisguise   = "disguised" // what was written as pinyin, in initials, or with others that sound alike
	otherPurpose = "other"     // what a purpose is judged as that the pack does not know
)

const defaultWithin = 40

// Parse reads a pack. An error says where it is wrong.
func Parse(file []byte) (*Pack, error) {
	p := &Pack{}
	d := yaml.NewDecoder(bytes.NewReader(file))
	d.KnownFields(true)
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("reading the pack: %w", err)
	}
	if err := d.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading the pack: something follows it")
	}
	if p.Version == "" {
		return nil, errors.New("the pack has no version")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("pack %s: %w", p.Version, err)
	}
	err := p.learnDialects()
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", p.Version, err)
	}
	if p.finder, err = newFinder(p.Groups, p.Sounds, p.plain); err != nil {
		return nil, fmt.Errorf("pack %s: %w", p.Version, err)
	}
	return p, nil
}

func (p *Pack) check() error {
	for _, name := range []string{neutral, nothing, vague, formal, denial, pretext} {
		if len(p.Groups[name]) == 0 {
			return fmt.Errorf("the group %s has no phrases", name)
		}
	}
	for _, name := range []string{ofPurpose, ofTold, ofAny, ofMoney, inDisguise, saidEnough} {
		if _, taken := p.Groups[name]; taken {
			return fmt.Errorf("no group can be called %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Purposes)) {
		purpose := p.Purposes[name]
		if err := p.known(purpose.Facts, purpose.Hints, purpose.Against); err != nil {
			return fmt.Errorf("purpose %s: %w", name, err)
		}
		p.facts = append(p.facts, purpose.Facts...)
		purpose.weighty = slices.Concat(purpose.Facts, purpose.Hints, []string{formal})
		p.Purposes[name] = purpose
		p.excusing = append(p.excusing, purpose.weighty...)
	}
	if len(p.Rules) == 0 {
		return errors.New("there are no rules")
	}
	names := map[string]bool{}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if rule.Name == "" || names[rule.Name] {
			return fmt.Errorf("rule %d has no name of its own: %q", i+1, rule.Name)
		}
		names[rule.Name] = true
		if err := p.checkRule(rule); err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
	}
	return nil
}

// learnDialects makes the words of dialects ready. What they mean has none of them: a text that was read once is not
// read otherwise the second time.
func (p *Pack) learnDialects() error {
	var pairs []string
	for _, word := range slices.Sorted(maps.Keys(p.Dialects)) {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
			return fmt.Errorf("dialects: %q is not in Chinese characters", word)
		}
		pairs = append(pairs, word, p.Dialects[word])
	}
	p.standard = strings.NewReplacer(pairs...)
	for _, word := range slices.Sorted(maps.Keys(p.Dialects)) {
		if means := p.Dialects[word]; Normalise(word) != word || means == "" || p.plain(means) != means {
			return fmt.Errorf("dialects: %q or %q is not written as it is looked for", word, means)
		}
	}
	return nil
}

// plain is a text in the form in which phrases are looked for.
func (p *Pack) plain(text string) string { return p.standard.Replace(Normalise(text)) }

func (p *Pack) checkRule(rule *Rule) error {
	if !slices.Contains(Categories, rule.Category) {
		return fmt.Errorf("there is no category %q", rule.Category)
	}
	for _, l := range i18n.Languages {
		if strings.TrimSpace(rule.Text[l]) == "" {
			return fmt.Errorf("it has no sentence in %s", l)
		}
	}
	if len(rule.All) == 0 {
		return errors.New("it asks for nothing")
	}
	for _, group := range rule.All {
		rule.alternatives = append(rule.alternatives, strings.Split(group, "|"))
	}
	unless := slices.DeleteFunc(slices.Clone(rule.Unless), func(g string) bool { return g == ofPurpose || g == ofTold || g == ofAny })
	if err := p.known(append(rule.alternatives, unless, rule.Except)...); err != nil {
		return err
	}
	for _, purpose := range rule.NotFor {
		if _, ok := p.Purposes[purpose]; !ok {
			return fmt.Errorf("there is no purpose %q", purpose)
		}
	}
	if rule.Within == 0 {
		rule.Within = defaultWithin
	}
	if rule.Within < 0 {
		return fmt.Errorf("within %d", rule.Within)
	}
	return nil
}

func (p *Pack) known(lists ...[]string) error {
	for _, name := range slices.Concat(lists...) {
		if _, ok := p.Groups[name]; !ok && name != inDisguise && name != saidEnough && name != ofMoney {
			return fmt.Errorf("there is no group %q", name)
		}
	}
	return nil
}
