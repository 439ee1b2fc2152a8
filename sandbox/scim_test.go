package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"lethe/sandbox/control"
)

func TestUsersLiveTheirLife(t *testing.T) {
	r := start(t)
	status, u := r.scim("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann",
		"externalId":"E-1","emails":[{"value":"ann@example.test"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-1"}}`)
	if status != http.StatusCreated || u["active"] != true {
		t.Fatalf("got %d %v", status, u)
	}
	id := u["id"].(string)
	if s, e := r.scim("POST", "/Users", `{"userName":"ANN"}`); s != http.StatusConflict || e["scimType"] != "uniqueness" {
		t.Errorf("the same name again: %d %v", s, e)
	}
	if s, _ := r.scim("PUT", "/Users/"+id, `{"userName":"ann","externalId":"E-1","active":"False"}`); s != http.StatusOK {
		t.Errorf("replacing: %d", s)
	}
	a := r.account(id)
	if a.Active || a.UserName != "ann" || a.EmployeeNo != "" || len(a.Emails) != 0 {
		t.Errorf("replaced: %+v", a)
	}
	if s, _ := r.scim("DELETE", "/Users/"+id, ""); s != http.StatusNoContent {
		t.Errorf("deleting: %d", s)
	}
	if s, _ := r.scim("DELETE", "/Users/"+id, ""); s != http.StatusNotFound {
		t.Errorf("deleting again: %d", s)
	}
	if stats, err := r.control.Stats(t.Context()); err != nil || stats.Deletes != 2 {
		t.Errorf("deletions counted: %+v, %v", stats, err)
	}
}

func TestPatchForms(t *testing.T) {
	r := start(t)
	for _, c := range []struct {
		op       string
		status   int
		scimType string
		active   bool
	}{
		{`{"op":"replace","path":"active","value":false}`, 200, "", false},
		{`{"op":"Replace","path":"active","value":"False"}`, 200, "", false},
		{`{"op":"replace","value":{"active":false}}`, 200, "", false},
		{`{"op":"add","value":{"active":"false"}}`, 200, "", false},
		{`{"op":"replace","path":"active","value":"no"}`, 400, "invalidValue", true},
		{`{"op":"replace","path":"nosuch","value":1}`, 400, "invalidPath", true},
		{`{"op":"replace","path":"groups","value":[]}`, 400, "mutability", true},
		{`{"op":"move","path":"active","value":false}`, 400, "invalidSyntax", true},
		{`{"op":"remove"}`, 400, "noTarget", true},
		{`{"op":"replace","value":false}`, 400, "invalidSyntax", true},
	} {
		a := r.plant(control.Plant{EmployeeNo: "E"})
		s, body := r.scim("PATCH", "/Users/"+a.ID, patch(c.op))
		scimType, _ := body["scimType"].(string)
		if s != c.status || scimType != c.scimType || r.account(a.ID).Active != c.active {
			t.Errorf("%s: got %d %v", c.op, s, body)
		}
	}
	if s, _ := r.scim("PATCH", "/Users/x", strings.Repeat("x", 2<<20)); s != http.StatusBadRequest {
		t.Errorf("no JSON: %d", s)
	}
	if s, _ := r.scim("PATCH", "/Users/x", `{"a":"`+strings.Repeat("x", 2<<20)+`"}`); s != http.StatusRequestEntityTooLarge {
		t.Errorf("too much JSON: %d", s)
	}
}

func TestListsArePaged(t *testing.T) {
	r := start(t)
	var want []string
	for range 7 {
		want = append(want, r.plant(control.Plant{EmployeeNo: `E "1" \`}).ID)
	}
	r.plant(control.Plant{EmployeeNo: "E-2"})
	filter := url.QueryEscape(`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "E \"1\" \\"`)
	var got []string
	for at := 1; at <= 7; at += 3 {
		s, page := r.scim("GET", fmt.Sprintf("/Users?filter=%s&startIndex=%d&count=50", filter, at), "")
		if s != 200 || page["totalResults"] != 7.0 || page["startIndex"] != float64(at) {
			t.Fatalf("got %d %v", s, page)
		}
		for _, u := range page["Resources"].([]any) {
			got = append(got, u.(map[string]any)["id"].(string))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, page := r.scim("GET", "/Users?count=0", ""); page["totalResults"] != 8.0 || len(page["Resources"].([]any)) != 0 {
		t.Errorf("count of zero: %v", page)
	}
	for _, bad := range []string{"/Users?filter=x", "/Users?filter=title+eq+%22x%22", "/Users?filter=userName+pr", "/Users?startIndex=x"} {
		if s, _ := r.scim("GET", bad, ""); s != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, s)
		}
	}
}

func TestGroups(t *testing.T) {
	r := start(t)
	a := r.plant(control.Plant{EmployeeNo: "E-1", Groups: []string{"staff", "payroll"}})
	b := r.plant(control.Plant{EmployeeNo: "E-2", Groups: []string{"staff"}})
	_, page := r.scim("GET", `/Groups?filter=displayName+eq+%22staff%22`, "")
	g := page["Resources"].([]any)[0].(map[string]any)
	id := g["id"].(string)
	if n := len(g["members"].([]any)); n != 2 {
		t.Fatalf("%d members", n)
	}
	for _, c := range []struct {
		op   string
		want [2]bool
	}{
		{`{"op":"remove","path":"members[value eq \"` + a.ID + `\"]"}`, [2]bool{false, true}},
		{`{"op":"add","path":"members","value":[{"value":"` + a.ID + `"}]}`, [2]bool{true, true}},
		{`{"op":"remove","path":"members","value":[{"value":"` + a.ID + `"}]}`, [2]bool{false, true}},
		{`{"op":"replace","path":"members","value":[{"value":"` + a.ID + `"}]}`, [2]bool{true, false}},
		{`{"op":"add","value":{"members":[{"value":"` + b.ID + `"}]}}`, [2]bool{true, true}},
		{`{"op":"replace","path":"displayName","value":"all staff"}`, [2]bool{true, true}},
		{`{"op":"remove","path":"members"}`, [2]bool{false, false}},
	} {
		if s, body := r.scim("PATCH", "/Groups/"+id, patch(c.op)); s != http.StatusNoContent {
			t.Fatalf("%s: %d %v", c.op, s, body)
		}
		var got [2]bool
		for i, account := range []control.Account{a, b} {
			got[i] = slices.ContainsFunc(r.account(account.ID).Groups, func(n string) bool { return strings.HasSuffix(n, "staff") })
		}
		if got != c.want {
			t.Fatalf("%s: members %v, want %v", c.op, got, c.want)
		}
	}
	if !slices.Equal(r.account(a.ID).Groups, []string{"payroll"}) {
		t.Errorf("another group was touched: %v", r.account(a.ID).Groups)
	}
	if s, _ := r.scim("PATCH", "/Groups/"+id, patch(`{"op":"add","path":"members","value":[{"value":"nosuch"}]}`)); s != 400 {
		t.Errorf("an unknown member: %d", s)
	}
	if s, _ := r.scim("PATCH", "/Groups/nosuch", patch(`{"op":"remove","path":"members"}`)); s != 404 {
		t.Errorf("an unknown group: %d", s)
	}
}

func TestDiscovery(t *testing.T) {
	r := start(t)
	_, config := r.scim("GET", "/ServiceProviderConfig", "")
	if config["filter"].(map[string]any)["maxResults"] != 3.0 || config["bulk"].(map[string]any)["supported"] != false {
		t.Errorf("configuration %v", config)
	}
	for _, path := range []string{"/Schemas", "/ResourceTypes"} {
		if s, page := r.scim("GET", path, ""); s != 200 || page["totalResults"] != float64(len(page["Resources"].([]any))) {
			t.Errorf("%s: %d %v", path, s, page)
		}
	}
	if s, e := r.scim("GET", "/Bulk", ""); s != 404 || e["status"] != "404" {
		t.Errorf("unknown resource: %d %v", s, e)
	}
}

// The control calls and their description must not drift apart.
func TestControlIsDescribed(t *testing.T) {
	raw, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any `yaml:"paths"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	r := start(t)
	described := 0
	for path, methods := range doc.Paths {
		for method := range methods {
			if method == "parameters" {
				continue
			}
			described++
			if path == "/control/openapi.yaml" {
				continue // open to everybody, and no JSON
			}
			s, _, _ := r.send(strings.ToUpper(method), strings.Replace(path, "{id}", "x", 1), "", "wrong")
			if s != http.StatusUnauthorized {
				t.Errorf("%s %s is described but answers %d", method, path, s)
			}
		}
	}
	source, err := os.ReadFile("controlcalls.go")
	if err != nil {
		t.Fatal(err)
	}
	if routes := strings.Count(string(source), " /control/"); routes != described {
		t.Errorf("%d routes, %d are described", routes, described)
	}
}
