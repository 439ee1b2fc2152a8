// Package api is the HTTP interface. It puts the packages of resources together, each of which binds, calls the domain
// and renders; no rule of the domain lives there.
package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"lethe/api/accounts"
	"lethe/api/approvals"
	"lethe/api/consents"
	"lethe/api/departures"
	"lethe/api/disclosures"
	"lethe/api/emergencies"
	"lethe/api/employees"
	"lethe/api/feedback"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/imports"
	"lethe/api/messages"
	"lethe/api/overview"
	"lethe/api/permissions"
	"lethe/api/purges"
	"lethe/api/querylog"
	"lethe/api/reconciliations"
	"lethe/api/render"
	"lethe/api/reports"
	"lethe/api/settings"
	"lethe/api/subjects"
	"lethe/api/successions"
	"lethe/api/users"
	"lethe/internal/approval"
	"lethe/internal/config"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/identity"
	domain "lethe/internal/imports"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/vault"
)

// Deps is what the API is built from.
type Deps struct {
	DB *database.DB
	// Ready says whether the process can do its work; nil: it can if DB answers.
	Ready func(ctx context.Context) error
	Vault Vault
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
	// BatchLimits are how much one person lets happen by a file of departures.
	BatchLimits domain.Limits
	// OIDC is the company's login; nil: there is none.
	OIDC    *identity.Provider
	Systems *connector.Registry
	// Workflows, if given, tells which run a workflow is in; nil or unreachable: no run is shown.
	Workflows render.Workflows
	// TemporalUIURL is where Temporal UI is, for the links that IT operations get; empty: no links.
	TemporalUIURL     string
	TemporalNamespace string
	// PublicURL is where people reach the API; empty: where it listens.
	PublicURL string
	// TrustedProxies stand in front of the API: what they say about where a request comes from is
	// believed.
	TrustedProxies []string
	// Mail: there is a mail server, by which messages to people who have left, and to HR on duty, are sent.
	Mail bool
	// ContactsTold: whether a file shows as unfinished until it is recorded that its emergency contacts were told.
	ContactsTold bool
	// Settings are those that administrators may see.
	Settings []config.Shown
	// Version is the program's, for the API's description.
	Version string
	// Dev accepts development tokens.
	Dev bool
	// Log takes the access log; nil is slog's default.
	Log *slog.Logger
}

// Vault is what the API seals and opens with, for employments and for none.
type Vault interface {
	vault.Opener
	vault.Loose
}

// New is the handler of the API.
func New(d Deps) http.Handler { return Assemble(d).Router }

// Assemble is the API with all routes.
func Assemble(d Deps) *httpkit.API {
	kit := httpkit.New(httpkit.Options{
		DB: d.DB, Identity: d.Identity, PublicURL: d.PublicURL, TrustedProxies: d.TrustedProxies, Version: d.Version, Dev: d.Dev, Log: d.Log,
	})
	desk := approvals.Register(&render.Renderer{
		API: kit, Workflows: d.Workflows, TemporalUIURL: d.TemporalUIURL, TemporalNamespace: d.TemporalNamespace,
	}, d.Approvals)
	users.Register(desk, d.OIDC, d.Mail)
	employees.Register(desk, d.Vault, d.ContactsTold)
	imports.Register(desk, d.Vault, d.BatchLimits)
	disclosures.Register(desk, d.Vault, d.Mail)
	permissions.Register(desk)
	consents.Register(desk)
	subjects.Register(desk, d.Vault)
	messages.Register(desk, d.Mail)
	emergencies.Register(desk, d.Vault, d.Mail)
	departures.Register(desk, d.Vault, d.Systems)
	successions.Register(desk)
	accounts.Register(desk, d.Systems)
	purges.Register(desk)
	holds.Register(desk)
	feedback.Register(desk, d.Version)
	overview.Register(desk)
	reports.Register(desk)
	reconciliations.Register(desk, d.Systems)
	querylog.Register(desk, querylog.Deps{Ledger: d.Ledger, Exports: d.Exports, ExportLimit: d.ExportLimit})
	settings.Register(kit, d.Settings)
	if d.Ready == nil {
		d.Ready = d.DB.Ping
	}
	kit.Router.GET("/", func(c *gin.Context) { c.Redirect(http.StatusFound, consolePath) })
	kit.Router.GET("/healthz", gin.WrapF(alive))
	kit.Router.GET("/readyz", gin.WrapF(ready(d.Ready)))
	serveDocs(kit.Router, kit.Huma)
	serveConsole(kit.Router)
	return kit
}
