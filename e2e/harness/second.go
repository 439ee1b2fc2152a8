package harness

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"lethe/models"
)

// reviewing is the reviewer's session of a stack, stepped up anew before it is too old to decide.
type reviewing struct {
	mu     sync.Mutex
	client *Client
	login  Login
	fresh  time.Time
}

// stale is well before the five minutes that a step-up lasts.
const stale = 3 * time.Minute

// Reviewer is the second person: a session of the staff's reviewer that may decide now.
func (s *Stack) Reviewer(ctx context.Context) (*Client, error) {
	r := &s.reviewing
	r.mu.Lock()
	defer r.mu.Unlock()
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return nil, err
	}
	if r.client == nil {
		login, err := s.Credentials(ctx, s.people[models.RoleReviewer], models.RoleReviewer)
		if err != nil {
			return nil, err
		}
		client, err := s.LogIn(ctx, login)
		if err != nil {
			return nil, err
		}
		r.client, r.login, r.fresh = client, login, now
	}
	if now.Sub(r.fresh) > stale {
		if err := r.client.StepUp(ctx, r.login); err != nil {
			r.client = nil // the clock was moved beyond the session's life: log in anew
			return nil, err
		}
		r.fresh = now
	}
	return r.client, nil
}

// Decide decides about a request at its address; the client is a session that stepped up.
func (c *Client) Decide(ctx context.Context, address string, decision models.Decision) error {
	_, err := c.call(ctx, http.MethodPost, address+"/decision", map[string]any{"decision": decision}, nil)
	return err
}

// Agree approves what an answer says waits for a second person; any other answer is left alone.
func (s *Stack) Agree(ctx context.Context, a Answer) error {
	if !strings.HasPrefix(a.Location, "/api/v1/approvals/") {
		return nil
	}
	reviewer, err := s.Reviewer(ctx)
	if err != nil {
		return err
	}
	return reviewer.Decide(ctx, a.Location, models.DecisionApproved)
}

// Withdraw takes a departure back with the company's consent, on the word of HR and, where that
// needs two people, of the reviewer.
func (s *Stack) Withdraw(ctx context.Context, id, reason string) error {
	a, err := s.As(s.Staff.HR).Withdraw(ctx, id, reason)
	if err != nil {
		return err
	}
	return s.Agree(ctx, a)
}

// ConfirmAnnulment is the reviewer's word on an annulment that was asked for.
func (s *Stack) ConfirmAnnulment(ctx context.Context, id string) error {
	reviewer, err := s.Reviewer(ctx)
	if err != nil {
		return err
	}
	return reviewer.ConfirmAnnulment(ctx, id)
}

// ConfirmWaiver is the reviewer's word on a waiver that was asked for.
func (s *Stack) ConfirmWaiver(ctx context.Context, kase string) error {
	reviewer, err := s.Reviewer(ctx)
	if err != nil {
		return err
	}
	return reviewer.Confirm(ctx, kase)
}
