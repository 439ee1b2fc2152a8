// Package corpus holds labelled reasons, and measures a pack of rules by them. The development half is there to write
// rules by; whoever writes rules does not read the test half, if there is one. A test half that was measured and read
// becomes part of the development half, with the name of its writer.
package corpus

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"lethe/internal/i18n"
	"lethe/internal/screening"
)

//go:embed *.jsonl
var halves embed.FS

// Halves are the names of those that the program carries.
func Halves() []string {
	files, _ := halves.ReadDir(".")
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

// Half reads one of Halves.
func Half(name string) ([]Case, error) {
	file, err := halves.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the corpus: %w", err)
	}
	return Read(file)
}

// Case is a reason, and what is to be found in it.
type Case struct {
	Text     string            `json:"text"`
	Lang     i18n.Language     `json:"lang"`
	Purpose  string            `json:"purpose"` // empty: none that the pack knows
	Verdict  screening.Verdict `json:"verdict"`
	Category string            `json:"category"` // of a refusal, or the doubt of a review; the figures count it as it stands
	Note     string            `json:"note,omitempty"`
	Writer   string            `json:"writer,omitempty"` // those of one writer are tried together (ByWriter)
}

// Read reads a corpus, an object of JSON a line. An error says which line is wrong.
func Read(file []byte) ([]Case, error) {
	var cases []Case
	for i, line := range bytes.Split(bytes.TrimSpace(file), []byte("\n")) {
		var c Case
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err := d.Decode(&c)
		if err == nil && !errors.Is(d.Decode(&struct{}{}), io.EOF) {
			err = errors.New("something follows the object")
		}
		if err == nil && !slices.Contains(screening.Verdicts, c.Verdict) {
			err = fmt.Errorf("there is no verdict %q", c.Verdict)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// The goals.
const (
	Recall        = 0.98 // of what is to be refused, at least
	HonestRefused = 0.02 // of what is ok, at most
	HonestReview  = 0.10
)

// Figures say how often a pack finds what is to be found.
type Figures struct {
	Found      map[screening.Verdict]map[screening.Verdict]int // by what was to be found, then by what was
	Categories map[string][2]int                               // of what was to be refused: how many, and how many were
	Misses     []Miss
}

// Miss is a case with another verdict than it was to have.
type Miss struct {
	Case  Case
	Found screening.Finding
}

// Measure screens all cases.
func Measure(p *screening.Pack, cases []Case) Figures {
	return measure(cases, func(c Case) screening.Finding { return p.Screen(c.Text, c.Purpose) })
}

// folds are the parts of a corpus of which each is judged by a likeness that was trained by the others.
const folds = 6

// CrossValidate screens each case without the phrases of the pack that stand in no other case, and with a likeness that
// was trained without it: those may have been written because of it, and say nothing of how reasons are judged that
// nobody has seen yet. A pack without a likeness gets none.
func CrossValidate(p *screening.Pack, cases []Case) Figures {
	in, fold := map[int]int{}, map[Case]int{}
	for i, c := range cases {
		fold[c] = i * stride % len(cases) % folds
		for _, phrase := range p.Phrases(c.Text) {
			in[phrase]++
		}
	}
	packs := slices.Repeat([]*screening.Pack{p}, folds)
	for k := range packs {
		if p.HasLikeness() {
			packs[k] = p.With(Train(p, slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return fold[c] == k })))
		}
	}
	return measure(cases, func(c Case) screening.Finding {
		return packs[fold[c]].ScreenWithout(c.Text, c.Purpose, func(phrase int) bool { return in[phrase] < 2 })
	})
}

// stride, a prime, mixes the cases, which are in the order in which they were written.
const stride = 7919

// Train learns a likeness by what is to be refused and what is honest; what is for a reviewer anyway teaches nothing.
// In the reasons of each writer the phrases are not looked for that no other has: they may have been written because of
// them, and are found in nothing that nobody has seen.
func Train(p *screening.Pack, cases []Case) *screening.Likeness {
	own := ownPhrases(p, cases)
	var examples []screening.Example
	for _, c := range cases {
		if c.Verdict != screening.Review {
			examples = append(examples, screening.Example{Text: c.Text, Purpose: c.Purpose, Refused: c.Verdict == screening.Refused, Without: own[c.Writer]})
		}
	}
	return p.Train(examples)
}

// ownPhrases are, by writer, the phrases of a pack that stand in reasons of this one alone. Nobody's are, where there is
// one writer.
func ownPhrases(p *screening.Pack, cases []Case) map[string]func(phrase int) bool {
	const several = "\n"
	in, own := map[int]string{}, map[string]func(int) bool{}
	for _, c := range cases {
		own[c.Writer] = func(phrase int) bool { return in[phrase] == c.Writer }
		for _, phrase := range p.Phrases(c.Text) {
			if writer, ok := in[phrase]; ok && writer != c.Writer {
				in[phrase] = several
			} else {
				in[phrase] = c.Writer
			}
		}
	}
	if len(own) == 1 {
		return nil
	}
	return own
}

// Written are the figures of a writer's reasons.
type Written struct {
	Writer string
	Cases  int
	Figures
}

// ByWriter screens the reasons of each writer without the phrases that stand in no other's, and with a likeness that was
// trained by the others. A pack without a likeness gets none.
func ByWriter(p *screening.Pack, cases []Case) []Written {
	var all []Written
	own := ownPhrases(p, cases)
	for _, c := range cases {
		if slices.ContainsFunc(all, func(w Written) bool { return w.Writer == c.Writer }) {
			continue
		}
		is := func(other Case) bool { return other.Writer == c.Writer }
		theirs := slices.DeleteFunc(slices.Clone(cases), func(other Case) bool { return !is(other) })
		pack := p
		if p.HasLikeness() {
			pack = p.With(Train(p, slices.DeleteFunc(slices.Clone(cases), is)))
		}
		all = append(all, Written{c.Writer, len(theirs), measure(theirs, func(c Case) screening.Finding {
			return pack.ScreenWithout(c.Text, c.Purpose, own[c.Writer])
		})})
	}
	return all
}

func measure(cases []Case, screen func(Case) screening.Finding) Figures {
	f := Figures{Found: map[screening.Verdict]map[screening.Verdict]int{}, Categories: map[string][2]int{}}
	for _, v := range screening.Verdicts {
		f.Found[v] = map[screening.Verdict]int{}
	}
	for _, c := range cases {
		found := screen(c)
		f.Found[c.Verdict][found.Verdict]++
		if c.Verdict == screening.Refused {
			counts := f.Categories[c.Category]
			counts[0]++
			if found.Verdict == screening.Refused {
				counts[1]++
			}
			f.Categories[c.Category] = counts
		}
		if found.Verdict != c.Verdict {
			f.Misses = append(f.Misses, Miss{c, found})
		}
	}
	return f
}

// Share is how many of those that were to have a verdict got another one, or it.
func (f Figures) Share(of, got screening.Verdict) float64 {
	all := 0
	for _, n := range f.Found[of] {
		all += n
	}
	if all == 0 {
		return 0
	}
	return float64(f.Found[of][got]) / float64(all)
}

// NotLetThrough is how much of what is to be refused is refused or sent to a reviewer.
func (f Figures) NotLetThrough() float64 {
	return f.Share(screening.Refused, screening.Refused) + f.Share(screening.Refused, screening.Review)
}

// Met says whether all goals are. A corpus in which nothing is to be refused, or nothing is ok, meets none.
func (f Figures) Met() bool {
	return f.Share(screening.Refused, screening.Refused) >= Recall && len(f.Found[screening.OK]) > 0 &&
		f.Share(screening.OK, screening.Refused) <= HonestRefused && f.Share(screening.OK, screening.Review) <= HonestReview
}
