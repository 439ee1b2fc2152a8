package httpkit

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// requestLimit ends the work for a request; streams are excepted.
const requestLimit = 30 * time.Second

type contextKey int

const (
	keyRequestID contextKey = iota
	keyBearer
	keyClient
)

// identify gives each request an id of our own: one from outside could carry anything into the log.
func identify(c *gin.Context) {
	id := uuid.NewString()
	c.Header("X-Request-Id", id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), keyRequestID, id))
	c.Next()
}

// RequestIDOf names the request in the logs.
func RequestIDOf(ctx context.Context) string {
	id, _ := ctx.Value(keyRequestID).(string)
	return id
}

// protect sets the headers that keep answers out of caches, frames and other sites.
func protect(https bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		setProtection(h)
		if https {
			h.Set("Strict-Transport-Security", TransportSecurity)
		}
		c.Next()
	}
}

func setProtection(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language")
	h.Add("Vary", "Authorization")
	h.Add("Vary", "Cookie")
}

// record writes one line for each request: the route's pattern and identifiers, never a path, a
// query or a body.
func record(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		begin := time.Now()
		c.Next()
		took := time.Since(begin)
		route := c.FullPath()
		if route == "" {
			route = "none"
		}
		observe(c.Request.Method, route, c.Writer.Status(), took)
		attributes := []any{
			"request_id", RequestIDOf(c.Request.Context()), "method", c.Request.Method, "route", route,
			"status", c.Writer.Status(), "ms", took.Milliseconds(),
		}
		if bearer, ok := c.Get(ginBearer); ok {
			b := bearer.(identity.Bearer)
			attributes = append(attributes, "actor", b.Actor.EmployeeID.String(), "role", string(b.Actor.Role), "token_id", b.TokenID.String(), "session_id", b.SessionID.String())
		}
		log.InfoContext(c.Request.Context(), "request", attributes...)
	}
}

// recoverProblem answers a panic with a problem. The panic's value could hold anything; where it
// happened is enough.
func recoverProblem(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			caught := recover()
			if caught == nil {
				return
			}
			if caught == http.ErrAbortHandler { //nolint:errorlint // the very value that net/http knows
				panic(caught)
			}
			log.ErrorContext(c.Request.Context(), "panic", "request_id", RequestIDOf(c.Request.Context()), "stack", frames(debug.Stack()))
			if c.Writer.Written() {
				c.Abort()
				return
			}
			refuseGin(c, NewProblem(codeInternal))
		}()
		c.Next()
	}
}

// frames keeps the names of files and lines of a stack; the lines with functions show arguments.
func frames(stack []byte) string {
	var kept []string
	for line := range strings.Lines(string(stack)) {
		if where, ok := strings.CutPrefix(line, "\t"); ok {
			place, _, _ := strings.Cut(strings.TrimSpace(where), " ")
			kept = append(kept, place)
		}
	}
	return strings.Join(kept, " ")
}

