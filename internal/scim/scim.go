// Package scim has the words and shapes of SCIM 2.0 (RFC 7643, RFC 7644) that clients and
// service providers both write. It reads them as loosely as systems write them; what an
// answer has to be to count is decided by whoever reads it.
package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// MediaType is that of every SCIM message (RFC 7644 section 8.1).
const MediaType = "application/scim+json"

// Schemas of resources (RFC 7643 section 10) and of messages (RFC 7644 section 8.2).
const (
	UserSchema         = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema        = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ConfigSchema       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeSchema = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	ListSchema         = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	PatchSchema        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	ErrorSchema        = "urn:ietf:params:scim:api:messages:2.0:Error"
	// AccessSchema is our own extension: what an account has open.
	AccessSchema = "urn:lethe:params:scim:schemas:extension:access:2.0:User"
)

// Error is the body of a refusal (RFC 7644 section 3.12).
type Error struct {
	Schemas  []string `json:"schemas"`
	Status   Text     `json:"status"`
	ScimType string   `json:"scimType,omitempty"` // table 9
	Detail   string   `json:"detail,omitempty"`
}

// NewError returns the body of a refusal; scimType and detail may be empty.
func NewError(status int, scimType, detail string) Error {
	return Error{Schemas: []string{ErrorSchema}, Status: Text(strconv.Itoa(status)), ScimType: scimType, Detail: detail}
}

// Says tells whether the body is one of this protocol and of this status.
func (e Error) Says(status int) bool {
	return string(e.Status) == strconv.Itoa(status) &&
		slices.ContainsFunc(e.Schemas, func(s string) bool { return strings.EqualFold(s, ErrorSchema) })
}

// List is one page of a list (RFC 7644 section 3.4.2.4). A nil number is one that was not said.
type List[T any] struct {
	Schemas      []string `json:"schemas"`
	TotalResults *Count   `json:"totalResults,omitempty"`
	StartIndex   *int     `json:"startIndex,omitempty"`
	ItemsPerPage *int     `json:"itemsPerPage,omitempty"`
	Resources    []T      `json:"Resources"`
}

// Page returns the page of all that startIndex and count ask for, with at most as many
// entries as given; false if one of them is no number.
func Page[T any](query url.Values, all []T, most int, render func(T) any) (List[any], bool) {
	start, ok1 := number(query, "startIndex", 1)
	count, ok2 := number(query, "count", most)
	if !ok1 || !ok2 {
		return List[any]{}, false
	}
	start, count = max(start, 1), min(max(count, 0), most)
	page := all[min(start-1, len(all)):]
	page = page[:min(count, len(page))]
	total, got := Count(len(all)), len(page)
	list := List[any]{
		Schemas: []string{ListSchema}, TotalResults: &total, StartIndex: &start, ItemsPerPage: &got, Resources: make([]any, got),
	}
	for i, x := range page {
		list.Resources[i] = render(x)
	}
	return list, true
}

func number(query url.Values, name string, otherwise int) (int, bool) {
	if query.Get(name) == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(query.Get(name))
	return n, err == nil
}

// Patch is the body of a PATCH (RFC 7644 section 3.5.2).
type Patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []Operation `json:"Operations"`
}

// Operation is one operation of a PATCH.
type Operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// NewOperation returns an operation; without a path, or without a value (nil), the message
// has none. The value has to be one that encodes.
func NewOperation(op, path string, value any) Operation {
	o := Operation{Op: op, Path: path}
	if value != nil {
		o.Value = encode(value)
	}
	return o
}

// Reference names a group within a user, or a member within a group (RFC 7643 section 2.4).
type Reference struct {
	Value   Text   `json:"value,omitempty"`
	Ref     string `json:"$ref,omitempty"`
	Display any    `json:"display,omitempty"` // a string; of no use, and often odd
	Type    string `json:"type,omitempty"`
}

// UnmarshalJSON reads an object with value or $ref, or the bare id. One that names nothing
// is refused: it is not nobody.
func (f *Reference) UnmarshalJSON(raw []byte) error {
	type object Reference
	var err error
	if len(raw) > 0 && raw[0] == '{' {
		err = json.Unmarshal(raw, (*object)(f))
	} else {
		err = json.Unmarshal(raw, &f.Value)
	}
	if err != nil {
		return err
	}
	if f.Value == "" && f.Ref != "" {
		if last, err := url.PathUnescape(path.Base(f.Ref)); err == nil {
			f.Value = Text(last)
		}
	}
	if f.Value == "" || f.Value == "." || f.Value == "/" {
		return errors.New("scim: a reference to nothing")
	}
	return nil
}

// Text reads a string, or a number as its digits: some systems store numbers so.
type Text string

// UnmarshalJSON accepts a string, a number or null.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var n json.Number
	switch {
	case bytes.Equal(raw, []byte("null")):
		*t = ""
		return nil
	case len(raw) > 0 && raw[0] == '"':
		return json.Unmarshal(raw, (*string)(t))
	}
	err := json.Unmarshal(raw, &n)
	*t = Text(n.String())
	return err
}

// Count is a number that may come as a string. What is no count is refused, never none.
type Count int

// UnmarshalJSON accepts a number that is not negative, its digits as a string, or null.
func (c *Count) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*c = 0
		return nil
	}
	n, err := strconv.ParseUint(string(bytes.Trim(raw, `"`)), 10, 31)
	*c = Count(n)
	return err
}

// Bool reads booleans as some systems write them: true, "True", "false".
type Bool bool

// UnmarshalJSON accepts a boolean or its spelling as a string, nothing else.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	word := strings.ToLower(string(bytes.Trim(raw, `"`)))
	if *b = word == "true"; !*b && word != "false" {
		return errors.New("scim: not a boolean")
	}
	return nil
}
