package scim

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"net/url"
	"time"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// maxID bounds the id of an account, in bytes: what is longer no index holds, and no system in use has.
const maxID = 1000

// List implements connector.Lister. What came before is remembered as one number for each account, so that an account
// that comes twice is noticed without keeping any of them.
func (c *Client) List(ctx context.Context, visit func([]connector.Listed) error) (int, error) {
	var (
		seed  = maphash.MakeSeed()
		seen  = map[uint64]struct{}{}
		total = -1
	)
	for total < 0 || len(seen) < total {
		p, err := c.page(ctx, "/Users", url.Values{}, len(seen)+1, c.opts.PageSize)
		if err != nil {
			return 0, asLookup(err)
		}
		if total, err = p.check(len(seen), total, c.opts.PageSize, maxListed); err != nil {
			return 0, err
		}
		accounts := make([]connector.Listed, len(p.Resources))
		for i, r := range p.Resources {
			accounts[i] = c.listed(r)
			if len(accounts[i].ExternalID) > maxID {
				return 0, badAnswer()
			}
			key := maphash.String(seed, accounts[i].ExternalID)
			if _, twice := seen[key]; twice {
				return 0, incomplete("an entry came twice")
			}
			seen[key] = struct{}{}
		}
		if len(accounts) == 0 {
			break
		}
		if err := visit(accounts); err != nil {
			return 0, err
		}
	}
	return total, nil
}

func (c *Client) listed(r resource) connector.Listed {
	u := c.readUser(r)
	return connector.Listed{ExternalID: u.id, EmployeeNo: u.number, Active: u.active || u.unclear, LastSignInAt: signedIn(r)}
}

// signInAttributes are where systems say when somebody signed in last: SCIM itself has no such attribute (RFC 7643).
var signInAttributes = []string{"lastSignInAt", "lastLogin", "lastLoginDateTime", "lastSignInDateTime"}

// signedIn reads it of our extension, or of the user itself under one of the names that systems give it.
func signedIn(r resource) *time.Time {
	var extension resource
	if raw := r.field(scim.AccessSchema); raw != nil {
		_ = json.Unmarshal(raw, &extension)
	}
	for _, name := range signInAttributes {
		for _, from := range []resource{extension, r} {
			var at time.Time
			if raw := from.field(name); raw != nil && json.Unmarshal(raw, &at) == nil && !at.IsZero() {
				return &at
			}
		}
	}
	return nil
}
