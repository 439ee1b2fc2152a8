package api

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

const base = "/api/v1"

type roles []models.Role

const (
	hr       = models.RoleHRAdmin
	head     = models.RoleDepartmentHead
	employee = models.RoleEmployee
	reviewer = models.RoleReviewer
	auditor  = models.RoleAuditor
	it       = models.RoleITOps
)

var (
	everyone = roles(models.Roles)
	// staff see rows of everybody; heads and employees only what is theirs.
	staff = roles{hr, reviewer, auditor, it}
)

// route is a call of the API, declared once, beside its handler. What serves it, who is let in, its part
// of the OpenAPI document and the matrix in testdata/routes.golden follow from it.
type route struct {
	at      string // method, and path below /api/v1
	summary string
	more    string // the description of the document, if the summary does not say it all
	// to is who may call it. Which rows somebody sees is decided by the domain, not here.
	to     roles
	status int // of success; 200 unless given
	// open is where people who are not known yet prove who they are.
	open bool
	// session wants a person who is there: no token, whatever its role. Calls that make credentials do so
	// anyway, by operations.Credentials.
	session bool
	// noSealedCodes keeps a session out that was opened with the sealed codes: it discloses, purges and
	// approves nothing.
	noSealedCodes bool
	// orRequest is a call that may be answered with a request for approval instead.
	orRequest bool
	// also are other statuses of success, with the same body, and what they say.
	also map[int]string
	// shape changes the description of a call that answers no JSON, or takes what it does not know.
	shape func(op *huma.Operation)

	scope string // of the resource
	makes operations.Credential
}

// resource are calls of one kind. A token that is kept to scopes needs this one for them, or the scope
// that reads, for a GET.
type resource struct {
	s          *server
	tag, scope string
}

func (s *server) resource(tag, scope string) resource { return resource{s, tag, scope} }

// handle serves a route.
func handle[I, O any](r resource, d route, handler func(context.Context, *I) (*O, error)) {
	op := r.operation(d)
	if d.orRequest {
		op.Responses = r.s.orRequest(op, reflect.TypeFor[O]())
	}
	for status, what := range d.also {
		body, _ := reflect.TypeFor[O]().FieldByName("Body")
		answering("application/json", status, what, r.s.api.OpenAPI().Components.Schemas.Schema(body.Type, true, body.Type.Name()))(&op)
	}
	d.scope = r.scope
	d.makes, _ = operations.CredentialOf(op.Method + " " + op.Path)
	r.s.routes[op.Method+" "+op.Path] = d
	huma.Register(r.s.api, op, handler)
	if d.orRequest && d.status == http.StatusNoContent {
		op.Responses["204"].Content = nil // its handler may answer a request for approval, with 202
	}
}

// operation is what the document says of a route.
func (r resource) operation(d route) huma.Operation {
	method, path, _ := strings.Cut(d.at, " ")
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: base + path,
		Tags: []string{r.tag}, Summary: d.summary, Description: d.more, DefaultStatus: max(d.status, http.StatusOK),
		// The body was read and bounded before; these are huma's own limits.
		MaxBodyBytes: maxBody + 1, BodyReadTimeout: -1,
		Errors: usualProblems(method, path),
	}
	if d.open {
		op.Security = []map[string][]string{}
	}
	if d.shape != nil {
		d.shape(&op)
	}
	return op
}

// orRequest are the answers of a call that may be answered with a request for approval: 202 has that, or what
// the call answers with 202 otherwise.
func (s *server) orRequest(op huma.Operation, output reflect.Type) map[string]*huma.Response {
	schemas := s.api.OpenAPI().Components.Schemas
	schema := schemas.Schema(reflect.TypeFor[ApprovalView](), true, "ApprovalView")
	if body, ok := output.FieldByName("Body"); ok && op.DefaultStatus == http.StatusAccepted && body.Type != reflect.TypeFor[ApprovalView]() {
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
	all := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if method != http.MethodGet {
		all = append(all, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
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

// answering is a shape: what else than the handler's body is answered with a status.
func answering(contentType string, status int, what string, schema *huma.Schema) func(op *huma.Operation) {
	return func(op *huma.Operation) {
		if op.Responses == nil {
			op.Responses = map[string]*huma.Response{}
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: what, Content: map[string]*huma.MediaType{contentType: {Schema: schema}}}
	}
}

// streaming is a shape: the call answers a stream of events.
func streaming(op *huma.Operation) {
	answering("text/event-stream", http.StatusOK, "A stream of events", &huma.Schema{Type: huma.TypeString})(op)
}

// tokensNeedPeople says whether no token may call it.
func (d route) tokensNeedPeople() bool { return d.session || d.makes.Wants(operations.Session) }

// closedToSealedCodes says whether a session opened with the sealed codes may not call it.
func (d route) closedToSealedCodes() bool {
	return d.noSealedCodes || d.makes.Wants(operations.NoSealedCodes)
}

// covers says whether a token's scopes cover the route; without scopes they cover all. Who one is, every
// token may ask.
func (d route) covers(held []string) bool {
	return len(held) == 0 || d.at == "GET /me" ||
		strings.HasPrefix(d.at, http.MethodGet+" ") && slices.Contains(held, identity.ScopeRead) ||
		d.scope != "" && slices.Contains(held, d.scope)
}
