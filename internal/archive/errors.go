package archive

import (
	"errors"

	"lethe/internal/invalid"
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

// Codes of a refused value, besides those of package invalid.
const (
	CodeUnknownField = "unknown_field"
	CodeOutOfRange   = "out_of_range"
	CodeMismatch     = "mismatch"
	CodeRetired      = "retired"

	// Of the field catalogue.
	CodeOwnKey          = "own_key"
	CodeLeftOut         = "left_out"
	CodeNotADate        = "not_a_date"
	CodeNotANumber      = "not_a_number"
	CodeNotAPhone       = "not_a_phone"
	CodeWrongCheckDigit = "wrong_check_digit"
	CodeNoBirthDate     = "no_birth_date"
	CodeBirthMismatch   = "birth_date_mismatch"
)

// InvalidError lists what is wrong with a command about files or the organisation.
type InvalidError struct{ invalid.ValuesError }

func refuse(location, code string) error {
	var p problems
	p.Add(location, code)
	return p.Err()
}

// problems collects what is wrong with a command.
type problems struct{ invalid.ValuesError }

func (p problems) Err() error {
	if len(p.Problems) == 0 {
		return nil
	}
	return &InvalidError{p.ValuesError}
}
