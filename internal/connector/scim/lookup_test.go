package scim_test

import (
	"fmt"
	"net/http"
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
		{"none", []string{`{"totalResults":0,"Resources":[]}`}, []string{}, ""},
		{"a provider's own page limit", []string{
			`{"totalResults":2,"startIndex":1,"itemsPerPage":1,"Resources":[` + a + `]}`,
			`{"totalResults":2,"startIndex":2,"itemsPerPage":1,"Resources":[` + b + `]}`,
		}, []string{"a", "b"}, ""},
		{"filter ignored", []string{`{"totalResults":2,"itemsPerPage":2,"Resources":[` + a + `,` + entry("x", "E-8", "") + `]}`},
			[]string{"a"}, ""},
		{"found without the number", []string{`{"totalResults":1,"Resources":[{"id":"a"}]}`}, nil, connector.CodeAmbiguous},
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
				if got := r.URL.Query().Get("filter"); !strings.HasSuffix(got, `:User:employeeNumber eq "E-7"`) {
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

func TestFindByExternalID(t *testing.T) {
	lists := map[string]string{
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "E-7"`: entry("b", "E-7", "E-7"),
		`externalId eq "E-7"`: entry("a", "", "E-7") + "," + entry("b", "E-7", "E-7"),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := lists[r.URL.Query().Get("filter")]
		n := strings.Count(list, `"id"`)
		answerJSON(w, http.StatusOK, fmt.Sprintf(`{"totalResults":%d,"Resources":[%s]}`, n, list))
	})
	both := clientOf(t, handler, func(o *scim.Options) { o.LookupExternalID = true })
	got, err := both.Find(t.Context(), "E-7")
	if diff := cmp.Diff([]string{"a", "b"}, got); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := clientOf(t, handler).Find(t.Context(), "E-7"); err != nil || !cmp.Equal(got, []string{"b"}) {
		t.Fatalf("without it: got %v, %v", got, err)
	}
	lists[`externalId eq "E-7"`] = entry("c", "E-8", "E-7") // says that it is somebody else's
	if got, err := both.Find(t.Context(), "E-7"); connector.CodeOf(err) != connector.CodeAmbiguous {
		t.Fatalf("got %v, %v", got, err)
	}
}
