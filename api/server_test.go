package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"lethe/api"
	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

func TestMain(m *testing.M) { apitest.Main(m) }

func TestOpenRoutesNeedNoToken(t *testing.T) {
	f := apitest.New(t)
	for path, media := range map[string]string{
		"/healthz": "text/plain", "/readyz": "text/plain", "/openapi.json": "application/openapi+json",
		"/docs": "text/html", "/former": "text/html",
		"/docs/docs.js": "text/javascript", "/docs/swagger-ui-bundle.js": "text/javascript", "/docs/swagger-ui.css": "text/css", "/docs/LICENSE": "text/plain",
	} {
		got := f.Ask("", "GET", path, "")
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), media) || len(got.Body) == 0 {
			t.Errorf("%s: %d %s", path, got.Status, got.Header.Get("Content-Type"))
		}
	}
}

func TestDocumentationLoadsNothingFromOutside(t *testing.T) {
	f := apitest.New(t)
	for _, path := range []string{"/docs", "/docs/docs.js", "/docs/docs.css"} {
		got := f.Ask("", "GET", path, "")
		if m := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]+`).Find(got.Body); m != nil {
			t.Errorf("%s names %s", path, m)
		}
	}
	// The library names many addresses, as links and in messages; the policy keeps the browser from loading any.
	for _, path := range []string{"/docs", "/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"} {
		policy := f.Ask("", "GET", path, "").Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'; script-src 'self'; ") || !strings.Contains(policy, "connect-src 'self';") ||
			strings.Contains(policy, "unsafe-eval") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
	if page := string(f.Ask("", "GET", "/docs", "").Body); strings.Contains(page, "<script>") || strings.Contains(page, "onload=") {
		t.Errorf("the page has a script of its own:\n%s", page)
	}
	if got := f.Ask("", "GET", "/docs/nothing.js", ""); got.Status != 404 {
		t.Errorf("no file of the documentation: %d", got.Status)
	}
}

func TestTheConsoleIsServedFromTheProgram(t *testing.T) {
	f := apitest.New(t)
	for _, screen := range []string{"/console/", "/console/departures/new", "/console/people/0190b6c8-1111-7000-8000-000000000000"} {
		got := f.Ask("", "GET", screen, "")
		policy := got.Header.Get("Content-Security-Policy")
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || got.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", screen, got.Status, got.Header)
		}
		if !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe-eval") || strings.Contains(policy, "http") {
			t.Errorf("%s has the policy %q", screen, policy)
		}
	}
	// What a browser has already is not sent again, also where a proxy in between weakened the tag.
	tag := f.Ask("", "GET", "/console/", "").Header.Get("ETag")
	for known, want := range map[string]int{tag: 304, `"x", W/` + tag: 304, `"x"`: 200} {
		if got := f.Ask("", "GET", "/console/", "", "If-None-Match", known); tag == "" || got.Status != want || (want == 304) != (len(got.Body) == 0) {
			t.Errorf("with the tag %s: %d, %d bytes", known, got.Status, len(got.Body))
		}
	}
	page := string(f.Ask("", "GET", "/console/", "").Body)
	if strings.Contains(page, "<script>") || regexp.MustCompile(`(?i)(src|href)="(https?:)?//`).MatchString(page) {
		t.Errorf("the page has a script of its own, or loads from elsewhere:\n%s", page)
	}
	script := regexp.MustCompile(`/console/assets/[^"]+\.js`).FindString(page)
	got := f.Ask("", "GET", script, "")
	if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/javascript") || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", script, got.Status, got.Header)
	}
	plain := got.Body
	for accepted, want := range map[string]string{"br": "br", "gzip, deflate, br": "br", "gzip": "gzip", "br;q=0, gzip;q=0.5": "gzip", "gzip;q=0.0": "", "br;Q=0, gzip; q=0": "", "BR": "br", "W/br": "", "identity": "", "brotli": ""} {
		got := f.Ask("", "GET", script, "", "Accept-Encoding", accepted)
		if got.Header.Get("Content-Encoding") != want || (want == "") != bytes.Equal(got.Body, plain) || len(got.Body) > len(plain) || !slices.Contains(got.Header.Values("Vary"), "Accept-Encoding") {
			t.Errorf("to who accepts %s: %v, %d of %d bytes", accepted, got.Header, len(got.Body), len(plain))
		}
		if want != "gzip" {
			continue
		}
		if r, err := gzip.NewReader(bytes.NewReader(got.Body)); err != nil {
			t.Error(err)
		} else if unzipped, err := io.ReadAll(r); err != nil || !bytes.Equal(unzipped, plain) {
			t.Errorf("unzipped: %d bytes, %v", len(unzipped), err)
		}
	}
	if got := f.Ask("", "GET", "/console/assets/of-another-version.js", ""); got.Status != 404 {
		t.Errorf("a file of another version: %d", got.Status)
	}
	if got := f.Ask("", "GET", "/api/v1/nothing", ""); strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		t.Error("the API answers with the console")
	}
}

