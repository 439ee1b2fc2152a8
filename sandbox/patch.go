package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

func bad(scimType, detail string) *answer {
	a := scimError(http.StatusBadRequest, scimType, detail)
	return &a
}

// readPatch reads the operations of a PATCH; names of operations come lower-cased.
func readPatch(w http.ResponseWriter, r *http.Request) ([]scim.Operation, *answer) {
	var body scim.Patch
	if a := readSCIM(w, r, &body); a != nil {
		return nil, a
	}
	if len(body.Schemas) != 1 || body.Schemas[0] != scim.PatchSchema || len(body.Operations) == 0 {
		return nil, bad("invalidSyntax", "not a PatchOp message")
	}
	for i, op := range body.Operations {
		op.Op = strings.ToLower(op.Op)
		switch {
		case op.Op != "add" && op.Op != "replace" && op.Op != "remove":
			return nil, bad("invalidSyntax", "op is add, replace or remove")
		case op.Op == "remove" && op.Path == "":
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
		c.Active = new(bool)
		err = json.Unmarshal(value, (*scim.Bool)(c.Active))
	case "username":
		err = json.Unmarshal(value, &c.UserName)
		if err == nil && (c.UserName == nil || *c.UserName == "") {
			return bad("invalidValue", "userName cannot be empty")
		}
	case "externalid":
		err = json.Unmarshal(value, &c.ExternalID)
	case employeeNumber:
		err = json.Unmarshal(value, &c.EmployeeNo)
	case strings.ToLower(scim.EnterpriseSchema):
		var e enterprise
		err = json.Unmarshal(value, &e)
		c.EmployeeNo = &e.EmployeeNumber
	case "emails":
		var list []email
		err = json.Unmarshal(value, &list)
		addresses := userBody{Emails: list}.addresses()
		c.Emails = &addresses
	case "id", "groups", "meta", strings.ToLower(scim.AccessSchema):
		return bad("mutability", "attribute is read-only")
	default:
		return bad("invalidPath", "no such attribute")
	}
	if err != nil {
		return bad("invalidValue", "value does not fit the attribute")
	}
	return nil
}
