package screening

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Likeness is how much a text is like those that are refused, told by weights of its pieces: characters, pairs and
// threes of them, words and parts of words, each alone and with the purpose, and the groups of the pack that were found
// in it, each alone, in pairs, and with a fact of the purpose or without. It refuses nothing and lets nothing
// through: what the rules find ok goes to a reviewer if it is too much like what is refused.
type Likeness struct {
	Version string // of the rules that it was trained beside
	scale   float64
	weights []int8 // by the hash of a piece
}

// buckets are how many weights there are.
const buckets = 1 << 16

// tooLike is how like a text has to be, in the logarithm of the odds; chosen by trying it on each writer with what it
// learned by the others, so that of honest reasons fewer than 0.10 go to a reviewer.
const tooLike = -0.8

// An Example is a text of which is known whether it is refused.
type Example struct {
	Text, Purpose string
	Refused       bool
	Without       func(phrase int) bool // the phrases that are not looked for in it; nil: all are
}

//go:embed likeness.txt
var trained []byte

// With is the pack with another likeness, or with none.
func (p *Pack) With(l *Likeness) *Pack {
	other := *p
	other.likeness = l
	return &other
}

// HasLikeness says whether the pack has one.
func (p *Pack) HasLikeness() bool { return p.likeness != nil }

// likens says whether a text is like those that are refused. What is added are whole numbers: it says the same on
// every machine.
func (l *Likeness) likens(found []int) bool {
	sum := 0
	for _, at := range found {
		sum += int(l.weights[at])
	}
	return float64(sum)*l.scale > tooLike*math.Sqrt(float64(len(found)))
}

// Train learns the weights (logistic regression by AdaGrad, in a fixed order: the same examples give the same ones).
func (p *Pack) Train(examples []Example) *Likeness {
	const (
		epochs = 12
		rate   = 0.3
		decay  = 1e-5
		stride = 7919 // a prime: each epoch goes through the examples in an order that mixes them
	)
	weights, squares := make([]float64, buckets), make([]float64, buckets)
	found := make([][]int, len(examples))
	for i, e := range examples {
		found[i] = p.features(p.read(e.Text, e.Without), e.Text, e.Purpose)
	}
	for epoch := range epochs {
		for j := range examples {
			i := (j*stride + epoch) % len(examples)
			norm, sum, want := 1/math.Sqrt(float64(len(found[i]))), 0.0, 0.0
			for _, at := range found[i] {
				sum += weights[at]
			}
			if examples[i].Refused {
				want = 1
			}
			off := (1/(1+math.Exp(-sum*norm)) - want) * norm
			for _, at := range found[i] {
				gradient := off + decay*weights[at]
				squares[at] += gradient * gradient
				weights[at] -= rate * gradient / math.Sqrt(squares[at]+1e-8)
			}
		}
	}
	return quantised(p.Version, weights)
}

func quantised(version string, weights []float64) *Likeness {
	largest := 0.0
	for _, w := range weights {
		largest = max(largest, math.Abs(w))
	}
	l := &Likeness{Version: version, scale: largest / math.MaxInt8, weights: make([]int8, buckets)}
	for i, w := range weights {
		if largest > 0 {
			l.weights[i] = int8(math.Round(w / l.scale))
		}
	}
	return l
}

// Bytes is the likeness as it is kept in a file: the version and the scale, and a line of weights, each a byte.
func (l *Likeness) Bytes() []byte {
	raw := make([]byte, buckets)
	for i, w := range l.weights {
		raw[i] = byte(w)
	}
	return fmt.Appendf(nil, "%s %g\n%s\n", l.Version, l.scale, base64.StdEncoding.EncodeToString(raw))
}

// ParseLikeness reads what Bytes wrote.
func ParseLikeness(file []byte) (*Likeness, error) {
	l := &Likeness{weights: make([]int8, buckets)}
	head, line, _ := bytes.Cut(bytes.TrimSpace(file), []byte("\n"))
	if _, err := fmt.Sscanf(string(head), "%s %g", &l.Version, &l.scale); err != nil {
		return nil, fmt.Errorf("reading the likeness: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(string(line))
	if err != nil || len(raw) != buckets {
		return nil, errors.New("reading the likeness: its weights are not whole")
	}
	for i, b := range raw {
		l.weights[i] = int8(b)
	}
	return l, nil
}

// features are where the weights of the pieces of a text stand, each once.
func (p *Pack) features(r *reading, text, purpose string) []int {
	seen := map[int]bool{}
	var found []int
	once := func(at int) {
		if !seen[at] {
			seen[at] = true
			found = append(found, at)
		}
	}
	add := func(piece string) {
		once(bucket(piece))
		once(bucket(purpose, piece))
	}
	add("")
	for _, sign := range p.signs(r, purpose) {
		once(bucket("sign", sign))
	}
	before, last := "", ""
	for _, t := range tokens(Normalise(text)) {
		word := t.text
		if t.kind == number {
			word = "0"
		}
		add(word)
		add(last + " " + word)
		if t.kind == han {
			add(before + " " + last + " " + word)
		} else if t.kind == latin && len(word) <= longestRun {
			bounded := "_" + word + "_"
			for n := 4; n <= 5; n++ {
				for i := 0; i+n <= len(bounded); i++ {
					add(bounded[i : i+n])
				}
			}
		}
		before, last = last, word
	}
	return found
}

// signs are what the groups of a pack say of a text: each of them, with a fact of the purpose or without, and those of
// the matters for which texts are refused in pairs.
func (p *Pack) signs(r *reading, purpose string) []string {
	own, ok := p.Purposes[purpose]
	if !ok {
		own = p.Purposes[otherPurpose]
	}
	fact := "no fact"
	switch {
	case r.hasAny(own.Facts):
		fact = "own fact"
	case r.hasAny(p.facts):
		fact = "other fact"
	}
	hint := "no hint"
	if r.hasAny(own.Hints) {
		hint = "hint"
	}
	all := []string{fact, hint, fmt.Sprint(min(r.count(own.weighty), 5))}
	var matters []string
	for _, g := range slices.Sorted(maps.Keys(r.present)) {
		all = append(all, g)
		if !slices.Contains(p.excusing, g) {
			matters = append(matters, g)
		}
	}
	for i, g := range matters {
		all = append(all, g+" "+fact)
		for _, other := range matters[i+1:] {
			all = append(all, g+" "+other)
		}
	}
	return all
}

// bucket is where the weight of a piece stands (FNV-1a).
func bucket(parts ...string) int {
	h := uint32(2166136261)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint32(part[i])) * 16777619
		}
		h = (h ^ 0xff) * 16777619
	}
	return int((h ^ h>>16) % buckets)
}
