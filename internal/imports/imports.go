// Package imports enters people from files, and begins departures from files. A file is read once, when it comes, and kept in parts of some hundred rows,
// each sealed under a key of its own. A dry run says of every row what would become of it; nothing is written before
// somebody asks for the run. People are matched by their employee number and nothing else.
//
// What the file holds leaves this package in one way: the rows with something wrong in them go back to whoever sent the
// file. Problems are a row, a column and a code.
package imports

import (
	"errors"
	"time"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// ContentLife is how long a file is kept, with what is made of it.
const ContentLife = 7 * 24 * time.Hour

// rowsOfPart is how many rows a part has: what one transaction takes. Departures begin one by one, and can be paused.
func rowsOfPart(kind models.BatchKind) int {
	if kind == models.BatchDepartures {
		return 50
	}
	return 500
}

// Vault is what imports seal and open with.
type Vault interface {
	vault.Sealer
	vault.Loose
}

// Refusals of a command. An import that does not exist is database.ErrNotFound.
var (
	// ErrOwn: nobody decides whether they leave.
	ErrOwn = errors.New("the file is about oneself")
	// ErrState says that the import is not at the point for it: it runs, or has ended.
	ErrState = errors.New("the import is at another point")
	// ErrNothingToDo says that no row of the file would be entered or changed.
	ErrNothingToDo = errors.New("the file has no row to be entered or changed")
	// ErrContentEnded says that the file is gone.
	ErrContentEnded = errors.New("the file is gone")
	// ErrNotUploader says that rows of a file go to nobody but who sent it.
	ErrNotUploader = errors.New("rows of a file go back to who sent it alone")
)

// Problem is what is wrong with a cell or a row, beside what the archive finds wrong with values.
type Problem string

// The problems: the archive's own codes, and those of a row among others.
const (
	Required        Problem = "required"
	TooLong         Problem = "too_long"
	NotText         Problem = "not_text"
	Malformed       Problem = "malformed"
	Unknown         Problem = "unknown"
	ReadOnly        Problem = "read_only"
	OutOfRange      Problem = "out_of_range"
	Mismatch        Problem = "mismatch"
	TooEarly        Problem = "too_early"
	NotAllowed      Problem = "not_allowed"
	NotADate        Problem = "not_a_date"
	InFuture        Problem = "in_the_future"
	NotANumber      Problem = "not_a_number"
	NotAPhone       Problem = "not_a_phone"
	WrongCheckDigit Problem = "wrong_check_digit"
	NoBirthDate     Problem = "no_birth_date"
	BirthMismatch   Problem = "birth_date_mismatch"
	Retired         Problem = "retired"

	// Twice: the number is in another row, too.
	Twice Problem = "twice_in_file"
	// DigitsLost: the spreadsheet program kept fifteen digits of a longer number.
	DigitsLost Problem = "digits_lost"
	// AmbiguousDepartment: several departments have that name.
	AmbiguousDepartment Problem = "ambiguous_department"
	// OtherName: the number is that of somebody with another name.
	OtherName Problem = "other_name"
	// ContactRemoved: an emergency contact of the person asked to be removed, and may be the one that the file brings.
	ContactRemoved Problem = "contact_removed"
	// TwoPeople: what deadlines hang on is changed one person at a time, by two people.
	TwoPeople Problem = "needs_two_people"
	// OwnFile: of who sent the file, or who agreed to it.
	OwnFile Problem = "own_file"
	// Purged: data of the person was deleted, or is being deleted.
	Purged Problem = "purged"
	Held   Problem = "held"
	// NoKind and NoEnd: how, or when, somebody left is missing.
	NoKind Problem = "departure_kind_missing"
	NoEnd  Problem = "left_on_missing"
	// BeforeHire: an employment ends no earlier than it begins.
	BeforeHire Problem = "before_hire"
	// LeavesYet: the employment is not over, and ends by a departure.
	LeavesYet Problem = "leaves_yet"
	// StillEmployed: the number is that of somebody who has not left.
	StillEmployed Problem = "still_employed"
	// EndsElse: the employment of that number ended on another day or in another way.
	EndsElse Problem = "ends_otherwise"
	// NoRules: it cannot be said how long the data of somebody who left there is kept.
	NoRules Problem = "no_retention_rules"

	// Formula: the cell of a text file would be one.
	Formula Problem = "formula"
	// DepartureOpen: a departure of the person is under way, with other dates or of another kind.
	DepartureOpen Problem = "departure_open"
	// LeftAlready: the person has left, and nothing is to be begun.
	LeftAlready Problem = "left_already"
	// OutOfOrder: dates of a departure that cannot follow each other.
	OutOfOrder Problem = "dates_out_of_order"
	// TooFar: more than two years ahead.
	TooFar Problem = "too_far_ahead"
	// ImmediateDates: what is immediate has no dates of its own.
	ImmediateDates Problem = "immediate_has_dates"
	// LongOver: the employment ended too long ago to be entered with others.
	LongOver Problem = "ended_long_ago"
	// ChangedSince: the row would come to something else than the dry run said.
	ChangedSince Problem = "changed_since"
	// NotPossible: the database refused it.
	NotPossible Problem = "not_possible"
	// Failed: it failed for a reason that no rule foresees, each time that it was tried.
	Failed Problem = "failed"
)

// Problems lists them all.
var Problems = closed.Of("field",
	Required, TooLong, NotText, Malformed, Unknown, ReadOnly, OutOfRange, Mismatch, TooEarly, NotAllowed, NotADate,
	InFuture, NotANumber, NotAPhone, WrongCheckDigit, NoBirthDate, BirthMismatch, Retired,
	Twice, DigitsLost, AmbiguousDepartment, OtherName, ContactRemoved, TwoPeople, OwnFile, Purged, Held, NoKind, NoEnd, BeforeHire, LeavesYet, StillEmployed, EndsElse, NoRules,
	Formula, DepartureOpen, LeftAlready, OutOfOrder, TooFar, ImmediateDates, LongOver, ChangedSince, NotPossible, Failed)

// lock locks an import for a change.
func lock(tx *database.Tx, id any) (models.Batch, error) {
	batch, err := database.First[models.Batch](tx.DB().Clauses(database.ForChange).Where("id = ?", id))
	return batch, database.Wrap("locking an import", err)
}