// TestI18_NothingIsDoneInAnotherName: a browser has one cookie for all of its windows.
func TestI18_NothingIsDoneInAnotherName(t *testing.T) {
	f := apitest.New(t)
	hr := f.Session(models.RoleHRAdmin)
	for person, want := range map[string]int{
		"": 200, f.People[models.RoleHRAdmin].String() + "/hr_admin": 200,
		f.People[models.RoleHRAdmin].String() + "/reviewer": 401, f.People[models.RoleReviewer].String() + "/hr_admin": 401, "x": 401,
	} {
		if got := hr.Ask("GET", "/api/v1/me", "", "Lethe-Person", person); got.Status != want || want == 401 && got.Problem.Code != "session_of_another" {
			t.Errorf("as %q: %d %s", person, got.Status, got.Body)
		}
	}
}

func TestATokenMayBeKeptToEachScope(t *testing.T) {
	body, _ := reflect.TypeFor[users.TokenBody]().FieldByName("Scopes")
	if got := strings.Split(body.Tag.Get("enum"), ","); !slices.Equal(got, identity.Scopes) {
		t.Errorf("the API knows %v, tokens %v", got, identity.Scopes)
	}
}

func TestOpenAPIDescribesWhatClientsRelyOn(t *testing.T) {
	f := apitest.New(t)
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
	f.Ask("", "GET", "/openapi.json", "").Into(t, &doc)
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
	f := apitest.New(t)
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
	f.Ask("", "GET", "/openapi.json", "").Into(t, &doc)
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
				if op.Responses[status].Content[httpkit.ProblemType] == nil {
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
	if accepted := slices.DeleteFunc(slices.Clone(models.DepartureKinds), func(k models.DepartureKind) bool { return k == models.KindGroupTransfer }); fmt.Sprint(kinds) != fmt.Sprint(accepted) {
		t.Errorf("a departure of the kinds %v can be begun, and %v are told", accepted, kinds)
	}
	for _, kind := range kinds {
		if _, ok := i18n.Lookup(i18n.English, "kind."+kind); !ok {
			t.Errorf("the kind %s has no text", kind)
		}
		for _, language := range i18n.Languages { // in words; the codes are in the field's allowed
			text, words := i18n.Text(language, "problem.unknown_kind.detail"), i18n.Text(language, "kind."+kind)
			if !strings.Contains(text, words) {
				t.Errorf("who gives an unknown kind is not told of %s", words)
			}
		}
	}
}

func TestRefusedRoleIsToldWhoMay(t *testing.T) {
	f := apitest.New(t)
	for language, want := range map[string]string{"en": "Roles that may: HR, IT operations.", "zh": "可由以下角色办理：人事管理员、IT 运维。"} {
		got := f.Ask(models.RoleAuditor, "POST", "/api/v1/account-unlinkings", `{}`, "Accept-Language", language)
		if !strings.HasSuffix(got.Problem.Hint, want) || !slices.Equal(got.Problem.AllowedRoles, []models.Role{models.RoleHRAdmin, models.RoleITOps}) {
			t.Errorf("%s: %q, %v", language, got.Problem.Hint, got.Problem.AllowedRoles)
		}
	}
	// What the table of routes lets pass, the request itself refuses: it names its own roles.
	var hold holds.HoldView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+f.People[models.RoleEmployee].String()+`", "matter": "M"}`).Into(t, &hold)
	waits := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefHold, hold.ID)+"/release", `{}`)
	for language, want := range map[string]string{"en": "Roles that may: reviewer.", "zh": "可由以下角色办理：审核人。"} {
		got := f.Session(models.RoleHRAdmin).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`, "Accept-Language", language)
		if got.Problem.Code != "role_not_allowed" || !strings.HasSuffix(got.Problem.Hint, want) || !slices.Equal(got.Problem.AllowedRoles, []models.Role{models.RoleReviewer}) {
			t.Errorf("a decision, %s: %d %s", language, got.Status, got.Body)
		}
	}
}

func TestRootLeadsToTheDocumentation(t *testing.T) {
	f := apitest.New(t)
	if got := f.Ask("", "GET", "/", ""); got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		t.Errorf("answered %d %s", got.Status, got.Header.Get("Content-Type"))
	}
}

func TestHeadersThatProtect(t *testing.T) {
	f := apitest.New(t)
	first, second := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/me", "", "X-Request-Id", "mine"), f.Ask(models.RoleHRAdmin, "GET", "/api/v1/me", "")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
	} {
		if got := first.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	a, b := first.Header.Get("X-Request-Id"), second.Header.Get("X-Request-Id")
	if a == "" || a == b || a == "mine" {
		t.Errorf("request ids %q and %q", a, b)
	}
}

func TestAccessLogHoldsIdentifiersOnly(t *testing.T) {
	f := apitest.New(t)
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/employees?q="+"MARKERQUERY", "")
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/MARKERPATH", "")
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.Newcomer("N1", f.A, `"id_number": "`+apitest.Marker+`"`), "Idempotency-Key", "MARKERKEY")
	log := f.Log.String()
	if strings.Contains(log, "MARKER") || strings.Contains(log, f.Tokens[models.RoleHRAdmin]) {
		t.Errorf("the log holds what was submitted:\n%s", log)
	}
	for _, want := range []string{"route=/api/v1/employees", "status=200", "role=hr_admin", "actor=" + f.People[models.RoleHRAdmin].String(), "token_id=" + f.TokenIDs[models.RoleHRAdmin].String(), "route=none status=404"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestPanicIsAProblemAndItsValueStays(t *testing.T) {
	f := apitest.New(t)
	router := httpkit.NewRouter(f.API.Options)
	router.GET("/boom", func(*gin.Context) { panic(apitest.Marker) })
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest("GET", "/boom", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if strings.Contains(f.Log.String()+w.Body.String(), "MARKER") {
		t.Error("the panic's value got out")
	}
	if !strings.Contains(f.Log.String(), "server_test.go") {
		t.Errorf("the log does not say where:\n%s", f.Log)
	}
}

func TestMe(t *testing.T) {
	f := apitest.New(t)
	for _, role := range models.Roles {
		var me users.Me
		f.Ask(role, "GET", "/api/v1/me", "").Into(t, &me)
		if me.Role != role || me.EmployeeID != f.People[role] || me.EmployeeNo != "R-"+string(role) {
			t.Errorf("%s is %+v", role, me)
		}
	}
}

func TestSystems(t *testing.T) {
	f := apitest.New(t)
	var page httpkit.Page[accounts.System]
	f.Ask(models.RoleITOps, "GET", "/api/v1/systems", "", "Accept-Language", "zh").Into(t, &page)
	if len(page.Items) != 2 || page.Items[0].Name != "finance" || page.Items[0].Text != "财务" {
		t.Errorf("systems: %+v", page)
	}
	var health accounts.SystemHealth
	f.Ask(models.RoleITOps, "POST", "/api/v1/systems/mail/check", "").Into(t, &health)
	if !health.Healthy || health.Code != "" {
		t.Errorf("mail: %+v", health)
	}
	f.Ask(models.RoleITOps, "POST", "/api/v1/systems/finance/check", "", "Accept-Language", "zh").Into(t, &health)
	if health.Healthy || health.Code != "unauthorized" || health.CodeText != "系统拒绝了我们的访问凭据。" {
		t.Errorf("finance: %+v", health)
	}
	if got := f.Ask(models.RoleITOps, "POST", "/api/v1/systems/none/check", ""); got.Status != 404 {
		t.Errorf("an unknown system: %d", got.Status)
	}
}

func TestEmployeeIsHiredShownAndChanged(t *testing.T) {
	f := apitest.New(t)
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
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.Newcomer("N1", f.A, `"id_number": "11010119900307`+apitest.Marker+`"`), "Accept-Language", "zh-CN")
	if got.Status != 202 || strings.Contains(string(got.Body), "11010119900307") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	var hired approvals.ApprovalView
	f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`).Into(t, &hired)
	got = f.Ask(models.RoleHRAdmin, "GET", hired.ResultLocation, "", "Accept-Language", "zh-CN")
	got.Into(t, &view)
	if got.Status != 200 || hired.ResultLocation != "/api/v1/employees/"+view.ID {
		t.Errorf("%d at %s", got.Status, hired.ResultLocation)
	}
	found := false
	for _, field := range view.Fields {
		if field.Key == "id_number" {
			found = field.Value == nil && field.Masked != nil && field.RequiresDisclosure && field.Label == "证件号码" && field.Notice != ""
		}
	}
	if !found || strings.Contains(string(got.Body), "11010119900307") {
		t.Errorf("the sealed field is shown as %s", got.Body)
	}
	f.Ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+view.ID, `{"post": "Engineer", "fields": {"id_number": null}}`).Into(t, &changed)
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
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	var op accounts.OperationView
	got := f.Ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+person.String()+`", "mode": "disable", "all_or_nothing": false}`)
	got.Into(t, &op)
	if got.Status != 202 || got.Header.Get("Location") != httpkit.AddressOf(models.RefUnlinking, op.ID) || op.EmployeeID != person || op.Workflow == nil {
		t.Errorf("%d %s %+v", got.Status, got.Header.Get("Location"), op)
	}
	// The account that is registered, and the question to the system where none is (I29).
	if !slices.Equal(op.Asked, models.Names{"finance", "mail"}) || len(op.Steps) != 2 || op.Steps[0].System != "mail" || op.Steps[1].System != "finance" {
		t.Errorf("asks %v with the steps %+v", op.Asked, op.Steps)
	}
	again := f.Ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+person.String()+`"}`)
	if again.Problem.Code != "unlinking_running" || again.Problem.Location != httpkit.AddressOf(models.RefUnlinking, op.ID) {
		t.Errorf("a second one: %d %s", again.Status, again.Body)
	}
	// Nothing was touched yet, so there is nothing to restore: the account is linked again at once.
	relink := `{"unlinking_id": "` + op.ID.String() + `"}`
	got = f.Ask(models.RoleITOps, "POST", "/api/v1/account-relinkings", relink)
	var undone accounts.OperationView
	got.Into(t, &undone)
	if got.Status != 200 || undone.State != models.OperationSuperseded || undone.Steps[0].AccountState != models.AccountLinked {
		t.Errorf("a relinking: %d %+v", got.Status, undone)
	}
	if got := f.Ask(models.RoleITOps, "POST", "/api/v1/account-relinkings", relink); got.Problem.Code != "nothing_to_relink" {
		t.Errorf("a second relinking: %d %s", got.Status, got.Body)
	}
	// Who has no account in the system is asked for there all the same.
	var nothing accounts.OperationView
	got = f.Ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "`+f.Hire("E2", f.B).String()+`", "systems": ["finance"]}`)
	got.Into(t, &nothing)
	if got.Status != 202 || !slices.Equal(nothing.Asked, models.Names{"finance"}) || len(nothing.Steps) != 1 || nothing.Steps[0].System != "finance" {
		t.Errorf("of nobody's account: %d %+v", got.Status, nothing)
	}
	if got := f.Ask(models.RoleITOps, "GET", httpkit.AddressOf(models.RefRelinking, op.ID), ""); got.Status != 404 {
		t.Errorf("an unlinking asked for as a relinking: %d", got.Status)
	}
}

func TestOpsPort(t *testing.T) {
	failing := errors.New("not now")
	var state error
	ops := api.NewOps(api.OpsDeps{
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
