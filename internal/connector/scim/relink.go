package scim

import (
	"context"
	"net/http"
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
	if before.Active && !bool(*u.Active) {
		if done, err = c.setActive(ctx, externalID, true); err != nil || done.Outcome == connector.NotFound {
			return done, err
		}
	}
	now, err := c.groups(ctx, u)
	if err != nil {
		return connector.Result{}, err
	}
	missing := slices.DeleteFunc(before.Groups, func(g string) bool { return slices.Contains(now, g) })
	return c.joinAll(ctx, missing, externalID, done)
}

// joinAll puts the account into each group. A group that is gone does not keep the
// others from being put back, but it is reported at the end: somebody has to know
// that the account is not what it was.
func (c *Client) joinAll(ctx context.Context, groups []string, id string, done connector.Result) (connector.Result, error) {
	gone := false
	for _, g := range groups {
		r, err := c.patch(ctx, groupPath(g), &c.joins, joinForms(id))
		if err != nil {
			return connector.Result{}, err
		}
		if r.status == http.StatusNotFound {
			gone = true
			continue
		}
		joined, err := c.result(r)
		if err != nil {
			return connector.Result{}, err
		}
		done = merge(done, joined)
	}
	if gone {
		return connector.Result{}, &connector.Error{Code: connector.CodeConflict}
	}
	return done, nil
}
