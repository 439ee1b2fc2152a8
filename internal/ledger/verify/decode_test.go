package verify

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// The quick way of reading details says the same as the slow one, or nothing.
func TestDetailsAreReadAlikeBothWays(t *testing.T) {
	quick := 0
	rapid.Check(t, func(r *rapid.T) {
		object := rapid.MapOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab\"\\{}:, 日")), 0, 6, -1), rapid.StringOfN(rapid.RuneFrom([]rune("ab\"\\{}:, 期")), 0, 6, -1), 0, 20).Draw(r, "object")
		text := []byte("{") // as Postgres writes it, in any order
		for key, value := range object {
			if len(text) > 1 {
				text = append(text, ", "...)
			}
			k, _ := json.Marshal(key)
			v, _ := json.Marshal(value)
			text = append(append(append(text, k...), ": "...), v...)
		}
		text = append(text, '}')
		var got []byte
		if plainObject(text, &got) {
			if quick++; !bytes.Equal(got, canonical(object)) {
				r.Fatalf("%s: %x", text, got)
			}
		}
		slow, ok := jsonObject(text)
		if !ok || !bytes.Equal(canonical(slow), canonical(object)) {
			r.Fatalf("%s: %v", text, slow)
		}
	})
	if quick == 0 {
		t.Error("the quick way was never taken")
	}
	for _, text := range []string{"", "{", "[]", "null", `{"a": 1}`, `{"a": null}`, `{"a": "b"`, `{"a": "b", }`, `{"a"}`, `{"a": "b" "c": "d"}`, `{"a": {"b": "c"}}`, `{a: "b"}`} {
		var got []byte
		if plainObject([]byte(text), &got) {
			t.Errorf("%s was read as %x", text, got)
		}
		if _, ok := jsonObject([]byte(text)); ok {
			t.Errorf("%s was read", text)
		}
	}
}
