package scim

import (
	"context"
	"net/http"

	"lethe/internal/connector"
)

var (
	notFound    = connector.Result{Outcome: connector.NotFound}
	alreadyDone = connector.Result{Outcome: connector.AlreadyDone}
)

// Disable implements connector.Unlinker. It first reads the account, so that a
// repetition after a cut connection or a 409 sends only what is still missing:
// active first, since that is what ends access, then each group.
func (c *Client) Disable(ctx context.Context, externalID string) (connector.Result, error) {
	u, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	done := alreadyDone
	if *u.Active {
		if done, err = c.setActive(ctx, externalID, false); err != nil || done.Outcome == connector.NotFound {
			return done, err
		}
	}
	groups, err := c.groups(ctx, u)
	if err != nil {
		return connector.Result{}, err
	}
	for _, g := range groups {
		left, err := c.leave(ctx, g, externalID)
		if err != nil {
			return connector.Result{}, err
		}
		done = merge(done, left)
	}
	return done, nil
}

// Detach implements connector.Unlinker. SCIM keeps no link of ours at the remote
// end, so nothing is sent and the account stays as it is.
func (c *Client) Detach(context.Context, string) (connector.Result, error) {
	return alreadyDone, nil
}

// RevokeSessions implements connector.Unlinker with the extension that the
// package comment describes.
func (c *Client) RevokeSessions(ctx context.Context, externalID string) (connector.Result, error) {
	if !addressable(externalID) {
		return notFound, nil
	}
	r, err := c.mutate(ctx, http.MethodPost, userPath(externalID)+"/sessions/revocations", struct{}{})
	if err != nil {
		return connector.Result{}, err
	}
	switch r.status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return c.notOffered(ctx, externalID)
	}
	return c.result(r)
}

// notOffered tells a system that cannot end sessions from one that does not know
// the account: both answer 404.
func (c *Client) notOffered(ctx context.Context, externalID string) (connector.Result, error) {
	_, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	return connector.Result{Outcome: connector.NotOffered}, nil
}

func (c *Client) setActive(ctx context.Context, id string, active bool) (connector.Result, error) {
	r, err := c.patch(ctx, userPath(id), &c.users, activeForms(active))
	if err != nil {
		return connector.Result{}, err
	}
	return c.result(r)
}

// leave takes an account out of a group. A group that is gone, or that says it has
// no such member, is as good as left; residue is counted afterwards anyway.
func (c *Client) leave(ctx context.Context, groupID, id string) (connector.Result, error) {
	r, err := c.patch(ctx, groupPath(groupID), &c.leaves, leaveForms(id))
	if err != nil {
		return connector.Result{}, err
	}
	if r.status == http.StatusNotFound || (r.status == http.StatusBadRequest && r.scimType() == "noTarget") {
		return alreadyDone, nil
	}
	return c.result(r)
}
