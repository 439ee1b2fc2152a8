package scim

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// attribute is where a user carries the employee number.
type attribute struct {
	filter string // as a filter names it
	schema string // of the extension; empty for the core
	name   string
	sub    string // sub-attribute; empty: value, where there is one
	exact  bool   // caseExact (RFC 7643 section 7)
}

// attributeOf reads SystemConfig.Match. Of the attributes that carry numbers only
// externalId is caseExact (RFC 7643 section 3.1); that is the exception, not the rule
// (section 2.2).
func attributeOf(match string) attribute {
	switch {
	case match == "", strings.EqualFold(match, connector.MatchEmployeeNumber):
		match = scim.EnterpriseSchema + ":employeeNumber"
	case strings.EqualFold(match, connector.MatchExternalID):
		return attribute{filter: connector.MatchExternalID, name: connector.MatchExternalID, exact: true}
	}
	a := attribute{filter: match, name: match}
	if i := strings.LastIndexByte(match, ':'); i >= 0 {
		a.schema, a.name = match[:i], match[i+1:]
	}
	if strings.EqualFold(a.schema, scim.UserSchema) {
		a.schema = ""
	}
	a.name, a.sub, _ = strings.Cut(a.name, ".")
	return a
}

// of returns what a user carries in the attribute.
func (a attribute) of(r resource) []string {
	at := r
	if a.schema != "" {
		if flat := r.field(a.schema + ":" + a.name); flat != nil {
			return a.texts(flat)
		}
		at = nil
		if raw := r.field(a.schema); raw == nil || json.Unmarshal(raw, &at) != nil {
			return nil
		}
	}
	return a.texts(at.field(a.name))
}

// texts reads a value in the shapes that systems give it: a string, a number, or a list
// of them, each perhaps in an object of its own.
func (a attribute) texts(raw json.RawMessage) []string {
	var t scim.Text
	var list []json.RawMessage
	var object resource
	switch {
	case len(raw) == 0:
		return nil
	case json.Unmarshal(raw, &list) == nil:
		var all []string
		for _, one := range list {
			all = append(all, a.texts(one)...)
		}
		return all
	case json.Unmarshal(raw, &object) == nil:
		name := a.sub
		if name == "" {
			name = "value"
		}
		return attribute{}.texts(object.field(name))
	case json.Unmarshal(raw, &t) == nil && t != "":
		return []string{string(t)}
	}
	return nil
}

// carries says whether a user carries the number, compared as the schema says, and
// whether something there looks like it without being it.
func (a attribute) carries(r resource, number string) (carries, resembles bool) {
	for _, v := range a.of(r) {
		switch {
		case v == number, !a.exact && connector.SameNumber(v, number):
			return true, false
		case loose(v) == loose(number):
			resembles = true
		}
	}
	return false, resembles
}

// loose is a number without what gets lost on its way through other systems: case,
// width, white space, marks that nobody sees, and the leading zeros of what is all digits.
func loose(number string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(number))
	if strings.Trim(kept, "0123456789") == "" {
		return strings.TrimLeft(kept, "0")
	}
	return kept
}

// resource is a SCIM resource as it came. Names of attributes are case-insensitive (RFC
// 7643 section 2.1).
type resource map[string]json.RawMessage

// field returns an attribute, nil if it is missing, null, or there in several spellings:
// which of them counts nobody can tell.
func (r resource) field(name string) json.RawMessage {
	var found json.RawMessage
	for key, raw := range r {
		if !strings.EqualFold(key, name) {
			continue
		}
		if found != nil {
			return nil
		}
		found = raw
	}
	if bytes.Equal(found, []byte("null")) {
		return nil
	}
	return found
}

func (r resource) id() string {
	var id scim.Text
	if raw := r.field("id"); raw == nil || json.Unmarshal(raw, &id) != nil {
		return ""
	}
	return string(id)
}

func badAnswer() error { return &connector.Error{Code: connector.CodeBadAnswer} }
