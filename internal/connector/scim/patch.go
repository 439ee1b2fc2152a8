package scim

import (
	"context"
	"net/http"

	"lethe/internal/connector"
)

// operation is one operation of a PATCH (RFC 7644 section 3.5.2).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

type patchMessage struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

// member names an account within a group.
type member struct {
	Value string `json:"value"`
}

// activeForms are the ways to set active: with a path, and without one and the
// attribute inside the value. RFC 7644 has both; providers implement one.
func activeForms(active bool) []operation {
	return []operation{
		{Op: "replace", Path: "active", Value: active},
		{Op: "replace", Value: map[string]bool{"active": active}},
	}
}

// leaveForms are the ways to take a member out of a group: by a filter in the
// path, and by a value beside it.
func leaveForms(accountID string) []operation {
	return []operation{
		{Op: "remove", Path: "members[value eq " + quote(accountID) + "]"},
		{Op: "remove", Path: "members", Value: []member{{Value: accountID}}},
	}
}

// joinForms are the ways to add a member to a group.
func joinForms(accountID string) []operation {
	return []operation{
		{Op: "add", Path: "members", Value: []member{{Value: accountID}}},
		{Op: "add", Value: map[string][]member{"members": {{Value: accountID}}}},
	}
}

// patch sends an operation in the form that worked last time and, if the provider
// says that it does not understand it, in the other one. Each attempt asks the
// fence. Trying both is harmless: a form that was refused had no effect, and both
// say the same.
func (c *Client) patch(ctx context.Context, path string, remembered *form, forms []operation) (reply, error) {
	first := int(remembered.Load())
	var r reply
	for i := range forms {
		choice := (first + i) % len(forms)
		var err error
		r, err = c.mutate(ctx, http.MethodPatch, path, patchMessage{
			Schemas: []string{patchSchema}, Operations: []operation{forms[choice]},
		})
		if err != nil {
			return reply{}, err
		}
		if r.ok() {
			remembered.Store(int32(choice))
			return r, nil
		}
		if !formRefused(r) {
			return r, nil
		}
	}
	return r, nil
}

// formRefused tells a PATCH whose form was not understood. Providers that leave
// out scimType get the benefit of the doubt.
func formRefused(r reply) bool {
	if r.status != http.StatusBadRequest {
		return false
	}
	switch r.scimType() {
	case "invalidPath", "invalidSyntax", "":
		return true
	default:
		return false
	}
}

// result reads a mutation's answer: 202 is accepted for later, another success is
// confirmed, 404 is an account that is not there.
func (c *Client) result(r reply) (connector.Result, error) {
	switch {
	case r.status == http.StatusAccepted:
		after := c.retryAfter(r.header)
		if after <= 0 {
			after = c.opts.CheckAfter
		}
		return connector.Result{Outcome: connector.Accepted, CheckAfter: after}, nil
	case r.ok():
		return connector.Result{Outcome: connector.Confirmed}, nil
	}
	err := c.failure(r)
	if connector.CodeOf(err) == connector.CodeNotFound {
		return connector.Result{Outcome: connector.NotFound}, nil
	}
	return connector.Result{}, err
}

// merge combines the results of the parts of one step: what waits longest decides,
// and something done outweighs nothing to do.
func merge(a, b connector.Result) connector.Result {
	switch {
	case a.Outcome == connector.Accepted || b.Outcome == connector.Accepted:
		return connector.Result{Outcome: connector.Accepted, CheckAfter: max(a.CheckAfter, b.CheckAfter)}
	case a.Outcome == connector.Confirmed:
		return a
	default:
		return b
	}
}