// takesItsTime says whether a call streams, or takes or gives out a file.
func takesItsTime(method, path string) bool {
	for _, end := range []string{"/events", "/file", "/attachments/:attachment_id"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return method == http.MethodPost && (strings.HasSuffix(path, "/attachments") || strings.HasSuffix(path, "/employee-imports"))
}

// limit ends a request's context in time. Streams and files take as long as they take, and look by
// themselves whether their bearer is still good.
func limit(c *gin.Context) {
	if takesItsTime(c.Request.Method, c.FullPath()) {
		c.Next()
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestLimit)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// ginBearer is where the access log finds who asked.
const ginBearer = "bearer"

// authenticate finds out whose request it is: a bearer token's or a session cookie's, never both.
// Where people log in, nobody is known yet.
func (s *API) authenticate(ctx huma.Context, next func(huma.Context)) {
	ctx = huma.WithValue(ctx, keyClient, s.locate(ctx))
	if s.routeOf(ctx).Open {
		inner := models.WithCaller(ctx.Context(), models.Caller{Authenticated: models.ByNothing, RequestID: RequestIDOf(ctx.Context())})
		next(huma.WithContext(ctx, inner))
		return
	}
	bearer, err := s.bearer(ctx)
	if err != nil {
		refuse(ctx, ProblemOf(ctx.Context(), err))
		return
	}
	if !expected(ctx.Header(personHeader), bearer) {
		refuse(ctx, NewProblem(codeOtherPerson))
		return
	}
	humagin.Unwrap(ctx).Set(ginBearer, bearer)
	inner := models.WithCaller(ctx.Context(), bearer.Caller(RequestIDOf(ctx.Context())))
	next(huma.WithContext(ctx, context.WithValue(inner, keyBearer, bearer)))
}

// personHeader is for whom a page was drawn: employee/role. A browser has one cookie for all of its windows, and what one
// person typed is never sent as another.
const personHeader = "Lethe-Person"

func expected(person string, b identity.Bearer) bool {
	return person == "" || person == b.Actor.EmployeeID.String()+"/"+string(b.Actor.Role)
}

func (s *API) bearer(ctx huma.Context) (identity.Bearer, error) {
	secret, byToken := bearerToken(ctx.Header("Authorization"))
	session, bySession := s.Identity.TokenOf(ctx.Header("Cookie"))
	switch {
	case byToken && bySession, len(humagin.Unwrap(ctx).Request.Header.Values("Authorization")) > 1:
		return identity.Bearer{}, NewProblem(codeTwoCredentials)
	case byToken:
		return identity.Authenticate(ctx.Context(), s.DB, secret, s.Dev)
	case bySession:
		return s.Identity.AuthenticateSession(ctx.Context(), session)
	}
	return identity.Bearer{}, NewProblem(codeTokenMissing)
}

// bearerToken reads RFC 6750's header field; the scheme's name is case-insensitive.
func bearerToken(header string) (string, bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	secret = strings.TrimSpace(secret)
	return secret, ok && strings.EqualFold(scheme, "Bearer") && secret != ""
}

// routeOf is the declaration of the call; of one that has none nobody is let in.
func (s *API) routeOf(ctx huma.Context) Route {
	op := ctx.Operation()
	return s.Routes[op.Method+" "+op.Path]
}

// authorize lets only the roles pass that the route is declared for.
// Tokens are kept to their scopes and out of what needs a person who is there, and sessions opened
// with the sealed codes out of what those must not do.
func (s *API) authorize(ctx huma.Context, next func(huma.Context)) {
	d, bearer := s.routeOf(ctx), BearerOf(ctx.Context())
	var refused *Problem
	switch {
	case d.Open:
	case !slices.Contains(d.To, bearer.Actor.Role):
		refused = NewProblem(CodeRoleNotAllowed)
		refused.AllowedRoles = d.To
	case bearer.TokenID != uuid.Nil && d.TokensNeedPeople():
		refused = NewProblem(CodeSessionRequired)
	case bearer.TokenID != uuid.Nil && !d.covers(bearer.Scopes):
		refused = NewProblem(codeScopeNotAllowed)
	case bearer.Former && !d.Former:
		refused = NewProblem(codeFormerMayNot)
	case bearer.BreakGlass && d.ClosedToSealedCodes():
		refused = NewProblem(CodeBreakGlassMayNot)
	}
	if refused == nil && !d.Open {
		if err := s.meets(ctx.Context(), d.Makes, bearer); err != nil {
			refused = ProblemOf(ctx.Context(), err)
		}
	}
	if refused != nil {
		refuse(ctx, refused)
		return
	}
	next(ctx)
}

// meets refuses a session that lacks what a way to credentials demands of it. The command looks again under
// its locks; here nothing of the request has been read yet.
func (s *API) meets(ctx context.Context, way operations.Credential, bearer identity.Bearer) error {
	if bearer.SessionID == uuid.Nil {
		return nil
	}
	if way.Wants(operations.StepUp) {
		if err := s.SteppedUp(ctx, bearer); err != nil {
			return err
		}
	}
	if !way.Wants(operations.ConfirmedLogin) {
		return nil
	}
	return database.Run(ctx, s.DB, func(tx *database.Tx) error { return identity.RequireConfirmed(tx, bearer) })
}

// BearerOf is who the request comes from, and by what credential.
func BearerOf(ctx context.Context) identity.Bearer {
	b, _ := ctx.Value(keyBearer).(identity.Bearer)
	return b
}

// ActorOf is who the request comes from.
func ActorOf(ctx context.Context) models.Actor { return BearerOf(ctx).Actor }

// SteppedUp refuses a session whose user has not proved lately who they are (I22). A token never
// can; what becomes of its calls is decided elsewhere.
func (s *API) SteppedUp(ctx context.Context, bearer identity.Bearer) error {
	return SteppedUp(bearer, func() (time.Time, error) { return s.DB.Now(ctx) })
}

// SteppedUp is the same within a transaction, whose clock it reads: one that waited for another connection while it
// holds its own would wait for others that do the same.
func SteppedUp(bearer identity.Bearer, clock func() (time.Time, error)) error {
	if bearer.SessionID == uuid.Nil {
		return nil
	}
	now, err := clock()
	if err != nil {
		return err
	}
	if !identity.Fresh(bearer, now) {
		return NewProblem(CodeStepUpRequired)
	}
	return nil
}

// locate notes where a request comes from.
func (s *API) locate(ctx huma.Context) identity.Client {
	c := humagin.Unwrap(ctx)
	address, _ := netip.ParseAddr(c.ClientIP()) // unknown: all unknown ones share a limit
	return identity.Client{Address: address, Agent: ctx.Header("User-Agent"), Device: s.Identity.DeviceOf(ctx.Header("Cookie"))}
}

// ClientOf is where the request comes from.
func ClientOf(ctx context.Context) identity.Client {
	p, _ := ctx.Value(keyClient).(identity.Client)
	return p
}
