package screening

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// A text is read as tokens: each Chinese character one, each run of Latin letters with the digits among them, each
// number. Blanks and punctuation are nowhere, so that what splits a word hides nothing.
type token struct {
	text string
	kind kind
}

type kind uint8

const (
	han kind = iota
	latin
	number
)

func tokens(normalised string) []token {
	var found []token
	start, letters := -1, false
	end := func(i int) {
		if start >= 0 {
			k := number
			if letters {
				k = latin
			}
			found = append(found, token{normalised[start:i], k})
		}
		start, letters = -1, false
	}
	for i, r := range normalised {
		switch {
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)), r == '@', strings.ContainsRune("$€£", r):
			if start < 0 {
				start = i
			}
			letters = letters || r >= 'a'
		case start >= 0 && strings.ContainsRune("€£!|+", r) && followed(normalised[i:]): // d€bt
		case r == '\'' || r == '’' || r == '_': // doesn't is one word
		case unicode.Is(unicode.Han, r):
			end(i)
			found = append(found, token{string(r), han})
		default:
			end(i)
		}
	}
	end(len(normalised))
	return found
}

// followed says whether a letter comes after the first character.
func followed(rest string) bool {
	for i, r := range rest {
		if i > 0 {
			return r >= 'a' && r <= 'z'
		}
	}
	return false
}

// bounded is the view of the words: the letters of all of them, each as the simplest that it may be taken for, with
// a mark between what is no word. A phrase counts where it begins with a word and ends with one: d-e-b-t and ow es
// are found, and indebted is not debt.
type bounded struct {
	letters []byte
	token   []int // of each letter
}

func words(all []token) bounded {
	var v bounded
	for i, t := range all {
		text := "#"
		switch t.kind {
		case latin:
			text = skeleton(t.text)
		case number:
			text = t.text
			if len(text) == 1 && (i > 0 && all[i-1].kind == latin && len(all[i-1].text) == 1 || i+1 < len(all) && all[i+1].kind == latin && len(all[i+1].text) == 1) {
				text = skeleton(text) // c u r i 0 u s
			}
		}
		for j := range len(text) {
			v.letters, v.token = append(v.letters, text[j]), append(v.token, i)
		}
	}
	return v
}

// span is the tokens of some of the letters, if they are whole ones.
func (v bounded) span(from, to int) (int, int, bool) {
	whole := (from == 0 || v.token[from-1] != v.token[from]) && (to == len(v.token)-1 || v.token[to+1] != v.token[to])
	return v.token[from], v.token[to], whole
}

var digits = strings.NewReplacer("0", "o", "1", "i", "l", "i", "3", "e", "4", "a", "5", "s", "6", "b", "7", "t", "8", "b", "9", "g",
	"@", "a", "$", "s", "€", "e", "£", "i", "!", "i", "|", "i", "+", "t", "'", "", "’", "", "_", "", " ", "", "-", "")

func skeleton(word string) string { return digits.Replace(word) }

// A unit is what is spoken as one syllable: a character, a syllable in Latin letters, or a letter or digit that
// stands for one.
type unit struct {
	initial  byte // ' ': nothing that could be spoken
	char     rune // 0: written in Latin letters
	syllable string
	digit    bool
	unsure   bool // Latin letters in a text that is not pinyin
	token    int
	begins   bool // the first and the last of its token
	ends     bool
}

// spoken is the view of the sounds.
func spoken(all []token) []unit {
	var units []unit
	unsure := !readAsPinyin(all)
	for i := 0; i < len(all); i++ {
		t := all[i]
		switch t.kind {
		case han:
			char, _ := utf8.DecodeRuneInString(t.text)
			u := unit{initial: ' ', char: char, token: i, begins: true, ends: true}
			if heard := readings(u.char); len(heard) > 0 {
				u.initial = heard[0][0]
			}
			units = append(units, u)
		case number:
			u := unit{initial: ' ', token: i, digit: true, begins: true, ends: true}
			if len(t.text) == 1 && t.text[0] <= '9' && t.text[0] >= '0' {
				u.initial = "lyesswlqbj"[t.text[0]-'0'] // ling, yi, er, san, si, wu, liu, qi, ba, jiu
			}
			units = append(units, u)
		case latin:
			last := i
			run := t.text
			for len(t.text) == 1 && last+1 < len(all) && all[last+1].kind == latin && len(all[last+1].text) == 1 {
				last++
				run += all[last].text
			}
			units = append(units, heard(run, i, last, unsure)...)
			i = last
		}
	}
	return units
}

