package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// What can be wrong with a login that the provider vouches for.
var (
	ErrStaleLogin = errors.New("the login at the provider is too old for this")
	ErrOtherLogin = errors.New("the provider's login is not the one of this session")
)

// Returned is what a browser comes back from the provider with.
type Returned struct {
	State, Code string
	// Refused says that the provider sent an error instead of a code.
	Refused bool
	// Issuer is who answered, if the provider says so (RFC 9207).
	Issuer string
	// Secret is the flow's cookie; Current the browser's session, if it has one.
	Secret  string
	Current Bearer
	Client  Client
}

// Arrival is the session that a browser now has, under a new token.
type Arrival struct {
	Token     string
	SteppedUp bool // an old session was stepped up
}

// FinishLogin opens a session for the user whom the provider's login is linked with, or steps up the
// session that the browser was sent away for. What the browser brings works once. Nothing is locked
// while the provider is asked.
func (s *Service) FinishLogin(ctx context.Context, p *Provider, r Returned) (Arrival, error) {
	if err := s.flood.allow(r.Client); err != nil {
		return Arrival{}, err
	}
	h := handshake{secret: r.Secret, state: r.State}
	var flow models.OIDCFlow
	var now time.Time
	err := database.Run(ctx, s.db, func(tx *database.Tx) (err error) {
		if flow, err = takeFlow(tx, h); err != nil {
			return err
		}
		now, err = tx.Now()
		return err
	})
	if err != nil {
		return Arrival{}, err
	}
	found, err := p.hear(ctx, h, r, now)
	var arrival Arrival
	if err == nil {
		err = database.Run(ctx, s.db, func(tx *database.Tx) (err error) {
			arrival, err = s.arrive(tx, flow, found, r)
			return err
		})
	}
	if refusal := refusalOf(err); refusal != "" {
		recorded := database.Run(ctx, s.db, func(tx *database.Tx) error { return recordReturn(tx, flow, found, p.Issuer(), refusal) })
		if recorded != nil {
			return Arrival{}, recorded
		}
	}
	return arrival, err
}

// hear reads what the provider answered.
func (p *Provider) hear(ctx context.Context, h handshake, r Returned, now time.Time) (proof, error) {
	switch {
	case r.Issuer != "" && r.Issuer != p.options.Issuer:
		return proof{}, fmt.Errorf("%w: another issuer answered", ErrProofRejected)
	case r.Refused:
		return proof{}, ErrProviderDenied
	case r.Code == "":
		return proof{}, fmt.Errorf("%w: there is no code", ErrProofRejected)
	}
	return p.redeem(ctx, h, r.Code, now)
}

func (s *Service) arrive(tx *database.Tx, flow models.OIDCFlow, found proof, r Returned) (Arrival, error) {
	now, err := tx.Now()
	if err != nil {
		return Arrival{}, err
	}
	link, err := linkOf(tx.DB(), found.issuer, found.subject)
	if err != nil {
		return Arrival{}, err
	}
	if flow.SessionID != nil {
		return s.stepUpByProvider(tx, flow, found, link, r, now)
	}
	if !s.recent(found.loggedInAt, now) {
		return Arrival{}, ErrStaleLogin
	}
	user, err := lockUser(tx, link.UserID)
	if err != nil {
		return Arrival{}, err
	}
	if err := s.leave(tx, r.Current); err != nil {
		return Arrival{}, err
	}
	token, _, err := s.Open(tx, Opening{
		User: user, Role: flow.Role, Authenticated: models.ByOIDC, Client: r.Client,
		Details: map[string]string{"link": link.ID.String()},
	})
	return Arrival{Token: token}, err
}

// leave ends the session that a browser had before a login, if any.
func (s *Service) leave(tx *database.Tx, before Bearer) error {
	if before.SessionID == uuid.Nil {
		return nil
	}
	err := s.Logout(tx, before)
	if errors.Is(err, database.ErrNotFound) {
		return nil // it has ended meanwhile
	}
	return err
}

// stepUpByProvider counts a login as a step-up if the person was asked after being sent away, and is
// the session's (I22).
func (s *Service) stepUpByProvider(
	tx *database.Tx, flow models.OIDCFlow, found proof, link models.OIDCLink, r Returned, now time.Time,
) (Arrival, error) {
	if r.Current.SessionID != uuid.Nil && r.Current.SessionID != *flow.SessionID {
		return Arrival{}, ErrFlowUnknown
	}
	user, err := lockUser(tx, link.UserID)
	if err != nil {
		return Arrival{}, err
	}
	bearer, err := sessionBearer(tx.DB().Where("s.id = ?", *flow.SessionID))
	if err != nil {
		return Arrival{}, err
	}
	switch {
	case link.UserID != bearer.UserID:
		return Arrival{}, ErrOtherLogin
	case !fresh(found.loggedInAt, flow.CreatedAt, now):
		return Arrival{}, ErrStaleLogin
	}
	token, entry, err := s.steppedUp(tx, bearer, models.ByOIDC)
	if err == nil && bearer.Authenticated != models.ByOIDC && bearer.Authenticated != models.ByBreakGlass {
		err = errors.Join(confirmLink(tx, link, entry), confirmOwnerBy(tx, bearer.Actor, user, link))
	}
	if err != nil {
		return Arrival{}, err
	}
	return Arrival{Token: token, SteppedUp: true}, nil
}

// recent says that a login at the provider is no older than a session here may become. It accepts a
// provider that does not tell the age of its logins; a step-up does not.
func (s *Service) recent(loggedIn *time.Time, now time.Time) bool {
	return loggedIn == nil || fresh(loggedIn, now.Add(-s.options.Absolute), now)
}

// refusals are the ends of a login that are recorded, with their codes.
var refusals = []struct {
	err  error
	code string
}{
	{ErrProviderDenied, "denied"},
	{ErrProofRejected, "proof_rejected"},
	{ErrNotLinked, "not_linked"},
	{ErrStaleLogin, "stale"},
	{ErrOtherLogin, "other_login"},
	{ErrUserEnded, "user_ended"},
	{ErrRoleNotGranted, "role_not_granted"},
	{ErrSessionUnknown, "session_ended"},
	{ErrFlowUnknown, "other_session"},
}

func refusalOf(err error) string {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.code
		}
	}
	return ""
}

const flowCookie = "lethe-oidc"

// FlowCookie binds a login by the provider to the browser; an empty secret takes the cookie away.
func (s *Service) FlowCookie(secret string) *http.Cookie {
	return s.cookie(flowCookie, secret, FlowLasts)
}

// FlowOf is the flow cookie's value in a Cookie header, or "".
func (s *Service) FlowOf(header string) string {
	value, _ := cookieValue(header, s.cookieName(flowCookie))
	return value
}
