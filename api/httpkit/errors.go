package httpkit

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/textform"
)

// Statuses are the declared codes with their HTTP statuses.
var Statuses = map[string]int{}

// Code makes a code of a problem known: stable, part of the API. Its title, meaning and hint are in the catalogues
// of package i18n.
func Code(code string, status int) string {
	if _, twice := Statuses[code]; twice {
		panic("a code is declared twice: " + code)
	}
	Statuses[code] = status
	return code
}

// mapped says with which problem an error of a domain is answered.
type mapped struct {
	err   error
	code  string
	field string
}

var (
	mappings = []mapped{
		{err: textform.ErrTooLong, code: CodeTextTooLong}, {err: textform.ErrUnreadable, code: CodeTextUnreadable},
	}
	explanations []func(err error) *Problem
)

// Refuses answers an error with a problem of a code that is declared. field, if given, is the field of the body that the
// caller should look at.
func Refuses(err error, code string, field ...string) {
	mappings = append(mappings, mapped{err, code, strings.Join(field, ".")})
}

// Explains answers errors of a type that carry more than what they are: explain makes the problem, or nil if it does not
// know the error. It is asked before what refuses says.
func Explains[E error](explain func(err E) *Problem) {
	explanations = append(explanations, func(err error) *Problem {
		var own E
		if !errors.As(err, &own) {
			return nil
		}
		return explain(own)
	})
}

func init() {
	Explains(func(e *invalid.ValuesError) *Problem {
		p := NewProblem(CodeValidationFailed)
		for _, v := range e.Problems {
			p.Errors = append(p.Errors, FieldError{Location: "body." + v.Location, Code: v.Code, Allowed: v.Allowed})
		}
		return p
	})
}

// ProblemOf is what a caller is told about an error. What nobody expected is logged and told as internal; its text
// stays here.
func ProblemOf(ctx context.Context, err error) *Problem {
	var own *Problem
	if errors.As(err, &own) {
		return own
	}
	for _, explain := range explanations {
		if p := explain(err); p != nil {
			return p
		}
	}
	for _, r := range mappings {
		switch {
		case !errors.Is(err, r.err):
		case r.field != "":
			return AtField(r.field, r.code)
		default:
			return NewProblem(r.code)
		}
	}
	switch {
	case errors.Is(err, database.ErrNotFound):
		return NewProblem(CodeNotFound)
	case errors.Is(err, database.ErrChanged):
		return NewProblem(codeChanged)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), database.Unavailable(err):
		slog.WarnContext(ctx, "request not served", "request_id", RequestIDOf(ctx), "error", err.Error())
		return NewProblem(codeUnavailable)
	}
	slog.ErrorContext(ctx, "request failed", "request_id", RequestIDOf(ctx), "error", err.Error())
	return NewProblem(codeInternal)
}
