package api

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// secrets are how the fields are called that hold something to authenticate with.
var secrets = []string{"token", "secret", "recovery_codes", "qr", "password"}

// TestI21_I22_EveryWayToACredentialIsInTheTable compares the table with the router's own list, and with the
// answers that show a secret. What a new route makes, or that it makes nothing, stands in the matrix.
func TestI21_I22_EveryWayToACredentialIsInTheTable(t *testing.T) {
	f := newFixture(t)
	routes := f.routes()
	for _, route := range routes {
		_, way := operations.CredentialOf(route)
		if shown := f.secretOf(route); shown != "" && !way {
			t.Errorf("%s shows %s and is in no table of what makes credentials", route, shown)
		}
	}
	for _, c := range operations.Credentials {
		if !strings.HasPrefix(c.Way, "lethe ") && !slices.Contains(routes, c.Way) {
			t.Errorf("%s is no route", c.Way)
		}
		if len(c.Demands) == 0 || c.Makes == "" {
			t.Errorf("%s demands nothing, or makes nothing", c.Way)
		}
	}
}

// secretOf names the first field of a route's answers that holds a secret.
func (f *fixture) secretOf(route string) string {
	method, path, _ := strings.Cut(route, " ")
	item := f.server.api.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[method]
	for status, response := range op.Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		for _, media := range response.Content {
			if name := f.secretIn(media.Schema, map[string]bool{}); name != "" {
				return name
			}
		}
	}
	return ""
}

func (f *fixture) secretIn(s *huma.Schema, seen map[string]bool) string {
	if s == nil {
		return ""
	}
	if s.Ref != "" {
		if seen[s.Ref] {
			return ""
		}
		seen[s.Ref] = true
		return f.secretIn(f.server.api.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref), seen)
	}
	for name, property := range s.Properties {
		if slices.Contains(secrets, name) && property.Type != huma.TypeBoolean {
			return name
		}
		if found := f.secretIn(property, seen); found != "" {
			return found
		}
	}
	return f.secretIn(s.Items, seen)
}

// TestI21_I22_EveryWayToACredentialIsGuarded asks each route of the table without what it demands.
func TestI21_I22_EveryWayToACredentialIsGuarded(t *testing.T) {
	f := newFixture(t)
	person := f.hire("R-linked", f.b)
	for _, c := range operations.Credentials {
		method, path, _ := strings.Cut(c.Way, " ")
		if method == "lethe" || f.server.routes[c.Way].open {
			if f.server.routes[c.Way].open != (c.Wants(operations.OwnProof) && !c.Wants(operations.Session)) && method != "lethe" {
				t.Errorf("%s is open without a proof of its own", c.Way)
			}
			continue
		}
		role := f.server.routes[c.Way].to[0]
		path = strings.ReplaceAll(path, "{id}", uuid.NewString())
		refused := func(who string, got reply, code string) {
			t.Helper()
			if got.problem.Code != code {
				t.Errorf("%s by %s: %d %s, want %s", c.Way, who, got.status, got.body, code)
			}
		}
		if c.Wants(operations.Session) {
			refused("a token", f.ask(role, method, path, `{}`), codeSessionRequired)
		}
		if c.Wants(operations.NoSealedCodes) {
			refused("the sealed codes", f.openSession(f.people[role], role, models.ByBreakGlass).ask(method, path, `{}`), codeBreakGlassMayNot)
		}
		if c.Wants(operations.StepUp) {
			refused("a session", f.plainSession(f.people[role], role).ask(method, path, `{}`), codeStepUpRequired)
		}
		if c.Wants(operations.ConfirmedLogin) {
			linked := f.openSession(person, role, models.ByOIDC)
			f.run(func(tx *database.Tx) error {
				err := tx.DB().Exec(`INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) SELECT ?, ?, 'https://login.example', 's', ?, ?
					WHERE NOT EXISTS (SELECT FROM oidc_links WHERE user_id = ?)`,
					uuid.New(), linked.userID, f.people[auditor], f.entry(tx), linked.userID).Error
				if err != nil {
					return database.Hide(err)
				}
				linked.token, err = f.server.Identity.StepUp(tx, linked.id, databasetest.Entry(f.t, tx))
				return err
			})
			refused("a login that nobody confirmed", linked.ask(method, path, `{}`), codeLoginUnconfirmed)
		}
	}
}

// TestI21_AHalfIsGivenToWhoIsThere: the domain demands it by itself, whoever calls it.
func TestI21_AHalfIsGivenToWhoIsThere(t *testing.T) {
	f := newFixture(t)
	half := func(b identity.Bearer) error {
		return database.Run(t.Context(), f.env.Facts, func(tx *database.Tx) error {
			_, err := identity.EnrolmentCode(tx, b, uuid.New())
			return err
		})
	}
	v := f.plainSession(f.people[hr], hr)
	b := identity.Bearer{UserID: v.userID, SessionID: v.id}
	for name, k := range map[string]struct {
		by   identity.Bearer
		want error
	}{
		"a token":                   {identity.Bearer{UserID: v.userID, TokenID: f.tokenIDs[hr]}, identity.ErrSessionRequired},
		"who has not stepped up":    {b, identity.ErrStepUpRequired},
		"a session that is no more": {identity.Bearer{UserID: v.userID, SessionID: uuid.New()}, identity.ErrSessionUnknown},
	} {
		if err := half(k.by); !errors.Is(err, k.want) {
			t.Errorf("%s: %v, want %v", name, err, k.want)
		}
	}
	fresh := f.session(hr)
	if err := half(identity.Bearer{UserID: fresh.userID, SessionID: fresh.id}); !errors.Is(err, identity.ErrNoSuchUser) {
		t.Errorf("who is there: %v", err)
	}
}
