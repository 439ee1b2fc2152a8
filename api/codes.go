package api

import "net/http"

// The codes of problems: stable, part of the API. Each has a status here, and a title, a meaning
// and a hint in both languages in the catalogues of package i18n.
const (
	codeValidationFailed     = "validation_failed"
	codeBodyRequired         = "body_required"
	codeBodyTooLarge         = "body_too_large"
	codeBodyIncomplete       = "body_incomplete"
	codeInvalidJSON          = "invalid_json"
	codeInvalidUTF8          = "invalid_utf8"
	codeDuplicateKey         = "duplicate_key"
	codeTrailingData         = "trailing_data"
	codeUnknownField         = "unknown_field"
	codeUnknownQuery         = "unknown_query_parameter"
	codeUnsupportedMediaType = "unsupported_media_type"
	codeInvalidCursor        = "invalid_cursor"
	codeNotFound             = "not_found"
	codeMethodNotAllowed     = "method_not_allowed"
	codeInternal             = "internal"
	codeUnavailable          = "unavailable"
	codeChanged              = "changed_meanwhile"

	codeTokenMissing     = "token_missing"
	codeTokenUnknown     = "token_unknown"
	codeTokenExpired     = "token_expired"
	codeTokenRevoked     = "token_revoked"
	codeRoleNotAllowed   = "role_not_allowed"
	codeSamePerson       = "same_person"
	codeRejectedBySelf   = "rejected_by_yourself"
	codeOwnMatter        = "own_matter"
	codeIdempotencyKey   = "idempotency_key_invalid"
	codeIdempotencyReuse = "idempotency_key_reused"
	codeIdempotencyGone  = "idempotency_key_forgotten"

	codeEmployeeNotFound    = "employee_not_found"
	codeEmployeeExists      = "employee_exists"
	codeDepartmentNotFound  = "department_not_found"
	codeUnknownArchiveField = "unknown_archive_field"
	codeDataDestroyed       = "data_destroyed"
	codeUnderHold           = "under_hold"

	codeDepartureExists   = "departure_exists"
	codeFileDeleted       = "file_deleted"
	codeUnknownKind       = "unknown_kind"
	codeUnknownInitiator  = "unknown_initiator"
	codeNotACode          = "not_a_code"
	codeNotSupportedYet   = "not_supported_yet"
	codeLastDayMissing    = "last_working_day_missing"
	codeImmediateDates    = "immediate_with_dates"
	codeLastDayInPast     = "last_working_day_in_past"
	codeBeforeHire        = "before_hire_date"
	codeTooFarAhead       = "too_far_ahead"
	codeDatesOutOfOrder   = "dates_out_of_order"
	codeUnknownZone       = "unknown_time_zone"
	codeNoRetentionRules  = "no_retention_rules"
	codeApprovalRequired  = "approval_required"
	codeStageConflict     = "stage_conflict"
	codeConsentRequired   = "company_consent_required"
	codeEmploymentEnded   = "employment_ended"
	codePurgeBegan        = "purge_began"
	codeNoAnnulment       = "annulment_not_requested"
	codeRehired           = "rehired"
	codeCutoffPassed      = "cutoff_passed"
	codeTextTooLong       = "text_too_long"
	codeTextUnreadable    = "text_unreadable"
	codeUnknownSystem     = "unknown_system"
	codeAccountExists     = "account_exists"
	codeAccountDetached   = "account_detached"
	codeAccountOfAnother  = "account_of_another"
	codeNothingToUnlink   = "nothing_to_unlink"
	codeNothingToRelink   = "nothing_to_relink"
	codePurgeNotInReview  = "purge_not_in_review"
	codePurgeRejected     = "purge_rejected"
	codePurgeNotRejected  = "purge_not_rejected"
	codeExtensionTooShort = "extension_too_short"
	codeExtensionTooLong  = "extension_too_long"
	codeNotEarlier        = "dates_not_earlier"
	codeAccessEnded       = "access_ended"
	codeDepartureOwns     = "departure_owns_accounts"
	codeCaseClosed        = "case_closed"
	codeNoWaiverAsked     = "waiver_not_requested"
	codeAbortNotAllowed   = "abort_not_allowed"
	codeActionUnknown     = "unknown_action"
	codeUnlinkingRunning  = "unlinking_running"

	codeApprovalOpen      = "approval_open"
	codeApprovalEnded     = "approval_ended"
	codeApprovalExpired   = "approval_expired"
	codeApprovalVoid      = "approval_void"
	codeMadeByRequester   = "user_made_by_requester"
	codeMadeByDecider     = "requester_linked_by_decider"
	codeLoginUnconfirmed  = "login_unconfirmed"
	codeHostToken         = "token_issued_on_host"
	codeNotRequester      = "not_the_requester"
	codeHoldReleased      = "hold_released"
	codeHoldTooLate       = "hold_too_late"
	codeHoldScope         = "hold_scope_unclear"
	codeHoldPeriod        = "hold_period"
	codeHoldFilterUnknown = "hold_filter_unknown"
	codeUnknownCategory   = "unknown_category"
	codeOwnerUnconfirmed  = "owner_unconfirmed"
	codeRequesterEnded    = "requester_ended"

	codeTwoCredentials   = "two_credentials"
	codeSessionUnknown   = "session_unknown"
	codeUserEnded        = "user_ended"
	codeLoginFailed      = "login_failed"
	codeThrottled        = "too_many_tries"
	codeTooManyStreams   = "too_many_streams"
	codeScopeNotAllowed  = "scope_not_allowed"
	codeBreakGlassMayNot = "break_glass_not_allowed"
	codeBreakGlass       = "break_glass_refused"
	codeRoleNotGranted   = "role_not_granted"
	codeRoleUnknown      = "role_unknown"
	codeLoginForm        = "login_malformed"
	codeLoginTaken       = "login_taken"
	codeUserDisabled     = "user_disabled"
	codeEnrolment        = "enrolment_refused"
	codeEnrolmentHalf    = "enrolment_code_not_yours"
	codeAlreadyDelivered = "already_delivered"
	codeCodeRefused      = "code_refused"
	codePasswordLength   = "password_length"
	codePasswordCommon   = "password_common"
	codePasswordContext  = "password_about_you"
	codeTokenTTL         = "token_ttl"
	codeScopeUnknown     = "scope_unknown"
	codeUserNotFound     = "user_not_found"

	codeCrossOrigin       = "cross_origin_refused"
	codeStepUpRequired    = "step_up_required"
	codeSessionRequired   = "session_required"
	codeStepUpFailed      = "step_up_failed"
	codeOIDCNotConfigured = "oidc_not_configured"
	codeOIDCUnavailable   = "oidc_unavailable"
	codeOIDCDenied        = "oidc_denied"
	codeOIDCFlowUnknown   = "oidc_flow_unknown"
	codeOIDCProofRejected = "oidc_proof_rejected"
	codeOIDCNotLinked     = "oidc_not_linked"
	codeOIDCStale         = "oidc_login_stale"
	codeOIDCOtherLogin    = "oidc_other_login"
	codeOIDCSubjectTaken  = "oidc_subject_taken"
	codeOIDCAlreadyLinked = "oidc_already_linked"
	codeOIDCSubject       = "oidc_subject_invalid"

	codeSearchTooShort  = "search_too_short"
	codeSearchTooLong   = "search_too_long"
	codeSearchTerms     = "search_too_many_terms"
	codeSearchTooBroad  = "search_too_broad"
	codeRangeReversed   = "range_reversed"
	codeExportReason    = "export_reason"
	codeExportRange     = "export_range"
	codeExportBoth      = "export_filters_and_range"
	codeExportNotReady  = "export_not_ready"
	codeExportExpired   = "export_expired"
	codeExportPurged    = "export_purged"
	codeExportElsewhere = "export_not_here"
	codeTampered        = "ledger_tampered"
	codeNoCheckpoint    = "no_checkpoint_yet"
)

