package scim

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// maxInspected is how many groups of an account are read: each comes with all of its members.
const maxInspected = 20

// Inspect implements connector.Inspector. SCIM's groups have members and no owners (RFC 7643 section 4.2); owners are read
// where a system gives them, as it gives members.
func (c *Client) Inspect(ctx context.Context, externalID string) (connector.Inspection, error) {
	u, err := c.user(ctx, externalID)
	if err != nil {
		return connector.Inspection{}, err
	}
	seen := connector.Inspection{State: u.state(), Unclear: u.unclear}
	if u.access != nil && u.oddAccess == nil {
		sessions, tokens, delegations := int(u.access.Sessions), int(u.access.Tokens), int(u.access.Delegations)
		seen.Sessions, seen.Tokens, seen.Delegations = &sessions, &tokens, &delegations
	}
	ids, err := c.memberships(ctx, u)
	seen.GroupsUntold = err != nil
	if len(ids) > maxInspected {
		ids, seen.MoreGroups = ids[:maxInspected], len(ids)-maxInspected
	}
	for _, id := range ids {
		m, ok := c.membership(ctx, id, u.id)
		if ctx.Err() != nil {
			return seen, transportError(ctx, ctx.Err())
		}
		if !ok {
			seen.GroupsUntold = true
			continue
		}
		seen.Groups = append(seen.Groups, m)
	}
	slices.SortFunc(seen.Groups, func(a, b connector.Membership) int { return cmp.Compare(a.Name, b.Name) })
	return seen, nil
}

// membership reads one group; false: it could not be read, or is none that can be believed.
func (c *Client) membership(ctx context.Context, groupID, member string) (m connector.Membership, ok bool) {
	r, err := c.get(ctx, groupPath(groupID))
	if err != nil || r.status != http.StatusOK {
		return m, false
	}
	var g resource
	if decode(r.body, &g) != nil || g.id() != groupID {
		return m, false
	}
	var name scim.Text
	if raw := g.field("displayName"); raw != nil {
		_ = decode(raw, &name)
	}
	return connector.Membership{Name: shortened(string(name)), Member: g.seat("members", member), Owner: g.seat("owners", member)}, true
}

// shortened bounds what a system calls something, for people's eyes.
func shortened(name string) string {
	const most = 200
	if r := []rune(strings.ToValidUTF8(name, "\uFFFD")); len(r) > most {
		return string(r[:most]) + "…"
	}
	return name
}

// seat is what somebody is in a list of references.
func (r resource) seat(attribute, who string) connector.Seat {
	var list []scim.Reference
	raw := r.field(attribute)
	if raw == nil || decode(raw, &list) != nil {
		return connector.SeatUntold
	}
	among, others := false, false
	for _, one := range list {
		if strings.EqualFold(string(one.Value), who) && !strings.EqualFold(one.Type, "Group") {
			among = true
		} else {
			others = true
		}
	}
	switch {
	case !among:
		return connector.SeatNone
	case others:
		return connector.SeatShared
	}
	return connector.SeatOnly
}
