package httpkit

import (
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Huma answers with our problems. It keeps the constructors in package
// variables; they are the same for every API of the process.
func init() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return fromHuma(&huma.Operation{}, status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		if status == http.StatusInternalServerError && len(errs) == 1 {
			return ProblemOf(ctx.Context(), errs[0])
		}
		return fromHuma(ctx.Operation(), status, errs)
	}
}

// fromHuma turns what huma found wrong with a request into a problem without its texts and values.
func fromHuma(op *huma.Operation, status int, errs []error) *Problem {
	switch status {
	case 0: // huma asks for the type while it builds the documentation
		return &Problem{}
	case http.StatusRequestEntityTooLarge:
		return NewProblem(codeBodyTooLarge)
	case http.StatusUnsupportedMediaType:
		return NewProblem(codeUnsupportedMediaType)
	case http.StatusBadRequest:
		if len(errs) == 0 {
			return NewProblem(codeBodyRequired)
		}
		return NewProblem(codeInvalidJSON)
	case http.StatusUnprocessableEntity:
	default:
		return NewProblem(codeInternal)
	}
	p := NewProblem(CodeValidationFailed)
	for _, err := range errs {
		location, code, message := "body", fieldInvalid, ""
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail := d.ErrorDetail()
			message = detail.Message
			location, code = safeLocation(detail.Location)+missing(message), fieldCode(message)
		}
		wrong := FieldError{Location: location, Code: code}
		wrong.expect(op, message)
		if own, ok := OwnNotAllowed[location]; ok && code == FieldNotAllowed && slices.Contains(wrong.Allowed, own.Among) {
			code, wrong.Code = own.Code, own.Code
		}
		p.Errors = append(p.Errors, wrong)
		if status, special := Statuses[code]; special {
			p.Code, p.Status = code, status
		}
	}
	return p
}

// OwnNotAllowed are the fields whose unknown values have a problem of their own, which names the
// known ones in words: by location.
var OwnNotAllowed = map[string]OwnCode{}

// OwnCode is the code of a field's unknown values. Other bodies may have a field of that name: Among is one of the known ones.
type OwnCode struct{ Code, Among string }

// missing is the name of the required property that huma's message speaks of; its location is only
// the object around it. The name is from our schema, not from the request.
func missing(message string) string {
	name, ok := strings.CutPrefix(message, "expected required property ")
	if !ok {
		return ""
	}
	return "." + safeName(strings.TrimSuffix(name, " to be present"))
}

// safeLocation keeps the names in a location that look like ours, and indexes.
func safeLocation(location string) string {
	parts := strings.Split(location, ".")
	for i, part := range parts {
		name, index, indexed := strings.Cut(part, "[")
		parts[i] = safeName(name)
		if indexed && strings.Trim(index, "0123456789]") == "" {
			parts[i] += "[" + index
		}
	}
	if len(parts) > 8 {
		parts = parts[:8]
	}
	return strings.Join(parts, ".")
}

// messages maps the beginnings of huma's messages to our codes; the first that fits counts.
var messages = []struct{ begin, code string }{
	{"unexpected property", codeUnknownField},
	{"unknown query parameter", codeUnknownQuery},
	{"expected required property", FieldRequired},
	{"required ", FieldRequired},
	{"expected value to be one of", FieldNotAllowed},
	{"expected length <=", fieldTooLong},
	{"expected length >=", fieldTooShort},
	{"expected array length <=", fieldTooLong},
	{"expected array length >=", fieldTooShort},
	{"expected object with at most", fieldTooLong},
	{"expected object with at least", fieldTooShort},
	{"expected number <", fieldOutOfRange},
	{"expected number >", fieldOutOfRange},
	{"expected string to", FieldFormat},
	{"expected array items to be unique", fieldInvalid},
	{"expected boolean", fieldWrongType},
	{"expected number", fieldWrongType},
	{"expected integer", fieldWrongType},
	{"expected string", fieldWrongType},
	{"expected array", fieldWrongType},
	{"expected object", fieldWrongType},
	{"invalid ", FieldFormat},
}

func fieldCode(message string) string {
	for _, m := range messages {
		if strings.HasPrefix(message, m.begin) {
			return m.code
		}
	}
	return fieldInvalid
}
