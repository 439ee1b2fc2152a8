package screening

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
)

// Likeness is how much a text is like those that are refused, told by weights of its pieces: characters, pairs and
// threes of them, words and parts of words, each alone and with the purpose. It refuses nothing and lets nothing
// through: what the rules find ok goes to a reviewer if it is too much like what is refused.
type Likeness struct {
	Version string // of the rules that it was trained beside
	scale   float64
	weights []int8 // by the hash of a piece
}

// buckets are how many weights there are.
const buckets = 1 << 14

// tooLike is how like a text has to be, in the logarithm of the odds; chosen by cross-validation so that fewer than
// 0.08 of honest reasons go to a reviewer.
const tooLike = 0.2

// An Example is a text of which is known whether it is refused.
type Example struct {
	Text, Purpose string
	Refused       bool
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
func (l *Likeness) likens(text, purpose string) bool {
	found, sum := features(text, purpose), 0
	for _, at := range found {
		sum += int(l.weights[at])
	}
	return float64(sum)*l.scale > tooLike*math.Sqrt(float64(len(found)))
}

// Train learns the weights (logistic regression by AdaGrad, in a fixed order: the same examples give the same ones).
func Train(version string, examples []Example) *Likeness {
	const (
		epochs = 12
		rate   = 0.3
		decay  = 1e-5
		stride = 7919 // a prime: each epoch goes through the examples in an order that mixes them
	)
	weights, squares := make([]float64, buckets), make([]float64, buckets)
	found := make([][]int, len(examples))
	for i, e := range examples {
		found[i] = features(e.Text, e.Purpose)
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
	return quantised(version, weights)
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
func features(text, purpose string) []int {
	seen := map[int]bool{}
	var found []int
	add := func(piece string) {
		for _, at := range []int{bucket(piece), bucket(purpose, piece)} {
			if !seen[at] {
				seen[at] = true
				found = append(found, at)
			}
		}
	}
	add("")
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
