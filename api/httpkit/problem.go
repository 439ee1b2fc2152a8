package httpkit

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/models"
)

// Problem is an error as RFC 9457 wants it, with a stable code. It is made with a code alone; the
// texts are filled in when it is written, in the language of the request. It never repeats what was
// submitted.
type Problem struct { //nolint:errname // the word of RFC 9457
	Type   string `json:"type" doc:"The kind of problem, as a URI" example:"urn:lethe:problem:departure_exists"`
	Title  string `json:"title" doc:"What went wrong, in the caller's language"`
	Status int    `json:"status" doc:"The HTTP status"`
	Code   string `json:"code" doc:"The kind of problem: stable, for programs" example:"departure_exists"`
	Detail string `json:"detail" doc:"What it means, in the caller's language"`
	Hint   string `json:"hint" doc:"What to do now, in the caller's language"`
	// Location is where the row is that stands in the way.
	Location string `json:"location,omitempty" doc:"Address of the resource that stands in the way" example:"/api/v1/departures/0190d5a0-…"`
	// AllowedRoles is who may do what the caller may not.
	AllowedRoles []models.Role `json:"allowed_roles,omitempty" doc:"The roles that may do it, if the caller's may not"`
	Errors       []FieldError  `json:"errors,omitempty" doc:"Which fields are wrong, and how"`
	// DaysBack is how many days before today the dates lie.
	DaysBack int `json:"days_back,omitempty" doc:"Of dates in the past: how many days before today the last working day lies"`
	// Of a look at sensitive fields that was refused by its rules.
	Rule          string        `json:"rule,omitempty" doc:"Of a refused look: the rule that decided"`
	RuleText      string        `json:"rule_text,omitempty" doc:"rule, in the caller's language"`
	Matter        string        `json:"matter,omitempty" doc:"Of a refused look: for what nobody's data is opened"`
	MatterText    string        `json:"matter_text,omitempty" doc:"matter, in the caller's language"`
	Alternatives  []Alternative `json:"alternatives,omitempty" doc:"Of a refused look: what can be done instead"`
	Reply         *Reply        `json:"reply,omitempty" doc:"Of a refused look: what can be said to who asked"`
	LedgerEntryID *uuid.UUID    `json:"ledger_entry_id,omitempty" doc:"The entry of the refusal"`
	Receipt       string        `json:"receipt,omitempty" doc:"A signed promise that the entry is in the ledger"`
	// RetryAfter is told in a header of its own.
	RetryAfter time.Duration `json:"-"`
	RequestID  string        `json:"request_id,omitempty" doc:"Names this request in the logs"`
}

// Alternative is what can be done instead of what was refused.
type Alternative struct {
	Alternative string `json:"alternative" doc:"Stable, for programs" example:"mediation"`
	Text        string `json:"text"`
}

// Reply is what can be said to who asked, in their language.
type Reply struct {
	Chinese string `json:"zh"`
	English string `json:"en"`
}

// FieldError is one wrong field.
type FieldError struct {
	Location string `json:"location" doc:"Where: body.…, query.…, path.… or header.…" example:"body.last_working_day"`
	Code     string `json:"code" doc:"What is wrong: stable, for programs" example:"required"`
	Message  string `json:"message,omitempty" doc:"What is wrong and what is wanted, in the caller's language"`
	// Allowed is what a closed set has; of a parameter that does not exist, the names of those that do.
	Allowed []string `json:"allowed,omitempty" doc:"The values that are possible; for a parameter that does not exist, those that do"`
	form    form
}

// NewProblem makes a problem of a known code.
func NewProblem(code string, fields ...FieldError) *Problem {
	status, ok := Statuses[code]
	if !ok {
		panic("problem code without a status: " + code)
	}
	return &Problem{Status: status, Code: code, Errors: fields}
}

// AtField is a problem that points to one field of the body.
func AtField(field, code string) *Problem {
	return NewProblem(code, FieldError{Location: "body." + field, Code: code})
}

// TransformSchema tells clients which codes there are.
func (p *Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return listing(s, slices.Collect(maps.Keys(Statuses)))
}

