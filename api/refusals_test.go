package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

type refusal struct {
	name         string
	role         models.Role
	method, path string
	body         string
	headers      []string
	status       int
	code         string
	field        string // location of one of errors[], if any
}

// refusals lists what bad input gets. Nothing of it may leave a row.
func allRefusals(f *apitest.Fixture, free, leaving uuid.UUID, pending string) []refusal {
	const hr, path = models.RoleHRAdmin, "/api/v1/departures"
	id := free.String()
	order := func(more string) string { return `{"employee_id": "` + id + `", "kind": "resignation"` + more + `}` }
	day := func(days int) string { return `, "last_working_day": "` + f.Day(days) + `"` }
	post := func(name, body string, status int, code, field string) refusal {
		return refusal{name: name, role: hr, method: "POST", path: path, body: body, status: status, code: code, field: field}
	}
	all := []refusal{
		post("unknown employee", f.Notice(uuid.New(), 30), 404, "employee_not_found", "body.employee_id"),
		post("second departure", f.Notice(leaving, 30), 409, "departure_exists", "body.employee_id"),
		post("past", order(day(-3)), 422, "last_working_day_in_past", "body.last_working_day"),
		post("before hire", order(`, "last_working_day": "2019-01-01", "confirm_past": true`), 422, "before_hire_date", "body.last_working_day"),
		post("too far ahead", order(day(800)), 422, "too_far_ahead", "body.last_working_day"),
		post("out of order", order(day(30)+`, "employment_end_date": "`+f.Day(20)+`"`), 422, "dates_out_of_order", "body.employment_end_date"),
		post("notice in the future", order(day(30)+`, "notice_received_on": "`+f.Day(20)+`"`), 422, "dates_out_of_order", "body.notice_received_on"),
		post("cutoff after the end", order(day(30)+`, "access_cutoff_at": "`+f.Day(40)+`T00:00:00Z"`), 422, "dates_out_of_order", "body.access_cutoff_at"),
		post("end too far ahead", order(day(30)+`, "employment_end_date": "`+f.Day(800)+`"`), 422, "too_far_ahead", "body.employment_end_date"),
		post("unknown zone", order(day(30)+`, "time_zone": "Mars/`+apitest.Marker+`"`), 422, "unknown_time_zone", "body.time_zone"),
		post("no day", order(""), 422, "last_working_day_missing", "body.last_working_day"),
		post("immediate with a day", order(day(30)+`, "immediate": true`), 422, "immediate_with_dates", "body.immediate"),
		post("unknown kind", `{"employee_id": "`+id+`", "kind": "`+apitest.Marker+`"`+day(30)+`}`, 422, "unknown_kind", "body.kind"),
		post("unknown initiator", order(day(30)+`, "initiator": "`+apitest.Marker+`"`), 422, "unknown_initiator", "body.initiator"),
		post("group transfer", `{"employee_id": "`+id+`", "kind": "group_transfer"`+day(30)+`}`, 422, "unknown_kind", "body.kind"),
		post("confidential", order(day(30)+`, "confidential_until": "`+f.Day(10)+`"`), 422, "not_supported_yet", "body.confidential_until"),
		post("long note", order(day(30)+`, "note": "`+strings.Repeat("长", 2001)+`"`), 422, "validation_failed", "body.note"),
		post("control characters", order(day(30)+`, "note": "a\u0007b`+apitest.Marker+`"`), 422, "text_unreadable", ""),

		post("10 MB", order(`, "note": "`+strings.Repeat("x", 10<<20)+`"`), 413, "body_too_large", ""),
		post("unknown field", order(day(30)+`, "surprise": "`+apitest.Marker+`"`), 422, "unknown_field", "body.surprise"),
		post("unknown field that is a value", order(day(30)+`, "`+apitest.Marker+`": 1`), 422, "unknown_field", "body.?"),
		post("field in another case", order(day(30)+`, "Note": "x"`), 422, "unknown_field", "body.?"),
		post("duplicate key", order(day(30)+`, "kind": "death"`), 400, "duplicate_key", "body.kind"),
		post("duplicate key deep down", order(`, "x": [{"a": {"b": 1, "b": "`+apitest.Marker+`"}}]`), 400, "duplicate_key", "body.x.a.b"),
		post("trailing data", order(day(30))+` {"more": "`+apitest.Marker+`"}`, 400, "trailing_data", ""),
		post("trailing rubbish", order(day(30))+`}`, 400, "trailing_data", ""),
		post("invalid UTF-8", order(day(30)+`, "note": "`+"\xff"+apitest.Marker+`"`), 400, "invalid_utf8", ""),
		post("lone surrogate", order(day(30)+`, "note": "\ud800"`), 400, "invalid_utf8", ""),
		post("NUL", order(day(30)+`, "note": "\u0000"`), 400, "invalid_utf8", ""),
		post("no JSON", `{"employee_id": `+apitest.Marker, 400, "invalid_json", ""),
		post("a list", `[]`, 422, "validation_failed", "body"),
		post("null", `null`, 422, "validation_failed", "body"),
		post("blank", "  ", 400, "body_required", ""),
		post("nothing required", `{}`, 422, "validation_failed", "body.employee_id"),
		post("wrong type", `{"employee_id": 7, "kind": "resignation"}`, 422, "validation_failed", "body.employee_id"),
		post("no uuid", `{"employee_id": "`+apitest.Marker+`", "kind": "resignation"}`, 422, "validation_failed", "body.employee_id"),
		post("no date", order(`, "last_working_day": "`+apitest.Marker+`"`), 422, "validation_failed", "body.last_working_day"),
		post("no such day", order(`, "last_working_day": "2027-02-30"`), 422, "validation_failed", "body.last_working_day"),
		{"wrong media type", hr, "POST", path, order(day(30)), []string{"Content-Type", "text/" + "plain"}, 415, "unsupported_media_type", ""},
		{"wrong charset", hr, "POST", path, order(day(30)), []string{"Content-Type", "application/json; charset=gbk"}, 415, "unsupported_media_type", ""},
		{"unusable key", hr, "POST", path, order(day(30)), []string{"Idempotency-Key", strings.Repeat("k", 201)}, 422, "idempotency_key_invalid", "header.idempotency_key"},
		{"empty key", hr, "POST", path, order(day(30)), []string{"Idempotency-Key", ""}, 422, "idempotency_key_invalid", "header.idempotency_key"},

		{"no token", "", "POST", path, order(day(30)), nil, 401, "token_missing", ""},
		{"another scheme", "", "POST", path, order(day(30)), []string{"Authorization", "Basic " + apitest.Marker}, 401, "token_missing", ""},
		{"unknown token", "", "POST", path, order(day(30)), []string{"Authorization", "Bearer lethe_dev_" + "unknown"}, 401, "token_unknown", ""},
		{"expired token", "expired", "POST", path, order(day(30)), nil, 401, "token_expired", ""},
		{"revoked token", "revoked", "POST", path, order(day(30)), nil, 401, "token_revoked", ""},
		{"a role that may not", models.RoleAuditor, "POST", path, order(day(30)), nil, 403, "role_not_allowed", ""},

		{"unknown query parameter", hr, "GET", path + "?colour=" + "red", "", nil, 422, "unknown_query_parameter", "query.colour"},
		{"broken cursor", hr, "GET", path + "?cursor=!!!", "", nil, 422, "invalid_cursor", "query.cursor"},
		{"broken cursor of people", hr, "GET", "/api/v1/employees?cursor=!!!", "", nil, 422, "invalid_cursor", "query.cursor"},
		{"NUL in a search", hr, "GET", path + "?q=a%00b", "", nil, 422, "validation_failed", "query.q"},
		{"no UTF-8 in a search", hr, "GET", path + "?q=%ff", "", nil, 422, "validation_failed", "query.q"},
		{"NUL in a search for people", hr, "GET", "/api/v1/employees?q=%00", "", nil, 422, "validation_failed", "query.q"},
		{"NUL in a cursor", hr, "GET", "/api/v1/purges?cursor=%00", "", nil, 422, "validation_failed", "query.cursor"},
		{"NUL in a state", hr, "GET", "/api/v1/support-cases?state=%00", "", nil, 422, "validation_failed", "query.state"},
		{"NUL in a parameter's name", hr, "GET", path + "?q%00=a", "", nil, 422, "validation_failed", "query.?"},
		{"half an escape", hr, "GET", path + "?q=%f", "", nil, 422, "validation_failed", "query"},
		{"NUL in a path", models.RoleITOps, "POST", "/api/v1/systems/%00/check", "", nil, 422, "validation_failed", "path.name"},
		{"no UTF-8 in a path", hr, "GET", path + "/%ff", "", nil, 422, "validation_failed", "path.id"},
		{"limit", hr, "GET", path + "?limit=1000", "", nil, 422, "validation_failed", "query.limit"},
		{"unknown stage", hr, "GET", path + "?stage=gone", "", nil, 422, "validation_failed", "query.stage[0]"},
		{"unknown departure", hr, "GET", path + "/" + uuid.NewString(), "", nil, 404, "not_found", ""},
		{"no id", hr, "GET", path + "/me", "", nil, 422, "validation_failed", "path.id"},
		{"no route", hr, "GET", "/api/v1/nothing", "", nil, 404, "not_found", ""},
		{"no method", hr, "DELETE", path, "", nil, 405, "method_not_allowed", ""},
		{"shortening to before the hiring", hr, "PUT", pending + "/dates", `{"last_working_day": "2001-01-01", "confirm_past": true}`, nil, 422, "before_hire_date", "body.last_working_day"},
		{"no consent", hr, "POST", pending + "/withdrawal", `{"reason": "` + apitest.Marker + `"}`, nil, 422, "company_consent_required", "body.company_consent"},
		{"confirmation by a token", models.RoleReviewer, "POST", pending + "/annulment/confirmation", "", nil, 403, "session_required", ""},
		{"decision by a token", models.RoleReviewer, "POST", "/api/v1/approvals/" + uuid.NewString() + "/decision", `{"decision": "approved"}`, nil, 403, "session_required", ""},
		{"withdrawal of no request", hr, "POST", "/api/v1/approvals/" + uuid.NewString() + "/withdrawal", "", nil, 404, "not_found", ""},
		{"release of no hold", hr, "POST", "/api/v1/holds/" + uuid.NewString() + "/release", `{}`, nil, 404, "not_found", ""},
		{"hold of an unknown category", hr, "POST", "/api/v1/holds", `{"employee_id": "` + id + `", "matter": "x", "categories": ["` + apitest.Marker + `"]}`, nil, 422, "validation_failed", "body.categories[0]"},
		{"hold of nobody", hr, "POST", "/api/v1/holds", `{"employee_id": "` + uuid.NewString() + `", "matter": "x"}`, nil, 404, "employee_not_found", "body.employee_id"},

		{"unknown system", hr, "POST", "/api/v1/employees/" + id + "/accounts", `{"system": "` + apitest.Marker + `"}`, nil, 422, "unknown_system", "body.system"},
		{"unlink unknown system", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "systems": ["mail", "` + apitest.Marker + `"]}`, nil, 422, "unknown_system", "body.systems[1]"},
		{"unlink unknown mode", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "mode": "delete"}`, nil, 422, "validation_failed", "body.mode"},
		{"detach nothing", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "systems": ["finance"], "mode": "detach"}`, nil, 409, "nothing_to_unlink", ""},
		{"detach nobody's", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + uuid.NewString() + `", "mode": "detach"}`, nil, 404, "employee_not_found", "body.employee_id"},
		{"relink unknown", models.RoleITOps, "POST", "/api/v1/account-relinkings", `{"unlinking_id": "` + uuid.NewString() + `"}`, nil, 404, "not_found", "body.unlinking_id"},
		{"unknown case", models.RoleITOps, "POST", "/api/v1/support-cases/" + uuid.NewString() + "/resolution", `{"action": "retry"}`, nil, 404, "not_found", ""},
		{"unknown action", models.RoleITOps, "POST", "/api/v1/support-cases/" + uuid.NewString() + "/resolution", `{"action": "` + apitest.Marker + `"}`, nil, 422, "unknown_action", "body.action"},
		{"unknown purge", models.RoleReviewer, "POST", "/api/v1/purges/" + uuid.NewString() + "/decision", `{"decision": "approved"}`, nil, 404, "not_found", ""},

		{"number taken", hr, "POST", "/api/v1/employees", f.Newcomer("R-hr_admin", f.A, ""), nil, 409, "employee_exists", "body.employee_no"},
		{"unknown department", hr, "POST", "/api/v1/employees", f.Newcomer("N1", uuid.New(), ""), nil, 422, "department_not_found", "body.department_id"},
		{"unknown archive field", hr, "POST", "/api/v1/employees", f.Newcomer("N1", f.A, `"`+apitest.Marker+`": "x"`), nil, 422, "unknown_archive_field", "body.fields[0]"},
		{"unreadable value", hr, "POST", "/api/v1/employees", f.Newcomer("N1", f.A, `"id_number": "`+apitest.Marker+`\u0007"`), nil, 422, "validation_failed", "body.fields.id_number"},
		{"malformed number", hr, "POST", "/api/v1/employees", f.Newcomer(apitest.Marker, f.A, ""), nil, 422, "validation_failed", "body.employee_no"},
		{"other zone", hr, "PATCH", "/api/v1/employees/" + id, `{"time_zone": "Europe/` + apitest.Marker + `"}`, nil, 422, "unknown_time_zone", "body.time_zone"},
		{"a jurisdiction without rules", hr, "PATCH", "/api/v1/employees/" + id, `{"jurisdiction": "XX"}`, nil, 422, "no_retention_rules", ""},
	}
	return all
}

