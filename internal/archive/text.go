package archive

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longest texts, in characters.
const (
	maxName  = 200
	maxPost  = 200
	maxValue = 1000
	maxQuery = 100
)

var employeeNo = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkText says what is wrong with a text: nothing in it, too long, not UTF-8, or with characters
// that show nothing or turn the writing around.
func checkText(s string, longest int) (code string) {
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, invisible):
		return CodeNotText
	case strings.TrimSpace(s) == "":
		return CodeRequired
	case utf8.RuneCountInString(s) > longest:
		return CodeTooLong
	}
	return ""
}

// invisible holds for control characters, line and paragraph separators, byte order marks and the
// marks that override the writing direction. The joiners that some scripts need are let through.
func invisible(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\uFEFF', r == utf8.RuneError:
		return true
	case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}
