package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/internal/connector/scim"
)

func entry(id, number, externalID string) string {
	return fmt.Sprintf(`{"id":%q,"externalId":%q,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":%q}}`, id, externalID, number)
}

func TestFindBelievesOnlyWhatAddsUp(t *testing.T) {
	a, b := entry("a", "E-7", ""), entry("b", "E-7", "")
	for _, c := range []struct {
		name  string
		pages []string // in the order they are asked for; the last one repeats
		want  []string
		code  connector.Code
	}{
		{"one page", []string{`{"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":[` + b + `,` + a + `]}`},
			[]string{"a", "b"}, ""},
		{"a provider's own page limit", []string{
			`{"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`,
			`{"totalResults":2,"startIndex":2,"itemsPerPage":1,"Resources":[` + b + `]}`,
		}, []string{"a", "b"}, ""},
		{"filter ignored", []string{`{"totalResults":2,"itemsPerPage":2,"Resources":[` + a + `,` + entry("x", "E-8", "") + `]}`},
			[]string{"a"}, ""},
		{"with entries that carry none", []string{`{"totalResults":2,"Resources":[` + a + `,{"id":"x"}]}`}, []string{"a"}, ""},
		{"nobody anywhere", []string{`{"totalResults":0,"Resources":[]}`}, nil, connector.CodeIncompleteList},
		{"a number that lost its case", []string{`{"totalResults":1,"Resources":[` + entry("a", "e-7", "") + `]}`}, []string{"a"}, ""},
		{"a number with a space", []string{`{"totalResults":1,"Resources":[` + entry("a", "E-7 ", "") + `]}`}, nil, connector.CodeAmbiguous},
		{"nobody carries any number", []string{`{"totalResults":1,"Resources":[{"id":"a"}]}`}, nil, connector.CodeBadAnswer},
		{"no total", []string{`{"Resources":[` + a + `]}`}, nil, connector.CodeIncompleteList},
		{"not a list", []string{`{}`}, nil, connector.CodeIncompleteList},
		{"fewer than the total, nothing follows", []string{
			`{"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`,
			`{"totalResults":2,"startIndex":2,"itemsPerPage":0,"Resources":[]}`,
		}, nil, connector.CodeIncompleteList},
		{"short page", []string{`{"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":[` + a + `]}`},
			nil, connector.CodeIncompleteList},
		{"total changes", []string{
			`{"totalResults":3,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`,
			`{"totalResults":2,"startIndex":2,"itemsPerPage":1,"Resources":[` + b + `]}`,
		}, nil, connector.CodeIncompleteList},
		{"the same page twice", []string{`{"totalResults":2,"itemsPerPage":1,"Resources":[` + a + `]}`},
			nil, connector.CodeIncompleteList},
		{"another page than asked for", []string{
			`{"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`,
			`{"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[` + b + `]}`,
		}, nil, connector.CodeIncompleteList},
		{"more than the total", []string{`{"totalResults":1,"Resources":[` + a + `,` + b + `]}`}, nil, connector.CodeIncompleteList},
		{"entries without id", []string{`{"totalResults":1,"Resources":[{}]}`}, nil, connector.CodeBadAnswer},
		{"a flood", []string{`{"totalResults":2000000,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`},
			nil, connector.CodeIncompleteList},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			client := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.URL.Query().Get("filter"); got != "" && !strings.HasSuffix(got, `:User:employeeNumber eq "E-7"`) {
					t.Errorf("filter %s", got)
				}
				answerJSON(w, http.StatusOK, c.pages[min(asked, len(c.pages)-1)])
				asked++
			}))
			got, err := client.Find(t.Context(), "E-7")
			if connector.CodeOf(err) != c.code {
				t.Fatalf("got %v, %v; want code %q", got, err, c.code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Fatalf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindRefusesAListThatIsNotThere(t *testing.T) {
	client := clientOf(t, http.NotFoundHandler())
	if got, err := client.Find(t.Context(), "E-7"); connector.CodeOf(err) != connector.CodeBadAnswer {
		t.Fatalf("a wrong address answered %v, %v", got, err)
	}
	client = clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusBadRequest, `{"scimType":"tooMany","status":"400"}`)
	}))
	if got, err := client.Find(t.Context(), "E-7"); connector.CodeOf(err) != connector.CodeIncompleteList {
		t.Fatalf("got %v, %v", got, err)
	}
}

// directory is a system whose search behaves as find has it; a nil find ignores the filter.
func directory(find func(filter string) []string, everybody ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := everybody
		if filter := r.URL.Query().Get("filter"); filter != "" && find != nil {
			list = find(filter)
		}
		start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
		page := list[min(start-1, len(list)):]
		page = page[:min(2, len(page))]
		body, _ := json.Marshal(map[string]any{
			"totalResults": len(list), "itemsPerPage": len(page), "startIndex": start, "Resources": raws(page),
		})
		answerJSON(w, http.StatusOK, string(body))
	})
}

func raws(list []string) []json.RawMessage {
	out := make([]json.RawMessage, len(list))
	for i, x := range list {
		out[i] = json.RawMessage(x)
	}
	return out
}