// TestBadInput sends each in both languages: its own code, texts in the language, nothing repeated,
// and no row written.
func TestBadInput(t *testing.T) {
	f := apitest.New(t)
	free, leaving := f.Hire("E1", f.A), f.Hire("E2", f.A)
	pending := httpkit.AddressOf(models.RefDeparture, f.Resign(leaving).ID)
	var id uuid.UUID
	f.Tokens["expired"], id = f.Token(f.People[models.RoleHRAdmin], models.RoleHRAdmin)
	f.Exec("UPDATE api_tokens SET expires_at = lethe_now() WHERE id = ?", id)
	f.Tokens["revoked"], id = f.Token(f.People[models.RoleHRAdmin], models.RoleHRAdmin)
	f.Run(func(tx *database.Tx) error { _, err := identity.Revoke(tx, id.String()); return err })
	all := allRefusals(f, free, leaving, pending)
	before := f.Rows()
	for _, r := range all {
		for _, language := range i18n.Languages {
			t.Run(r.name+"/"+string(language), func(t *testing.T) {
				got := f.Ask(r.role, r.method, r.path, r.body, append([]string{"Accept-Language", string(language)}, r.headers...)...)
				r.check(t, got, language)
			})
		}
	}
	if diff := cmp.Diff(before, f.Rows()); diff != "" {
		t.Errorf("refused requests wrote rows:\n%s", diff)
	}
	if strings.Contains(f.Log.String(), "MARKER") {
		t.Error("the log repeats what was submitted")
	}
}

