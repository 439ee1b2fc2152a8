package screening

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	ahocorasick "github.com/BobuSumisu/aho-corasick"
)

// finder finds the phrases of a pack in the views of a text.
//
// A phrase in Chinese is looked for by the first letters of its sounds, and what has them is compared character by
// character: that finds it as characters and as pinyin, whole, in initials, or one within the other. A phrase in
// Latin letters is looked for among the words. A phrase that begins with a tilde is pinyin or initials that no
// phrase in Chinese stands for. Pieces of a phrase with … between them may stand up to longestGap tokens apart.
type finder struct {
	phrases []phrase
	sounds  automaton
	words   automaton
	alike   map[rune]string
	plain   func(string) string // how a text is written when phrases are looked for in it
	amount  int                 // the phrase that any sum of money is
}

const (
	gap        = "…"
	longestGap = 8
)

type phrase struct {
	groups []string
	pieces int
}

type piece struct {
	phrase, place int
	chars         []rune // of a phrase in Chinese
	syllables     [][]string
}

// automaton finds all pieces at once.
type automaton struct {
	trie *ahocorasick.Trie
	of   [][]piece // by pattern
}

// longestPiece bounds what the automata take, in characters.
const longestPiece = 60

func newFinder(groups map[string][]string, alike map[string]string, plain func(string) string) (*finder, error) {
	f := &finder{plain: plain, alike: map[rune]string{}}
	for char, others := range alike {
		one, size := utf8.DecodeRuneInString(char)
		if size != len(char) || size == 0 {
			return nil, fmt.Errorf("sounds: %q is not one character", char)
		}
		f.alike[one] = others
	}
	bySound, byWord, known := map[string][]piece{}, map[string][]piece{}, map[string]int{}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		for _, text := range groups[group] {
			if i, ok := known[text]; ok {
				if slices.Contains(f.phrases[i].groups, group) {
					return nil, fmt.Errorf("group %s: %q stands twice", group, text)
				}
				f.phrases[i].groups = append(f.phrases[i].groups, group)
				continue
			}
			known[text] = len(f.phrases)
			if err := f.add(text, group, bySound, byWord); err != nil {
				return nil, fmt.Errorf("group %s: %q %w", group, text, err)
			}
		}
	}
	f.amount = len(f.phrases)
	f.phrases = append(f.phrases, phrase{groups: []string{ofMoney}, pieces: 1})
	f.sounds, f.words = newAutomaton(bySound), newAutomaton(byWord)
	return f, nil
}

func newAutomaton(pieces map[string][]piece) automaton {
	var a automaton
	b := ahocorasick.NewTrieBuilder()
	for _, pattern := range slices.Sorted(maps.Keys(pieces)) {
		b.AddString(pattern)
		a.of = append(a.of, pieces[pattern])
	}
	a.trie = b.Build()
	return a
}

func (f *finder) add(text, group string, bySound, byWord map[string][]piece) error {
	texts := strings.Split(text, gap)
	for place, t := range texts {
		if n := len([]rune(t)); n == 0 || n > longestPiece {
			return fmt.Errorf("has to have 1 to %d characters", longestPiece)
		}
		if plain := f.plain(t); t != plain {
			return fmt.Errorf("is not written as it is looked for, which is %q", plain)
		}
		pc := piece{phrase: len(f.phrases), place: place}
		if !strings.HasPrefix(t, "~") && !strings.ContainsFunc(t, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			word := skeleton(t)
			if strings.Trim(t, "0123456789") == "" {
				word = t
			}
			if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return r >= 0x80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
				for _, form := range forms(t) {
					if form = skeleton(form); form != word {
						byWord[form] = append(byWord[form], pc)
					}
				}
				byWord[word] = append(byWord[word], pc)
				continue
			}
			return errors.New("has something other than words")
		}
		initials, err := pc.sound(t)
		if err != nil {
			return err
		}
		for _, i := range initials {
			bySound[i] = append(bySound[i], pc)
		}
	}
	f.phrases = append(f.phrases, phrase{groups: []string{group}, pieces: len(texts)})
	return nil
}

// sound fills in how a piece sounds, and returns the first letters by which it is looked for.
func (pc *piece) sound(text string) ([]string, error) {
	if pinyin, ok := strings.CutPrefix(text, "~"); ok {
		initials := ""
		for _, s := range strings.Fields(pinyin) {
			if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") != "" {
				return nil, errors.New("has something other than syllables")
			}
			pc.syllables = append(pc.syllables, []string{flat.Replace(s)})
			initials += s[:1]
		}
		return []string{initials}, nil
	}
	initials := []string{""}
	for _, r := range text {
		heard := readings(r)
		if len(heard) == 0 {
			return nil, fmt.Errorf("has %q, which is neither a word nor spoken", string(r))
		}
		pc.chars, pc.syllables = append(pc.chars, r), append(pc.syllables, heard)
		var more []string
		for _, before := range initials {
			var letters []byte
			for _, h := range heard {
				if !slices.Contains(letters, h[0]) && len(initials) < 8 {
					letters = append(letters, h[0])
					more = append(more, before+h[:1])
				}
			}
			if len(letters) == 0 {
				more = append(more, before+heard[0][:1])
			}
		}
		initials = more
	}
	return initials, nil
}

