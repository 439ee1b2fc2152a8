package scim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

func ExampleValuePath() {
	fmt.Println(Equal("userName", `a"b`))
	fmt.Println(ValuePath("members", "7"))
	// Output:
	// userName eq "a\"b"
	// members[value eq "7"]
}

func ExamplePage() {
	list, _ := Page(url.Values{"startIndex": {"2"}, "count": {"9"}}, []string{"a", "b", "c", "d"}, 2, func(s string) any { return s })
	fmt.Println(list.Resources, "of", *list.TotalResults)
	// Output: [b c] of 4
}

// No value ends the string that it stands in.
func TestWhatAFilterSaysIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "value")
		if attribute, got, ok := ParseEqual(Equal("externalId", want)); !ok || attribute != "externalid" || got != want {
			t.Errorf("a filter by %q was read as %s, %q, %v", want, attribute, got, ok)
		}
		if attribute, got, ok := ParseValuePath(ValuePath("members", want)); !ok || attribute != "members" || got != want {
			t.Errorf("a path to %q was read as %s, %q, %v", want, attribute, got, ok)
		}
	})
	for _, path := range []string{"members", "members[]", `members[type eq "User"]`, `members[value eq "1" or value eq "2"]`, `members[value eq "1"].value`} {
		if _, _, ok := ParseValuePath(path); ok {
			t.Errorf("%s is the path to one entry", path)
		}
	}
}

func TestReferencesAreReadAsSystemsWriteThem(t *testing.T) {
	for raw, want := range map[string]Text{
		`{"value":"7"}`: "7", `{"value":7,"display":{"odd":1}}`: "7", `"7"`: "7", `7`: "7", `{"$ref":"https://x/Groups/a%20b"}`: "a b",
		`{}`: "", `null`: "", `""`: "", `{"value":""}`: "", `{"$ref":"/"}`: "", `{"value":{}}`: "", `[]`: "", `true`: "",
	} {
		var f Reference
		if err := json.Unmarshal([]byte(raw), &f); (err == nil) != (want != "") || (err == nil && f.Value != want) {
			t.Errorf("%s is read as %q, %v", raw, f.Value, err)
		}
	}
}