// heard are the units of a run of letters that is one token, or several of one letter each.
func heard(run string, first, last int, unsure bool) []unit {
	parts := syllables(run)
	if parts == nil || unsure && len(parts) == len(run) {
		return []unit{{initial: ' ', token: first}}
	}
	units := make([]unit, len(parts))
	for i, part := range parts {
		units[i] = unit{initial: part[0], token: min(first+i, last), unsure: unsure, begins: i == 0, ends: i == len(parts)-1}
		if len(part) > 1 || part == "a" || part == "e" || part == "o" {
			units[i].syllable = part
		}
	}
	units[len(units)-1].token = last
	return units
}

// readAsPinyin says whether Latin letters in a text may be pinyin: beside Chinese, or where most of them can be.
func readAsPinyin(all []token) bool {
	letters, can := 0, 0
	for _, t := range all {
		switch t.kind {
		case han:
			return true
		case latin:
			letters += len(t.text)
			if syllables(t.text) != nil {
				can += len(t.text)
			}
		}
	}
	return can*10 >= letters*8
}

// longestRun is how many letters are read as pinyin at once; no phrase has as many syllables.
const longestRun = 60

// syllables are the fewest syllables that a run of letters can be; or its letters, if they are initials alone. nil:
// it is no pinyin.
func syllables(run string) []string {
	run = untoned(run)
	if run == "" || len(run) > longestRun {
		return nil
	}
	if !strings.ContainsAny(run, "aeiou") && len(run) <= 8 {
		return strings.Split(run, "")
	}
	known := sounds().known
	fewest := make([]int, len(run)+1) // of what begins here; 0: cannot be
	length := make([]int, len(run)+1)
	for i := len(run) - 1; i >= 0; i-- {
		for n := min(6, len(run)-i); n >= 1; n-- {
			rest := fewest[i+n]
			if (rest > 0 || i+n == len(run)) && known[run[i:i+n]] && (fewest[i] == 0 || rest+1 < fewest[i]) {
				fewest[i], length[i] = rest+1, n
			}
		}
	}
	if fewest[0] == 0 {
		return nil
	}
	var parts []string
	for i := 0; i < len(run); i += length[i] {
		parts = append(parts, run[i:i+length[i]])
	}
	return parts
}

// untoned is a run without the digits that are tones, other digits as the letters that they stand for, and ü as u.
func untoned(run string) string {
	var b strings.Builder
	for i := range len(run) {
		c := run[i]
		switch {
		case c >= '1' && c <= '5' && i > 0 && strings.IndexByte("aeioungrv", run[i-1]) >= 0 && (i+1 == len(run) || strings.IndexByte("aeiouv", run[i+1]) < 0):
			continue
		case c == '\'', c == '_', c >= 0x80: // xi'an
			continue
		case c == 'h' && i > 0 && strings.IndexByte("zcs", run[i-1]) >= 0: // zh is heard as z
			continue
		case c == 'v':
			c = 'u'
		case c < 'a':
			c = skeleton(string(c))[0]
		}
		if c < 'a' || c > 'z' {
			return ""
		}
		b.WriteByte(c)
	}
	return b.String()
}

// sounds are how all characters sound, and the syllables that there are.
var sounds = sync.OnceValue(func() (table struct {
	of    map[rune][]string
	known map[string]bool
}) {
	table.of, table.known = map[rune][]string{}, map[string]bool{}
	for r, toned := range pinyin.PinyinDict {
		for s := range strings.SplitSeq(toned, ",") {
			plain := flat.Replace(strings.Map(func(r rune) rune {
				if to, ok := toneless[r]; ok {
					return to
				}
				return r
			}, s))
			if plain[0] >= 'a' && plain[0] <= 'z' && !slices.Contains(table.of[rune(r)], plain) {
				table.of[rune(r)] = append(table.of[rune(r)], plain)
				table.known[plain] = strings.ContainsAny(plain, "aeiou")
			}
		}
	}
	return table
})

// readings are the sounds of a character without tones, ü as u and zh, ch, sh as z, c, s, the most common one first.
func readings(r rune) []string { return sounds().of[r] }

var flat = strings.NewReplacer("zh", "z", "ch", "c", "sh", "s")

// toneless are the vowels with tones, and the two consonants that can have one.
var toneless = func() map[rune]rune {
	table := map[rune]rune{'\u0300': -1, '\u0304': -1, '\u0301': -1, '\u030c': -1}
	for to, toned := range map[rune]string{'a': "āáǎà", 'e': "ēéěèêếề", 'i': "īíǐì", 'o': "ōóǒò", 'u': "ūúǔùüǖǘǚǜ", 'n': "ńňǹ", 'm': "ḿ"} {
		for _, r := range toned {
			table[r] = to
		}
	}
	return table
}()
