package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"lethe/internal/connector"
)

const (
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	accessSchema     = "urn:lethe:params:scim:schemas:extension:access:2.0:User"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// user is what we read of a SCIM user: nothing that names the person.
type user struct {
	ID         string     `json:"id"`
	ExternalID text       `json:"externalId"`
	Active     *boolish   `json:"active"`
	Groups     *[]groupOf `json:"groups"`
	Enterprise struct {
		EmployeeNumber text `json:"employeeNumber"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	// Access is our extension; a system that reports nothing leaves it out.
	Access struct {
		Sessions    int `json:"sessions"`
		Tokens      int `json:"tokens"`
		Delegations int `json:"delegations"`
	} `json:"urn:lethe:params:scim:schemas:extension:access:2.0:User"`
}

type groupOf struct {
	Value string `json:"value"`
	Ref   string `json:"$ref"`
	Type  string `json:"type"`
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
		return &connector.Error{Code: connector.CodeBadAnswer}
	}
	return nil
}

// text reads a string, or a number as its digits: some providers store employee
// numbers as numbers.
type text string

// UnmarshalJSON accepts a string, a number or null.
func (t *text) UnmarshalJSON(raw []byte) error {
	var n json.Number
	switch {
	case bytes.Equal(raw, []byte("null")):
		*t = ""
		return nil
	case len(raw) > 0 && raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	case json.Unmarshal(raw, &n) == nil:
		*t = text(n.String())
		return nil
	default:
		return &connector.Error{Code: connector.CodeBadAnswer}
	}
}

// decode reads an answer's body; one that does not fit is a bad answer.
func decode(raw []byte, into any) error {
	if json.Unmarshal(raw, into) != nil {
		return &connector.Error{Code: connector.CodeBadAnswer}
	}
	return nil
}

func userPath(id string) string  { return "/Users/" + url.PathEscape(id) }
func groupPath(id string) string { return "/Groups/" + url.PathEscape(id) }

// addressable tells whether an id can stand in a path: "", "." and ".." would
// address another resource.
func addressable(id string) bool { return strings.Trim(id, ".") != "" }

// user reads an account. An answer about another account, or one that does not say
// whether the account is active, is a bad one.
func (c *Client) user(ctx context.Context, id string) (user, error) {
	if !addressable(id) {
		return user{}, connector.ErrNotFound
	}
	r, err := c.get(ctx, userPath(id))
	if err != nil {
		return user{}, err
	}
	if r.status != http.StatusOK {
		return user{}, c.failure(r)
	}
	var u user
	if err := decode(r.body, &u); err != nil {
		return user{}, err
	}
	if u.ID != id || u.Active == nil {
		return user{}, &connector.Error{Code: connector.CodeBadAnswer}
	}
	return u, nil
}

// groups returns the ids of the groups that the account is a direct member of. The
// attribute groups of the user is optional (RFC 7643 section 4.1.2), so where it
// is missing the groups themselves are searched.
func (c *Client) groups(ctx context.Context, u user) ([]string, error) {
	var ids []string
	if u.Groups != nil {
		for _, g := range *u.Groups {
			// An indirect membership follows from another group and cannot be removed here.
			if g.Value != "" && !strings.EqualFold(g.Type, "indirect") {
				ids = append(ids, g.Value)
			}
		}
		return ids, nil
	}
	found, err := list[struct {
		ID string `json:"id"`
	}](ctx, c, "/Groups", url.Values{
		"filter":             {"members.value eq " + quote(u.ID)},
		"excludedAttributes": {"members"},
	}, func(g struct {
		ID string `json:"id"`
	}) string {
		return g.ID
	})
	if connector.CodeOf(err) == connector.CodeNotFound {
		return nil, nil // the system has no groups at all
	}
	for _, g := range found {
		ids = append(ids, g.ID)
	}
	return ids, err
}
