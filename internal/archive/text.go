package archive

import (
	"regexp"

	"lethe/internal/textform"
)

// Longest texts, in characters.
const (
	maxName  = 200
	maxPost  = 200
	maxValue = 1000
	maxQuery = 100
)

var employeeNo = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// faults are the codes of what can be wrong with a text.
var faults = map[textform.Fault]string{textform.Empty: CodeRequired, textform.TooLong: CodeTooLong, textform.Unreadable: CodeNotText}

// checkText judges a text of one line and puts it into the form in which it is stored.
func checkText(s *string, longest int) (code string) {
	stored, fault := textform.Line(*s, longest)
	if fault == "" {
		*s = stored
	}
	return faults[fault]
}
