package screening

import (
	"slices"
	"strings"
)

// hit is a phrase in a text, from one token to another.
type hit struct {
	from, to int
	phrase   int
	groups   []string
}

func (h hit) in(groups []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(h.groups, g) })
}

// reading is a text with what was found in it.
type reading struct {
	tokens  []token
	hits    []hit           // by their ends, without what is neutral
	present map[string]bool // the groups of the hits
	said    int             // how much it says, in characters of Chinese and words of other languages
}

func (p *Pack) read(text string, without func(phrase int) bool) *reading {
	r := &reading{tokens: tokens(p.plain(text)), present: map[string]bool{}}
	all := p.finder.find(r.tokens)
	if without != nil {
		all = slices.DeleteFunc(all, func(h hit) bool { return without(h.phrase) })
	}
	r.said = said(r.tokens, reach(all, []string{nothing}, len(r.tokens)))
	unsaid := reach(all, []string{neutral}, len(r.tokens))
	denied := p.denied(all, len(r.tokens))
	for _, h := range all {
		if !h.in([]string{neutral}) && covered(unsaid, h) || denied[h.from] && h.in(p.excusing) {
			continue
		}
		r.hits = append(r.hits, h)
		for _, g := range h.groups {
			r.present[g] = true
		}
	}
	return r
}

// denies is how many tokens after a denial are denied by it, or before a pretext are one.
const denies = 4

// denied are the tokens of what a text says is not so (不是报税, not the police) or is said for show (开证明是借口):
// what stands there excuses nothing.
func (p *Pack) denied(all []hit, n int) []bool {
	at := make([]bool, n)
	for _, h := range all {
		from, to := h.to+1, h.to+denies
		if h.in([]string{pretext}) {
			from, to = h.from-denies, h.from-1
		} else if !h.in([]string{denial}) {
			continue
		}
		for i := max(from, 0); i <= min(to, n-1); i++ {
			at[i] = true
		}
	}
	return at
}

func (r *reading) hasAny(groups []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool { return r.present[g] })
}

// reach is, for each token, the last one that phrases of some groups cover together with it, if they begin there or
// before. nil: there are none.
func reach(hits []hit, groups []string, n int) []int {
	var to []int
	for _, h := range hits {
		if !h.in(groups) {
			continue
		}
		if to == nil {
			to = slices.Repeat([]int{-1}, n)
		}
		to[h.from] = max(to[h.from], h.to)
	}
	for i := 1; i < len(to); i++ {
		to[i] = max(to[i], to[i-1])
	}
	return to
}

func covered(reach []int, h hit) bool { return reach != nil && reach[h.from] >= h.to }

// count is how many different phrases of some groups there are, of those that overlap one.
func (r *reading) count(groups []string) int {
	seen, end := map[int]bool{}, -1
	for _, h := range r.hits {
		if h.in(groups) && h.from > end {
			seen[h.phrase] = true
			end = h.to
		}
	}
	return len(seen)
}

// said measures what a text says: without the phrases that say nothing, numbers, keys that were mashed, and what is
// only said again.
func said(all []token, silent []int) int {
	seen := map[string]bool{}
	for i, t := range all {
		if t.kind == number || covered(silent, hit{from: i, to: i}) || t.kind == latin && mashed(t.text) {
			continue
		}
		seen[t.text] = true
	}
	return len(seen)
}

const rows = "qwertyuiopasdfghjklzxcvbnm mnbvcxzlkjhgfdsapoiuytrewq"

// mashed says whether a word is no word: keys side by side, one letter many times, five consonants in a row.
func mashed(word string) bool {
	consonants := 0
	for i := range len(word) {
		if strings.IndexByte("aeiouy0123456789", word[i]) >= 0 {
			consonants = 0
		} else if consonants++; consonants >= 5 {
			return true
		}
		if i >= 3 && strings.Contains(rows, word[i-3:i+1]) || i >= 2 && word[i] == word[i-1] && word[i] == word[i-2] {
			return true
		}
	}
	return len(word) == 1
}