func (r refusal) check(t *testing.T, got apitest.Reply, language i18n.Language) {
	p := got.Problem
	if got.Status != r.status || p.Status != r.status || p.Code != r.code {
		t.Fatalf("answered %d %s, want %d %s: %.500s", got.Status, p.Code, r.status, r.code, got.Body)
	}
	for part, text := range map[string]string{"title": p.Title, "detail": p.Detail, "hint": p.Hint} {
		if r.code == "role_not_allowed" && part == "hint" {
			text = strings.TrimSuffix(text, httpkit.RolesText(language, p.AllowedRoles))
		}
		want, ok := i18n.Lookup(language, "problem."+r.code+"."+part)
		if r.code == "last_working_day_in_past" && part == "detail" {
			want = fmt.Sprintf(i18n.Text(language, "problem."+r.code+".days_back"), 3) + want
		}
		if !ok || text != want {
			t.Errorf("the %s is %q, want %q", part, text, want)
		}
	}
	if got.Header.Get("Content-Language") != string(language) {
		t.Errorf("Content-Language is %q", got.Header.Get("Content-Language"))
	}
	if r.field != "" && !slices.ContainsFunc(p.Errors, func(e httpkit.FieldError) bool { return e.Location == r.field }) {
		t.Errorf("errors are %+v, want one at %s", p.Errors, r.field)
	}
	for _, e := range p.Errors {
		if e.Code == "" || e.Message == "" || strings.Contains(e.Message, ".title") {
			t.Errorf("a field error is %+v", e)
		}
	}
	// The request's own id is random, and may hold any four digits.
	shown := strings.ReplaceAll(string(got.Body), p.RequestID, "")
	if strings.Contains(shown, "MARKER") || strings.Contains(shown, "7f3a") {
		t.Errorf("the answer repeats what was submitted: %s", got.Body)
	}
	if r.status == http.StatusUnauthorized && got.Header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
}

