package api_test

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lethe/api"
	"lethe/api/httpkit"
)

// schema is what of one decides about the types of a generated client.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"` // one, or several
	Enum       []any             `json:"enum"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
	Additional json.RawMessage   `json:"additionalProperties"`
	OneOf      []schema          `json:"oneOf"`
	AnyOf      []schema          `json:"anyOf"`
	AllOf      []schema          `json:"allOf"`
}

// document is what of the OpenAPI document is looked at.
type document struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name, In, Description string
			Schema                schema
		} `json:"parameters"`
		RequestBody struct {
			Content map[string]struct{ Schema *schema } `json:"content"`
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct{ Schema *schema } `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

func readDocument(t *testing.T) (doc document) {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(api.Deps{}).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestEveryClosedValueHasItsText: what people are shown is never a code. Those that are left out say it in
// another member, or are for programs alone.
func TestEveryClosedValueHasItsText(t *testing.T) {
	without := map[string]bool{
		"AccountView.finding": true, // state_text says it
		"Field.access":        true, // the value or the mask is what is shown
		"ProofView.state":     true, // for programs
	}
	schemas := readDocument(t).Components.Schemas
	var closed func(s schema) bool
	closed = func(s schema) bool {
		return len(s.Enum) > 0 || s.Items != nil && closed(*s.Items) || s.Ref != "" && closed(schemas[path.Base(s.Ref)])
	}
	seen := 0
	for name, s := range schemas {
		if !strings.HasSuffix(name, "View") && !slices.Contains([]string{"DatesPreview", "DeparturePreview", "Employee", "Field", "IssuedToken", "Me", "MyUser", "System", "SystemHealth"}, name) {
			continue
		}
		for member, p := range s.Properties {
			if !closed(p) {
				continue
			}
			seen++
			_, text := s.Properties[member+"_text"]
			if at := name + "." + member; text == without[at] {
				t.Errorf("%s has a text: %v", at, text)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d closed values are looked at", seen)
	}
}

// TestOpenAPIGivesClientsExactTypes: a client that is generated has no value of any type and no list that is
// null, and each parameter says what it is. `make openapi` tries it with a linter and a compiler.
func TestOpenAPIGivesClientsExactTypes(t *testing.T) {
	doc := readDocument(t)
	if len(doc.Paths) < 50 || len(doc.Components.Schemas) < 50 {
		t.Fatalf("only %d paths and %d schemas", len(doc.Paths), len(doc.Components.Schemas))
	}
	for name, s := range doc.Components.Schemas {
		if !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(name) {
			t.Errorf("a schema is called %q", name)
		}
		s.exact(t, name)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			at := method + " " + path
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: the parameter %s in %s is not described", at, p.Name, p.In)
				}
				p.Schema.exact(t, at+" "+p.Name)
			}
			contents := map[string]map[string]struct{ Schema *schema }{"body": op.RequestBody.Content}
			for status, r := range op.Responses {
				contents[status] = r.Content
			}
			for where, content := range contents {
				for media, c := range content {
					if c.Schema == nil {
						t.Errorf("%s %s has no schema as %s", at, where, media)
						continue
					}
					c.Schema.exact(t, at+" "+where)
				}
			}
		}
	}
}

// exact says whatever of a schema leaves a type open.
func (s schema) exact(t *testing.T, at string) {
	t.Helper()
	types, several := s.Type.([]any)
	switch {
	case s.Ref == "" && s.Type == nil && len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) == 0:
		t.Errorf("%s has no type", at)
	case several && slices.Contains(types, any("array")):
		t.Errorf("%s is a list that may be null", at)
	case s.Type == "array" && s.Items == nil:
		t.Errorf("%s is a list of anything", at)
	case s.Type == "object" && s.Properties == nil && s.Additional == nil, string(s.Additional) == "true", string(s.Additional) == "{}":
		t.Errorf("%s is an object of anything", at)
	}
	parts := map[string]schema{}
	maps.Copy(parts, s.Properties)
	if s.Items != nil {
		parts["[]"] = *s.Items
	}
	var additional schema
	if json.Unmarshal(s.Additional, &additional) == nil { // false is none
		parts["{}"] = additional
	}
	for name, part := range parts {
		part.exact(t, at+"."+name)
	}
	for _, part := range slices.Concat(s.OneOf, s.AnyOf, s.AllOf) {
		part.exact(t, at)
	}
}

// TestTheDocumentListsTheCodesOfProblems, of whole ones and of fields, in the order of the alphabet.
func TestTheDocumentListsTheCodesOfProblems(t *testing.T) {
	schemas := readDocument(t).Components.Schemas
	problems, fields := slices.Sorted(maps.Keys(httpkit.Statuses)), httpkit.FieldCodes
	for name, want := range map[string][]string{"Problem": problems, "FieldError": slices.Compact(slices.Sorted(slices.Values(slices.Concat(problems, fields))))} {
		var listed []string
		for _, code := range schemas[name].Properties["code"].Enum {
			listed = append(listed, code.(string))
		}
		if len(listed) < 100 || !slices.Equal(listed, want) {
			t.Errorf("%s lists %v, there are %v", name, listed, want)
		}
	}
}
