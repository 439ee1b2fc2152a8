package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
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
	f := apitest.New(t)
	routes := f.Routes()
	for _, route := range routes {
		_, way := operations.CredentialOf(route)
		if shown := secretOf(f, route); shown != "" && !way {
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
func secretOf(f *apitest.Fixture, route string) string {
	method, path, _ := strings.Cut(route, " ")
	item := f.API.Huma.OpenAPI().Paths[path]
	op := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete}[method]
	for status, response := range op.Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		for _, media := range response.Content {
			if name := secretIn(f, media.Schema, map[string]bool{}); name != "" {
				return name
			}
		}
	}
	return ""
}

func secretIn(f *apitest.Fixture, s *huma.Schema, seen map[string]bool) string {
	if s == nil {
		return ""
	}
	if s.Ref != "" {
		if seen[s.Ref] {
			return ""
		}
		seen[s.Ref] = true
		return secretIn(f, f.API.Huma.OpenAPI().Components.Schemas.SchemaFromRef(s.Ref), seen)
	}
	for name, property := range s.Properties {
		if slices.Contains(secrets, name) && property.Type != huma.TypeBoolean {
			return name
		}
		if found := secretIn(f, property, seen); found != "" {
			return found
		}
	}
	return secretIn(f, s.Items, seen)
}

// TestI21_I22_EveryWayToACredentialIsGuarded asks each route of the table without what it demands.
func TestI21_I22_EveryWayToACredentialIsGuarded(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("R-linked", f.B)
	for _, c := range operations.Credentials {
		method, path, _ := strings.Cut(c.Way, " ")
		if method == "lethe" || f.API.Routes[c.Way].Open {
			if f.API.Routes[c.Way].Open != (c.Wants(operations.OwnProof) && !c.Wants(operations.Session)) && method != "lethe" {
				t.Errorf("%s is open without a proof of its own", c.Way)
			}
			continue
		}
		role := f.API.Routes[c.Way].To[0]
		path = strings.ReplaceAll(path, "{id}", uuid.NewString())
		refused := func(who string, got apitest.Reply, code string) {
			t.Helper()
			if got.Problem.Code != code {
				t.Errorf("%s by %s: %d %s, want %s", c.Way, who, got.Status, got.Body, code)
			}
		}
		if c.Wants(operations.Session) {
			refused("a token", f.Ask(role, method, path, `{}`), "session_required")
		}
		if c.Wants(operations.NoSealedCodes) {
			refused("the sealed codes", f.OpenSession(f.People[role], role, models.ByBreakGlass).Ask(method, path, `{}`), "break_glass_not_allowed")
		}
		if c.Wants(operations.StepUp) {
			refused("a session", f.PlainSession(f.People[role], role).Ask(method, path, `{}`), "step_up_required")
		}
		if c.Wants(operations.ConfirmedLogin) {
			linked := f.OpenSession(person, role, models.ByOIDC)
			f.Run(func(tx *database.Tx) error {
				err := tx.DB().Exec(`INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, ledger_entry_id) SELECT ?, ?, 'https://login.example', 's', ?, ?
					WHERE NOT EXISTS (SELECT FROM oidc_links WHERE user_id = ?)`,
					uuid.New(), linked.UserID, f.People[httpkit.Auditor], f.Entry(tx), linked.UserID).Error
				if err != nil {
					return database.Hide(err)
				}
				linked.Token, err = f.API.Identity.StepUp(tx, linked.ID, databasetest.Entry(f.T, tx))
				return err
			})
			refused("a login that nobody confirmed", linked.Ask(method, path, `{}`), "login_unconfirmed")
		}
	}
}

// TestI21_AHalfIsGivenToWhoIsThere: the domain demands it by itself, whoever calls it.
func TestI21_AHalfIsGivenToWhoIsThere(t *testing.T) {
	f := apitest.New(t)
	half := func(b identity.Bearer) error {
		return database.Run(t.Context(), f.Env.Facts, func(tx *database.Tx) error {
			_, err := identity.EnrolmentCode(tx, b, uuid.New())
			return err
		})
	}
	v := f.PlainSession(f.People[httpkit.HR], httpkit.HR)
	b := identity.Bearer{UserID: v.UserID, SessionID: v.ID}
	for name, k := range map[string]struct {
		by   identity.Bearer
		want error
	}{
		"a token":                   {identity.Bearer{UserID: v.UserID, TokenID: f.TokenIDs[httpkit.HR]}, identity.ErrSessionRequired},
		"who has not stepped up":    {b, identity.ErrStepUpRequired},
		"a session that is no more": {identity.Bearer{UserID: v.UserID, SessionID: uuid.New()}, identity.ErrSessionUnknown},
	} {
		if err := half(k.by); !errors.Is(err, k.want) {
			t.Errorf("%s: %v, want %v", name, err, k.want)
		}
	}
	fresh := f.Session(httpkit.HR)
	if err := half(identity.Bearer{UserID: fresh.UserID, SessionID: fresh.ID}); !errors.Is(err, identity.ErrNoSuchUser) {
		t.Errorf("who is there: %v", err)
	}
}
