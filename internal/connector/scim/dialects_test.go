package scim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/internal/connector/scim"
)

// provider is a SCIM server that gives answers of the shape that a kind of
// provider gives, and keeps what it was sent.
type provider struct {
	t    *testing.T
	sent []string // "METHOD path body" of mutating calls
	user string   // body of GET /Users/7
	// patch answers a PATCH of a user, given the one operation in it.
	patch func(w http.ResponseWriter, op map[string]any)
	extra map[string]http.HandlerFunc // by "METHOD path"
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodGet {
		p.sent = append(p.sent, r.Method+" "+r.URL.Path+" "+strings.TrimSpace(string(body)))
	}
	key := r.Method + " " + r.URL.Path
	switch {
	case p.extra[key] != nil:
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		p.extra[key](w, r)
	case key == "GET /Users/7":
		answerJSON(w, http.StatusOK, p.user)
	case key == "PATCH /Users/7":
		var message struct{ Operations []map[string]any }
		if json.Unmarshal(body, &message) != nil || len(message.Operations) != 1 {
			p.t.Errorf("not a PatchOp message: %s", body)
		}
		p.patch(w, message.Operations[0])
	default:
		answerJSON(w, http.StatusNotFound, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`)
	}
}

func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// clientOf serves a handler over real HTTP and returns a client of it.
func clientOf(t *testing.T, h http.Handler, change ...func(*scim.Options)) *scim.Client {
	t.Helper()
	server := httptest.NewServer(h)
	o := scim.Options{BaseURL: server.URL, Token: "secret-token", Timeout: 5 * time.Second}
	for _, f := range change {
		f(&o)
	}
	c, err := scim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); server.Close() })
	return c
}

// An Okta-like provider: PATCH without a path, the whole user in the answer.
const oktaUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
 "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"7","userName":"someone@example.test",
 "name":{"givenName":"A","familyName":"B"},"emails":[{"primary":true,"value":"someone@example.test","type":"work"}],
 "displayName":"A B","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","active":true,
 "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-7"},
 "groups":[],"meta":{"resourceType":"User"}}`

func TestDialectWithoutPath(t *testing.T) {
	p := &provider{t: t, user: oktaUser}
	p.patch = func(w http.ResponseWriter, op map[string]any) {
		if _, ok := op["path"]; ok {
			answerJSON(w, http.StatusBadRequest, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],
				"scimType":"invalidSyntax","detail":"someone@example.test: bad request","status":"400"}`)
			return
		}
		p.user = strings.Replace(oktaUser, `"active":true`, `"active":false`, 1)
		answerJSON(w, http.StatusOK, p.user)
	}
	c := clientOf(t, p)
	for range 2 {
		p.user = oktaUser
		r, err := c.Disable(t.Context(), "7")
		if err != nil || r.Outcome != connector.Confirmed {
			t.Fatalf("got %+v, %v", r, err)
		}
	}
	const head = `PATCH /Users/7 {"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	want := []string{ // the form that worked is remembered
		head + `{"op":"replace","path":"active","value":false}]}`,
		head + `{"op":"replace","value":{"active":false}}]}`,
		head + `{"op":"replace","value":{"active":false}}]}`,
	}
	if diff := cmp.Diff(want, p.sent); diff != "" {
		t.Fatalf("sent (-want +got):\n%s", diff)
	}
}

// An Entra-like provider: booleans as strings, PATCH with a path and 204, no
// groups in the user, members removed by value, errors without scimType, the
// employee number as a number.
const entraUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7","externalId":"E-7",
 "userName":"someone@example.test","active":"True",
 "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":7001,"department":null},
 "roles":[],"meta":{"resourceType":"User","version":"W/\"1\""}}`

func TestDialectWithStrings(t *testing.T) {
	p := &provider{t: t, user: entraUser}
	p.patch = func(w http.ResponseWriter, op map[string]any) {
		if op["path"] != "active" {
			answerJSON(w, http.StatusBadRequest, `{"status":"400"}`)
			return
		}
		p.user = strings.Replace(entraUser, `"True"`, `"False"`, 1)
		w.WriteHeader(http.StatusNoContent)
	}
	left := false
	p.extra = map[string]http.HandlerFunc{
		"GET /Groups": func(w http.ResponseWriter, r *http.Request) {
			g2 := `{"id":"g2","members":[{"value":"8"}]}`
			switch filter := r.URL.Query().Get("filter"); {
			case filter == `members.value eq "7"` && !left:
				answerJSON(w, http.StatusOK, `{"totalResults":1,"itemsPerPage":100,"startIndex":1,"Resources":[{"id":"g1"}]}`)
			case filter == `members.value eq "8"`:
				answerJSON(w, http.StatusOK, `{"totalResults":"1","itemsPerPage":100,"startIndex":1,"Resources":[`+g2+`]}`)
			case filter == "":
				answerJSON(w, http.StatusOK, `{"totalResults":2,"itemsPerPage":10,"startIndex":1,"Resources":[{"id":"g1"},`+g2+`]}`)
			default:
				answerJSON(w, http.StatusOK, `{"totalResults":0,"itemsPerPage":100,"startIndex":1}`)
			}
		},
		"PATCH /Groups/g1": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if !strings.Contains(string(body), `{"op":"remove","path":"members","value":[{"value":"7"}]}`) {
				answerJSON(w, http.StatusBadRequest, `{"status":"400"}`)
				return
			}
			left = true
			w.WriteHeader(http.StatusNoContent)
		},
	}
	if _, err := clientOf(t, p).LeaveGroups(t.Context(), "7"); err == nil || left {
		t.Fatalf("left by a value that the systems file does not allow: %v", err)
	}
	c := clientOf(t, p, func(o *scim.Options) { o.RemoveByValue = true })
	before, err := c.ReadBack(t.Context(), "7")
	if err != nil || !before.Active || before.EmployeeNo != "7001" {
		t.Fatalf("got %+v, %v", before, err)
	}
	r, err := c.Disable(t.Context(), "7")
	if err != nil || r.Outcome != connector.Confirmed {
		t.Fatalf("got %+v, %v", r, err)
	}
	if after, err := c.ReadBack(t.Context(), "7"); err != nil || after.Active {
		t.Fatalf("got %+v, %v", after, err)
	}
	if r, err := c.LeaveGroups(t.Context(), "7"); err != nil || r.Outcome != connector.Confirmed || !left {
		t.Fatalf("got %+v, %v", r, err)
	}
	if left, err := c.Residue(t.Context(), "7"); err != nil || len(left) != 0 {
		t.Fatalf("got %v, %v", left, err)
	}
	if r, err := c.RevokeSessions(t.Context(), "7"); err != nil || r.Outcome != connector.NotOffered {
		t.Fatalf("ending sessions is not offered there: got %+v, %v", r, err)
	}
}

func TestReadBackRefusesWhatItCannotBelieve(t *testing.T) {
	for name, body := range map[string]string{
		"no active":         `{"id":"7"}`,
		"active null":       `{"id":"7","active":null}`,
		"active a word":     `{"id":"7","active":"no"}`,
		"active a number":   `{"id":"7","active":0}`,
		"another account":   `{"id":"8","active":false}`,
		"no id":             `{"active":false}`,
		"a page for people": `<html><body>Sign in</body></html>`,
		"empty":             ``,
		"a list":            `[{"id":"7","active":false}]`,
		"too large":         `{"id":"7","active":false,"x":"` + strings.Repeat("x", 17<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := clientOf(t, &provider{t: t, user: body})
			if s, err := c.ReadBack(t.Context(), "7"); connector.CodeOf(err) != connector.CodeBadAnswer {
				t.Fatalf("got %+v, %v", s, err)
			}
		})
	}
}

