package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Why a token is refused.
var (
	ErrTokenUnknown = errors.New("the token is unknown")
	ErrTokenExpired = errors.New("the token has expired")
	ErrTokenRevoked = errors.New("the token was revoked")
)

// Bearer is who a token stands for.
type Bearer struct {
	Actor   models.Actor
	TokenID uuid.UUID
}

type tokenRow struct {
	ID         uuid.UUID
	EmployeeID uuid.UUID
	Role       models.Role
	Revoked    bool
	Expired    bool
}

// Authenticate finds the bearer of a secret. Nothing is cached, so a revocation takes effect with
// the next call; expiry is judged by the database's clock. dev says that the process runs in
// development; any other refuses development tokens without looking them up.
func Authenticate(ctx context.Context, db *database.DB, secret string, dev bool) (Bearer, error) {
	if !strings.HasPrefix(secret, ProductionPrefix) || (!dev && strings.HasPrefix(secret, DevelopmentPrefix)) {
		return Bearer{}, ErrTokenUnknown
	}
	return bearer(db.Read(ctx).Where("secret_hash = ?", hash(secret)))
}

// Recheck says whether a token that was authenticated before still holds.
func Recheck(ctx context.Context, db *database.DB, tokenID uuid.UUID) (Bearer, error) {
	return bearer(db.Read(ctx).Where("id = ?", tokenID))
}

func bearer(where *gorm.DB) (Bearer, error) {
	row, err := database.First[tokenRow](where.Table("api_tokens").Select(
		"id", "employee_id", "role", "revoked_at IS NOT NULL AS revoked", "expires_at <= lethe_now() AS expired"))
	switch {
	case errors.Is(err, database.ErrNotFound):
		return Bearer{}, ErrTokenUnknown
	case err != nil:
		return Bearer{}, fmt.Errorf("looking up a token: %w", err)
	case row.Revoked:
		return Bearer{}, ErrTokenRevoked
	case row.Expired:
		return Bearer{}, ErrTokenExpired
	}
	return Bearer{Actor: models.Actor{EmployeeID: row.EmployeeID, Role: row.Role}, TokenID: row.ID}, nil
}
