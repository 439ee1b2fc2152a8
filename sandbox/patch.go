package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"

	"lethe/sandbox/control"
)

// patchBody is the body of a PATCH (RFC 7644 section 3.5.2).
type patchBody struct {
	Schemas    []string  `json:"schemas"`
	Operations []patchOf `json:"Operations"`
}

type patchOf struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// boolish is a boolean that may also come as the strings "True" and "False",
// which some providers' clients send.
type boolish bool

// UnmarshalJSON reads true, false and their spellings as strings.
func (b *boolish) UnmarshalJSON(raw []byte) error {
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return json.Unmarshal(raw, new(bool)) // for its error
	}
	return nil
}

func bad(scimType, detail string) *answer {
	a := scimError(http.StatusBadRequest, scimType, detail)
	return &a
}

// readPatch reads the operations of a PATCH; names of operations come lower-cased.
func readPatch(w http.ResponseWriter, r *http.Request) ([]patchOf, *answer) {
	var body patchBody
	if a := readSCIM(w, r, &body); a != nil {
		return nil, a
	}
	if len(body.Schemas) != 1 || body.Schemas[0] != schemaPatch || len(body.Operations) == 0 {
		return nil, bad("invalidSyntax", "not a PatchOp message")
	}
	for i, op := range body.Operations {
		op.Op = strings.ToLower(op.Op)
		switch op.Op {
		case "add", "replace", "remove":
		default:
			return nil, bad("invalidSyntax", "op is add, replace or remove")
		}
		if op.Op == "remove" && op.Path == "" {
			return nil, bad("noTarget", "remove needs a path")
		}
		body.Operations[i] = op
	}
	return body.Operations, nil
}

// readUserPatch reads a PATCH of a user into one change, and the form of its last operation.
func (s *System) readUserPatch(w http.ResponseWriter, r *http.Request) (c change, form string, refusal *answer) {
	ops, refusal := readPatch(w, r)
	if refusal != nil {
		return c, "", refusal
	}
	for _, op := range ops {
		switch {
		case op.Op == "remove":
			return c, "", bad("mutability", "attributes cannot be removed")
		case op.Path == "" && s.opts.Dialect == DialectPath:
			return c, "", bad("invalidSyntax", "a path is required")
		case op.Path != "" && s.opts.Dialect == DialectPathless:
			return c, "", bad("invalidPath", "a path is not understood")
		}
		values := map[string]json.RawMessage{op.Path: op.Value}
		form = control.FormPath
		if op.Path == "" {
			values, form = nil, control.FormPathless
			if json.Unmarshal(op.Value, &values) != nil || len(values) == 0 {
				return c, "", bad("invalidSyntax", "without a path the value is an object")
			}
		}
		for path, value := range values {
			if refusal := c.assign(path, value); refusal != nil {
				return c, "", refusal
			}
		}
	}
	return c, form, nil
}

// assign takes one attribute of a PATCH into the change.
func (c *change) assign(path string, value json.RawMessage) *answer {
	var err error
	switch strings.ToLower(path) {
	case "active":
		var b boolish
		err = json.Unmarshal(value, &b)
		active := bool(b)
		c.Active = &active
	case "username":
		err = json.Unmarshal(value, &c.UserName)
		if err == nil && (c.UserName == nil || *c.UserName == "") {
			return bad("invalidValue", "userName cannot be empty")
		}
	case "externalid":
		err = json.Unmarshal(value, &c.ExternalID)
	case employeeNumber:
		err = json.Unmarshal(value, &c.EmployeeNo)
	case strings.ToLower(schemaEnterprise):
		var e enterprise
		err = json.Unmarshal(value, &e)
		c.EmployeeNo = &e.EmployeeNumber
	case "emails":
		var list []email
		err = json.Unmarshal(value, &list)
		addresses := userBody{Emails: list}.addresses()
		c.Emails = &addresses
	case "id", "groups", "meta", strings.ToLower(schemaAccess):
		return bad("mutability", "attribute is read-only")
	default:
		return bad("invalidPath", "no such attribute")
	}
	if err != nil {
		return bad("invalidValue", "value does not fit the attribute")
	}
	return nil
}