func TestEveryCodeHasAStatusAndTextsAndIsItsOwn(t *testing.T) {
	for _, code := range slices.Sorted(maps.Keys(httpkit.Statuses)) {
		for _, language := range i18n.Languages {
			for _, part := range []string{"title", "detail", "hint"} {
				if _, ok := i18n.Lookup(language, "problem."+code+"."+part); !ok {
					t.Errorf("problem %s has no %s in %s", code, part, language)
				}
			}
		}
	}
	for _, code := range httpkit.FieldCodes {
		for _, language := range i18n.Languages {
			if _, ok := i18n.Lookup(language, "field."+code); !ok {
				t.Errorf("field code %s has no text in %s", code, language)
			}
		}
	}
}

func TestUnforeseenErrorTellsNothing(t *testing.T) {
	f := apitest.New(t)
	f.Exec("ALTER TABLE departures RENAME TO departures_gone")
	got := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "")
	if got.Status != 500 || got.Problem.Code != "internal" || strings.Contains(string(got.Body), "departures") {
		t.Errorf("answered %d %s", got.Status, got.Body)
	}
}

// TestKeysDatabaseThatIsClosedIsUnavailable: as while a backup of it is restored. What needs no key is served.
func TestKeysDatabaseThatIsClosedIsUnavailable(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	hold := fmt.Sprintf(`{"employee_id": %q, "matter": "a dispute"}`, leaver)
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", hold); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	var name string
	if err := f.Env.Keys.Read(t.Context()).Raw("SELECT current_database()").Scan(&name).Error; err != nil {
		t.Fatal(err)
	}
	f.Exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false")
	f.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", name)
	for _, ask := range []struct{ method, path, body string }{
		{"GET", "/api/v1/holds", ""}, {"POST", "/api/v1/holds", hold},
	} {
		if got := f.Ask(models.RoleHRAdmin, ask.method, ask.path, ask.body); got.Status != 503 || got.Problem.Code != "unavailable" {
			t.Errorf("%s %s: %d %s", ask.method, ask.path, got.Status, got.Body)
		}
	}
	for _, path := range []string{"/api/v1/departures", "/api/v1/employees/" + leaver.String()} {
		if got := f.Ask(models.RoleHRAdmin, "GET", path, ""); got.Status != 200 {
			t.Errorf("%s, which needs no key: %d %s", path, got.Status, got.Body)
		}
	}
}

func TestDatabaseThatDoesNotAnswerIsUnavailable(t *testing.T) {
	f := apitest.New(t)
	if err := f.API.DB.SQL().Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	got := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "")
	if got.Status != 503 || got.Problem.Code != "unavailable" || got.Header.Get("Retry-After") == "" {
		t.Errorf("answered %d %s", got.Status, got.Body)
	}
	if ready := f.Ask("", "GET", "/readyz", ""); ready.Status != 503 {
		t.Errorf("ready: %d", ready.Status)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// limit=5&limit=6 took the first: which of them is meant, nobody knows.
func TestAParameterGivenTwiceIsRefused(t *testing.T) {
	f := apitest.New(t)
	for _, query := range []string{"limit=5&limit=6", "limit=5&limit=5", "q=a&q=b", "status=active&limit=5&status=departed"} {
		got := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/employees?"+query, "")
		if got.Status != http.StatusUnprocessableEntity || len(got.Problem.Errors) == 0 || got.Problem.Errors[0].Code != httpkit.FieldRepeated {
			t.Errorf("%s: %d %+v", query, got.Status, got.Problem)
		}
	}
}