// A server made with a widely used library finds by the attributes that it indexes, and
// gives everybody for any other.
func TestI14_EachAttributeCanCarryTheNumber(t *testing.T) {
	everybody := []string{
		entry("a", "", "E-7"), entry("b", "E-7", "E-8"), `{"id":"c","userName":"e-7"}`, `{"id":"d"}`,
		`{"id":"e","urn:example:hr:2.0:User":{"StaffNumber":7}}`, `{"id":"f","urn:example:hr:2.0:User":{"staffNumber":[{"value":"E-7"}]}}`,
	}
	for match, want := range map[string]string{
		"": "b", connector.MatchEmployeeNumber: "b", connector.MatchExternalID: "a", connector.MatchUserName: "c",
		"urn:example:hr:2.0:User:staffNumber": "f",
	} {
		client := clientOf(t, directory(nil, everybody...), func(o *scim.Options) { o.Match = match })
		got, err := client.Find(t.Context(), "E-7")
		if diff := cmp.Diff([]string{want}, got); err != nil || diff != "" {
			t.Errorf("match %q: %v (-want +got):\n%s", match, err, diff)
		}
		if got, err := client.Find(t.Context(), "E-9"); err != nil || len(got) != 0 {
			t.Errorf("match %q: nobody's number: %v, %v", match, got, err)
		}
	}
	two := clientOf(t, directory(nil, append(everybody, entry("g", "E-7", ""))...))
	if got, err := two.Find(t.Context(), "E-7"); err != nil || !cmp.Equal(got, []string{"b", "g"}) {
		t.Errorf("two that carry it: %v, %v", got, err)
	}
	exact := clientOf(t, directory(nil, entry("a", "", "e-7"), entry("b", "", "E-8")), func(o *scim.Options) { o.Match = connector.MatchExternalID })
	if got, err := exact.Find(t.Context(), "E-7"); connector.CodeOf(err) != connector.CodeAmbiguous {
		t.Errorf("externalId is caseExact, and something like the number is there: %v, %v", got, err)
	}
}

// An empty answer is nobody only from a search that finds.
func TestI30_AnEmptyAnswerNeedsASearchThatFinds(t *testing.T) {
	everybody := []string{entry("a", "demo-0050", ""), entry("b", "E-8", ""), entry("c", "E-9", "")}
	byCase := func(same func(a, b string) bool) func(string) []string {
		return func(filter string) []string {
			var found []string
			for i, number := range []string{"demo-0050", "E-8", "E-9"} {
				if same(filter, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "`+number+`"`) {
					found = append(found, everybody[i])
				}
			}
			return found
		}
	}
	for name, c := range map[string]struct {
		find    func(string) []string
		missing bool // the search may be believed
	}{
		"finds":             {byCase(strings.EqualFold), true},
		"by case":           {byCase(func(a, b string) bool { return a == b }), false},
		"finds nobody ever": {func(string) []string { return nil }, false},
		"finds others":      {func(string) []string { return everybody[1:] }, false},
	} {
		client := clientOf(t, directory(c.find, everybody...))
		got, err := client.Find(t.Context(), "DEMO-0050")
		if diff := cmp.Diff([]string{"a"}, got); name != "finds others" && (err != nil || diff != "") {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		got, err = client.Find(t.Context(), "E-0")
		switch {
		case name == "finds others" && connector.CodeOf(err) != connector.CodeAmbiguous:
			t.Errorf("%s: rows that nobody explains: %v, %v", name, got, err)
		case name != "finds others" && (err != nil || len(got) != 0):
			t.Errorf("%s: nobody's number: %v, %v", name, got, err)
		}
	}
}

// Nobody for one number and everybody for the others: nothing that such a search says is believed.
func TestI30_ASearchThatFindsEverybodyIsNotBelieved(t *testing.T) {
	everybody := []string{entry("a", "demo-0050", ""), entry("b", "E-8", ""), entry("c", "E-9", "")}
	client := clientOf(t, directory(func(filter string) []string {
		if strings.Contains(filter, "E-9") {
			return nil
		}
		return everybody
	}, everybody...))
	if got, err := client.Find(t.Context(), "E-9"); err != nil || len(got) != 1 || got[0] != "c" {
		t.Errorf("found %v, %v", got, err)
	}
}

func TestI30_ADirectoryThatShrinksIsAnAlarm(t *testing.T) {
	everybody := []string{entry("a", "E-1", ""), entry("b", "E-2", ""), entry("c", "E-3", ""), entry("d", "E-4", ""), entry("e", "E-5", "")}
	now := &everybody
	client := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { directory(nil, *now...).ServeHTTP(w, r) }))
	if got, err := client.Find(t.Context(), "E-9"); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
	fewer := everybody[:2]
	now = &fewer
	if got, err := client.Find(t.Context(), "E-5"); connector.CodeOf(err) != connector.CodeIncompleteList {
		t.Fatalf("a list of two where five were: %v, %v", got, err)
	}
}
