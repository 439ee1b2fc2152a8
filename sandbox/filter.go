package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

var employeeNumber = strings.ToLower(scim.EnterpriseSchema + ":employeeNumber")

// filter is what a list is asked for; the only one that this system knows is an equality.
type filter struct {
	given       bool
	attr, value string
}

// readFilter reads the filter of a list, or refuses it.
func (s *System) readFilter(w http.ResponseWriter, r *http.Request, op string) (f filter, ok bool) {
	if f.given = r.URL.Query().Has("filter"); !f.given {
		return f, true
	}
	if f.attr, f.value, ok = scim.ParseEqual(r.URL.Query().Get("filter")); !ok {
		s.refuse(w, r, op, *bad("invalidFilter", "only attribute eq value is understood"))
	}
	return f, ok
}

// selected returns what the filter of a call selects of all, or refuses the attribute.
func selected[T any](x *exchange, f filter, all []T, choose func(attr, value string) ([]T, bool)) ([]T, *answer) {
	if f.given && !x.hit.is(control.IgnoreFilter) {
		var ok bool
		if all, ok = choose(f.attr, f.value); !ok {
			return nil, bad("invalidFilter", "attribute cannot be filtered by")
		}
	}
	if x.hit.is(control.Unknown) || x.hit.is(control.EmptyList) {
		return nil, nil
	}
	return all, nil
}

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
