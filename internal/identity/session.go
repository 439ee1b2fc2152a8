package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// BreakGlassLasts is how long a session opened with the sealed codes lives.
const BreakGlassLasts = time.Hour

// Opening is an order for a session of somebody who has proved who they are.
type Opening struct {
	User          models.User
	Role          models.Role // empty: the user's usual one
	Authenticated models.Authentication
	Client        Client
	// SteppedUp says that the proof was just given by the person, so that it counts as a step-up.
	SteppedUp bool
	// Details go into the ledger entry.
	Details map[string]string
}

// Open starts a session and records the login: one that cannot be recorded does not happen. The
// token is for the cookie and stored nowhere.
func (s *Service) Open(tx *database.Tx, o Opening) (token string, session models.Session, err error) {
	state := models.UserActive
	if o.Authenticated == models.ByLink {
		state = models.UserDisabled // by the end of the access; whether the person has left the caller has looked
	}
	if o.User.State != state {
		return "", session, ErrUserEnded
	}
	if o.Authenticated != models.ByLink { // who has left is an employee to the own data, whatever they were
		if o.Role, err = roleFor(tx, o.User.ID, o.Role); err != nil {
			return "", session, err
		}
	}
	now, err := tx.Now()
	if err != nil {
		return "", session, err
	}
	id := models.NewID()
	session = models.Session{
		ID: id, UserID: o.User.ID, Role: o.Role, Authenticated: o.Authenticated,
		BreakGlass: o.Authenticated == models.ByBreakGlass, Address: addressText(o.Client), Agent: shorten(o.Client.Agent, 200),
		CreatedAt: now, SeenAt: now, IdleExpiresAt: now.Add(s.options.Idle), ExpiresAt: now.Add(s.options.Absolute),
	}
	if session.BreakGlass {
		session.ExpiresAt = now.Add(BreakGlassLasts)
	}
	if o.Authenticated == models.ByLink {
		session.ExpiresAt = now.Add(FormerLasts)
	}
	if o.SteppedUp {
		session.SteppedUpAt = &now
	}
	by := models.Actor{EmployeeID: o.User.EmployeeID, Role: o.Role}
	details := map[string]string{"session_id": id.String()}
	for key, value := range o.Details {
		details[key] = value
	}
	entry, err := recordSession(tx, by, "session.opened", o.User, o.Authenticated, details)
	if err != nil {
		return "", session, err
	}
	session.LedgerEntryID = &entry
	if token, err = s.commit(tx, &session, true); err != nil {
		return "", session, err
	}
	return token, session, sweepTraces(tx)
}

// tracesKept is how long it is kept from where a session was opened: addresses are personal data.
const tracesKept = 30 * 24 * time.Hour

// sweepTraces clears a few old sessions and places that nobody needs any more. What others hold is
// left to them.
func sweepTraces(tx *database.Tx) error {
	sessions := tx.DB().Exec(`UPDATE sessions SET address = '', agent = '' WHERE id IN (
		SELECT id FROM sessions WHERE expires_at < lethe_now() - make_interval(secs => ?) AND (address <> '' OR agent <> '')
		LIMIT 10 FOR UPDATE SKIP LOCKED)`, tracesKept.Seconds())
	places := tx.DB().Exec(`DELETE FROM known_places WHERE (user_id, kind, key_hash) IN (
		SELECT user_id, kind, key_hash FROM known_places WHERE used_at < lethe_now() - make_interval(secs => ?)
		LIMIT 10 FOR UPDATE SKIP LOCKED)`, deviceKept.Seconds())
	return database.Wrap("sweeping old sessions", errors.Join(sessions.Error, places.Error))
}

