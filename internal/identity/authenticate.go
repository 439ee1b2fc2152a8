package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// Why a session is refused.
var (
	ErrSessionUnknown = errors.New("the session is unknown or has ended")
	// ErrUserEnded says that the user is no longer active or no longer holds the role.
	ErrUserEnded = errors.New("the user or its role has ended")
)

// Bearer is who a token or a session stands for.
type Bearer struct {
	Actor  models.Actor
	UserID uuid.UUID
	// One of both is set.
	TokenID, SessionID uuid.UUID
	Authenticated      models.Authentication
	// SteppedUpAt is when the session was last re-authenticated; a token never is (I22).
	SteppedUpAt *time.Time
	// BreakGlass marks a session opened with the sealed codes.
	BreakGlass bool
	// Former marks a session of somebody who has left, for the own data alone.
	Former bool
	// Scopes, if any, are the groups of routes that a token is limited to.
	Scopes []string
}

// Caller is the bearer as it travels in a context.
func (b Bearer) Caller(requestID string) models.Caller {
	return models.Caller{
		Actor: b.Actor, UserID: b.UserID, SessionID: b.SessionID, TokenID: b.TokenID,
		Authenticated: b.Authenticated, RequestID: requestID,
	}
}

type tokenRow struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	EmployeeID uuid.UUID
	Role       models.Role
	Scopes     string
	Revoked    bool
	Expired    bool
	Held       bool
}

// Authenticate finds the bearer of a token. Nothing is cached, so that the end of the token, of its
// user, or of the user's role takes effect with the next call (I23); expiry is judged by the
// database's clock. dev says that the process runs in development; any other refuses development
// tokens without looking them up.
func Authenticate(ctx context.Context, db *database.DB, secret string, dev bool) (Bearer, error) {
	if !strings.HasPrefix(secret, ProductionPrefix) || (!dev && strings.HasPrefix(secret, DevelopmentPrefix)) {
		return Bearer{}, ErrTokenUnknown
	}
	return bearer(db.Read(ctx).Where("t.secret_hash = ?", hash(secret)))
}

// Recheck says whether what was authenticated before still holds, token or session.
func Recheck(ctx context.Context, db *database.DB, b Bearer) (Bearer, error) {
	if b.SessionID != uuid.Nil {
		return sessionBearer(db.Read(ctx).Where("s.id = ?", b.SessionID))
	}
	return bearer(db.Read(ctx).Where("t.id = ?", b.TokenID))
}

func bearer(where *gorm.DB) (Bearer, error) {
	row, err := database.First[tokenRow](where.Table("api_tokens t").Joins("JOIN users u ON u.id = t.user_id").Select(
		"t.id", "t.user_id", "t.employee_id", "t.role", "t.scopes", "t.revoked_at IS NOT NULL AS revoked", "t.expires_at <= lethe_now() AS expired",
		"u.state = 'active' AND EXISTS (SELECT FROM user_roles r WHERE r.user_id = u.id AND r.role = t.role AND r.revoked_at IS NULL) AS held"))
	switch {
	case errors.Is(err, database.ErrNotFound):
		return Bearer{}, ErrTokenUnknown
	case err != nil:
		return Bearer{}, fmt.Errorf("looking up a token: %w", err)
	case row.Revoked:
		return Bearer{}, ErrTokenRevoked
	case row.Expired:
		return Bearer{}, ErrTokenExpired
	case !row.Held:
		return Bearer{}, ErrUserEnded
	}
	return Bearer{
		Actor: models.Actor{EmployeeID: row.EmployeeID, Role: row.Role}, UserID: row.UserID, TokenID: row.ID,
		Authenticated: models.ByToken, Scopes: strings.Fields(row.Scopes),
	}, nil
}

type sessionRow struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	EmployeeID    uuid.UUID
	Role          models.Role
	Authenticated models.Authentication
	SteppedUpAt   *time.Time
	BreakGlass    bool
	Stale         bool // not marked as seen for a while
}

// sessionBearer reads a session that is neither revoked nor over, of an active user in a role that
// the user still holds. Everything else does not exist. One of somebody who has left is as good as the data is kept.
func sessionBearer(where *gorm.DB) (Bearer, error) {
	row, err := liveSession(where)
	return row.bearer(), err
}

func liveSession(where *gorm.DB) (sessionRow, error) {
	row, err := database.First[sessionRow](where.Table("sessions s").Joins("JOIN users u ON u.id = s.user_id").
		Where("s.revoked_at IS NULL AND s.idle_expires_at > lethe_now() AND s.expires_at > lethe_now()").
		Where("CASE WHEN s.authenticated = 'link_totp' THEN u.state = 'disabled' AND EXISTS (SELECT FROM employees e WHERE e.id = u.employee_id AND e.status = 'departed') ELSE u.state = 'active' END").
		Where("(s.authenticated = 'link_totp' OR EXISTS (SELECT FROM user_roles r WHERE r.user_id = u.id AND r.role = s.role AND r.revoked_at IS NULL))").
		Select("s.id", "s.user_id", "u.employee_id", "s.role", "s.authenticated", "s.stepped_up_at", "s.break_glass",
			"s.seen_at < lethe_now() - interval '30 seconds' AS stale"))
	return row, database.Found("looking up a session", err, ErrSessionUnknown)
}

func (r sessionRow) bearer() Bearer {
	return Bearer{
		Actor: models.Actor{EmployeeID: r.EmployeeID, Role: r.Role}, UserID: r.UserID, SessionID: r.ID,
		Authenticated: r.Authenticated, SteppedUpAt: r.SteppedUpAt, BreakGlass: r.BreakGlass, Former: r.Authenticated == models.ByLink,
	}
}
