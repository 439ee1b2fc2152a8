package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// activeForms are the ways to set active: with a path, and without one and the
// attribute inside the value. RFC 7644 has both; providers implement one.
func activeForms(active bool) []scim.Operation {
	return []scim.Operation{
		scim.NewOperation("replace", "active", active),
		scim.NewOperation("replace", "", map[string]bool{"active": active}),
	}
}

// groupForm is a way to change one membership.
type groupForm struct {
	path func(groupID, accountID string) string
	op   func(groupID, accountID string) scim.Operation
}

func memberOf(accountID string) []scim.Reference {
	return []scim.Reference{{Value: scim.Text(accountID)}}
}

func atGroup(groupID, _ string) string     { return groupPath(groupID) }
func atAccount(_, accountID string) string { return userPath(accountID) }

// leaveForms are the ways to take a member out of a group that reach nobody else: by a
// filter in the path, and from the account's side.
var leaveForms = []groupForm{
	{atGroup, func(_, account string) scim.Operation {
		return scim.NewOperation("remove", scim.ValuePath("members", account), nil)
	}},
	{atAccount, func(group, _ string) scim.Operation {
		return scim.NewOperation("remove", scim.ValuePath("groups", group), nil)
	}},
}

// removeByValue is for systems that are known to honour the value.
var removeByValue = groupForm{atGroup, func(_, account string) scim.Operation {
	return scim.NewOperation("remove", "members", memberOf(account))
}}

// joinForms are the ways to add a member to a group.
var joinForms = []groupForm{
	{atGroup, func(_, account string) scim.Operation {
		return scim.NewOperation("add", "members", memberOf(account))
	}},
	{atGroup, func(_, account string) scim.Operation {
		return scim.NewOperation("add", "", map[string]any{"members": memberOf(account)})
	}},
}

func (c *Client) patch(ctx context.Context, path string, op scim.Operation) (reply, error) {
	return c.mutate(ctx, http.MethodPatch, path, scim.Patch{Schemas: []string{scim.PatchSchema}, Operations: []scim.Operation{op}})
}

// ordered is a list of forms with the one first that worked last.
func ordered[T any](forms []T, remembered *form) []int {
	order := make([]int, len(forms))
	for i := range forms {
		order[i] = (int(remembered.Load()) + i) % len(forms)
	}
	return order
}

// aboutForm tells a refusal that another form may escape: any but one of our credentials
// or our haste. Systems answer a form that they do not understand with
// anything, and trying another one is harmless: all say the same.
func aboutForm(r reply) bool {
	return r.status != http.StatusUnauthorized && r.status != http.StatusTooManyRequests
}

// setActive switches an account on or off: in the form that worked last time and, if
// that is refused, or answered with success while the account is as before, in the other.
func (c *Client) setActive(ctx context.Context, id string, active bool) (connector.Result, error) {
	forms := activeForms(active)
	claimed, failed := false, error(nil)
	for _, choice := range ordered(forms, &c.users) {
		r, err := c.patch(ctx, userPath(id), forms[choice])
		if err != nil {
			return connector.Result{}, err
		}
		if r.notFound() { // the account, or what the form names
			if _, err := c.user(ctx, id); connector.CodeOf(err) == connector.CodeNotFound {
				return notFound, nil
			}
			failed = graver(failed, badAnswer())
			continue
		}
		if !r.ok() && aboutForm(r) {
			failed = graver(failed, c.failure(r))
			continue
		}
		done, err := c.result(r)
		if err != nil || done.Outcome != connector.Confirmed {
			return done, err
		}
		claimed = true
		u, err := c.user(ctx, id)
		if err != nil {
			failed = graver(failed, err) // whether it had its effect is not known
			break
		}
		if u.active == active && !u.unclear {
			c.users.Store(int32(choice))
			return done, nil
		}
	}
	var e *connector.Error
	if claimed && !(errors.As(failed, &e) && e.Temporary) {
		return connector.Result{Outcome: connector.Confirmed}, nil // so it says; reading back says otherwise
	}
	return connector.Result{}, failed
}

// graver is the failure that decides: first one after which the effect may still come,
// then one that may pass, then any.
func graver(a, b error) error {
	rank := func(err error) int {
		var e *connector.Error
		switch {
		case err == nil:
			return 0
		case !errors.As(err, &e):
			return 4 // the fence, or the end of the caller's time
		case e.Code == connector.CodeTimeout, e.Code == connector.CodeConnectionCut:
			return 3
		case e.Temporary:
			return 2
		}
		return 1
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// change is a change of memberships of one account on its way.
type change struct {
	c      *Client
	id     string
	member bool // what is wanted
	done   connector.Result
	failed map[string]error // by group: what kept it from being so
	// claimed are the groups that said that it is done; reading back says whether it is.
	claimed map[string]bool
	unsure  error // a call without an answer
}

func (c *Client) changeOf(id string, member bool, done connector.Result) *change {
	return &change{c: c, id: id, member: member, done: done, failed: map[string]error{}, claimed: map[string]bool{}}
}

// memberships changes the account's membership in each group, each independently of the
// others, in the form that worked last time; where reading back shows that a form was
// ignored or refused the next one follows.
func (x *change) memberships(ctx context.Context, groups []string, forms []groupForm, remembered *form) error {
	open := groups
	for _, choice := range ordered(forms, remembered) {
		var asked []string
		for _, g := range open {
			again, err := x.one(ctx, g, forms[choice])
			if err != nil {
				return err
			}
			if again {
				asked = append(asked, g)
			}
		}
		if len(asked) == 0 {
			return nil
		}
		u, err := x.c.user(ctx, x.id)
		if err != nil {
			return err
		}
		now, err := x.c.memberships(ctx, u)
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(asked, func(g string) bool {
			settled := slices.Contains(now, g) == x.member
			if settled {
				delete(x.failed, g)
				remembered.Store(int32(choice))
			}
			return settled
		})
		if len(open) == 0 {
			return nil
		}
	}
	return nil
}

// one sends one form to one group. again is false if nothing more is to be tried there.
func (x *change) one(ctx context.Context, group string, f groupForm) (again bool, err error) {
	r, err := x.c.patch(ctx, f.path(group, x.id), f.op(group, x.id))
	switch {
	case err != nil && (connector.CodeOf(err) == "" || ctx.Err() != nil):
		return false, err
	case err != nil:
		x.unsure = graver(x.unsure, err)
		return true, nil
	case r.status == http.StatusUnauthorized, r.status == http.StatusTooManyRequests:
		return false, x.c.failure(r) // true of every other group as well
	case !r.ok():
		x.failed[group] = graver(x.failed[group], x.c.failure(r))
		return aboutForm(r), nil
	}
	done, err := x.c.result(r)
	x.done, x.claimed[group] = merge(x.done, done), true
	return done.Outcome != connector.Accepted, err
}

// outcome is what the change came to.
func (x *change) outcome() (connector.Result, error) {
	failed := x.unsure
	for g, err := range x.failed {
		var e *connector.Error
		if !x.claimed[g] || (errors.As(err, &e) && e.Temporary) {
			failed = graver(failed, err)
		}
	}
	if failed != nil {
		return connector.Result{}, failed
	}
	return x.done, nil
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