func TestResidueKinds(t *testing.T) {
	p := &provider{t: t, user: `{"id":"7","active":false,"groups":[{"value":"g1"},{"value":"g2","type":"indirect"}],
		"urn:lethe:params:scim:schemas:extension:access:2.0:User":{"sessions":4,"tokens":0,"delegations":2}}`}
	got, err := clientOf(t, p).Residue(t.Context(), "7")
	want := []connector.Residue{{Kind: "delegations", Count: 2}, {Kind: "groups", Count: 1}, {Kind: "sessions", Count: 4}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func TestRestoreReportsAGroupThatIsGone(t *testing.T) {
	p := &provider{t: t, user: `{"id":"7","active":true,"groups":[]}`}
	p.patch = func(w http.ResponseWriter, op map[string]any) { w.WriteHeader(http.StatusNoContent) }
	p.extra = map[string]http.HandlerFunc{
		"PATCH /Groups/g2": func(w http.ResponseWriter, _ *http.Request) {
			p.user = `{"id":"7","active":true,"groups":[{"value":"g2"}]}`
			w.WriteHeader(http.StatusNoContent)
		},
	}
	snapshot := []byte(`{"scim_snapshot":1,"id":"7","active":true,"groups":["g1","g2"]}`)
	_, err := clientOf(t, p).Restore(t.Context(), "7", snapshot)
	if connector.CodeOf(err) != connector.CodeConflict || !strings.Contains(p.user, "g2") {
		t.Fatalf("got %v after %v", err, p.sent)
	}
}
