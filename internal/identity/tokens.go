package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// ErrScope says that a scope is not one that tokens can be limited to.
var ErrScope = errors.New("there is no such scope")

// The scopes of tokens: groups of routes. A token without any may call whatever its role may. Which
// route belongs to which is the API's table.
const (
	ScopeRead       = "read"       // every GET
	ScopePeople     = "people"     // persons and their files
	ScopeDepartures = "departures" // departures, holds, purges
	ScopeAccounts   = "accounts"   // linked accounts, cases, systems
	// ScopeDisclosures: looks at sensitive fields.
	ScopeDisclosures = "disclosures"
	// ScopeEmergencies: emergency calls alone, as for the phone of a gatehouse.
	ScopeEmergencies = "emergencies"
)

// Scopes lists them.
var Scopes = []string{ScopeRead, ScopePeople, ScopeDepartures, ScopeAccounts, ScopeDisclosures, ScopeEmergencies}

// TokenOrder is an order for a token of the user who asks, in the role of the session.
type TokenOrder struct {
	Label     string
	ExpiresAt time.Time
	Scopes    []string
}

// IssueOwn makes a token for the user of a session. It does no more than the session's role.
func IssueOwn(tx *database.Tx, by Bearer, o TokenOrder, dev bool) (string, models.APIToken, error) {
	now, err := tx.Now()
	if err != nil {
		return "", models.APIToken{}, err
	}
	if err := checkOrder(tx, by.Actor.Role, o.Label, o.ExpiresAt.Sub(now), dev); err != nil {
		return "", models.APIToken{}, err
	}
	for _, scope := range o.Scopes {
		if !slices.Contains(Scopes, scope) {
			return "", models.APIToken{}, ErrScope
		}
	}
	user, err := lockUser(tx, by.UserID)
	if err != nil {
		return "", models.APIToken{}, err
	}
	if err := RequireConfirmed(tx, by); err != nil {
		return "", models.APIToken{}, err
	}
	if _, err := roleFor(tx, user.ID, by.Actor.Role); err != nil || user.State != models.UserActive {
		return "", models.APIToken{}, errors.Join(ErrRoleNotGranted, err)
	}
	return issue(tx, user, models.APIToken{
		Role: by.Actor.Role, Label: o.Label, ExpiresAt: o.ExpiresAt, Scopes: strings.Join(o.Scopes, " "),
	}, dev)
}

// Tokens are a user's tokens that are in force, the newest first.
func Tokens(ctx context.Context, db *database.DB, userID uuid.UUID) ([]models.APIToken, error) {
	var rows []models.APIToken
	err := db.Read(ctx).Where("user_id = ? AND revoked_at IS NULL AND expires_at > lethe_now()", userID).
		Order(database.Newest).Limit(200).Find(&rows).Error
	return rows, database.Wrap("listing tokens", err)
}

// IssuedOnHost says that an administrator of the host issued a token, not its owner. Whoever did so may
// hold it, and would ask in the owner's name for what they then approve themselves (I21).
func IssuedOnHost(tx *database.Tx, id uuid.UUID) (bool, error) {
	token, err := database.First[models.APIToken](tx.DB().Select("id", "on_host").Where("id = ?", id))
	return token.OnHost, database.Wrap("looking up where a token comes from", err)
}

// RevokeOwn ends one of a user's own tokens; another's does not exist.
func RevokeOwn(tx *database.Tx, by Bearer, id uuid.UUID) error {
	if _, err := database.First[models.APIToken](tx.DB().Where("id = ? AND user_id = ?", id, by.UserID)); err != nil {
		return err
	}
	_, err := Revoke(tx, id.String())
	return err
}

// ownerOf is the user of a token, for the ledger.
func ownerOf(t models.APIToken) models.User {
	return models.User{ID: t.UserID, EmployeeID: t.EmployeeID}
}

func tokenDetails(t models.APIToken) map[string]string {
	details := map[string]string{"issued_token_id": t.ID.String(), "role": string(t.Role)}
	if t.Scopes != "" {
		details["scopes"] = strings.ReplaceAll(t.Scopes, " ", ",")
	}
	return details
}
