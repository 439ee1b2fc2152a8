// Package textform judges and normalises what people write: names, posts, reasons, notes, searches. There
// is one such place, so that what one part stores another finds, and nothing is accepted that shows
// nothing or shows something else than it is. Its functions are pure.
package textform

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fault is what is wrong with a text; empty if nothing is.
type Fault string

// The faults.
const (
	// Empty texts have nothing that shows: blanks, and characters without ink.
	Empty Fault = "empty"
	// TooLong texts have more characters (runes, after normalising) than they may.
	TooLong Fault = "too_long"
	// Unreadable texts are no UTF-8, or have control characters or marks that turn the writing around.
	Unreadable Fault = "unreadable"
)

// Line judges a text of one line, such as a name, and returns it as it is to be stored: composed (NFC),
// blanks as single spaces and none at the ends, without characters that show nothing. Two names that
// look the same for that reason are the same. longest is in characters.
func Line(s string, longest int) (string, Fault) {
	if !readable(s, "") {
		return s, Unreadable
	}
	s = strings.Join(strings.Fields(withoutInvisible(norm.NFC.String(s))), " ")
	return s, judge(s, longest)
}

// Paragraphs judges a text that may have several lines, such as a note, and returns it composed and
// without characters that show nothing; lines and blanks stay.
func Paragraphs(s string, longest int) (string, Fault) {
	if !readable(s, "\n\r\t") {
		return s, Unreadable
	}
	s = withoutInvisible(norm.NFC.String(s))
	return s, judge(s, longest)
}

// Why a text that may be left out is refused.
var (
	ErrTooLong    = errors.New("the text is too long")
	ErrUnreadable = errors.New("the text holds control characters or is not UTF-8")
)

// Optional judges a text of several lines that may be left out, and puts it into the form in which it is
// stored.
func Optional(s *string, longest int) error {
	stored, fault := Paragraphs(*s, longest)
	switch fault {
	case TooLong:
		return ErrTooLong
	case Unreadable:
		return ErrUnreadable
	}
	*s = stored
	return nil
}

// Readable says whether a text has neither bytes that are no text nor characters that control or turn
// what is written: what must hold for every text that is compared or searched for.
func Readable(s string) bool { return readable(s, "") }

func judge(s string, longest int) Fault {
	switch {
	case !strings.ContainsFunc(s, shows):
		return Empty
	case utf8.RuneCountInString(s) > longest:
		return TooLong
	}
	return ""
}

func readable(s, allowed string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case strings.ContainsRune(allowed, r):
			return false
		case unicode.IsControl(r), r == utf8.RuneError, r == '\u2028', r == '\u2029':
			return true
		case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069': // directions (UAX #9)
			return true
		case r >= 0xE0000 && r <= 0xE0FFF: // tags: text that nobody sees
			return true
		}
		return r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF // noncharacters
	})
}

// shows says whether a character leaves ink.
func shows(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800': // Hangul fillers and the empty braille cell
		return false
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r)
}

// withoutInvisible leaves out what shows nothing. The joiners stay where a script or an emoji needs them.
func withoutInvisible(s string) string {
	if !strings.ContainsFunc(s, invisible) {
		return s
	}
	var b strings.Builder
	before := rune(-1)
	for _, r := range s {
		if invisible(r) && !(joiner(r) && joins(before)) {
			continue
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

// invisible holds for the characters of the category Cf and for those that fonts draw as nothing.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r == '\u034F' || r == '\u180E' || r >= '\uFE00' && r <= '\uFE0E'
}

func joiner(r rune) bool { return r == '\u200C' || r == '\u200D' }

// joins says whether a joiner after the character changes what is seen: not in scripts whose letters
// stand by themselves.
func joins(r rune) bool {
	if r < 0x80 {
		return false
	}
	if unicode.In(r, unicode.Han, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsSymbol(r)
}

// Grams are the runs of characters by which the database's indexes find a text (the SQL function
// query_log_grams): of three where all are ASCII, else of two. They may stand elsewhere in a text that
// has them all: what is longer than two characters has to be looked at once more. s is folded.
func Grams(s string) []string {
	runes := []rune(s)
	plain := func(i int) bool { return i >= 0 && i < len(runes) && runes[i] < 0x80 }
	found := make([]string, 0, len(runes))
	for i := range len(runes) - 1 {
		switch {
		case plain(i) && plain(i+1) && plain(i+2):
			found = append(found, string(runes[i:i+3]))
		case plain(i-1) && plain(i) && plain(i+1): // the end of the run before
		default:
			found = append(found, string(runes[i:i+2]))
		}
	}
	return found
}
