package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is a driver's error without its text: Postgres quotes the failing row in it.
type Error struct {
	// Code is the SQLSTATE, or empty if the database refused nothing: it was not reached, or we could not
	// use what it answered, or put what we asked.
	Code string
	// Constraint is the name of the violated constraint or index, if any.
	Constraint string
	cause      error
}

// SQLSTATEs that the project raises itself (migrations) or acts on.
const (
	CodeIllegalTransition = "LT001"
	CodeTooEarly          = "LT002"
	CodeAppendOnly        = "LT003"
	CodeUnproven          = "LT004"
	CodeNotPurgeable      = "LT005"
	CodeKeyDestroyed      = "LT006"
	CodeUntimely          = "LT007" // an approval after its expiry, or an expiry before its time
	CodeUnrecorded        = "LT013" // a fact without its ledger entry
	CodeUniqueViolation   = "23505"
	CodeCheckViolation    = "23514"
	codeSerialization     = "40001"
	codeDeadlock          = "40P01"
	codeLockTimeout       = "55P03"
	codeReadOnly          = "25006"
	codeClosed            = "55000" // a database that takes no connections
	codeNoDatabase        = "3D000"
	codeDenied            = "42501"
	codeNoTable           = "42P01"
	codeRolesMissing      = "LT014"
)

func (e *Error) Error() string {
	switch {
	case e.Code != "":
	case e.unreached():
		return "the database did not answer"
	default:
		return "what the database was asked, or answered, could not be used"
	}
	if e.Constraint != "" {
		return fmt.Sprintf("the database refused: SQLSTATE %s, constraint %s", e.Code, e.Constraint)
	}
	return fmt.Sprintf("the database refused: SQLSTATE %s", e.Code)
}

// unreached says whether the database was not reached, or went away, in contrast to a fault of ours such as
// a value that does not fit its column.
func (e *Error) unreached() bool {
	if e.Code != "" {
		return false
	}
	for _, gone := range []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
	} {
		if errors.Is(e.cause, gone) {
			return true
		}
	}
	var network net.Error
	var connecting *pgconn.ConnectError
	return errors.As(e.cause, &network) || errors.As(e.cause, &connecting) || pgconn.SafeToRetry(e.cause) ||
		e.cause != nil && e.cause.Error() == "sql: database is closed" // the library names it nowhere
}

// Is lets callers compare with context errors without seeing the driver's text.
func (e *Error) Is(target error) bool {
	return (target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(e.cause, target)
}

// Hide replaces a driver's error by one that carries only codes and names of constraints. Domain
// packages call it on every error that GORM or the driver returns.
func Hide(err error) error { return hide(err) }

// Wrap is [Hide], and says what was being done: "reading a person". Nil stays nil.
func Wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, hide(err))
}

// Found is [Wrap] for one row that was read; that there is none is the caller's own error for it.
func Found(doing string, err, none error) error {
	if errors.Is(err, ErrNotFound) {
		return none
	}
	return Wrap(doing, err)
}

func hide(err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrChanged) {
		return err
	}
	e := &Error{cause: err}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e.Code, e.Constraint = pg.Code, pg.ConstraintName
		e.cause = nil
	}
	return e
}

// Unavailable says that the database cannot do now what it could do before or later, through no
// fault of the request: it is not reached, shuts down or starts (class 57P), lacks room, memory or
// connections (class 53), takes no changes, holds a lock for longer than a request may wait, or is closed
// or away while somebody restores it.
func Unavailable(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	return e.unreached() || slices.Contains([]string{codeLockTimeout, codeReadOnly, codeClosed, codeNoDatabase}, e.Code) ||
		strings.HasPrefix(e.Code, "53") || strings.HasPrefix(e.Code, "57P") || strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "58")
}

// Code is the SQLSTATE of err, or "".
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Refused says that the database refused what was written, by a constraint or by one of its own rules.
func Refused(err error) bool {
	code := Code(err)
	return strings.HasPrefix(code, "23") || strings.HasPrefix(code, "LT")
}

// Violates says whether err is a violation of the named unique index or constraint.
func Violates(err error, constraint string) bool {
	var e *Error
	return errors.As(err, &e) && e.Constraint == constraint
}
