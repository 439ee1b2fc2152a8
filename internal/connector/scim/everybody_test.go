package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lethe/internal/connector"
	"lethe/internal/connector/scim"
)

// What no index can hold is told as what it is, and the error repeats nothing of it.
func TestAListWithAnIDThatIsTooLong(t *testing.T) {
	for length, want := range map[int]connector.Code{1000: "", 1001: connector.CodeBadAnswer, 3000: connector.CodeBadAnswer} {
		id := strings.Repeat("x", length)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/scim+json")
			_, _ = fmt.Fprintf(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":2,"startIndex":1,"itemsPerPage":2,
				"Resources":[{"id":"a","userName":"a","active":true},{"id":%q,"userName":"b","active":true}]}`, id)
		}))
		client, err := scim.New(scim.Options{BaseURL: server.URL, Token: "t", Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		n, err := client.List(t.Context(), func(page []connector.Listed) error { seen += len(page); return nil })
		if connector.CodeOf(err) != want || want == "" && (err != nil || n != 2 || seen != 2) || want != "" && (seen != 0 || strings.Contains(err.Error(), "xx")) {
			t.Errorf("an id of %d bytes: %d accounts, %d seen, %v", length, n, seen, err)
		}
		client.Close()
		server.Close()
	}
}
