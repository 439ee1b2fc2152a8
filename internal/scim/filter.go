package scim

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Equal is the filter of an equality (RFC 7644 section 3.4.2.2). The value is a JSON
// string there, so that none can end it and add a condition.
func Equal(attribute, value string) string {
	return attribute + " eq " + string(encode(value))
}

var equality = regexp.MustCompile(`(?s)^\s*([A-Za-z][\w:.$-]*)\s+[eE][qQ]\s+(.+?)\s*$`)

// ParseEqual reads the filter of an equality with a string, and nothing else; the attribute
// comes lower-cased, since names of attributes are case-insensitive.
func ParseEqual(filter string) (attribute, value string, ok bool) {
	m := equality.FindStringSubmatch(filter)
	if m == nil || json.Unmarshal([]byte(m[2]), &value) != nil {
		return "", "", false
	}
	return strings.ToLower(m[1]), value, true
}

// ValuePath is the path of a PATCH (RFC 7644 section 3.5.2) to the one entry of an
// attribute that has this value.
func ValuePath(attribute, value string) string { return attribute + "[" + Equal("value", value) + "]" }

var valuePath = regexp.MustCompile(`^([A-Za-z]+)\[(.*)\]$`)

// ParseValuePath reads what ValuePath writes; the attribute comes lower-cased.
func ParseValuePath(path string) (attribute, value string, ok bool) {
	m := valuePath.FindStringSubmatch(path)
	if m == nil {
		return "", "", false
	}
	sub, value, ok := ParseEqual(m[2])
	return strings.ToLower(m[1]), value, ok && sub == "value"
}

// encode writes JSON as it is compared by systems that read it as text: without escapes
// for HTML.
func encode(value any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // callers give what always encodes
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
