// Package invalid says which values of a command are refused, each by its place. The values themselves are not repeated:
// an error travels further than what was typed may.
package invalid

import (
	"strings"

	"lethe/internal/textform"
)

// Codes that several commands refuse values by. What one alone knows is named beside it.
const (
	Required   = "required"
	TooLong    = "too_long"
	NotText    = "not_text"
	Unknown    = "unknown"
	Malformed  = "malformed"
	Repeated   = "repeated"
	InFuture   = "in_the_future"
	TooEarly   = "too_early"
	NotWanted  = "not_wanted"
	NotAllowed = "not_allowed"
	ReadOnly   = "read_only"
	TooMany    = "too_many"
	OneOfTwo   = "one_of_two"
)

// Value is one that is refused: its place in the command, as dates.last_working_day or answers[2].purpose, and why.
type Value struct {
	Location, Code string
	Allowed        []string // of a closed set, where that helps
}

// ValuesError lists the values that are refused.
type ValuesError struct{ Problems []Value }

// At refuses one value.
func At(location, code string) error { return &ValuesError{[]Value{{Location: location, Code: code}}} }

// Add refuses another value; without a code nothing is wrong with it.
func (e *ValuesError) Add(location, code string) {
	if code != "" {
		e.Problems = append(e.Problems, Value{Location: location, Code: code})
	}
}

// Err is nil where nothing was refused.
func (e *ValuesError) Err() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// Error names places and codes.
func (e *ValuesError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = p.Location + ": " + p.Code
	}
	return "invalid: " + strings.Join(parts, ", ")
}

// Text is the code for what is wrong with a text; empty: nothing.
func Text(fault textform.Fault) string {
	return map[textform.Fault]string{textform.Empty: Required, textform.TooLong: TooLong, textform.Unreadable: NotText}[fault]
}
