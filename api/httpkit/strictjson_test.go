package httpkit

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSON(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	for body, want := range map[string]string{
		`{}`: "", ` {"a": [1, {"a": null}], "b": {"a": 1}} `: "", `"a"`: "", `1e400`: "", `[{"a":1},{"a":1}]`: "", `{"a":"\ud83d\ude00"}`: "",
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth): "",
		deep: "invalid_json", ``: "body_required", " \n": "body_required",
		`{"a":1,"a":1}`: "duplicate_key", `{"a":1,"\u0061":1}`: "duplicate_key", `{"x":{"a":1,"a":2}}`: "duplicate_key", `[[{"a":1,"b":2,"a":3}]]`: "duplicate_key",
		`{} {}`: "trailing_data", `{}x`: "trailing_data", `1 2`: "trailing_data", `{}]`: "trailing_data",
		`{"a":}`: "invalid_json", `{"a" 1}`: "invalid_json", `{a:1}`: "invalid_json", `[1,]`: "invalid_json", `{"a":1`: "invalid_json", `nul`: "invalid_json", `]`: "invalid_json",
		"\"\xff\"": "invalid_utf8", `"\ud800"`: "invalid_utf8", `"\ud800x"`: "invalid_utf8", `"\udc00"`: "invalid_utf8", `"\ud800\ud800"`: "invalid_utf8",
		`"\u0000"`: "invalid_utf8", `{"\u0000":1}`: "invalid_utf8", `"\\u0000"`: "", `"\\\u0000"`: "invalid_utf8",
	} {
		got := ""
		if p := checkJSON([]byte(body)); p != nil {
			got = p.Code
		}
		if got != want {
			t.Errorf("%.60q: got %q, want %q", body, got, want)
		}
	}
}

func TestDuplicateKeyIsNamedByPlaceOnly(t *testing.T) {
	p := checkJSON([]byte(`{"list": [{"Secret Value": {"x": 1, "x": 2}}]}`))
	if p == nil || len(p.Errors) != 1 || p.Errors[0].Location != "body.list.?.x" {
		t.Errorf("got %+v", p)
	}
}

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"employee_id": "employee_id", "sha256": "sha256", "": "?", "A": "?", "名": "?", "a b": "?", "1a": "?", strings.Repeat("a", 41): "?",
	} {
		if got := safeName(name); got != want {
			t.Errorf("%q: got %q", name, got)
		}
	}
}

// FuzzCheckJSON: whatever passes is what encoding/json reads too, means the same when it is read
// and written again, and holds each key once; nothing panics.
func FuzzCheckJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\ud83d\ude00"}]}`, `{"a":1,"a":2}`, `{} 1`, "\"\xff\"", `"\u0000"`, `[[[]]]`, `{"a":{"a":{"a":1}}}`, `-0.1e5`, `{"":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if checkJSON(body) != nil {
			return
		}
		if !utf8.Valid(body) || !json.Valid(body) {
			t.Fatalf("passed, but is not JSON: %q", body)
		}
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			return // a number beyond float64: huma refuses it
		}
		if keys(value) != strings.Count(skeleton(body), ":") {
			t.Fatalf("a key was lost: %q", body)
		}
	})
}

// keys counts the members of all objects.
func keys(value any) int {
	n := 0
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			n += 1 + keys(inner)
		}
	case []any:
		for _, inner := range v {
			n += keys(inner)
		}
	}
	return n
}

// skeleton is JSON without its strings: each colon is a member.
func skeleton(body []byte) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(body); i++ {
		switch {
		case inside && body[i] == '\\':
			i++
		case body[i] == '"':
			inside = !inside
		case !inside:
			b.WriteByte(body[i])
		}
	}
	return b.String()
}
