package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"lethe/internal/connector"
)

// ReadBack implements connector.Reader.
func (c *Client) ReadBack(ctx context.Context, externalID string) (connector.State, error) {
	u, err := c.user(ctx, externalID)
	if err != nil {
		return connector.State{}, err
	}
	if u.unclear {
		return u.state(), badAnswer()
	}
	return u.state(), nil
}

func (u user) state() connector.State {
	return connector.State{Exists: true, Active: u.active, EmployeeNo: u.number}
}

// Residue implements connector.Reader: a SCIM user shows all but the groups that only list it themselves.
func (c *Client) Residue(ctx context.Context, externalID string) ([]connector.Residue, error) {
	u, err := c.user(ctx, externalID)
	if err != nil {
		return nil, err
	}
	if u.unclear {
		return nil, badAnswer()
	}
	groups, err := c.memberships(ctx, u)
	if err == nil {
		err = u.oddAccess
	}
	if err != nil && len(groups) == 0 {
		return nil, err
	}
	var told access
	if u.access != nil {
		told = *u.access
	}
	found := []connector.Residue{
		{Kind: connector.ResidueDelegations, Count: int(told.Delegations)},
		{Kind: connector.ResidueGroups, Count: len(groups)},
		{Kind: connector.ResidueSessions, Count: int(told.Sessions)},
		{Kind: connector.ResidueTokens, Count: int(told.Tokens)},
	}
	return slices.DeleteFunc(found, func(r connector.Residue) bool { return r.Count <= 0 }), nil
}

// Health implements connector.HealthChecker: it reads the service provider's
// configuration (RFC 7644 section 4), which every SCIM system has, and changes
// nothing.
func (c *Client) Health(ctx context.Context) error {
	r, err := c.get(ctx, "/ServiceProviderConfig")
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		if err := c.failure(r); connector.CodeOf(err) != connector.CodeNotFound {
			return err
		}
		return &connector.Error{Code: connector.CodeBadAnswer} // not a SCIM system at this address
	}
	var config struct {
		Schemas []string `json:"schemas"`
	}
	return decode(r.body, &config)
}

// snapshot is the form of a snapshot's bytes. It holds ids of groups, not their
// names, and nothing that names the person.
type snapshot struct {
	Format int      `json:"scim_snapshot"`
	ID     string   `json:"id"`
	Active bool     `json:"active"`
	Groups []string `json:"groups"`
	Lacks  []string `json:"lacks,omitempty"`
}

// Snapshot implements connector.Reader.
func (c *Client) Snapshot(ctx context.Context, externalID string, active bool) (connector.Snapshot, error) {
	u, err := c.user(ctx, externalID)
	if err != nil {
		return connector.Snapshot{}, err
	}
	s := snapshot{Format: 1, ID: u.id, Active: active}
	if s.Groups, err = c.memberships(ctx, u); err != nil {
		s.Lacks = []string{connector.ResidueGroups}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return connector.Snapshot{}, fmt.Errorf("encoding a snapshot: %w", err)
	}
	return connector.Snapshot{State: raw, Lacks: s.Lacks}, nil
}

func readSnapshot(raw []byte, externalID string) (snapshot, error) {
	var s snapshot
	if json.Unmarshal(raw, &s) != nil || s.Format != 1 || s.ID != externalID {
		return snapshot{}, &connector.Error{Code: connector.CodeBadSnapshot}
	}
	return s, nil
}
