// Package api is the HTTP interface: one file per resource, each of which binds, calls the domain
// and renders. No rule of the domain lives here.
package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"lethe/internal/approval"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/vault"
)

// Deps is what the API is built from.
type Deps struct {
	DB *database.DB
	// Ready says whether the process can do its work; nil: it can if DB answers.
	Ready func(ctx context.Context) error
	Vault vault.Opener
	// Identity opens and checks sessions.
	Identity *identity.Service
	// Approvals are the dangerous steps, and how two people agree to one.
	Approvals *approval.Registry
	// Ledger is where checkpoints and tiles are.
	Ledger *ledger.Storage
	// Exports knows where finished evidence packs are.
	Exports *evidence.Maker
	// ExportLimit is how many entries of the query log one person may export alone.
	ExportLimit int64
	// OIDC is the company's login; nil: there is none.
	OIDC    *identity.Provider
	Systems *connector.Registry
	// Workflows, if given, tells which run a workflow is in; nil or unreachable: no run is shown.
	Workflows Workflows
	// TemporalUIURL is where Temporal UI is, for the links that IT operations get; empty: no links.
	TemporalUIURL     string
	TemporalNamespace string
	// PublicURL is where people reach the API; empty: where it listens.
	PublicURL string
	// TrustedProxies stand in front of the API: what they say about where a request comes from is
	// believed.
	TrustedProxies []string
	// Version is the program's, for the API's description.
	Version string
	// Dev accepts development tokens.
	Dev bool
	// Log takes the access log; nil is slog's default.
	Log *slog.Logger
}

// Workflows tells which run a workflow is in.
type Workflows interface {
	RunID(ctx context.Context, workflowID string) (string, error)
}

// server is the API's handlers with what they need.
type server struct {
	Deps
	api     huma.API
	routes  map[string]route // by method and path
	streams *streamHub
}

// New is the handler of the API.
func New(d Deps) http.Handler {
	handler, _ := build(d)
	return handler
}

func build(d Deps) (http.Handler, *server) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	router := newRouter(d)
	s := &server{Deps: d, api: humagin.New(router, description(d.Version)), routes: map[string]route{}, streams: newStreamHub(d.DB, d.Log)}
	s.api.UseMiddleware(s.authenticate, s.authorize, strictAddress, strictBody)
	s.registerMe()
	s.registerSessions()
	s.registerEnrolments()
	s.registerFactors()
	s.registerTokens()
	s.registerUsers()
	s.registerUserCommands()
	s.registerStepUps()
	s.registerOIDC()
	s.registerEmployees()
	s.registerDepartures()
	s.registerPreview()
	s.registerDepartureEvents()
	s.registerAccounts()
	s.registerUnlinkings()
	s.registerCases()
	s.registerPurges()
	s.registerHolds()
	s.registerApprovals()
	s.registerQueryLog()
	s.registerExports()
	s.registerLedger()
	s.registerSystems()
	serveDocs(router, s.api)
	return router, s
}

func newRouter(d Deps) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false
	router.ContextWithFallback = true
	if err := router.SetTrustedProxies(d.TrustedProxies); err != nil {
		panic("trusting proxies: " + err.Error()) // config has checked the addresses
	}
	router.Use(identify, protect(secured(d.PublicURL)), record(d.Log), recoverProblem(d.Log), sameOrigin(d.PublicURL), limit)
	router.NoRoute(func(c *gin.Context) { refuseGin(c, problem(codeNotFound)) })
	router.NoMethod(func(c *gin.Context) { refuseGin(c, problem(codeMethodNotAllowed)) })
	router.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, "/docs") })
	router.GET("/healthz", gin.WrapF(alive))
	if d.Ready == nil {
		d.Ready = d.DB.Ping
	}
	router.GET("/readyz", gin.WrapF(ready(d.Ready)))
	return router
}

// description is the head of the OpenAPI document. Huma's own pages for documentation load
// scripts from the network and are replaced; its schema links would add members to every body.
func description(version string) huma.Config {
	huma.DefaultArrayNullable = false // a list without rows is [], never null
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	describeTypes(registry)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Lethe",
				Version:     version,
				Description: "Takes a person out of a company safely, and then forgets what must be forgotten.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer":  {Type: "http", Scheme: "bearer", Description: "A token, from POST /tokens or `lethe token issue`."},
					"session": {Type: "apiKey", In: "cookie", Name: "__Host-lethe", Description: "A session, from POST /sessions."},
				},
			},
			Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{localize},
	}
}
