package users

import (
	"errors"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/identity"
	"lethe/internal/operations"
)

var (
	codeThrottled        = httpkit.Code("too_many_tries", http.StatusTooManyRequests)
	codeNoLinks          = httpkit.Code("former_links_off", http.StatusConflict)
	codePersonLeft       = httpkit.Code("person_left", http.StatusConflict)
	codeAlreadyDelivered = httpkit.Code("already_delivered", http.StatusConflict)
)

func init() {
	httpkit.Explains(func(throttled *identity.ThrottledError) *httpkit.Problem {
		p := httpkit.NewProblem(codeThrottled)
		p.RetryAfter = throttled.RetryAfter
		return p
	})
	httpkit.Explains(func(err error) *httpkit.Problem {
		if !errors.Is(err, identity.ErrStepUpForm) {
			return nil
		}
		return httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.password", Code: httpkit.FieldOneOfTwo}, httpkit.FieldError{Location: "body.totp", Code: httpkit.FieldOneOfTwo})
	})
	httpkit.Explains(func(err error) *httpkit.Problem {
		if !errors.Is(err, identity.ErrCodeMissing) {
			return nil
		}
		return httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body.totp", Code: httpkit.FieldOneOfTwo}, httpkit.FieldError{Location: "body.recovery_code", Code: httpkit.FieldOneOfTwo})
	})
	httpkit.Refuses(identity.ErrTokenUnknown, httpkit.Code("token_unknown", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrTokenExpired, httpkit.Code("token_expired", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrTokenRevoked, httpkit.Code("token_revoked", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrSessionUnknown, httpkit.Code("session_unknown", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrUserEnded, httpkit.Code("user_ended", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrLoginFailed, httpkit.Code("login_failed", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrFormer, httpkit.Code("former_access_refused", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrNotLeft, httpkit.Code("former_not_left", http.StatusConflict))
	httpkit.Refuses(identity.ErrPersonPurged, httpkit.Code("former_data_deleted", http.StatusConflict))
	httpkit.Refuses(identity.ErrDocument, httpkit.CodeValidationFailed, "document")
	httpkit.Refuses(operations.ErrNoAddress, httpkit.Code("former_no_address", http.StatusConflict))
	httpkit.Refuses(identity.ErrBreakGlass, httpkit.Code("break_glass_refused", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrRoleNotGranted, httpkit.Code("role_not_granted", http.StatusForbidden), "role")
	httpkit.Refuses(identity.ErrRole, httpkit.Code("role_unknown", http.StatusUnprocessableEntity), "role")
	httpkit.Refuses(identity.ErrNoSuchUser, httpkit.Code("user_not_found", http.StatusNotFound))
	httpkit.Refuses(identity.ErrNoSuchPerson, httpkit.CodeEmployeeNotFound, "employee_id")
	httpkit.Refuses(identity.ErrLeft, codePersonLeft, "employee_id")
	httpkit.Refuses(identity.ErrOwnerLeft, codePersonLeft)
	httpkit.Refuses(identity.ErrLogin, httpkit.Code("login_malformed", http.StatusUnprocessableEntity), "login")
	httpkit.Refuses(identity.ErrLoginTaken, httpkit.Code("login_taken", http.StatusConflict), "login")
	httpkit.Refuses(identity.ErrSuspended, httpkit.Code("user_suspended", http.StatusConflict))
	httpkit.Refuses(identity.ErrUserDisabled, httpkit.Code("user_disabled", http.StatusConflict))
	httpkit.Refuses(identity.ErrEnrolment, httpkit.Code("enrolment_refused", http.StatusUnauthorized))
	httpkit.Refuses(identity.ErrNotYourHalf, httpkit.Code("enrolment_code_not_yours", http.StatusForbidden))
	httpkit.Refuses(identity.ErrAlreadyDelivered, codeAlreadyDelivered)
	httpkit.Refuses(identity.ErrCode, httpkit.Code("code_refused", http.StatusUnprocessableEntity), "totp")
	httpkit.Refuses(identity.ErrPasswordLength, httpkit.Code("password_length", http.StatusUnprocessableEntity))
	httpkit.Refuses(identity.ErrPasswordCommon, httpkit.Code("password_common", http.StatusUnprocessableEntity))
	httpkit.Refuses(identity.ErrPasswordContext, httpkit.Code("password_about_you", http.StatusUnprocessableEntity))
	httpkit.Refuses(identity.ErrTTL, httpkit.Code("token_ttl", http.StatusUnprocessableEntity), "expires_at")
	httpkit.Refuses(identity.ErrLabel, httpkit.CodeTextTooLong, "label")
	httpkit.Refuses(identity.ErrScope, httpkit.Code("scope_unknown", http.StatusUnprocessableEntity), "scopes")
	httpkit.Refuses(identity.ErrStepUpFailed, httpkit.Code("step_up_failed", http.StatusForbidden))
	httpkit.Refuses(identity.ErrStepUpRequired, httpkit.CodeStepUpRequired)
	httpkit.Refuses(identity.ErrBreakGlassMayNot, httpkit.CodeBreakGlassMayNot)
	httpkit.Refuses(identity.ErrSessionRequired, httpkit.CodeSessionRequired)
	httpkit.Refuses(identity.ErrNoProvider, httpkit.Code("oidc_not_configured", http.StatusNotFound))
	httpkit.Refuses(identity.ErrProviderDown, httpkit.Code("oidc_unavailable", http.StatusServiceUnavailable))
	httpkit.Refuses(identity.ErrProviderDenied, httpkit.Code("oidc_denied", http.StatusForbidden))
	httpkit.Refuses(identity.ErrProofRejected, httpkit.Code("oidc_proof_rejected", http.StatusForbidden))
	httpkit.Refuses(identity.ErrFlowUnknown, httpkit.Code("oidc_flow_unknown", http.StatusForbidden))
	httpkit.Refuses(identity.ErrNotLinked, httpkit.Code("oidc_not_linked", http.StatusForbidden))
	httpkit.Refuses(identity.ErrStaleLogin, httpkit.Code("oidc_login_stale", http.StatusForbidden))
	httpkit.Refuses(identity.ErrOtherLogin, httpkit.Code("oidc_other_login", http.StatusForbidden))
	httpkit.Refuses(identity.ErrSubjectTaken, httpkit.Code("oidc_subject_taken", http.StatusConflict), "subject")
	httpkit.Refuses(identity.ErrAlreadyLinked, httpkit.Code("oidc_already_linked", http.StatusConflict))
	httpkit.Refuses(identity.ErrSubject, httpkit.Code("oidc_subject_invalid", http.StatusUnprocessableEntity), "subject")
	httpkit.Refuses(identity.ErrLoginUnconfirmed, httpkit.Code("login_unconfirmed", http.StatusForbidden))
	httpkit.Refuses(identity.ErrNoSuchLink, httpkit.CodeNotFound)
}
