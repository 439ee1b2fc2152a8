// Package httpkit is what the API's packages of resources stand on: routes and who is let in, strict JSON, problems and
// their codes, pages, repeated requests, streams of events. It knows no resource.
package httpkit

import (
	"log/slog"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"lethe/internal/database"
	"lethe/internal/identity"
)

// Options are what serving needs, whatever is served.
type Options struct {
	DB *database.DB
	// Identity opens and checks sessions.
	Identity *identity.Service
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

// API takes routes and serves them.
type API struct {
	Options
	Router  *gin.Engine
	Huma    huma.API
	Routes  map[string]Route // by method and path
	Streams *streamHub
	// RequestView is what a call answers that was turned into a request for approval.
	RequestView reflect.Type
}

// New is an API without routes.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	router := NewRouter(o)
	a := &API{Options: o, Router: router, Huma: humagin.New(router, description(o.Version)), Routes: map[string]Route{}, Streams: newStreamHub(o.DB, o.Log)}
	a.Huma.UseMiddleware(a.authenticate, a.authorize, strictAddress, strictBody)
	return a
}

// NewRouter is what stands around every request, one without a route too.
func NewRouter(o Options) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false
	router.ContextWithFallback = true
	if err := router.SetTrustedProxies(o.TrustedProxies); err != nil {
		panic("trusting proxies: " + err.Error()) // config has checked the addresses
	}
	router.Use(identify, protect(secured(o.PublicURL)), record(o.Log), recoverProblem(o.Log), sameOrigin(o.PublicURL), limit)
	router.NoRoute(func(c *gin.Context) { refuseGin(c, NewProblem(CodeNotFound)) })
	router.NoMethod(func(c *gin.Context) { refuseGin(c, NewProblem(codeMethodNotAllowed)) })
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
				License:     &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: "/"}}, // where the document came from
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
