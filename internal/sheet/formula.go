package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The characters with which spreadsheet programs begin a formula or a command, and their full-width
// forms, which some programs narrow first (OWASP, CSV Injection).
const formulaStarts = "=+-@|%＝＋－＠｜％"

// Defuse makes a cell text whatever program opens it: an apostrophe goes before a text that could
// begin a formula, also behind blanks and characters that show nothing. One that begins with an
// apostrophe itself gets another, so that the original is always the rest behind the first one.
func Defuse(cell string) string {
	if cell == "" {
		return cell
	}
	if cell[0] == '\'' || cell[0] == '\t' || cell[0] == '\r' || cell[0] == '\n' {
		return "'" + cell
	}
	bare := strings.TrimLeftFunc(cell, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\uFEFF'
	})
	if bare != "" && strings.ContainsRune(formulaStarts, first(bare)) {
		return "'" + cell
	}
	return cell
}

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// Restore undoes Defuse, and leaves every other cell as it is.
func Restore(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && Defuse(rest) == cell {
		return rest
	}
	return cell
}
