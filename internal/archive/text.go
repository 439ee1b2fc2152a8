package archive

import (
	"regexp"

	"lethe/internal/invalid"
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

// checkText judges a text of one line and puts it into the form in which it is stored.
func checkText(s *string, longest int) (code string) {
	stored, fault := textform.Line(*s, longest)
	if fault == "" {
		*s = stored
	}
	return invalid.Text(fault)
}