// TransformSchema tells clients which codes there are: those of single fields, and those of whole problems.
func (e *FieldError) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return listing(s, slices.AppendSeq(slices.Clone(FieldCodes), maps.Keys(Statuses)))
}

func listing(s *huma.Schema, codes []string) *huma.Schema {
	slices.Sort(codes)
	s.Properties["code"].Enum = nil
	for _, code := range slices.Compact(codes) {
		s.Properties["code"].Enum = append(s.Properties["code"].Enum, code)
	}
	return s
}

// GetStatus is huma's way to the status.
func (p *Problem) GetStatus() int { return p.Status }

// Error names the code.
func (p *Problem) Error() string { return "problem " + p.Code }

// ContentType is RFC 9457's.
func (p *Problem) ContentType(string) string { return ProblemType }

// ProblemType is the media type of RFC 9457.
const ProblemType = "application/problem+json"

// In gives the texts in a language.
func (p *Problem) In(language i18n.Language, requestID string) *Problem {
	written := *p
	written.Type = "urn:lethe:problem:" + p.Code
	written.Title = i18n.Text(language, "problem."+p.Code+".title")
	written.Detail = i18n.Text(language, "problem."+p.Code+".detail")
	written.Hint = i18n.Text(language, "problem."+p.Code+".hint")
	if p.DaysBack > 0 {
		written.Detail = fmt.Sprintf(i18n.Plural(language, "problem."+p.Code+".days_back", p.DaysBack), p.DaysBack) + written.Detail
	}
	if len(p.AllowedRoles) > 0 {
		written.Hint += RolesText(language, p.AllowedRoles)
	}
	written.RequestID = requestID
	written.Errors = make([]FieldError, len(p.Errors))
	for i, e := range p.Errors {
		e.Message = e.message(language)
		written.Errors[i] = e
	}
	return &written
}

// RolesText is the sentence that names the roles that may.
func RolesText(language i18n.Language, roles []models.Role) string {
	may := fmt.Sprintf(i18n.Text(language, "roles_that_may"), language.List(closed.Texts(language, roles)))
	return language.Of(may, " "+may)
}

// fieldText says what is wrong with a field; some codes are those of a whole problem.
func fieldText(language i18n.Language, code string) string {
	if text, ok := i18n.Lookup(language, "field."+code); ok {
		return text
	}
	return i18n.Text(language, "problem."+code+".title")
}

// headers that a problem brings along.
func (p *Problem) headers(set func(name, value string)) {
	if p.Status == http.StatusUnauthorized {
		set("WWW-Authenticate", `Bearer realm="lethe"`)
	}
	if p.Location != "" {
		set("Location", p.Location)
	}
	if p.RetryAfter > 0 {
		set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	if p.Status == http.StatusServiceUnavailable {
		set("Retry-After", "1")
	}
}

// refuse ends a request with a problem, from a middleware.
func refuse(ctx huma.Context, p *Problem) {
	p.headers(ctx.SetHeader)
	ctx.SetHeader("Content-Type", ProblemType)
	ctx.SetHeader("Content-Language", string(languageOf(ctx)))
	ctx.SetStatus(p.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(p.In(languageOf(ctx), RequestIDOf(ctx.Context())))
}

// refuseGin ends a request that never reached an operation.
func refuseGin(c *gin.Context, p *Problem) {
	language := i18n.Negotiate(c.GetHeader("Accept-Language"))
	p.headers(c.Header)
	c.Header("Content-Type", ProblemType)
	c.Header("Content-Language", string(language))
	c.AbortWithStatusJSON(p.Status, p.In(language, RequestIDOf(c.Request.Context())))
}

func languageOf(ctx huma.Context) i18n.Language {
	return i18n.Negotiate(ctx.Header("Accept-Language"))
}

// localize writes the texts of problems that handlers returned.
func localize(ctx huma.Context, _ string, body any) (any, error) {
	ctx.SetHeader("Content-Language", string(languageOf(ctx)))
	if e, ok := body.(interface{ Shown() any }); ok {
		return e.Shown(), nil
	}
	p, ok := body.(*Problem)
	if !ok {
		return body, nil
	}
	p.headers(ctx.SetHeader)
	return p.In(languageOf(ctx), RequestIDOf(ctx.Context())), nil
}
