package httpkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

const maxDepth = 32

// checkJSON refuses what encoding/json would let pass or repair in silence: bytes that are not
// UTF-8, lone surrogates and NUL (RFC 7493, and Postgres stores no NUL), a member given twice at
// any depth (RFC 8259 leaves open which one counts), and anything after the value. What it returns
// names the fault by code, never by content.
func checkJSON(body []byte) *Problem {
	if len(bytes.TrimSpace(body)) == 0 {
		return NewProblem(codeBodyRequired)
	}
	if !utf8.Valid(body) || !cleanEscapes(body) {
		return NewProblem(codeInvalidUTF8)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if p := scanValue(decoder); p != nil {
		return p
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return NewProblem(codeTrailingData)
	}
	return nil
}

// scope is one open object or array.
type scope struct {
	members map[string]bool // nil in an array
	name    string          // where it is, as errors name it
	nextKey bool
	key     string
}

// scanValue reads one JSON value token by token.
func scanValue(decoder *json.Decoder) *Problem {
	var open []scope
	for {
		token, err := decoder.Token()
		if err != nil {
			return NewProblem(codeInvalidJSON)
		}
		if len(open) > 0 && open[len(open)-1].members != nil && open[len(open)-1].nextKey {
			if key, ok := token.(string); ok {
				if p := open[len(open)-1].take(key); p != nil {
					return p
				}
				continue
			}
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if len(open) == maxDepth {
				return NewProblem(codeInvalidJSON)
			}
			open = append(open, inner(open, token == json.Delim('{')))
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return nil
		}
		open[len(open)-1].nextKey = true
	}
}

// take notes a member's name and refuses its second appearance.
func (s *scope) take(key string) *Problem {
	if s.members[key] {
		p := NewProblem(codeDuplicateKey)
		p.Errors = []FieldError{{Location: s.name + "." + safeName(key), Code: codeDuplicateKey}}
		return p
	}
	s.members[key] = true
	s.key, s.nextKey = key, false
	return nil
}

func inner(open []scope, object bool) scope {
	s := scope{name: "body", nextKey: true}
	if len(open) > 0 {
		s.name = open[len(open)-1].name
		if key := open[len(open)-1].key; key != "" {
			s.name += "." + safeName(key)
		}
	}
	if object {
		s.members = map[string]bool{}
	}
	return s
}

// safeName is a member's name as long as it looks like one of ours; any other could be a value put
// into the wrong place, and values are never repeated.
func safeName(name string) string {
	if len(name) == 0 || len(name) > 40 {
		return "?"
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return "?"
		}
	}
	return name
}

// cleanEscapes says whether every \u escape stands for a character that text may hold.
func cleanEscapes(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++
		if i >= len(body) || body[i] != 'u' {
			continue
		}
		unit, ok := escapedUnit(body, i+1)
		if !ok {
			return true // not JSON: the scan says so
		}
		i += 4
		switch {
		case unit == 0, unit >= 0xDC00 && unit <= 0xDFFF:
			return false
		case unit >= 0xD800 && unit <= 0xDBFF:
			if i+2 >= len(body) || body[i+1] != '\\' || body[i+2] != 'u' {
				return false
			}
			low, ok := escapedUnit(body, i+3)
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return false
			}
			i += 6
		}
	}
	return true
}

func escapedUnit(body []byte, at int) (rune, bool) {
	if at+4 > len(body) {
		return 0, false
	}
	var unit rune
	for _, c := range body[at : at+4] {
		unit <<= 4
		switch {
		case c >= '0' && c <= '9':
			unit |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			unit |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			unit |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	return unit, true
}