var statuses = map[string]int{
	codeSearchTooShort:  http.StatusUnprocessableEntity,
	codeSearchTooLong:   http.StatusUnprocessableEntity,
	codeSearchTerms:     http.StatusUnprocessableEntity,
	codeSearchTooBroad:  http.StatusUnprocessableEntity,
	codeRangeReversed:   http.StatusUnprocessableEntity,
	codeExportReason:    http.StatusUnprocessableEntity,
	codeExportRange:     http.StatusUnprocessableEntity,
	codeExportBoth:      http.StatusUnprocessableEntity,
	codeExportNotReady:  http.StatusConflict,
	codeExportExpired:   http.StatusGone,
	codeExportPurged:    http.StatusGone,
	codeExportElsewhere: http.StatusServiceUnavailable,
	codeTampered:        http.StatusInternalServerError,
	codeNoCheckpoint:    http.StatusServiceUnavailable,

	codeValidationFailed:     http.StatusUnprocessableEntity,
	codeBodyRequired:         http.StatusBadRequest,
	codeBodyTooLarge:         http.StatusRequestEntityTooLarge,
	codeBodyIncomplete:       http.StatusBadRequest,
	codeInvalidJSON:          http.StatusBadRequest,
	codeInvalidUTF8:          http.StatusBadRequest,
	codeDuplicateKey:         http.StatusBadRequest,
	codeTrailingData:         http.StatusBadRequest,
	codeUnknownField:         http.StatusUnprocessableEntity,
	codeUnknownQuery:         http.StatusUnprocessableEntity,
	codeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	codeInvalidCursor:        http.StatusUnprocessableEntity,
	codeNotFound:             http.StatusNotFound,
	codeMethodNotAllowed:     http.StatusMethodNotAllowed,
	codeInternal:             http.StatusInternalServerError,
	codeUnavailable:          http.StatusServiceUnavailable,
	codeChanged:              http.StatusConflict,

	codeTokenMissing:     http.StatusUnauthorized,
	codeTokenUnknown:     http.StatusUnauthorized,
	codeTokenExpired:     http.StatusUnauthorized,
	codeTokenRevoked:     http.StatusUnauthorized,
	codeRoleNotAllowed:   http.StatusForbidden,
	codeSamePerson:       http.StatusForbidden,
	codeRejectedBySelf:   http.StatusForbidden,
	codeOwnMatter:        http.StatusForbidden,
	codeIdempotencyKey:   http.StatusUnprocessableEntity,
	codeIdempotencyReuse: http.StatusUnprocessableEntity,
	codeIdempotencyGone:  http.StatusConflict,

	codeEmployeeNotFound:    http.StatusNotFound,
	codeEmployeeExists:      http.StatusConflict,
	codeDepartmentNotFound:  http.StatusUnprocessableEntity,
	codeUnknownArchiveField: http.StatusUnprocessableEntity,
	codeDataDestroyed:       http.StatusConflict,
	codeUnderHold:           http.StatusConflict,

	codeDepartureExists:   http.StatusConflict,
	codeFileDeleted:       http.StatusConflict,
	codeUnknownKind:       http.StatusUnprocessableEntity,
	codeUnknownInitiator:  http.StatusUnprocessableEntity,
	codeNotACode:          http.StatusUnprocessableEntity,
	codeNotSupportedYet:   http.StatusUnprocessableEntity,
	codeLastDayMissing:    http.StatusUnprocessableEntity,
	codeImmediateDates:    http.StatusUnprocessableEntity,
	codeLastDayInPast:     http.StatusUnprocessableEntity,
	codeBeforeHire:        http.StatusUnprocessableEntity,
	codeTooFarAhead:       http.StatusUnprocessableEntity,
	codeDatesOutOfOrder:   http.StatusUnprocessableEntity,
	codeUnknownZone:       http.StatusUnprocessableEntity,
	codeNoRetentionRules:  http.StatusUnprocessableEntity,
	codeApprovalRequired:  http.StatusConflict,
	codeStageConflict:     http.StatusConflict,
	codeConsentRequired:   http.StatusUnprocessableEntity,
	codeEmploymentEnded:   http.StatusConflict,
	codePurgeBegan:        http.StatusConflict,
	codeNoAnnulment:       http.StatusConflict,
	codeRehired:           http.StatusConflict,
	codeCutoffPassed:      http.StatusConflict,
	codeTextTooLong:       http.StatusUnprocessableEntity,
	codeTextUnreadable:    http.StatusUnprocessableEntity,
	codeUnknownSystem:     http.StatusUnprocessableEntity,
	codeAccountExists:     http.StatusConflict,
	codeAccountDetached:   http.StatusConflict,
	codeAccountOfAnother:  http.StatusConflict,
	codeNothingToUnlink:   http.StatusConflict,
	codeNothingToRelink:   http.StatusConflict,
	codePurgeNotInReview:  http.StatusConflict,
	codePurgeRejected:     http.StatusConflict,
	codePurgeNotRejected:  http.StatusConflict,
	codeExtensionTooShort: http.StatusUnprocessableEntity,
	codeExtensionTooLong:  http.StatusUnprocessableEntity,
	codeNotEarlier:        http.StatusUnprocessableEntity,
	codeAccessEnded:       http.StatusConflict,
	codeDepartureOwns:     http.StatusConflict,
	codeCaseClosed:        http.StatusConflict,
	codeNoWaiverAsked:     http.StatusConflict,
	codeAbortNotAllowed:   http.StatusConflict,
	codeActionUnknown:     http.StatusUnprocessableEntity,
	codeUnlinkingRunning:  http.StatusConflict,

	codeApprovalOpen:      http.StatusConflict,
	codeApprovalEnded:     http.StatusConflict,
	codeApprovalExpired:   http.StatusConflict,
	codeApprovalVoid:      http.StatusConflict,
	codeMadeByRequester:   http.StatusForbidden,
	codeMadeByDecider:     http.StatusForbidden,
	codeLoginUnconfirmed:  http.StatusForbidden,
	codeHostToken:         http.StatusForbidden,
	codeNotRequester:      http.StatusForbidden,
	codeHoldReleased:      http.StatusConflict,
	codeHoldTooLate:       http.StatusConflict,
	codeHoldScope:         http.StatusUnprocessableEntity,
	codeHoldPeriod:        http.StatusUnprocessableEntity,
	codeHoldFilterUnknown: http.StatusUnprocessableEntity,
	codeUnknownCategory:   http.StatusUnprocessableEntity,
	codeOwnerUnconfirmed:  http.StatusForbidden,
	codeRequesterEnded:    http.StatusConflict,

	codeTwoCredentials:   http.StatusBadRequest,
	codeSessionUnknown:   http.StatusUnauthorized,
	codeUserEnded:        http.StatusUnauthorized,
	codeLoginFailed:      http.StatusUnauthorized,
	codeThrottled:        http.StatusTooManyRequests,
	codeTooManyStreams:   http.StatusTooManyRequests,
	codeScopeNotAllowed:  http.StatusForbidden,
	codeBreakGlassMayNot: http.StatusForbidden,
	codeBreakGlass:       http.StatusUnauthorized,
	codeRoleNotGranted:   http.StatusForbidden,
	codeRoleUnknown:      http.StatusUnprocessableEntity,
	codeLoginForm:        http.StatusUnprocessableEntity,
	codeLoginTaken:       http.StatusConflict,
	codeUserDisabled:     http.StatusConflict,
	codeEnrolment:        http.StatusUnauthorized,
	codeEnrolmentHalf:    http.StatusForbidden,
	codeAlreadyDelivered: http.StatusConflict,
	codeCodeRefused:      http.StatusUnprocessableEntity,
	codePasswordLength:   http.StatusUnprocessableEntity,
	codePasswordCommon:   http.StatusUnprocessableEntity,
	codePasswordContext:  http.StatusUnprocessableEntity,
	codeTokenTTL:         http.StatusUnprocessableEntity,
	codeScopeUnknown:     http.StatusUnprocessableEntity,
	codeUserNotFound:     http.StatusNotFound,

	codeCrossOrigin:       http.StatusForbidden,
	codeStepUpRequired:    http.StatusForbidden,
	codeSessionRequired:   http.StatusForbidden,
	codeStepUpFailed:      http.StatusForbidden,
	codeOIDCNotConfigured: http.StatusNotFound,
	codeOIDCUnavailable:   http.StatusServiceUnavailable,
	codeOIDCDenied:        http.StatusForbidden,
	codeOIDCFlowUnknown:   http.StatusForbidden,
	codeOIDCProofRejected: http.StatusForbidden,
	codeOIDCNotLinked:     http.StatusForbidden,
	codeOIDCStale:         http.StatusForbidden,
	codeOIDCOtherLogin:    http.StatusForbidden,
	codeOIDCSubjectTaken:  http.StatusConflict,
	codeOIDCAlreadyLinked: http.StatusConflict,
	codeOIDCSubject:       http.StatusUnprocessableEntity,
}

// The codes of single fields that are not codes of a problem themselves.
const (
	fieldRequired   = "required"
	fieldWrongType  = "wrong_type"
	fieldNotAllowed = "not_allowed"
	fieldTooLong    = "too_long"
	fieldTooShort   = "too_short"
	fieldOutOfRange = "out_of_range"
	fieldFormat     = "format"
	fieldInvalid    = "invalid"
	fieldNotText    = "not_text"
	fieldRepeated   = "repeated"
	fieldMalformed  = "malformed"
	fieldUnknown    = "unknown"
	fieldReadOnly   = "read_only"
	fieldMismatch   = "mismatch"
	fieldTooEarly   = "too_early"
	fieldOneOfTwo   = "one_of_two"
)

var fieldCodes = []string{
	fieldRequired, fieldWrongType, fieldNotAllowed, fieldTooLong, fieldTooShort, fieldOutOfRange, fieldFormat, fieldInvalid,
	fieldNotText, fieldRepeated, fieldMalformed, fieldUnknown, fieldReadOnly, fieldMismatch, fieldTooEarly, fieldOneOfTwo,
}
