package httpkit

import "net/http"

// The codes of problems that are nobody's in particular, or several resources'. Each has a title, a meaning and a hint in
// both languages in the catalogues of package i18n.
var (
	CodeValidationFailed     = Code("validation_failed", http.StatusUnprocessableEntity)
	codeBodyRequired         = Code("body_required", http.StatusBadRequest)
	codeBodyTooLarge         = Code("body_too_large", http.StatusRequestEntityTooLarge)
	codeBodyIncomplete       = Code("body_incomplete", http.StatusBadRequest)
	codeInvalidJSON          = Code("invalid_json", http.StatusBadRequest)
	codeInvalidUTF8          = Code("invalid_utf8", http.StatusBadRequest)
	codeDuplicateKey         = Code("duplicate_key", http.StatusBadRequest)
	codeTrailingData         = Code("trailing_data", http.StatusBadRequest)
	codeUnknownField         = Code("unknown_field", http.StatusUnprocessableEntity)
	codeUnknownQuery         = Code("unknown_query_parameter", http.StatusUnprocessableEntity)
	codeUnsupportedMediaType = Code("unsupported_media_type", http.StatusUnsupportedMediaType)
	codeInvalidCursor        = Code("invalid_cursor", http.StatusUnprocessableEntity)
	CodeNotFound             = Code("not_found", http.StatusNotFound)
	codeMethodNotAllowed     = Code("method_not_allowed", http.StatusMethodNotAllowed)
	codeInternal             = Code("internal", http.StatusInternalServerError)
	codeUnavailable          = Code("unavailable", http.StatusServiceUnavailable)
	codeChanged              = Code("changed_meanwhile", http.StatusConflict)
	codeTokenMissing         = Code("token_missing", http.StatusUnauthorized)
	CodeRoleNotAllowed       = Code("role_not_allowed", http.StatusForbidden)
	CodeSamePerson           = Code("same_person", http.StatusForbidden)
	CodeOwnMatter            = Code("own_matter", http.StatusForbidden)
	codeIdempotencyKey       = Code("idempotency_key_invalid", http.StatusUnprocessableEntity)
	codeIdempotencyReuse     = Code("idempotency_key_reused", http.StatusUnprocessableEntity)
	codeIdempotencyGone      = Code("idempotency_key_forgotten", http.StatusConflict)
	CodeEmployeeNotFound     = Code("employee_not_found", http.StatusNotFound)
	CodeUnknownZone          = Code("unknown_time_zone", http.StatusUnprocessableEntity)
	CodeNoRetentionRules     = Code("no_retention_rules", http.StatusUnprocessableEntity)
	CodeApprovalRequired     = Code("approval_required", http.StatusConflict)
	CodeStageConflict        = Code("stage_conflict", http.StatusConflict)
	CodePurgeBegan           = Code("purge_began", http.StatusConflict)
	CodeTextTooLong          = Code("text_too_long", http.StatusUnprocessableEntity)
	CodeTextUnreadable       = Code("text_unreadable", http.StatusUnprocessableEntity)
	codeTwoCredentials       = Code("two_credentials", http.StatusBadRequest)
	codeOtherPerson          = Code("session_of_another", http.StatusUnauthorized)
	codeTooManyStreams       = Code("too_many_streams", http.StatusTooManyRequests)
	codeScopeNotAllowed      = Code("scope_not_allowed", http.StatusForbidden)
	CodeBreakGlassMayNot     = Code("break_glass_not_allowed", http.StatusForbidden)
	codeFormerMayNot         = Code("former_not_allowed", http.StatusForbidden)
	CodeCrossOrigin          = Code("cross_origin_refused", http.StatusForbidden)
	CodeStepUpRequired       = Code("step_up_required", http.StatusForbidden)
	CodeSessionRequired      = Code("session_required", http.StatusForbidden)
	CodeRangeReversed        = Code("range_reversed", http.StatusUnprocessableEntity)
)

// The codes of single fields that are not codes of a problem themselves.
const (
	FieldRequired   = "required"
	fieldWrongType  = "wrong_type"
	FieldNotAllowed = "not_allowed"
	fieldTooLong    = "too_long"
	fieldTooShort   = "too_short"
	fieldOutOfRange = "out_of_range"
	FieldFormat     = "format"
	fieldInvalid    = "invalid"
	FieldNotText    = "not_text"
	FieldRepeated   = "repeated"
	FieldMalformed  = "malformed"
	FieldEmpty      = "empty"
	fieldUnknown    = "unknown"
	fieldReadOnly   = "read_only"
	fieldMismatch   = "mismatch"
	FieldTooEarly   = "too_early"
	FieldOneOfTwo   = "one_of_two"
)

// Those of values by the type of a file's field, as the archive gives them.
const (
	fieldNotADate        = "not_a_date"
	fieldInFuture        = "in_the_future"
	fieldNotANumber      = "not_a_number"
	fieldNotAPhone       = "not_a_phone"
	fieldWrongCheckDigit = "wrong_check_digit"
	fieldNoBirthDate     = "no_birth_date"
	fieldBirthMismatch   = "birth_date_mismatch"
)

// FieldCodes are all of them.
var FieldCodes = []string{
	FieldRequired, fieldWrongType, FieldNotAllowed, fieldTooLong, fieldTooShort, fieldOutOfRange, FieldFormat, fieldInvalid,
	FieldNotText, FieldRepeated, FieldMalformed, FieldEmpty, fieldUnknown, fieldReadOnly, fieldMismatch, FieldTooEarly, FieldOneOfTwo,
	fieldNotADate, fieldInFuture, fieldNotANumber, fieldNotAPhone, fieldWrongCheckDigit, fieldNoBirthDate, fieldBirthMismatch,
}
