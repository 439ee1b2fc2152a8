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
// repetition after a cut connection or a 409 sends nothing if nothing is missing.
func (c *Client) Disable(ctx context.Context, externalID string) (connector.Result, error) {
	u, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	if !u.active && !u.unclear {
		return alreadyDone, nil
	}
	return c.setActive(ctx, externalID, false)
}

// LeaveGroups implements connector.Unlinker.
func (c *Client) LeaveGroups(ctx context.Context, externalID string) (connector.Result, error) {
	u, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	groups, unknown := c.memberships(ctx, u)
	forms := leaveForms
	if c.opts.RemoveByValue {
		forms = append([]groupForm{removeByValue}, leaveForms...)
	}
	x := c.changeOf(externalID, false, alreadyDone)
	if err := x.memberships(ctx, groups, forms, &c.leaves); err != nil && unknown == nil {
		return connector.Result{}, graver(x.unsure, err)
	}
	if unknown != nil {
		return connector.Result{}, graver(x.unsure, unknown) // what is known was left all the same
	}
	return x.outcome()
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
	r, err := c.revoke(ctx, externalID)
	if err != nil || !unknownCall(r) {
		return c.resultOf(r, err)
	}
	u, err := c.user(ctx, externalID)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return notFound, nil
	}
	if err != nil {
		return connector.Result{}, err
	}
	// A system that does not know the call, or somebody in between.
	if (r.status == http.StatusNotFound && !r.notFound()) || u.access != nil {
		if r, err = c.revoke(ctx, externalID); err != nil || !unknownCall(r) {
			return c.resultOf(r, err)
		}
	}
	if r.status == http.StatusNotFound && !r.notFound() && u.access != nil {
		return connector.Result{}, c.failure(r) // it reports sessions, and somebody stands in between
	}
	return connector.Result{Outcome: connector.NotOffered}, nil
}

func (c *Client) revoke(ctx context.Context, id string) (reply, error) {
	return c.mutate(ctx, http.MethodPost, userPath(id)+"/sessions/revocations", struct{}{})
}

func unknownCall(r reply) bool {
	return r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed || r.status == http.StatusNotImplemented
}

func (c *Client) resultOf(r reply, err error) (connector.Result, error) {
	if err != nil {
		return connector.Result{}, err
	}
	return c.result(r)
}
