package api

import (
	"context"
	"errors"
	"log/slog"

	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
)

// refusals maps the domain's errors to problems: the one place where that is done. field, if any,
// is the field of the body that the caller should look at.
var refusals = []struct {
	err   error
	code  string
	field string
}{
	{identity.ErrTokenUnknown, codeTokenUnknown, ""},
	{identity.ErrTokenExpired, codeTokenExpired, ""},
	{identity.ErrTokenRevoked, codeTokenRevoked, ""},

	{departure.ErrEmployeeNotFound, codeEmployeeNotFound, "employee_id"},
	{departure.ErrNotFound, codeNotFound, ""},
	{departure.ErrUnknownKind, codeUnknownKind, "kind"},
	{departure.ErrUnknownInitiator, codeUnknownInitiator, "initiator"},
	{departure.ErrNotSupportedYet, codeNotSupportedYet, ""},
	{departure.ErrLastDayMissing, codeLastDayMissing, "last_working_day"},
	{departure.ErrImmediateDates, codeImmediateDates, "immediate"},
	{departure.ErrLastDayInPast, codeLastDayInPast, "last_working_day"},
	{departure.ErrBeforeHire, codeBeforeHire, "last_working_day"},
	{departure.ErrTooFarAhead, codeTooFarAhead, ""},
	{departure.ErrDatesOutOfOrder, codeDatesOutOfOrder, ""},
	{departure.ErrUnknownZone, codeUnknownZone, "time_zone"},
	{departure.ErrNoRules, codeNoRetentionRules, ""},
	{departure.ErrApprovalRequired, codeApprovalRequired, ""},
	{departure.ErrStage, codeStageConflict, ""},
	{departure.ErrConsentRequired, codeConsentRequired, "company_consent"},
	{departure.ErrEnded, codeEmploymentEnded, ""},
	{departure.ErrPurgeBegan, codePurgeBegan, ""},
	{departure.ErrNoAnnulment, codeNoAnnulment, ""},
	{departure.ErrSamePerson, codeSamePerson, ""},
	{departure.ErrSubject, codeOwnMatter, ""},
	{departure.ErrRehired, codeRehired, ""},
	{departure.ErrCutoffPassed, codeCutoffPassed, "access_cutoff_at"},
	{departure.ErrTextTooLong, codeTextTooLong, ""},
	{departure.ErrUnreadableText, codeTextUnreadable, ""},

	{database.ErrNotFound, codeNotFound, ""},
	{database.ErrChanged, codeChanged, ""},
}

// problemOf is what a caller is told about an error. What nobody expected is logged and told as
// internal; its text stays here.
func problemOf(ctx context.Context, err error) *Problem {
	var own *Problem
	if errors.As(err, &own) {
		return own
	}
	var exists *departure.ExistsError
	if errors.As(err, &exists) {
		p := at("employee_id", codeDepartureExists)
		p.Location = departureAddress(exists.ID)
		return p
	}
	for _, r := range refusals {
		if !errors.Is(err, r.err) {
			continue
		}
		if r.field != "" {
			return at(r.field, r.code)
		}
		return problem(r.code)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || unreached(err) {
		slog.WarnContext(ctx, "request not served", "request_id", requestIDOf(ctx), "error", err.Error())
		return problem(codeUnavailable)
	}
	slog.ErrorContext(ctx, "request failed", "request_id", requestIDOf(ctx), "error", err.Error())
	return problem(codeInternal)
}

// unreached says that the database did not answer.
func unreached(err error) bool {
	var e *database.Error
	return errors.As(err, &e) && e.Code == ""
}
