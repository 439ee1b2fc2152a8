package scim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// user is what we read of a SCIM user: nothing that names the person.
type user struct {
	id     string
	active bool
	// unclear: what it says of active is nothing that can be understood.
	unclear bool
	number  string   // what it carries as employee number, or ""
	groups  []string // what it says itself; see Client.memberships
	// access is our extension; nil from a system that does not have it.
	access *access
	// What is wrong with groups and with access. It matters to those who look for them
	// and keeps nobody from ending the access.
	oddGroups, oddAccess error
}

type access struct {
	Sessions    scim.Count `json:"sessions"`
	Tokens      scim.Count `json:"tokens"`
	Delegations scim.Count `json:"delegations"`
}

// decode reads an answer's body; one that does not fit is a bad answer.
func decode(raw []byte, into any) error {
	if json.Unmarshal(raw, into) != nil {
		return badAnswer()
	}
	return nil
}

func userPath(id string) string  { return "/Users/" + url.PathEscape(id) }
func groupPath(id string) string { return "/Groups/" + url.PathEscape(id) }

// addressable tells whether an id can stand in a path: "", "." and ".." would
// address another resource.
func addressable(id string) bool { return strings.Trim(id, ".") != "" }

// user reads an account. That it is not there is believed when it was said twice. An
// answer about another account is a bad one.
func (c *Client) user(ctx context.Context, id string) (user, error) {
	if !addressable(id) {
		return user{}, connector.ErrNotFound
	}
	r, err := c.get(ctx, userPath(id))
	if err == nil && r.notFound() {
		r, err = c.get(ctx, userPath(id))
	}
	if err != nil {
		return user{}, err
	}
	if r.status != http.StatusOK {
		return user{}, c.failure(r)
	}
	var fields resource
	if err := decode(r.body, &fields); err != nil {
		return user{}, err
	}
	if fields.id() != id {
		return user{}, badAnswer()
	}
	return c.readUser(fields), nil
}

func (c *Client) readUser(fields resource) user {
	u := user{id: fields.id()}
	var active scim.Bool
	raw := fields.field("active")
	u.unclear = raw == nil || decode(raw, &active) != nil
	u.active = bool(active)
	if numbers := c.match.of(fields); len(numbers) > 0 {
		u.number = numbers[0]
	}
	if raw := fields.field("groups"); raw != nil {
		var list []scim.Reference
		u.oddGroups = decode(raw, &list)
		for _, g := range list {
			// An indirect membership follows from another group and cannot be ended here.
			if g.Value != "" && !strings.EqualFold(g.Type, "indirect") {
				u.groups = append(u.groups, string(g.Value))
			}
		}
	}
	if raw := fields.field(scim.AccessSchema); raw != nil {
		u.access = &access{}
		u.oddAccess = decode(raw, u.access)
	}
	return u
}
