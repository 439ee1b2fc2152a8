package connector_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

func write(t *testing.T, folder, name, content string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFile(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "mail.token", "from-file\n")
	path := write(t, folder, "systems.json", `[
		{"name":"mail","kind":"mail","protocol":"scim","base_url":"https://mail.example/scim/v2","token_file":"mail.token","http_timeout":"1.5s"},
		{"name":"finance","kind":"finance","protocol":"scim","base_url":"http://127.0.0.1:8092/scim/v2","token":"inline","match":"externalId","remove_members":"value"}
	]`)
	var built []connector.SystemConfig
	registry, err := connector.LoadFile(path, map[string]connector.Factory{
		"scim": func(c connector.SystemConfig) (connector.Connector, error) { built = append(built, c); return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"finance", "mail"}, registry.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if s, ok := registry.Get("mail"); !ok || s.Kind != "mail" || s.Name != "mail" {
		t.Errorf("got %+v, %t", s, ok)
	}
	if _, ok := registry.Get("nosuch"); ok {
		t.Error("found a system that is not listed")
	}
	if built[0].Token != "from-file" || built[0].Timeout() != 1500*time.Millisecond {
		t.Errorf("mail was built of %+v", built[0])
	}
	if built[1].Token != "inline" || built[1].Timeout() != connector.DefaultHTTPTimeout || built[1].Match != connector.MatchExternalID || built[1].RemoveMembers != connector.RemoveByValue {
		t.Errorf("finance was built of %+v", built[1])
	}
}

// closing is a connector that can be closed.
type closing struct {
	connector.Connector
	closed *int
}

func (c closing) Close() { *c.closed++ }

func TestRegistryCloses(t *testing.T) {
	closed := 0
	registry, err := connector.RegistryOf(
		connector.System{Name: "mail", Connector: closing{closed: &closed}}, connector.System{Name: "finance"})
	if err != nil {
		t.Fatal(err)
	}
	if registry.Close(); closed != 1 {
		t.Errorf("closed %d connectors, want 1", closed)
	}
}

func TestLoadFileRefuses(t *testing.T) {
	const good = `{"name":"mail","kind":"mail","protocol":"scim","base_url":"http://h/","token":"t"}`
	with := func(old, new string) string { return "[" + strings.Replace(good, old, new, 1) + "]" }
	for name, content := range map[string]string{
		"not JSON":            `{`,
		"not a list":          good,
		"trailing data":       "[" + good + "] x",
		"unknown field":       with(`"kind"`, `"colour":1,"kind"`),
		"the same name twice": "[" + good + "," + good + "]",
		"no name":             with(`"mail"`, `""`),
		"a name with spaces":  with(`"mail"`, `"my mail"`),
		"no kind":             with(`"kind":"mail"`, `"kind":""`),
		"unknown protocol":    with(`"scim"`, `"ldap"`),
		"relative address":    with(`http://h/`, `/scim`),
		"file address":        with(`http://h/`, `file:///etc/passwd`),
		"user in address":     with(`http://h/`, `http://u:p@h/`),
		"no token":            with(`,"token":"t"`, ``),
		"two tokens":          with(`"token":"t"`, `"token":"t","token_file":"f"`),
		"missing token file":  with(`"token":"t"`, `"token_file":"nosuch"`),
		"empty token file":    with(`"token":"t"`, `"token_file":"empty"`),
		"bad timeout":         with(`"token":"t"`, `"token":"t","http_timeout":"5"`),
		"negative timeout":    with(`"token":"t"`, `"token":"t","http_timeout":"-5s"`),
		"of version 0.2":      with(`"token":"t"`, `"token":"t","lookup_external_id":true`),
		"a filter to match":   with(`"token":"t"`, `"token":"t","match":"a eq \"b\" or c"`),
		"matching by name":    with(`"token":"t"`, `"token":"t","match":"displayName"`),
		"matching by mail":    with(`"token":"t"`, `"token":"t","match":"emails.value"`),
		"a list of names":     with(`"token":"t"`, `"token":"t","match":"urn:ietf:params:scim:schemas:core:2.0:User:name.familyName"`),
		"unknown removal":     with(`"token":"t"`, `"token":"t","remove_members":"all"`),
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, folder, "empty", "\n")
			path := write(t, folder, "systems.json", content)
			_, err := connector.LoadFile(path, map[string]connector.Factory{
				"scim": func(connector.SystemConfig) (connector.Connector, error) { return nil, nil },
			})
			if err == nil {
				t.Fatal("accepted")
			}
		})
	}
	if _, err := connector.LoadFile(filepath.Join(t.TempDir(), "nosuch.json"), nil); err == nil {
		t.Error("a missing file was accepted")
	}
}