// surelyPinyin is how many letters have to be pinyin among other words.
const surelyPinyin = 7

// isAt says whether a piece stands in units, which are as many as it has syllables, and whether it does in disguise.
func (f *finder) isAt(pc piece, units []unit) (is, disguised bool) {
	var same, alike, syllables, letters, digits, long int
	for i, u := range units {
		switch {
		case u.char != 0 && pc.chars != nil && u.char == pc.chars[i]:
			same++
		case u.char != 0 && pc.chars != nil && strings.ContainsRune(f.alike[pc.chars[i]], u.char):
			alike++
		case u.char != 0:
			return false, false
		case u.syllable != "":
			if !slices.Contains(pc.syllables[i], u.syllable) {
				return false, false
			}
			syllables++
			long += len(u.syllable)
		case u.digit:
			digits++
		default:
			letters++
		}
	}
	n := len(units)
	if units[n-1].unsure && (letters+same+alike > 0 || long < surelyPinyin) {
		return false, false
	}
	if syllables+letters > 0 && !(units[0].begins && units[n-1].ends) && same == 0 && n < 3 {
		return false, false // a part of a longer word
	}
	switch {
	case pc.chars == nil: // initials that are a phrase
		return units[0].begins && units[n-1].ends && digits == 0 && same+alike == 0 && (syllables == n || letters == n && spells(pc, units)), true
	case same == n:
		return true, false
	case n == 1:
		return syllables == 1, true
	case n == 2:
		return digits == 0 && (letters+alike == 0 || letters+alike == 1 && same == 1), true
	case letters == n:
		return n >= 4 && units[0].begins && units[n-1].ends, true
	}
	return same+syllables > 0, true
}

// spells says whether a piece in initials is these letters.
func spells(pc piece, units []unit) bool {
	for i, u := range units {
		if pc.syllables[i][0] != string(u.initial) {
			return false
		}
	}
	return true
}

// found is a piece in a text, from one token to another.
type found struct {
	piece
	from, to  int
	disguised bool
}

// find returns the phrases of a text, by their ends.
func (f *finder) find(all []token) []hit {
	ending := make([][]found, len(all)) // by their last tokens
	units := spoken(all)
	letters := make([]byte, len(units))
	for i, u := range units {
		letters[i] = u.initial
	}
	f.sounds.trie.Walk(letters, func(end, n, pattern int64) bool {
		at := units[end-n+1 : end+1]
		for _, pc := range f.sounds.of[pattern] {
			if is, disguised := f.isAt(pc, at); is {
				to := at[n-1].token
				ending[to] = append(ending[to], found{pc, at[0].token, to, disguised})
			}
		}
		return true
	})
	view := words(all)
	f.words.trie.Walk(view.letters, func(end, n, pattern int64) bool {
		if from, to, whole := view.span(int(end-n+1), int(end)); whole {
			for _, pc := range f.words.of[pattern] {
				ending[to] = append(ending[to], found{pc, from, to, false})
			}
		}
		return true
	})
	for _, sum := range amounts(all) {
		sum.phrase = f.amount
		ending[sum.to] = append(ending[sum.to], sum)
	}
	return f.whole(slices.Concat(ending...))
}

// whole puts the pieces of phrases together.
func (f *finder) whole(pieces []found) []hit {
	var hits []hit
	begun := map[int][]hit{} // of phrases with gaps: where each of the pieces before stood last
	for _, x := range pieces {
		ph := f.phrases[x.phrase]
		h := hit{x.from, x.to, x.phrase, ph.groups}
		if x.disguised {
			if slices.Contains(ph.groups, neutral) {
				continue
			}
			h.groups = append(slices.Clip(h.groups), inDisguise)
		}
		if ph.pieces > 1 {
			before := begun[x.phrase]
			if before == nil {
				before = slices.Repeat([]hit{{to: -longestGap - 2}}, ph.pieces)
				begun[x.phrase] = before
			}
			if x.place > 0 {
				last := before[x.place-1]
				if apart := x.from - last.to - 1; apart < 0 || apart > longestGap {
					continue
				}
				h.from = last.from
			}
			before[x.place] = h
			if x.place < ph.pieces-1 {
				continue
			}
		}
		hits = append(hits, h)
	}
	return hits
}
