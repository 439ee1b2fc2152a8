package httpkit

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"lethe/internal/textform"
)

// strictAddress refuses what the address and the Idempotency-Key of a request cannot mean, before
// anything is decoded: neither the database nor a comparison can take bytes that are no text, and
// the parsers of Go's library leave out in silence what they cannot read.
func strictAddress(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	var wrong []FieldError
	for _, p := range c.Params {
		if !isText(p.Value) {
			wrong = append(wrong, FieldError{Location: "path." + safeName(p.Key), Code: FieldNotText})
		}
	}
	wrong = append(wrong, unreadableQuery(ctx.Operation(), c.Request.URL.RawQuery)...)
	if len(wrong) > 0 {
		refuse(ctx, NewProblem(CodeValidationFailed, wrong...))
		return
	}
	if c.Request.Method == http.MethodPost && !oneKeyAtMost(c.Request.Header) {
		refuse(ctx, unusableKeyProblem())
		return
	}
	next(ctx)
}

// unreadableQuery names the parameters of a query that are not text, or are given twice, in the order of their names.
func unreadableQuery(op *huma.Operation, raw string) []FieldError {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return []FieldError{{Location: "query", Code: FieldMalformed}}
	}
	var wrong []FieldError
	for name, texts := range values {
		if len(texts) > 1 { // which of them is meant, nobody knows
			wrong = append(wrong, FieldError{Location: "query." + safeName(name), Code: FieldRepeated})
		}
		if !op.SkipValidateParams && slices.ContainsFunc(texts, func(text string) bool { return saysNothing(name, text) }) {
			empty := FieldError{Location: "query." + name, Code: FieldEmpty}
			empty.expect(op, "")
			wrong = append(wrong, empty)
		}
		if name != "q" && slices.Contains(texts, "0001-01-01") { // a day that is not set, in most languages
			wrong = append(wrong, FieldError{Location: "query." + safeName(name), Code: FieldTooEarly})
		}
		if slices.ContainsFunc(texts, func(text string) bool { return beforeTime(name, text) }) {
			wrong = append(wrong, FieldError{Location: "query." + safeName(name), Code: FieldMalformed})
		}
		if !isText(name) || slices.ContainsFunc(texts, func(s string) bool { return !isText(s) }) {
			wrong = append(wrong, FieldError{Location: "query." + safeName(name), Code: FieldNotText})
		}
	}
	slices.SortFunc(wrong, func(a, b FieldError) int { return strings.Compare(a.Location, b.Location) })
	return wrong
}

// saysNothing is what a script sends whose variable is not set: without a word it would read as if the filter
// were left out, and everybody would be found.
func saysNothing(name, text string) bool {
	if _, fault := textform.Line(text, len(text)); fault == textform.Empty {
		return true
	}
	return name != "q" && (text == uuid.Nil.String() || strings.HasPrefix(text, "0001-01-01T00:00:00"))
}

// beforeTime is a day or an instant before the year 1, which Postgres counts otherwise.
func beforeTime(name, text string) bool { return name != "q" && strings.HasPrefix(text, "0000-") }

func isText(s string) bool { return textform.Readable(s) }

// oneKeyAtMost says whether the header field is left out, or given once with something in it.
func oneKeyAtMost(h http.Header) bool {
	keys := h.Values("Idempotency-Key")
	return len(keys) == 0 || len(keys) == 1 && keys[0] != ""
}

func unusableKeyProblem() *Problem {
	return NewProblem(codeIdempotencyKey, FieldError{Location: "header.idempotency_key", Code: codeIdempotencyKey})
}
