package api

import (
	"context"
	"errors"
	"log/slog"

	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
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
	{identity.ErrSessionUnknown, codeSessionUnknown, ""},
	{identity.ErrUserEnded, codeUserEnded, ""},
	{identity.ErrLoginFailed, codeLoginFailed, ""},
	{identity.ErrBreakGlass, codeBreakGlass, ""},
	{identity.ErrRoleNotGranted, codeRoleNotGranted, "role"},
	{identity.ErrRole, codeRoleUnknown, "role"},
	{identity.ErrNoSuchUser, codeUserNotFound, ""},
	{identity.ErrNoSuchPerson, codeEmployeeNotFound, "employee_id"},
	{identity.ErrLogin, codeLoginForm, "login"},
	{identity.ErrLoginTaken, codeLoginTaken, "login"},
	{identity.ErrUserDisabled, codeUserDisabled, ""},
	{identity.ErrEnrolment, codeEnrolment, ""},
	{identity.ErrNotYourHalf, codeEnrolmentHalf, ""},
	{identity.ErrAlreadyDelivered, codeAlreadyDelivered, ""},
	{identity.ErrCode, codeCodeRefused, "totp"},
	{identity.ErrPasswordLength, codePasswordLength, ""},
	{identity.ErrPasswordCommon, codePasswordCommon, ""},
	{identity.ErrPasswordContext, codePasswordContext, ""},
	{identity.ErrTTL, codeTokenTTL, "expires_at"},
	{identity.ErrLabel, codeTextTooLong, "label"},
	{identity.ErrScope, codeScopeUnknown, "scopes"},

	{identity.ErrStepUpFailed, codeStepUpFailed, ""},
	{identity.ErrStepUpRequired, codeStepUpRequired, ""},
	{identity.ErrBreakGlassMayNot, codeBreakGlassMayNot, ""},
	{identity.ErrSessionRequired, codeSessionRequired, ""},
	{identity.ErrNoProvider, codeOIDCNotConfigured, ""},
	{identity.ErrProviderDown, codeOIDCUnavailable, ""},
	{identity.ErrProviderDenied, codeOIDCDenied, ""},
	{identity.ErrProofRejected, codeOIDCProofRejected, ""},
	{identity.ErrFlowUnknown, codeOIDCFlowUnknown, ""},
	{identity.ErrNotLinked, codeOIDCNotLinked, ""},
	{identity.ErrStaleLogin, codeOIDCStale, ""},
	{identity.ErrOtherLogin, codeOIDCOtherLogin, ""},
	{identity.ErrSubjectTaken, codeOIDCSubjectTaken, "subject"},
	{identity.ErrAlreadyLinked, codeOIDCAlreadyLinked, ""},
	{identity.ErrSubject, codeOIDCSubject, "subject"},
	{identity.ErrLoginUnconfirmed, codeLoginUnconfirmed, ""},
	{identity.ErrNoSuchLink, codeNotFound, ""},

	{departure.ErrEmployeeNotFound, codeEmployeeNotFound, "employee_id"},
	{departure.ErrNotFound, codeNotFound, ""},
	{departure.ErrUnknownKind, codeUnknownKind, "kind"},
	{departure.ErrNotACode, codeNotACode, "reason_code"},
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
	{departure.ErrNotEarlier, codeNotEarlier, "last_working_day"},
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

	{archive.ErrEmployeeNoTaken, codeEmployeeExists, "employee_no"},
	{archive.ErrStillEmployed, codeEmployeeExists, "employee_no"},
	{archive.ErrApprovalRequired, codeApprovalRequired, ""},
	{archive.ErrOwnFile, codeOwnMatter, ""},
	{archive.ErrPurged, codeDataDestroyed, ""},
	{archive.ErrHeld, codeUnderHold, "fields"},
	{archive.ErrIllegalStatus, codeStageConflict, ""},
	{vault.ErrPurged, codeDataDestroyed, ""},

	{account.ErrAccessEnded, codeAccessEnded, ""},
	{account.ErrAlreadyLinked, codeAccountExists, ""},
	{account.ErrDetached, codeAccountDetached, "external_id"},
	{account.ErrOfAnother, codeAccountOfAnother, "external_id"},
	{account.ErrDepartureOwns, codeDepartureOwns, ""},
	{account.ErrCaseClosed, codeCaseClosed, ""},
	{account.ErrNoWaiverAsked, codeNoWaiverAsked, ""},
	{account.ErrSamePerson, codeSamePerson, ""},
	{account.ErrOwnAccount, codeOwnMatter, ""},
	{account.ErrRoleMayNot, codeRoleNotAllowed, ""},
	{account.ErrAbortNotAllowed, codeAbortNotAllowed, "action"},
	{account.ErrUnknownAction, codeActionUnknown, "action"},
	{account.ErrNothingToUnlink, codeNothingToUnlink, ""},
	{account.ErrNothingToUndo, codeNothingToRelink, "unlinking_id"},

	{retention.ErrApprovalRequired, codeApprovalRequired, ""},
	{retention.ErrPurgeBegan, codePurgeBegan, ""},
	{retention.ErrNotInReview, codePurgeNotInReview, ""},
	{retention.ErrRejected, codePurgeRejected, ""},
	{retention.ErrNotRejected, codePurgeNotRejected, ""},
	{retention.ErrUntilPast, codeExtensionTooShort, "until"},
	{retention.ErrAboveCeiling, codeExtensionTooLong, "until"},
	{retention.ErrUnknownDecision, codeValidationFailed, "decision"},
	{retention.ErrRoleMayNot, codeRoleNotAllowed, ""},
	{retention.ErrSubject, codeOwnMatter, ""},
	{retention.ErrReachesOneself, codeOwnMatter, ""},
	{retention.ErrRejecter, codeRejectedBySelf, ""},
	{retention.ErrSamePerson, codeSamePerson, ""},

	{retention.ErrHoldReleased, codeHoldReleased, ""},
	{retention.ErrHoldScope, codeHoldScope, "employee_id"},
	{retention.ErrHoldPeriod, codeHoldPeriod, "query.left_to"},
	{retention.ErrHoldEntity, codeHoldFilterUnknown, "query.legal_entity_id"},
	{retention.ErrHoldDepartment, codeHoldFilterUnknown, "query.department_id"},
	{retention.ErrUnknownCategory, codeUnknownCategory, "categories"},

	{approval.ErrSessionRequired, codeSessionRequired, ""},
	{approval.ErrStepUpRequired, codeStepUpRequired, ""},
	{approval.ErrUnknownDecision, codeValidationFailed, "decision"},
	{approval.ErrSamePerson, codeSamePerson, ""},
	{approval.ErrSubject, codeOwnMatter, ""},
	{approval.ErrMadeByRequester, codeMadeByRequester, ""},
	{approval.ErrMadeByDecider, codeMadeByDecider, ""},
	{approval.ErrOwnerUnconfirmed, codeOwnerUnconfirmed, ""},
	{approval.ErrHostToken, codeHostToken, ""},
	{approval.ErrRoleMayNot, codeRoleNotAllowed, ""},
	{approval.ErrBreakGlass, codeBreakGlassMayNot, ""},
	{approval.ErrNotRequester, codeNotRequester, ""},
	{approval.ErrTextTooLong, codeTextTooLong, ""},
	{approval.ErrUnreadableText, codeTextUnreadable, ""},

	{evidence.ErrReason, codeExportReason, "reason"},
	{evidence.ErrUnknown, codeValidationFailed, "formats"},
	{evidence.ErrRange, codeExportRange, "range"},
	{evidence.ErrEpoch, codeExportRange, "range.epoch"},
	{evidence.ErrBothChosen, codeExportBoth, "range"},
	{evidence.ErrNotReady, codeExportNotReady, ""},
	{evidence.ErrExpired, codeExportExpired, ""},
	{evidence.ErrPurged, codeExportPurged, ""},
	{evidence.ErrMissing, codeExportElsewhere, ""},
	{ledger.ErrTampered, codeTampered, ""},
	{ledger.ErrInconsistent, codeTampered, ""},
	{ledger.ErrNotSequenced, codeNoCheckpoint, ""},

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
		code := codeDepartureExists
		if exists.Stage == models.StagePurged {
			code = codeFileDeleted
		}
		p := at("employee_id", code)
		p.Location = addressOf(models.RefDeparture, exists.ID)
		return p
	}
	var past *departure.PastError
	if errors.As(err, &past) {
		p := at("last_working_day", codeLastDayInPast)
		p.DaysBack = past.Days
		return p
	}
	if errors.Is(err, identity.ErrStepUpForm) {
		return problem(codeValidationFailed, FieldError{Location: "body.password", Code: fieldOneOfTwo}, FieldError{Location: "body.totp", Code: fieldOneOfTwo})
	}
	var running *account.AlreadyRunningError
	if errors.As(err, &running) {
		p := problem(codeUnlinkingRunning)
		p.Location = addressOf(models.RefUnlinking, running.OperationID)
		return p
	}
	var throttled *identity.ThrottledError
	if errors.As(err, &throttled) {
		p := problem(codeThrottled)
		p.RetryAfter = throttled.RetryAfter
		return p
	}
	var open *approval.OpenError
	if errors.As(err, &open) {
		p := problem(codeApprovalOpen)
		p.Location = addressOf(models.RefApproval, open.ID)
		return p
	}
	var ended *approval.EndedError
	if errors.As(err, &ended) {
		return overtakenProblem(ended.ID, ended.State)
	}
	var role *approval.RoleError
	if errors.As(err, &role) {
		p := problem(codeRoleNotAllowed)
		p.AllowedRoles = role.Deciders
		return p
	}
	var late *retention.TooLateError
	if errors.As(err, &late) {
		return problem(codeHoldTooLate)
	}
	var noRules *retention.MissingRulesError
	if errors.As(err, &noRules) {
		return problem(codeNoRetentionRules)
	}
	if p := invalidFile("body.", err); p != nil {
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
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || database.Unavailable(err) {
		slog.WarnContext(ctx, "request not served", "request_id", requestIDOf(ctx), "error", err.Error())
		return problem(codeUnavailable)
	}
	slog.ErrorContext(ctx, "request failed", "request_id", requestIDOf(ctx), "error", err.Error())
	return problem(codeInternal)
}

// located tells where the values are that the archive refuses, if not in the body.
func located(place string, err error) error {
	if p := invalidFile(place, err); p != nil {
		return p
	}
	return err
}

// ownCodes are the refusals of single values that have a problem's code of their own.
var ownCodes = map[archive.Invalid]string{
	{Location: "department_id", Code: archive.CodeUnknown}: codeDepartmentNotFound,
	{Location: "time_zone", Code: archive.CodeUnknown}:     codeUnknownZone,
}

// invalidFile is the problem of values that the archive refuses; nil if err is about something else.
func invalidFile(place string, err error) *Problem {
	var refused *archive.InvalidError
	if !errors.As(err, &refused) {
		return nil
	}
	p := problem(codeValidationFailed)
	for _, i := range refused.Problems {
		code := i.Code
		if own, ok := ownCodes[i]; ok {
			code = own
		} else if code == archive.CodeUnknownField {
			code = codeUnknownArchiveField
		}
		p.Errors = append(p.Errors, FieldError{Location: place + i.Location, Code: code})
		if status, ok := statuses[code]; ok {
			p.Code, p.Status = code, status
		}
	}
	return p
}
