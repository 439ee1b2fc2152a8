package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is a driver's error without its text: Postgres quotes the failing row in it.
type Error struct {
	// Code is the SQLSTATE, or empty if the database was not reached.
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
	if e.Code == "" {
		return "the database did not answer"
	}
	if e.Constraint != "" {
		return fmt.Sprintf("the database refused: SQLSTATE %s, constraint %s", e.Code, e.Constraint)
	}
	return fmt.Sprintf("the database refused: SQLSTATE %s", e.Code)
}

// Is lets callers compare with context errors without seeing the driver's text.
func (e *Error) Is(target error) bool {
	return (target == context.Canceled || target == context.DeadlineExceeded) && errors.Is(e.cause, target)
}

// Hide replaces a driver's error by one that carries only codes and names of constraints. Domain
// packages call it on every error that GORM or the driver returns.
func Hide(err error) error { return hide(err) }

func hide(err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) || errors.Is(err, ErrNotFound) {
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
	return e.Code == "" || slices.Contains([]string{codeLockTimeout, codeReadOnly, codeClosed, codeNoDatabase}, e.Code) ||
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

// Violates says whether err is a violation of the named unique index or constraint.
func Violates(err error, constraint string) bool {
	var e *Error
	return errors.As(err, &e) && e.Constraint == constraint
}
