package scim

import (
	"context"
	"slices"

	"lethe/internal/connector"
)

// Restore implements connector.Relinker. Sessions and tokens are not put back:
// people sign in anew.
func (c *Client) Restore(ctx context.Context, externalID string, raw []byte) (connector.Result, error) {
	before, err := readSnapshot(raw, externalID)
	if err != nil {
		return connector.Result{}, err
	}
	u, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	done := alreadyDone
	if before.Active && (!u.active || u.unclear) {
		if done, err = c.setActive(ctx, externalID, true); err != nil || done.Outcome == connector.NotFound {
			return done, err
		}
	}
	if len(before.Groups) == 0 {
		return done, nil
	}
	now, err := c.memberships(ctx, u)
	if err != nil {
		return connector.Result{}, err
	}
	missing := slices.DeleteFunc(before.Groups, func(g string) bool { return slices.Contains(now, g) })
	x := c.changeOf(externalID, true, done)
	if err := x.memberships(ctx, missing, joinForms, &c.joins); err != nil {
		return connector.Result{}, graver(x.unsure, err)
	}
	for g, err := range x.failed {
		if connector.CodeOf(err) == connector.CodeNotFound {
			// The group is gone: somebody has to know that the account is not what it was.
			x.failed[g] = &connector.Error{Code: connector.CodeConflict}
		}
	}
	return x.outcome()
}
