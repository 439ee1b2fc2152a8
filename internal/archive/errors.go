package archive

import (
	"errors"
	"fmt"
	"strings"
)

// The ways in which a command on the archive is refused. A person, department or entity that does
// not exist, or that the actor may not see, is database.ErrNotFound.
var (
	// ErrEmployeeNoTaken says that the number belongs to somebody of another name.
	ErrEmployeeNoTaken = errors.New("the employee number belongs to another person")
	// ErrStillEmployed says that the former employment has not ended: it is no rehire.
	ErrStillEmployed = errors.New("the person is still employed")
	// ErrApprovalRequired says that the change could bring a retention deadline forward (I6).
	ErrApprovalRequired = errors.New("the change needs an approval")
	// ErrOwnFile says that somebody would change their own pay, post or anything else of their file.
	ErrOwnFile = errors.New("nobody changes the own file")
	// ErrPurged says that the file, or the category of a field, is purged or being purged.
	ErrPurged = errors.New("the file is purged")
	// ErrHeld says that a legal hold wants a field kept as it is.
	ErrHeld = errors.New("the field is under a legal hold")
	// ErrIllegalStatus says that a person's status cannot change so.
	ErrIllegalStatus = errors.New("the status cannot change so")
)

// Codes of an [Invalid].
const (
	CodeRequired     = "required"
	CodeTooLong      = "too_long"
	CodeNotText      = "not_text"
	CodeMalformed    = "malformed"
	CodeUnknown      = "unknown"
	CodeUnknownField = "unknown_field"
	CodeReadOnly     = "read_only"
	CodeOutOfRange   = "out_of_range"
	CodeMismatch     = "mismatch"
	CodeTooEarly     = "too_early"
	CodeRetired      = "retired"

	// Of the field catalogue.
	CodeOwnKey   = "own_key"
	CodeLeftOut  = "left_out"
	CodeRepeated = "repeated"

	// Of values by the type of their field.
	CodeNotAllowed      = "not_allowed"
	CodeNotADate        = "not_a_date"
	CodeInFuture        = "in_the_future"
	CodeNotANumber      = "not_a_number"
	CodeNotAPhone       = "not_a_phone"
	CodeWrongCheckDigit = "wrong_check_digit"
	CodeNoBirthDate     = "no_birth_date"
	CodeBirthMismatch   = "birth_date_mismatch"
)

// Invalid is one value that is refused, named by its place; the value itself is not repeated.
type Invalid struct{ Location, Code string }

// InvalidError lists what is wrong with a command.
type InvalidError struct{ Problems []Invalid }

// Error names places and codes, never values.
func (e *InvalidError) Error() string {
	parts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		parts[i] = fmt.Sprintf("%s: %s", p.Location, p.Code)
	}
	return "invalid: " + strings.Join(parts, ", ")
}

func invalid(location, code string) error {
	return &InvalidError{Problems: []Invalid{{location, code}}}
}

// problems collects what is wrong.
type problems []Invalid

func (p *problems) add(location, code string) { *p = append(*p, Invalid{location, code}) }

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return &InvalidError{Problems: p}
}
