package httpkit

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// Base is where all routes are.
const Base = "/api/v1"

// Roles are who may call a route.
type Roles []models.Role

// The roles, as routes name them.
const (
	HR       = models.RoleHRAdmin
	Head     = models.RoleDepartmentHead
	Employee = models.RoleEmployee
	Reviewer = models.RoleReviewer
	Auditor  = models.RoleAuditor
	IT       = models.RoleITOps
)

// Sets of them.
var (
	Everyone = Roles(models.Roles)
	// Staff see rows of everybody; heads and employees only what is theirs.
	Staff = Roles{HR, Reviewer, Auditor, IT}
)

// Route is a call of the API, declared once, beside its handler. What serves it, who is let in, its part
// of the OpenAPI document and the matrix in testdata/routes.golden follow from it.
type Route struct {
	At      string // method, and path below /api/v1
	Summary string
	More    string // the description of the document, if the summary does not say it all
	// To is who may call it. Which rows somebody sees is decided by the domain, not here.
	To     Roles
	Status int // of success; 200 unless given
	// Open is where people who are not known yet prove who they are.
	Open bool
	// Session wants a person who is there: no token, whatever its role. Calls that make credentials do so
	// anyway, by operations.Credentials.
	Session bool
	// NoSealedCodes keeps a session out that was opened with the sealed codes: it discloses, purges and
	// approves nothing.
	NoSealedCodes bool
	// Former lets a session in that somebody who has left opened by a link: for the own data alone.
	Former bool
	// OrRequest is a call that may be answered with a request for approval instead.
	OrRequest bool
	// Also are other statuses of success, with the same body, and what they say.
	Also map[int]string
	// Problems are statuses of problems besides the usual ones.
	Problems []int
	// Shape changes the description of a call that answers no JSON, or takes what it does not know.
	Shape func(op *huma.Operation)

	Scope string // of the resource
	Makes operations.Credential
}

// Resource are calls of one kind. A token that is kept to scopes needs this one for them, or the scope
// that reads, for a GET.
type Resource struct {
	s          *API
	tag, scope string
}

// Resource begins calls of one kind.
func (s *API) Resource(tag, scope string) Resource { return Resource{s, tag, scope} }

// Handle serves a route.
func Handle[I, O any](r Resource, d Route, handler func(context.Context, *I) (*O, error)) {
	op := r.operation(d)
	if d.OrRequest {
		op.Responses = r.s.orRequest(op, reflect.TypeFor[O]())
	}
	for status, what := range d.Also {
		body, _ := reflect.TypeFor[O]().FieldByName("Body")
		Answering("application/json", status, what, r.s.Huma.OpenAPI().Components.Schemas.Schema(body.Type, true, body.Type.Name()))(&op)
	}
	d.Scope = r.scope
	d.Makes, _ = operations.CredentialOf(op.Method + " " + op.Path)
	r.s.Routes[op.Method+" "+op.Path] = d
	huma.Register(r.s.Huma, op, handler)
	if d.OrRequest && d.Status == http.StatusNoContent {
		op.Responses["204"].Content = nil // its handler may answer a request for approval, with 202
	}
}

// operation is what the document says of a route.
func (r Resource) operation(d Route) huma.Operation {
	method, path, _ := strings.Cut(d.At, " ")
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: Base + path,
		Tags: []string{r.tag}, Summary: d.Summary, Description: d.More, DefaultStatus: max(d.Status, http.StatusOK),
		// The body was read and bounded before; these are huma's own limits.
		MaxBodyBytes: maxBody + 1, BodyReadTimeout: -1,
		Errors:   append(d.Problems, usualProblems(method, path)...),
		Metadata: map[string]any{metadataSchemas: r.s.Huma.OpenAPI().Components.Schemas},
	}
	if d.Open {
		op.Security = []map[string][]string{}
	}
	if d.Shape != nil {
		d.Shape(&op)
	}
	return op
}

// metadataSchemas is where an operation has what its body's references point to.
const metadataSchemas = "schemas"

// orRequest are the answers of a call that may be answered with a request for approval: 202 has that, or what
// the call answers with 202 otherwise.
func (s *API) orRequest(op huma.Operation, output reflect.Type) map[string]*huma.Response {
	schemas := s.Huma.OpenAPI().Components.Schemas
	schema := schemas.Schema(s.RequestView, true, s.RequestView.Name())
	if body, ok := output.FieldByName("Body"); ok && op.DefaultStatus == http.StatusAccepted && body.Type != s.RequestView {
		schema = &huma.Schema{OneOf: []*huma.Schema{schemas.Schema(body.Type, true, body.Type.Name()), schema}}
	}
	responses := map[string]*huma.Response{"202": {
		Description: "It needs two people: a request for approval was made",
		Headers:     map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}},
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}}
	if schema.OneOf != nil {
		responses["202"].Description = "It was begun; or it needs two people, and a request for approval was made"
	}
	return responses
}

// usualProblems are the statuses of the problems that a call of this kind may be answered with.
func usualProblems(method, path string) []int {
	all := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if method != http.MethodGet {
		all = append(all, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	} else if strings.Contains(path, "{") {
		all = append(all, http.StatusNotFound)
	}
	slices.Sort(all)
	return all
}

// operationID is a name for generated clients: get-departures-id-events.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

// Answering is a shape: what else than the handler's body is answered with a status, beside what was said of it before.
func Answering(contentType string, status int, what string, schema *huma.Schema) func(op *huma.Operation) {
	return func(op *huma.Operation) {
		if op.Responses == nil {
			op.Responses = map[string]*huma.Response{}
		}
		answer := op.Responses[strconv.Itoa(status)]
		if answer == nil {
			answer = &huma.Response{Description: what, Content: map[string]*huma.MediaType{}}
			op.Responses[strconv.Itoa(status)] = answer
		}
		answer.Content[contentType] = &huma.MediaType{Schema: schema}
	}
}

// TokensNeedPeople says whether no token may call it.
func (d Route) TokensNeedPeople() bool { return d.Session || d.Makes.Wants(operations.Session) }

// ClosedToSealedCodes says whether a session opened with the sealed codes may not call it.
func (d Route) ClosedToSealedCodes() bool {
	return d.NoSealedCodes || d.Makes.Wants(operations.NoSealedCodes)
}

// covers says whether a token's scopes cover the route; without scopes they cover all. Who one is, every
// token may ask.
func (d Route) covers(held []string) bool {
	return len(held) == 0 || d.At == "GET /me" ||
		strings.HasPrefix(d.At, http.MethodGet+" ") && slices.Contains(held, identity.ScopeRead) ||
		d.Scope != "" && slices.Contains(held, d.Scope)
}
