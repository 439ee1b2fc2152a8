package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"lethe/internal/connector"
)

const (
	coreSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	accessSchema     = "urn:lethe:params:scim:schemas:extension:access:2.0:User"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
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
	Sessions    count `json:"sessions"`
	Tokens      count `json:"tokens"`
	Delegations count `json:"delegations"`
}

// count reads a number that may come as a string. What is no count is a bad answer,
// never none.
type count int

// UnmarshalJSON accepts a number that is not negative, its digits as a string, or null.
func (c *count) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*c = 0
		return nil
	}
	n, err := strconv.ParseUint(string(bytes.Trim(raw, `"`)), 10, 31)
	if err != nil {
		return badAnswer()
	}
	*c = count(n)
	return nil
}

// boolish reads booleans as some providers write them: true, "True", "false".
type boolish bool

// UnmarshalJSON accepts a boolean or its spelling as a string, nothing else.
func (b *boolish) UnmarshalJSON(raw []byte) error {
	switch strings.ToLower(string(bytes.Trim(raw, `"`))) {
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return badAnswer()
	}
	return nil
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
	var active boolish
	raw := fields.field("active")
	u.unclear = raw == nil || decode(raw, &active) != nil
	u.active = bool(active)
	if numbers := c.match.of(fields); len(numbers) > 0 {
		u.number = numbers[0]
	}
	if raw := fields.field("groups"); raw != nil {
		var list []reference
		u.oddGroups = decode(raw, &list)
		for _, g := range list {
			// An indirect membership follows from another group and cannot be ended here.
			if g.id != "" && !strings.EqualFold(g.kind, "indirect") {
				u.groups = append(u.groups, g.id)
			}
		}
	}
	if raw := fields.field(accessSchema); raw != nil {
		u.access = &access{}
		u.oddAccess = decode(raw, u.access)
	}
	return u
}

// reference names a group within a user, or a member within a group.
type reference struct{ id, kind string }

// UnmarshalJSON reads an object with value or $ref, or the bare id. One that names
// nothing is a bad answer: it is not nobody.
func (f *reference) UnmarshalJSON(raw []byte) error {
	var bare text
	if len(raw) > 0 && raw[0] != '{' {
		if err := json.Unmarshal(raw, &bare); err != nil || bare == "" {
			return badAnswer()
		}
		f.id = string(bare)
		return nil
	}
	var object struct {
		Value text   `json:"value"`
		Ref   string `json:"$ref"`
		Type  string `json:"type"`
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return badAnswer()
	}
	f.id, f.kind = string(object.Value), object.Type
	if f.id == "" && object.Ref != "" {
		if last, err := url.PathUnescape(path.Base(object.Ref)); err == nil {
			f.id = last
		}
	}
	if f.id == "" || f.id == "." || f.id == "/" {
		return badAnswer()
	}
	return nil
}
