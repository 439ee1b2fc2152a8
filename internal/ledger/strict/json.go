// Package strict reads what docs/ledger-format.md allows, and nothing else: one grammar each for
// JSON, signed notes, numbers, base64 and ids. Whoever checks the ledger reads with it; whoever writes
// it does not, so that a mistake of the one is not also the other's.
package strict

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what a JSON value is.
type Kind byte

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	Text
	Array
	Object
)

// Value is a JSON value. Number and text are in Text, a number as it was written.
type Value struct {
	Kind    Kind
	Text    string
	Array   []Value
	Members []Member
}

// Member is a name with its value.
type Member struct {
	Name  string
	Value Value
}

// deepest is how deep arrays and objects may be nested.
const deepest = 32

// JSON reads one value (RFC 8259) of UTF-8 bytes: no name twice in an object, no half of a character,
// not deeper than 32 levels, and nothing around it but white space. Order, white space and escapes
// are free. False for anything else.
func JSON(raw []byte) (Value, bool) {
	if !utf8.Valid(raw) {
		return Value{}, false
	}
	r := jsonReader{rest: raw}
	v := r.value(1)
	r.space()
	return v, !r.bad && len(r.rest) == 0
}

// jsonReader reads from the front; what is wrong once stays so.
type jsonReader struct {
	rest []byte
	bad  bool
}

func (r *jsonReader) fail() { r.bad, r.rest = true, nil }

func (r *jsonReader) space() {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\t' || r.rest[0] == '\n' || r.rest[0] == '\r') {
		r.rest = r.rest[1:]
	}
}

// next is the next byte that is no white space, 0 at the end.
func (r *jsonReader) next() byte {
	r.space()
	if len(r.rest) == 0 {
		return 0
	}
	return r.rest[0]
}

// takes says whether a byte comes next, and goes on behind it.
func (r *jsonReader) takes(c byte) bool {
	if r.next() != c || len(r.rest) == 0 {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *jsonReader) value(depth int) Value {
	switch c := r.next(); {
	case c == '{' && depth <= deepest:
		return r.object(depth)
	case c == '[' && depth <= deepest:
		return r.array(depth)
	case c == '"':
		return Value{Kind: Text, Text: r.text()}
	case c == '-' || c >= '0' && c <= '9':
		return Value{Kind: Number, Text: r.number()}
	}
	for word, kind := range map[string]Kind{"null": Null, "true": Bool, "false": Bool} {
		if rest, ok := bytes.CutPrefix(r.rest, []byte(word)); ok {
			r.rest = rest
			return Value{Kind: kind, Text: word}
		}
	}
	r.fail()
	return Value{}
}

func (r *jsonReader) object(depth int) Value {
	v := Value{Kind: Object}
	r.rest = r.rest[1:]
	if r.takes('}') {
		return v
	}
	for !r.bad {
		if r.next() != '"' {
			break
		}
		name := r.text()
		if _, twice := v.member(name); twice || !r.takes(':') {
			break
		}
		v.Members = append(v.Members, Member{name, r.value(depth + 1)})
		if r.takes('}') {
			return v
		}
		if !r.takes(',') {
			break
		}
	}
	r.fail()
	return v
}

func (r *jsonReader) array(depth int) Value {
	v := Value{Kind: Array}
	r.rest = r.rest[1:]
	if r.takes(']') {
		return v
	}
	for !r.bad {
		v.Array = append(v.Array, r.value(depth+1))
		if r.takes(']') {
			return v
		}
		if !r.takes(',') {
			break
		}
	}
	r.fail()
	return v
}

// number is RFC 8259's; what it is worth is for who reads it.
func (r *jsonReader) number() string {
	i := 0
	digits := func() bool {
		from := i
		for i < len(r.rest) && r.rest[i] >= '0' && r.rest[i] <= '9' {
			i++
		}
		return i > from
	}
	at := func(set string) bool {
		if i < len(r.rest) && strings.IndexByte(set, r.rest[i]) >= 0 {
			i++
			return true
		}
		return false
	}
	at("-")
	ok := at("0") || digits()
	if at(".") {
		ok = ok && digits()
	}
	if at("eE") {
		at("+-")
		ok = ok && digits()
	}
	if !ok {
		r.fail()
		return ""
	}
	text := string(r.rest[:i])
	r.rest = r.rest[i:]
	return text
}

// text reads a string from its first quotation mark on.
func (r *jsonReader) text() string {
	r.rest = r.rest[1:]
	var out []byte
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '"':
			out, r.rest = append(out, r.rest[:i]...), r.rest[i+1:]
			return string(out)
		case c < ' ':
			r.fail()
			return ""
		case c == '\\':
			out = append(out, r.rest[:i]...)
			r.rest = r.rest[i+1:]
			if out = r.escape(out); r.bad {
				return ""
			}
			i = -1
		}
	}
	r.fail()
	return ""
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads what follows a backslash.
func (r *jsonReader) escape(out []byte) []byte {
	if len(r.rest) > 0 {
		if c, ok := escapes[r.rest[0]]; ok {
			r.rest = r.rest[1:]
			return append(out, c)
		}
	}
	first, ok := r.unit()
	if !ok {
		return out
	}
	if utf16.IsSurrogate(first) {
		rest, more := bytes.CutPrefix(r.rest, []byte{'\\'})
		r.rest = rest
		second, ok := rune(0), false
		if more {
			second, ok = r.unit()
		}
		if first = utf16.DecodeRune(first, second); !ok || first == utf8.RuneError {
			r.fail()
			return out
		}
	}
	return utf8.AppendRune(out, first)
}

// unit reads u and four hexadecimal digits.
func (r *jsonReader) unit() (rune, bool) {
	if len(r.rest) >= 5 && r.rest[0] == 'u' {
		if n, err := strconv.ParseUint(string(r.rest[1:5]), 16, 32); err == nil {
			r.rest = r.rest[5:]
			return rune(n), true
		}
	}
	r.fail()
	return 0, false
}

func (v Value) member(name string) (Value, bool) {
	for i := range v.Members {
		if v.Members[i].Name == name {
			return v.Members[i].Value, true
		}
	}
	return Value{}, false
}
