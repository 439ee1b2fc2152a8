package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lethe/api"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/config"
	"lethe/internal/cut"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/duty"
	"lethe/internal/feedback"
	"lethe/internal/identity"
	"lethe/internal/imports"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
	"lethe/internal/notify"
	"lethe/internal/operations"
	"lethe/internal/subject"
	"lethe/internal/succession"
	"lethe/models"
)

// ServeCmd runs the API.
type ServeCmd struct {
	Dev bool `help:"Accept a database that is marked dev, and no other. 仅接受标记为开发用的数据库。"`
}

// Run serves until it is told to stop. Temporal need not answer: what is committed is nudged later.
func (s ServeCmd) Run(ctx context.Context) error {
	c, err := config.Load("serve", os.Environ())
	if err != nil {
		return err
	}
	c.Dev = s.Dev
	if err := surplus(c, "serve"); err != nil {
		return err
	}
	r, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer r.close()
	if !r.ledger.keys.SignReceipts() {
		return errNoReceipts
	}
	if err := r.recordConfiguration(ctx, "serve"); err != nil {
		return err
	}
	public, err := listen("LETHE_LISTEN", c.Listen)
	if err != nil {
		return err
	}
	ops, err := listen("LETHE_OPS_LISTEN", c.OpsListen)
	if err != nil {
		return err
	}
	codec, err := r.codecEndpoints()
	if err != nil {
		return err
	}
	people := r.identity()
	approvals, err := operations.New(operations.Deps{Vault: r.vault, Identity: people, Systems: r.systems}, approval.Options{
		Expiry: c.ApprovalExpiry, Required: c.ApprovalsRequired,
	})
	if err != nil {
		return err
	}
	exports, err := r.exports()
	if err != nil {
		return err
	}
	handler := api.New(api.Deps{
		DB: r.facts, Ready: r.ready, Vault: r.vault, Systems: r.systems, Workflows: r.target,
		TemporalUIURL: c.TemporalUIURL, TemporalNamespace: c.TemporalNamespace, Dev: c.Dev, Log: r.log, Version: version, PublicURL: c.PublicURL,
		Identity: people, Approvals: approvals, OIDC: r.provider(), TrustedProxies: c.TrustedProxies,
		Mail: c.SMTPHost != "", ContactsTold: c.ContactsTold == config.ContactsAlways, Ledger: r.ledger.storage, Exports: exports, ExportLimit: int64(c.ExportLimit), BatchLimits: imports.Limits{People: c.BatchLimit, CompanyShare: c.BatchCompanyShare, DepartmentShare: c.BatchDepartmentShare},
		Settings: c.Shown(),
	})
	var wg sync.WaitGroup
	wg.Go(func() { r.relay.Run(ctx) })
	wg.Go(func() { r.ledger.run(ctx) })
	wg.Go(func() { exports.Run(ctx) })
	wg.Go(func() { querylog.KeepSorted(ctx, r.facts, r.log) })
	wg.Go(func() { disclosure.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { keepCalendars(ctx, r.facts, r.log) })
	wg.Go(func() { subject.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { feedback.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { notify.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { archive.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { archive.KeepRemoved(ctx, r.facts, r.tombstones, r.log) })
	wg.Go(func() { duty.Keep(ctx, r.facts, r.config.SMTPHost != "", r.log) })
	wg.Go(func() { cut.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { succession.Keep(ctx, r.facts, r.log) })
	wg.Go(func() { approvals.Run(ctx, r.facts, approvalSweep, r.log) })
	wg.Go(func() { serveHTTP(ctx, ops, r.portBounds(), api.NewOps(r.opsDeps(codec)), r.log) })
	r.log.Info("API is ready", "address", public.Addr().String())
	serveHTTP(ctx, public, r.portBounds(), handler, r.log)
	wg.Wait()
	return nil
}

// portBounds are those of the API and of the ops port. The configuration has checked the proxies.
func (r *runtime) portBounds() portBounds {
	return portBounds{perAddress: r.config.ConnectionsPerAddress, proxies: r.config.ProxyNetworks()}
}

// approvalSweep is how often requests for approval are ended that have expired, or whose requester is
// gone; deciding about one that is not swept yet finds it ended all the same.
const approvalSweep = 5 * time.Second

// identity opens and checks sessions. Their cookies travel over plain HTTP in development alone.
func (r *runtime) identity() *identity.Service {
	c := r.config
	return identity.New(r.facts, r.vault, identity.Options{
		Idle: c.SessionIdle, Absolute: c.SessionAbsolute, Insecure: c.Dev && !strings.HasPrefix(c.PublicURL, "https://"),
	})
}

// exports makes evidence packs of the query log in the background.
func (r *runtime) exports() (*evidence.Maker, error) {
	dir := r.config.ExportDir
	if dir == "" {
		dir = filepath.Join(filepath.Dir(filepath.Clean(r.config.LedgerDir)), "exports")
	}
	return evidence.NewMaker(evidence.Options{
		DB: r.facts, Storage: r.ledger.storage, Origin: r.ledger.origin, Dir: dir, Keep: r.config.ExportKeep, Log: r.log,
	})
}

// provider is the company's login, nil if none is configured. It is asked when somebody logs in.
func (r *runtime) provider() *identity.Provider {
	c := r.config
	if c.OIDCIssuer == "" {
		return nil
	}
	return identity.NewProvider(identity.ProviderOptions{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: c.OIDCClientSecret, PublicURL: c.PublicURL,
	})
}

// opsDeps is the ops port of either process; the codec endpoints are the API's alone.
func (r *runtime) opsDeps(codec map[string]http.Handler) api.OpsDeps {
	return api.OpsDeps{Ready: r.ready, Codec: codec}
}

// ready is true without Temporal: the API accepts, and the relay delivers when it is back.
func (r *runtime) ready(ctx context.Context) error {
	if err := r.facts.Ping(ctx); err != nil {
		return err
	}
	if err := r.keys.Ping(ctx); err != nil {
		return err
	}
	return database.CheckPair(ctx, r.facts, r.keys)
}

// codecEndpoints let Temporal UI show plain identifiers to IT operations: by a bearer token of the
// role it_ops and, in dev, also by a secret path that only the UI's configuration holds.
func (r *runtime) codecEndpoints() (map[string]http.Handler, error) {
	mounts := map[string]http.Handler{codecPath: r.codec.Endpoint(r.config.TemporalUIURL, r.isITOps)}
	if !r.config.Dev || r.config.CodecPathSecretFile == "" {
		return mounts, nil
	}
	secret, err := os.ReadFile(r.config.CodecPathSecretFile)
	if err != nil {
		return nil, fmt.Errorf("reading the codec endpoint's secret path: %w", err)
	}
	path := codecPath + strings.TrimSpace(string(secret)) + "/"
	if path == codecPath+"/" {
		return nil, errors.New("the codec endpoint's secret path is empty")
	}
	mounts[path] = r.codec.Endpoint(r.config.TemporalUIURL, func(req *http.Request) bool { return beneath(path, req.URL.Path) })
	return mounts, nil
}

const codecPath = "/codec/"

// beneath compares in constant time, so that a secret path cannot be guessed piece by piece.
func beneath(path, asked string) bool {
	return len(asked) >= len(path) && subtle.ConstantTimeCompare([]byte(asked[:len(path)]), []byte(path)) == 1
}

func (r *runtime) isITOps(req *http.Request) bool {
	secret, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	bearer, err := identity.Authenticate(req.Context(), r.facts, secret, r.config.Dev)
	return err == nil && bearer.Actor.Role == models.RoleITOps
}
