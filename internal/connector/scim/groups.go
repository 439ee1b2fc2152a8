package scim

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// memberships returns the ids of the groups that the account is a direct member of,
// sorted: those that it lists itself, and those that list it. The attribute groups of a
// user is optional (RFC 7643 section 4.1.2), and an empty one proves nothing. With an
// error it returns what it knows.
func (c *Client) memberships(ctx context.Context, u user) ([]string, error) {
	listing, err := c.groupsOf(ctx, u.id)
	if err == nil {
		err = u.oddGroups
	}
	all := append(slices.Clone(u.groups), listing...)
	slices.Sort(all)
	return slices.Compact(all), err
}

// groupsOf asks the groups for a member.
func (c *Client) groupsOf(ctx context.Context, member string) ([]string, error) {
	if !c.now().Before(c.groupsTrusted.until()) {
		works, err := c.probeGroups(ctx)
		if err != nil {
			return nil, c.unlessNoGroups(ctx, err)
		}
		if !works {
			return c.searchGroups(ctx, member)
		}
		c.groupsTrusted.set(c.now().Add(trusted))
	}
	ids, err := c.filteredGroups(ctx, member)
	if errors.As(err, new(refusedError)) {
		return c.searchGroups(ctx, member)
	}
	return ids, err
}

func (c *Client) filteredGroups(ctx context.Context, member string) ([]string, error) {
	found, err := c.all(ctx, "/Groups", url.Values{
		"filter": {scim.Equal("members.value", member)}, "excludedAttributes": {"members"},
	})
	return idsOf(found), err
}

func idsOf(list []resource) []string {
	var ids []string
	for _, r := range list {
		ids = append(ids, r.id())
	}
	return ids
}

// probePage is how many groups are looked at for a member to ask for: each comes with
// all of its members.
const probePage = 10

// nobodysID is an id that no account has.
const nobodysID = "lethe-nobody-6f1c"

// probeGroups says whether the filter by member finds a membership that is known, and
// none for somebody who is not there.
func (c *Client) probeGroups(ctx context.Context) (bool, error) {
	first, err := c.page(ctx, "/Groups", url.Values{}, 1, min(probePage, c.opts.PageSize))
	if err != nil {
		return false, err
	}
	for _, g := range first.Resources {
		list, told, err := membersOf(g)
		if err != nil || !told || len(list) == 0 {
			continue
		}
		none, err := c.filteredGroups(ctx, nobodysID)
		if err != nil || len(none) > 0 {
			return false, unlessRefused(err)
		}
		found, err := c.filteredGroups(ctx, string(list[0].Value))
		return slices.Contains(found, g.id()), unlessRefused(err)
	}
	return false, nil
}

func unlessRefused(err error) error {
	if errors.As(err, new(refusedError)) {
		return nil
	}
	return err
}

// membersOf reads who is in a group; told is false if the group does not say.
func membersOf(g resource) (list []scim.Reference, told bool, err error) {
	raw := g.field("members")
	if raw == nil {
		return nil, false, nil
	}
	err = decode(raw, &list)
	return list, err == nil, err
}

// searchGroups reads all groups with their members and searches them here. A list may
// leave the members out; then each group is asked.
func (c *Client) searchGroups(ctx context.Context, member string) ([]string, error) {
	var ids []string
	_, err := c.walk(ctx, "/Groups", url.Values{}, func(g resource) error {
		list, told, err := membersOf(g)
		if err == nil && !told {
			list, err = c.members(ctx, g.id())
		}
		if slices.ContainsFunc(list, func(m scim.Reference) bool {
			return strings.EqualFold(string(m.Value), member) && !strings.EqualFold(m.Type, "Group")
		}) {
			ids = append(ids, g.id())
		}
		return err
	})
	return ids, err
}

// members reads one group. One that lists nobody, when asked for itself, has nobody.
func (c *Client) members(ctx context.Context, groupID string) ([]scim.Reference, error) {
	r, err := c.get(ctx, groupPath(groupID))
	if err != nil {
		return nil, err
	}
	if r.status != http.StatusOK {
		if r.notFound() {
			return nil, incomplete("a group vanished while it was read")
		}
		return nil, c.failure(r)
	}
	var g resource
	if err := decode(r.body, &g); err != nil {
		return nil, err
	}
	if g.id() != groupID {
		return nil, badAnswer()
	}
	list, _, err := membersOf(g)
	return list, err
}

// unlessNoGroups turns a list of groups that cannot be had into none where the system
// has no groups at all: it says so itself, twice, or its list of resource types (RFC
// 7644 section 4) has users and no groups.
func (c *Client) unlessNoGroups(ctx context.Context, failed error) error {
	var e *connector.Error
	if !errors.As(failed, &e) || e.Code == connector.CodeTimeout || e.Code == connector.CodeConnectionCut {
		return failed
	}
	if e.Code == connector.CodeNotFound {
		r, err := c.get(ctx, "/Groups?startIndex=1&count=1")
		if err == nil && r.notFound() {
			return nil
		}
	}
	var types scim.List[struct {
		Name     string `json:"name"`
		Endpoint string `json:"endpoint"`
	}]
	r, err := c.get(ctx, "/ResourceTypes")
	if err != nil || r.status != http.StatusOK || decode(r.body, &types) != nil {
		return asLookup(failed)
	}
	users, groups := false, false
	for _, t := range types.Resources {
		users = users || strings.EqualFold(t.Name, "User")
		groups = groups || strings.EqualFold(t.Name, "Group") || strings.EqualFold(strings.Trim(t.Endpoint, "/"), "Groups")
	}
	if users && !groups {
		return nil
	}
	return asLookup(failed)
}