// StepUp notes that the person behind a session has just proved again who they are, and gives the
// session a new token. Who calls it has checked the proof and written the ledger entry.
func (s *Service) StepUp(tx *database.Tx, sessionID, entry uuid.UUID) (token string, err error) {
	session, err := database.First[models.Session](tx.DB().Clauses(database.ForChange).Where("id = ? AND revoked_at IS NULL", sessionID))
	if err != nil {
		return "", database.Found("locking a session", err, ErrSessionUnknown)
	}
	err = database.UpdateOne(tx.DB().Model(&models.Session{}).Where("id = ?", sessionID).
		Updates(map[string]any{"stepped_up_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry}))
	if err != nil {
		return "", fmt.Errorf("noting a step-up: %w", err)
	}
	return s.commit(tx, &session, false)
}

// AuthenticateSession finds the bearer of a session's token and counts it as used. A session that
// was revoked or is over, and one whose user or role has ended, is ErrSessionUnknown from the next
// request on (I23).
func (s *Service) AuthenticateSession(ctx context.Context, token string) (Bearer, error) {
	found, err := s.find(ctx, token)
	if err != nil {
		return Bearer{}, err
	}
	if found.Stale {
		err := s.db.Read(ctx).Model(&models.Session{}).Where("id = ? AND revoked_at IS NULL", found.ID).Updates(map[string]any{
			"seen_at":         gorm.Expr("lethe_now()"),
			"idle_expires_at": gorm.Expr("least(lethe_now() + make_interval(secs => ?), expires_at)", s.options.Idle.Seconds()),
		}).Error
		if err != nil {
			return Bearer{}, database.Wrap("counting a session as used", err)
		}
	}
	return found.bearer(), nil
}

// Sessions are a user's sessions that have not ended, the newest first.
func (s *Service) Sessions(ctx context.Context, userID uuid.UUID) ([]models.Session, error) {
	var rows []models.Session
	err := s.db.Read(ctx).Where("user_id = ? AND revoked_at IS NULL AND idle_expires_at > lethe_now() AND expires_at > lethe_now()", userID).
		Order(database.Newest).Limit(100).Find(&rows).Error
	return rows, database.Wrap("listing sessions", err)
}

// Session is one session, which its bearer has just been authenticated by.
func (s *Service) Session(ctx context.Context, id uuid.UUID) (models.Session, error) {
	row, err := database.First[models.Session](s.db.Read(ctx).Where("id = ?", id))
	return row, database.Wrap("reading a session", err)
}

// Logout ends the session that asks for it.
func (s *Service) Logout(tx *database.Tx, by Bearer) error {
	return s.endSession(tx, by, by.SessionID, "session.closed")
}

// RevokeSession ends one of the user's own sessions; another's does not exist.
func (s *Service) RevokeSession(tx *database.Tx, by Bearer, id uuid.UUID) error {
	return s.endSession(tx, by, id, "session.revoked")
}

func (s *Service) endSession(tx *database.Tx, by Bearer, id uuid.UUID, action string) error {
	err := database.UpdateOne(tx.DB().Model(&models.Session{}).Where("id = ? AND user_id = ? AND revoked_at IS NULL", id, by.UserID).
		Update("revoked_at", gorm.Expr("lethe_now()")))
	if errors.Is(err, database.ErrChanged) {
		return database.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	_, err = recordSession(tx, by.Actor, action, models.User{ID: by.UserID, EmployeeID: by.Actor.EmployeeID}, by.Authenticated,
		map[string]string{"session_id": id.String()})
	return err
}

// roleFor is the role of a new session: the wished one if the user holds it, else ErrRoleNotGranted;
// without a wish the first that is held, in the order of models.Roles.
func roleFor(tx *database.Tx, userID uuid.UUID, wish models.Role) (models.Role, error) {
	held, err := rolesOf(tx.DB(), userID)
	if err != nil {
		return "", err
	}
	for _, role := range models.Roles {
		for _, h := range held {
			if h == role && (wish == "" || wish == role) {
				return role, nil
			}
		}
	}
	return "", ErrRoleNotGranted
}

// rolesOf are the roles that a user holds.
func rolesOf(db *gorm.DB, userID uuid.UUID) ([]models.Role, error) {
	var held []models.Role
	err := db.Model(&models.UserRole{}).Where("user_id = ? AND revoked_at IS NULL", userID).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "role"}}).Pluck("role", &held).Error
	return held, database.Wrap("reading the roles of a user", err)
}

// The cookies. __Host- binds one to the host, to HTTPS and to the whole site (RFC 6265bis, 4.1.3.2).
const (
	sessionCookie = "lethe"
	deviceCookie  = "lethe-device"
	deviceKept    = 180 * 24 * time.Hour
	deviceLength  = 32 // letters and digits of 20 random bytes
)

func (s *Service) cookieName(name string) string {
	if s.options.Insecure {
		return name
	}
	return "__Host-" + name
}

// SessionCookie is the cookie that carries a session's token; an empty token takes it away. It has
// SameSite=Lax: with Strict, whoever comes back from the company's login page would arrive without.
func (s *Service) SessionCookie(token string) *http.Cookie {
	return s.cookie(sessionCookie, token, s.options.Absolute)
}

// DeviceCookie is the cookie by which a browser is known to an account later.
func (s *Service) DeviceCookie(device string) *http.Cookie {
	return s.cookie(deviceCookie, device, deviceKept)
}

func (s *Service) cookie(name, value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: !s.options.Insecure, SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// TokenOf is the session's token that a request's Cookie header carries, if any. Two are none:
// somebody has planted one.
func (s *Service) TokenOf(header string) (token string, ok bool) {
	return cookieValue(header, s.cookieName(sessionCookie))
}

// DeviceOf is the device cookie's value in a Cookie header, or "".
func (s *Service) DeviceOf(header string) string {
	value, _ := cookieValue(header, s.cookieName(deviceCookie))
	return value
}

func cookieValue(header, name string) (string, bool) {
	cookies, err := http.ParseCookie(header)
	if err != nil {
		return "", false
	}
	value, found := "", 0
	for _, c := range cookies {
		if c.Name == name {
			value = c.Value
			found++
		}
	}
	return value, found == 1 && value != ""
}

func addressText(p Client) string {
	if !p.Address.IsValid() {
		return ""
	}
	return p.Address.Unmap().String()
}

// shorten cuts text to n characters, without what is not text.
func shorten(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
