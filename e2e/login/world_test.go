package login

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lethe/api"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/launch/launchtest"
	"lethe/internal/vault"
	"lethe/models"
)

func TestMain(m *testing.M) {
	kept := []goleak.Option{goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop")}
	goleak.VerifyTestMain(m, append(kept, launchtest.Goroutines()...)...)
}

// world is the API with two users, one of whom the provider's login "hr" is linked with, and the
// provider.
type world struct {
	t           *testing.T
	env         *databasetest.Env
	service     *identity.Service
	provider    *provider
	api         string
	hr, auditor models.User
	link        models.OIDCLink
	secret      string // of hr's second factor
}

const password = "four unlikely words together"

// newWorld starts everything but the provider, as an installation does whose provider is down.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, env: databasetest.NewToday(t)}
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealer := vault.New(w.env.Keys, kek, w.env.Installation.ID)
	w.service = identity.New(w.env.Facts, sealer, identity.Options{Argon: identity.Argon{Memory: 64, Passes: 1, Lanes: 1}, Insecure: true})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.api = "http://" + listener.Addr().String()
	w.provider = newProvider(t, w.api+"/api/v1/oidc/callback")
	systems, err := connector.RegistryOf()
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: api.New(api.Deps{
		DB: w.env.Facts, Vault: sealer, Systems: systems, Dev: true, PublicURL: w.api, Log: slog.New(slog.DiscardHandler),
		Identity: w.service, OIDC: w.newClient(w.provider.issuer),
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	w.populate()
	return w
}

func (w *world) newClient(issuer string) *identity.Provider {
	return identity.NewProvider(identity.ProviderOptions{Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret, PublicURL: w.api})
}

func (w *world) populate() {
	w.t.Helper()
	w.hr, w.auditor = w.hire("hr", models.RoleHRAdmin), w.hire("auditor", models.RoleAuditor)
	var err error
	if w.secret, err = w.service.SetCredentials(w.t.Context(), w.hr.ID, password); err != nil {
		w.t.Fatal(err)
	}
	w.link = w.linkLogin(w.hr, w.provider.issuer, "s-hr")
	w.linkLogin(w.auditor, w.provider.issuer, "s-auditor")
}

func (w *world) hire(no string, role models.Role) (user models.User) {
	w.t.Helper()
	entity, department, id := uuid.New(), uuid.New(), uuid.New()
	exec := func(sql string, args ...any) {
		if err := w.env.Facts.Read(context.Background()).Exec(sql, args...).Error; err != nil {
			w.t.Fatal(err)
		}
	}
	exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '甲', 'A', 'CN', 'Asia/Shanghai')", entity, no)
	exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", department, entity, no)
	exec("INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, ?, 'Someone', ?)", id, no, department)
	w.run(func(tx *database.Tx) (err error) {
		user, err = identity.GrantTo(tx, id, role)
		return err
	})
	return user
}

func (w *world) linkLogin(user models.User, issuer, subject string) (link models.OIDCLink) {
	w.t.Helper()
	w.run(func(tx *database.Tx) (err error) {
		link, err = identity.LinkLogin(tx, user.ID, issuer, subject, models.System)
		return err
	})
	return link
}

func (w *world) run(do func(tx *database.Tx) error) {
	w.t.Helper()
	if err := database.Run(w.t.Context(), w.env.Facts, do); err != nil {
		w.t.Fatal(err)
	}
}

// recorded counts the ledger's entries of an action, with that rule if one is given.
func (w *world) recorded(action, rule string) (n int64) {
	w.t.Helper()
	query := w.env.Facts.Read(w.t.Context()).Table("ledger_content").Where("action = ?", action)
	if rule != "" {
		query = query.Where("rule = ?", rule)
	}
	if err := query.Count(&n).Error; err != nil {
		w.t.Fatal(err)
	}
	return n
}
