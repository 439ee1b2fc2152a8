package sandbox

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// The only filter this system knows is one equality, which is what lookups need
// (RFC 7644 section 3.4.2.2): an attribute, eq, and a JSON value.
var equality = regexp.MustCompile(`(?s)^\s*([A-Za-z][\w:.$-]*)\s+[eE][qQ]\s+(.+?)\s*$`)

// parseEquality splits `attr eq "value"`; attr comes lower-cased, since attribute
// names are case-insensitive.
func parseEquality(filter string) (attr, value string, ok bool) {
	m := equality.FindStringSubmatch(filter)
	if m == nil || json.Unmarshal([]byte(m[2]), &value) != nil {
		return "", "", false
	}
	return strings.ToLower(m[1]), value, true
}

var employeeNumber = strings.ToLower(schemaEnterprise + ":employeeNumber")

// selectUsers returns the accounts a filter selects; ok is false for a filter
// that is not understood.
func (st *state) selectUsers(attr, value string) (found []*account, ok bool) {
	switch attr {
	case employeeNumber, "employeenumber":
		return st.members(st.byEmployeeNo[strings.ToLower(value)]), true
	case "externalid":
		return st.members(st.byExternalID[value]), true
	case "username":
		return st.members(st.byUserName[strings.ToLower(value)]), true
	case "id":
		if a := st.accounts[value]; a != nil {
			return []*account{a}, true
		}
		return nil, true
	default:
		return nil, false
	}
}

func (st *state) selectGroups(attr, value string) (found []*group, ok bool) {
	var keep func(*group) bool
	switch attr {
	case "members.value", "members":
		a := st.accounts[value]
		keep = func(g *group) bool { return a != nil && slices.Contains(a.Groups, g.ID) }
	case "displayname":
		keep = func(g *group) bool { return strings.EqualFold(g.Name, value) }
	case "id":
		keep = func(g *group) bool { return g.ID == value }
	default:
		return nil, false
	}
	return slices.DeleteFunc(st.allGroups(), func(g *group) bool { return !keep(g) }), true
}
