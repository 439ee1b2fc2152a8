package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"lethe/internal/i18n"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

func TestMain(m *testing.M) {
	// Connections that the tests' own client keeps.
	kept := []goleak.Option{goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop")}
	goleak.VerifyTestMain(m, append(kept, launchtest.Goroutines()...)...)
}

func TestOpenRoutesNeedNoToken(t *testing.T) {
	f := newFixture(t)
	for path, media := range map[string]string{
		"/healthz": "text/plain", "/readyz": "text/plain", "/openapi.json": "application/openapi+json",
		"/docs": "text/html", "/docs.js": "text/javascript", "/docs.css": "text/css",
	} {
		got := f.ask("", "GET", path, "")
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), media) || len(got.body) == 0 {
			t.Errorf("%s: %d %s", path, got.status, got.header.Get("Content-Type"))
		}
	}
}

func TestDocumentationLoadsNothingFromOutside(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/docs", "/docs.js", "/docs.css"} {
		got := f.ask("", "GET", path, "")
		if m := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]+`).Find(got.body); m != nil {
			t.Errorf("%s names %s", path, m)
		}
		if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
}

func TestOpenAPIDescribesWhatClientsRelyOn(t *testing.T) {
	f := newFixture(t)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Responses   map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Format string `json:"format"`
				} `json:"properties"`
			} `json:"schemas"`
			SecuritySchemes map[string]any `json:"securitySchemes"`
		} `json:"components"`
		Security []map[string][]string `json:"security"`
	}
	f.ask("", "GET", "/openapi.json", "").into(t, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Security) == 0 || doc.Components.SecuritySchemes["bearer"] == nil {
		t.Errorf("head: %s, %v", doc.OpenAPI, doc.Security)
	}
	if format := doc.Components.Schemas["DepartureView"].Properties["last_working_day"].Format; format != "date" {
		t.Errorf("a day has the format %q", format)
	}
	if format := doc.Components.Schemas["DepartureView"].Properties["employee_id"].Format; format != "uuid" {
		t.Errorf("an id has the format %q", format)
	}
	seen := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.OperationID == "" || seen[op.OperationID] || len(op.Responses) == 0 {
				t.Errorf("%s %s: operation id %q, %d responses", method, path, op.OperationID, len(op.Responses))
			}
			seen[op.OperationID] = true
		}
	}
}

// TestOpenAPIListsProblemsAndStates: clients are generated with the usual problems, and with the
// values that codes can have.
func TestOpenAPIListsProblemsAndStates(t *testing.T) {
	f := newFixture(t)
	var doc struct {
		Info struct {
			Version string `json:"version"`
		} `json:"info"`
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]json.RawMessage `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []string `json:"enum"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	f.ask("", "GET", "/openapi.json", "").into(t, &doc)
	if doc.Info.Version != "test" {
		t.Errorf("the version is %q", doc.Info.Version)
	}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			usual := []string{"401", "403", "422"}
			if method != "get" {
				usual = append(usual, "400", "404", "409")
			} else if strings.Contains(path, "{") {
				usual = append(usual, "404")
			}
			for _, status := range usual {
				if op.Responses[status].Content[problemType] == nil {
					t.Errorf("%s %s does not list %s as a problem: %+v", method, path, status, op.Responses[status])
				}
			}
		}
	}
	for schema, fields := range map[string][]string{
		"DepartureView": {"kind", "initiator", "stage", "accounts_state"}, "NewDeparture": {"kind", "initiator"},
		"WaitingView": {"what", "role"}, "AccountView": {"state"}, "PurgeView": {"state"}, "StepView": {"state", "account_state"},
	} {
		for _, field := range fields {
			if len(doc.Components.Schemas[schema].Properties[field].Enum) == 0 {
				t.Errorf("%s.%s lists no values", schema, field)
			}
		}
	}
	kinds := doc.Components.Schemas["NewDeparture"].Properties["kind"].Enum
	for _, kind := range kinds {
		if _, ok := i18n.Lookup(i18n.English, "kind."+kind); !ok {
			t.Errorf("the kind %s has no text", kind)
		}
		for _, language := range i18n.Languages { // in words; the codes are in the field's allowed
			text, words := i18n.Text(language, "problem.unknown_kind.detail"), i18n.Text(language, "kind."+kind)
			if kind != string(models.KindGroupTransfer) && !strings.Contains(text, words) {
				t.Errorf("who gives an unknown kind is not told of %s", words)
			}
		}
	}
}

func TestRefusedRoleIsToldWhoMay(t *testing.T) {
	f := newFixture(t)
	for language, want := range map[string]string{"en": "Roles that may: HR, IT operations.", "zh": "可由以下角色办理：人事管理员、IT 运维。"} {
		got := f.ask(models.RoleAuditor, "POST", "/api/v1/account-unlinkings", `{}`, "Accept-Language", language)
		if !strings.HasSuffix(got.problem.Hint, want) || !slices.Equal(got.problem.AllowedRoles, []models.Role{models.RoleHRAdmin, models.RoleITOps}) {
			t.Errorf("%s: %q, %v", language, got.problem.Hint, got.problem.AllowedRoles)
		}
	}
	// What the table of routes lets pass, the request itself refuses: it names its own roles.
	var hold HoldView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+f.people[models.RoleEmployee].String()+`", "matter": "M"}`).into(t, &hold)
	waits := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefHold, hold.ID)+"/release", `{}`)
	for language, want := range map[string]string{"en": "Roles that may: reviewer.", "zh": "可由以下角色办理：审核人。"} {
		got := f.session(models.RoleHRAdmin).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`, "Accept-Language", language)
		if got.problem.Code != codeRoleNotAllowed || !strings.HasSuffix(got.problem.Hint, want) || !slices.Equal(got.problem.AllowedRoles, []models.Role{models.RoleReviewer}) {
			t.Errorf("a decision, %s: %d %s", language, got.status, got.body)
		}
	}
}

func TestRootLeadsToTheDocumentation(t *testing.T) {
	f := newFixture(t)
	if got := f.ask("", "GET", "/", ""); got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("answered %d %s", got.status, got.header.Get("Content-Type"))
	}
}

func TestHeadersThatProtect(t *testing.T) {
	f := newFixture(t)
	first, second := f.ask(models.RoleHRAdmin, "GET", "/api/v1/me", "", "X-Request-Id", "mine"), f.ask(models.RoleHRAdmin, "GET", "/api/v1/me", "")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
	} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	a, b := first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id")
	if a == "" || a == b || a == "mine" {
		t.Errorf("request ids %q and %q", a, b)
	}
}

func TestAccessLogHoldsIdentifiersOnly(t *testing.T) {
	f := newFixture(t)
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/employees?q="+"MARKERQUERY", "")
	f.ask(models.RoleHRAdmin, "GET", "/api/v1/MARKERPATH", "")
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.newcomer("N1", f.a, `"id_number": "`+marker+`"`), "Idempotency-Key", "MARKERKEY")
	log := f.log.String()
	if strings.Contains(log, "MARKER") || strings.Contains(log, f.tokens[models.RoleHRAdmin]) {
		t.Errorf("the log holds what was submitted:\n%s", log)
	}
	for _, want := range []string{"route=/api/v1/employees", "status=200", "role=hr_admin", "actor=" + f.people[models.RoleHRAdmin].String(), "token_id=" + f.tokenIDs[models.RoleHRAdmin].String(), "route=none status=404"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestPanicIsAProblemAndItsValueStays(t *testing.T) {
	f := newFixture(t)
	router := newRouter(f.server.Deps)
	router.GET("/boom", func(*gin.Context) { panic(marker) })
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest("GET", "/boom", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if strings.Contains(f.log.String()+w.Body.String(), "MARKER") {
		t.Error("the panic's value got out")
	}
	if !strings.Contains(f.log.String(), "server_test.go") {
		t.Errorf("the log does not say where:\n%s", f.log)
	}
}

func TestMe(t *testing.T) {
	f := newFixture(t)
	for _, role := range models.Roles {
		var me Me
		f.ask(role, "GET", "/api/v1/me", "").into(t, &me)
		if me.Role != role || me.EmployeeID != f.people[role] || me.EmployeeNo != "R-"+string(role) {
			t.Errorf("%s is %+v", role, me)
		}
	}
}

func TestSystems(t *testing.T) {
	f := newFixture(t)
	var page Page[System]
	f.ask(models.RoleITOps, "GET", "/api/v1/systems", "").into(t, &page)
	if len(page.Items) != 2 || page.Items[0].Name != "finance" {
		t.Errorf("systems: %+v", page)
	}
	var health SystemHealth
	f.ask(models.RoleITOps, "POST", "/api/v1/systems/mail/check", "").into(t, &health)
	if !health.Healthy || health.Code != "" {
		t.Errorf("mail: %+v", health)
	}
	f.ask(models.RoleITOps, "POST", "/api/v1/systems/finance/check", "").into(t, &health)
	if health.Healthy || health.Code != "unauthorized" {
		t.Errorf("finance: %+v", health)
	}
	if got := f.ask(models.RoleITOps, "POST", "/api/v1/systems/none/check", ""); got.status != 404 {
		t.Errorf("an unknown system: %d", got.status)
	}
}

func TestEmployeeIsHiredShownAndChanged(t *testing.T) {
	f := newFixture(t)
	type shown struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Post   string `json:"post"`
		Fields []struct {
			Key                string  `json:"key"`
			Value              *string `json:"value"`
			Masked             *string `json:"masked"`
			Label              string  `json:"label"`
			Notice             string  `json:"notice"`
			RequiresDisclosure bool    `json:"requires_disclosure"`
		} `json:"fields"`
	}
	var view, changed shown
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.newcomer("N1", f.a, `"id_number": "11010119900307`+marker+`"`), "Accept-Language", "zh-CN")
	if got.status != 202 || strings.Contains(string(got.body), "11010119900307") {
		t.Errorf("%d %s", got.status, got.body)
	}
	var hired ApprovalView
	f.session(models.RoleReviewer).ask("POST", got.header.Get("Location")+"/decision", `{"decision": "approved"}`).into(t, &hired)
	got = f.ask(models.RoleHRAdmin, "GET", hired.ResultLocation, "", "Accept-Language", "zh-CN")
	got.into(t, &view)
	if got.status != 200 || hired.ResultLocation != "/api/v1/employees/"+view.ID {
		t.Errorf("%d at %s", got.status, hired.ResultLocation)
	}
	found := false
	for _, field := range view.Fields {
		if field.Key == "id_number" {
			found = field.Value == nil && field.Masked != nil && field.RequiresDisclosure && field.Label == "证件号码" && field.Notice != ""
		}
	}
	if !found || strings.Contains(string(got.body), "11010119900307") {
		t.Errorf("the sealed field is shown as %s", got.body)
	}
	f.ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+view.ID, `{"post": "Engineer", "fields": {"id_number": null}}`).into(t, &changed)
	if changed.Post != "Engineer" {
		t.Errorf("the post is %q", changed.Post)
	}
	for _, field := range changed.Fields {
		if field.Key == "id_number" && field.Masked != nil {
			t.Error("the removed field is still there")
		}
	}
}

func TestStandaloneUnlinkingAndRelinking(t *testing.T) {
	f := newFixture(t)
	person := f.hire("E1", f.a)
	var op OperationView
	got := f.ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+person.String()+`", "mode": "disable", "all_or_nothing": false}`)
	got.into(t, &op)
	if got.status != 202 || got.header.Get("Location") != addressOf(models.RefUnlinking, op.ID) || op.EmployeeID != person || op.Workflow == nil {
		t.Errorf("%d %s %+v", got.status, got.header.Get("Location"), op)
	}
	// The account that is registered, and the question to the system where none is (I29).
	if !slices.Equal(op.Asked, models.Names{"finance", "mail"}) || len(op.Steps) != 2 || op.Steps[0].System != "mail" || op.Steps[1].System != "finance" {
		t.Errorf("asks %v with the steps %+v", op.Asked, op.Steps)
	}
	again := f.ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+person.String()+`"}`)
	if again.problem.Code != codeUnlinkingRunning || again.problem.Location != addressOf(models.RefUnlinking, op.ID) {
		t.Errorf("a second one: %d %s", again.status, again.body)
	}
	// Nothing was touched yet, so there is nothing to restore: the account is linked again at once.
	relink := `{"unlinking_id": "` + op.ID.String() + `"}`
	got = f.ask(models.RoleITOps, "POST", "/api/v1/account-relinkings", relink)
	var undone OperationView
	got.into(t, &undone)
	if got.status != 200 || undone.State != models.OperationSuperseded || undone.Steps[0].AccountState != models.AccountLinked {
		t.Errorf("a relinking: %d %+v", got.status, undone)
	}
	if got := f.ask(models.RoleITOps, "POST", "/api/v1/account-relinkings", relink); got.problem.Code != codeNothingToRelink {
		t.Errorf("a second relinking: %d %s", got.status, got.body)
	}
	// Who has no account in the system is asked for there all the same.
	var nothing OperationView
	got = f.ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+f.hire("E2", f.b).String()+`", "systems": ["finance"]}`)
	got.into(t, &nothing)
	if got.status != 202 || !slices.Equal(nothing.Asked, models.Names{"finance"}) || len(nothing.Steps) != 1 || nothing.Steps[0].System != "finance" {
		t.Errorf("of nobody's account: %d %+v", got.status, nothing)
	}
	if got := f.ask(models.RoleITOps, "GET", addressOf(models.RefRelinking, op.ID), ""); got.status != 404 {
		t.Errorf("an unlinking asked for as a relinking: %d", got.status)
	}
}

func TestOpsPort(t *testing.T) {
	failing := errors.New("not now")
	var state error
	ops := NewOps(OpsDeps{
		Ready: func(context.Context) error { return state },
		Codec: map[string]http.Handler{
			"/codec/":        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
			"/codec/secret/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }),
		},
	})
	status := func(path string) int {
		w := httptest.NewRecorder()
		ops.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/codec/decode": 418, "/codec/secret/decode": 202, "/api/v1/me": 404} {
		if got := status(path); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	state = failing
	if got := status("/readyz"); got != 503 {
		t.Errorf("not ready: %d", got)
	}
}
