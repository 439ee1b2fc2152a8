package identity

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// FlowLasts is how long a browser may take to come back from the provider.
const FlowLasts = StepUpLasts

// ErrFlowUnknown says that nobody was sent to the provider like this: the state is unknown, was used
// before or is too old, or the browser is another one.
var ErrFlowUnknown = errors.New("no login was begun like this")

// Outbound is where a browser goes to be logged in by the provider. Secret goes into its cookie and nowhere else.
type Outbound struct {
	Address string
	Secret  string
}

// flowLimits bound what strangers can make us store; the people of a whole office behind one address
// get through.
func flowLimits(p Client) []rateLimit {
	return []rateLimit{{limitFlow, []string{network(p)}, 100, time.Second}}
}

const limitFlow = "oidc" // browsers sent to the provider, from one address

// BeginLogin prepares a login by the provider, in the given role (empty: the user's usual one). With
// a session it prepares a step-up of that session instead, for which the provider asks the person
// again.
func (s *Service) BeginLogin(ctx context.Context, p *Provider, role models.Role, session uuid.UUID, from Client) (Outbound, error) {
	if role != "" && !validRole(role) {
		return Outbound{}, ErrRole
	}
	if err := s.flood.allow(from); err != nil {
		return Outbound{}, err
	}
	if err := take(ctx, s.db, flowLimits(from)); err != nil {
		return Outbound{}, err
	}
	now, err := s.db.Now(ctx)
	if err != nil {
		return Outbound{}, err
	}
	h, err := newHandshake()
	if err != nil {
		return Outbound{}, err
	}
	maxAge := s.options.Absolute
	if session != uuid.Nil {
		maxAge = 0
	}
	address, err := p.address(ctx, h, maxAge, now)
	if err != nil {
		return Outbound{}, err
	}
	flow := models.OIDCFlow{StateHash: hash(h.state), BrowserHash: hash(h.secret), Role: role, ExpiresAt: now.Add(FlowLasts)}
	if session != uuid.Nil {
		flow.SessionID = &session
	}
	err = database.Run(ctx, s.db, func(tx *database.Tx) error { return storeFlow(tx, flow) })
	return Outbound{Address: address, Secret: h.secret}, err
}

func storeFlow(tx *database.Tx, flow models.OIDCFlow) (err error) {
	flow.ID = models.NewID()
	if err := tx.DB().Where("expires_at < lethe_now() - interval '1 hour'").Delete(&models.OIDCFlow{}).Error; err != nil {
		return database.Wrap("removing old logins by the provider", err)
	}
	return database.Wrap("noting a login by the provider", tx.DB().Create(&flow).Error)
}

// takeFlow finds what a browser was sent away for, and forgets it: whoever comes second, with
// whatever, finds nothing. A browser that is not the one that was sent away takes nothing, so that a
// stranger who learned a state cannot spend it.
func takeFlow(tx *database.Tx, h handshake) (models.OIDCFlow, error) {
	var taken []models.OIDCFlow
	err := tx.DB().Clauses(clause.Returning{}).
		Where("state_hash = ? AND browser_hash = ? AND expires_at > lethe_now()", hash(h.state), hash(h.secret)).
		Delete(&taken).Error
	if err != nil {
		return models.OIDCFlow{}, database.Wrap("finding a login by the provider", err)
	}
	if len(taken) != 1 {
		return models.OIDCFlow{}, ErrFlowUnknown
	}
	return taken[0], nil
}

// fresh says that a login at the provider happened after the browser was sent there, by clocks that
// may differ a little, and not in the future.
func fresh(loggedIn *time.Time, sentAt, now time.Time) bool {
	return loggedIn != nil && !loggedIn.Before(sentAt.Add(-clockLeeway)) && !loggedIn.After(now.Add(clockLeeway))
}

// linkOf finds the user of a login.
func linkOf(db *gorm.DB, issuer, subject string) (models.OIDCLink, error) {
	link, err := database.First[models.OIDCLink](db.Where("issuer = ? AND subject = ? AND unlinked_at IS NULL", issuer, subject))
	return link, database.Found("finding whose login it is", err, ErrNotLinked)
}
