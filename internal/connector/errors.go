package connector

import (
	"errors"
	"time"
)

// Code says what went wrong, as one of a fixed set that is safe to store, to log
// and to show.
type Code string

// The codes.
const (
	CodeUnauthorized   Code = "unauthorized"    // our credentials were refused
	CodeRateLimited    Code = "rate_limited"    // asked too often; see RetryAfter
	CodeUnavailable    Code = "unavailable"     // cannot be reached, or 5xx
	CodeTimeout        Code = "timeout"         // no answer in time; the effect may have happened
	CodeConnectionCut  Code = "connection_cut"  // cut while talking; the effect may have happened
	CodeConflict       Code = "conflict"        // refused because of the account's present state
	CodeBadAnswer      Code = "bad_answer"      // an answer that cannot be understood or believed
	CodeNotFound       Code = "not_found"       // no such account
	CodeIncompleteList Code = "incomplete_list" // a list that was or may have been cut
	CodeAmbiguous      Code = "ambiguous"       // more than one account, or contradicting keys
	CodeBadSnapshot    Code = "bad_snapshot"    // the snapshot is not one of this account and protocol
)

// Codes are all of them.
var Codes = []string{
	string(CodeUnauthorized), string(CodeRateLimited), string(CodeUnavailable), string(CodeTimeout), string(CodeConnectionCut), string(CodeConflict),
	string(CodeBadAnswer), string(CodeNotFound), string(CodeIncompleteList), string(CodeAmbiguous), string(CodeBadSnapshot),
}

// ErrNotFound is what errors of CodeNotFound are: errors.Is(err, ErrNotFound).
var ErrNotFound = &Error{Code: CodeNotFound}

// Error is the only kind of error that an implementation makes itself; besides
// it, the error of a fence passes through, wrapped. It never carries the remote
// system's text.
type Error struct {
	Code Code
	// RetryAfter is how long the system asked us to wait; zero if it did not say.
	RetryAfter time.Duration
	// Temporary means that the same call may succeed later without anybody
	// doing anything.
	Temporary bool
	// Status is the HTTP status of the answer that failed; 0: there was none.
	Status int
}

func (e *Error) Error() string { return "connector: " + string(e.Code) }

// Is makes two errors of the same code the same to errors.Is.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf returns the code of err, or "" if err is not a connector's error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
