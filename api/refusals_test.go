package api

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

	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// marker is planted in values; no answer and no log line may repeat it.
const marker = "MARKER-7f3a-机密"

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
func (f *fixture) refusals(free, leaving uuid.UUID, pending string) []refusal {
	const hr, path = models.RoleHRAdmin, "/api/v1/departures"
	id := free.String()
	order := func(more string) string { return `{"employee_id": "` + id + `", "kind": "resignation"` + more + `}` }
	day := func(days int) string { return `, "last_working_day": "` + f.day(days) + `"` }
	post := func(name, body string, status int, code, field string) refusal {
		return refusal{name: name, role: hr, method: "POST", path: path, body: body, status: status, code: code, field: field}
	}
	all := []refusal{
		post("unknown employee", f.notice(uuid.New(), 30), 404, codeEmployeeNotFound, "body.employee_id"),
		post("second departure", f.notice(leaving, 30), 409, codeDepartureExists, "body.employee_id"),
		post("past", order(day(-3)), 422, codeLastDayInPast, "body.last_working_day"),
		post("before hire", order(`, "last_working_day": "2019-01-01", "confirm_past": true`), 422, codeBeforeHire, "body.last_working_day"),
		post("too far ahead", order(day(800)), 422, codeTooFarAhead, "body.last_working_day"),
		post("out of order", order(day(30)+`, "employment_end_date": "`+f.day(20)+`"`), 422, codeDatesOutOfOrder, "body.employment_end_date"),
		post("notice in the future", order(day(30)+`, "notice_received_on": "`+f.day(20)+`"`), 422, codeDatesOutOfOrder, "body.notice_received_on"),
		post("cutoff after the end", order(day(30)+`, "access_cutoff_at": "`+f.day(40)+`T00:00:00Z"`), 422, codeDatesOutOfOrder, "body.access_cutoff_at"),
		post("end too far ahead", order(day(30)+`, "employment_end_date": "`+f.day(800)+`"`), 422, codeTooFarAhead, "body.employment_end_date"),
		post("unknown zone", order(day(30)+`, "time_zone": "Mars/`+marker+`"`), 422, codeUnknownZone, "body.time_zone"),
		post("no day", order(""), 422, codeLastDayMissing, "body.last_working_day"),
		post("immediate with a day", order(day(30)+`, "immediate": true`), 422, codeImmediateDates, "body.immediate"),
		post("unknown kind", `{"employee_id": "`+id+`", "kind": "`+marker+`"`+day(30)+`}`, 422, codeUnknownKind, "body.kind"),
		post("unknown initiator", order(day(30)+`, "initiator": "`+marker+`"`), 422, codeUnknownInitiator, "body.initiator"),
		post("group transfer", `{"employee_id": "`+id+`", "kind": "group_transfer"`+day(30)+`}`, 422, codeNotSupportedYet, "body.kind"),
		post("confidential", order(day(30)+`, "confidential_until": "`+f.day(10)+`"`), 422, codeNotSupportedYet, "body.confidential_until"),
		post("long note", order(day(30)+`, "note": "`+strings.Repeat("长", 2001)+`"`), 422, codeValidationFailed, "body.note"),
		post("control characters", order(day(30)+`, "note": "a\u0007b`+marker+`"`), 422, codeTextUnreadable, ""),

		post("10 MB", order(`, "note": "`+strings.Repeat("x", 10<<20)+`"`), 413, codeBodyTooLarge, ""),
		post("unknown field", order(day(30)+`, "surprise": "`+marker+`"`), 422, codeUnknownField, "body.surprise"),
		post("unknown field that is a value", order(day(30)+`, "`+marker+`": 1`), 422, codeUnknownField, "body.?"),
		post("field in another case", order(day(30)+`, "Note": "x"`), 422, codeUnknownField, "body.?"),
		post("duplicate key", order(day(30)+`, "kind": "death"`), 400, codeDuplicateKey, "body.kind"),
		post("duplicate key deep down", order(`, "x": [{"a": {"b": 1, "b": "`+marker+`"}}]`), 400, codeDuplicateKey, "body.x.a.b"),
		post("trailing data", order(day(30))+` {"more": "`+marker+`"}`, 400, codeTrailingData, ""),
		post("trailing rubbish", order(day(30))+`}`, 400, codeTrailingData, ""),
		post("invalid UTF-8", order(day(30)+`, "note": "`+"\xff"+marker+`"`), 400, codeInvalidUTF8, ""),
		post("lone surrogate", order(day(30)+`, "note": "\ud800"`), 400, codeInvalidUTF8, ""),
		post("NUL", order(day(30)+`, "note": "\u0000"`), 400, codeInvalidUTF8, ""),
		post("no JSON", `{"employee_id": `+marker, 400, codeInvalidJSON, ""),
		post("a list", `[]`, 422, codeValidationFailed, "body"),
		post("null", `null`, 422, codeValidationFailed, "body"),
		post("blank", "  ", 400, codeBodyRequired, ""),
		post("nothing required", `{}`, 422, codeValidationFailed, "body.employee_id"),
		post("wrong type", `{"employee_id": 7, "kind": "resignation"}`, 422, codeValidationFailed, "body.employee_id"),
		post("no uuid", `{"employee_id": "`+marker+`", "kind": "resignation"}`, 422, codeValidationFailed, "body.employee_id"),
		post("no date", order(`, "last_working_day": "`+marker+`"`), 422, codeValidationFailed, "body.last_working_day"),
		post("no such day", order(`, "last_working_day": "2027-02-30"`), 422, codeValidationFailed, "body.last_working_day"),
		{"wrong media type", hr, "POST", path, order(day(30)), []string{"Content-Type", "text/" + "plain"}, 415, codeUnsupportedMediaType, ""},
		{"wrong charset", hr, "POST", path, order(day(30)), []string{"Content-Type", "application/json; charset=gbk"}, 415, codeUnsupportedMediaType, ""},
		{"unusable key", hr, "POST", path, order(day(30)), []string{"Idempotency-Key", strings.Repeat("k", 201)}, 422, codeIdempotencyKey, "header.idempotency_key"},
		{"empty key", hr, "POST", path, order(day(30)), []string{"Idempotency-Key", ""}, 422, codeIdempotencyKey, "header.idempotency_key"},

		{"no token", "", "POST", path, order(day(30)), nil, 401, codeTokenMissing, ""},
		{"another scheme", "", "POST", path, order(day(30)), []string{"Authorization", "Basic " + marker}, 401, codeTokenMissing, ""},
		{"unknown token", "", "POST", path, order(day(30)), []string{"Authorization", "Bearer lethe_dev_" + "unknown"}, 401, codeTokenUnknown, ""},
		{"expired token", "expired", "POST", path, order(day(30)), nil, 401, codeTokenExpired, ""},
		{"revoked token", "revoked", "POST", path, order(day(30)), nil, 401, codeTokenRevoked, ""},
		{"a role that may not", models.RoleAuditor, "POST", path, order(day(30)), nil, 403, codeRoleNotAllowed, ""},

		{"unknown query parameter", hr, "GET", path + "?colour=" + "red", "", nil, 422, codeUnknownQuery, "query.colour"},
		{"broken cursor", hr, "GET", path + "?cursor=!!!", "", nil, 422, codeInvalidCursor, "query.cursor"},
		{"broken cursor of people", hr, "GET", "/api/v1/employees?cursor=!!!", "", nil, 422, codeInvalidCursor, "query.cursor"},
		{"NUL in a search", hr, "GET", path + "?q=a%00b", "", nil, 422, codeValidationFailed, "query.q"},
		{"no UTF-8 in a search", hr, "GET", path + "?q=%ff", "", nil, 422, codeValidationFailed, "query.q"},
		{"NUL in a search for people", hr, "GET", "/api/v1/employees?q=%00", "", nil, 422, codeValidationFailed, "query.q"},
		{"NUL in a cursor", hr, "GET", "/api/v1/purges?cursor=%00", "", nil, 422, codeValidationFailed, "query.cursor"},
		{"NUL in a state", hr, "GET", "/api/v1/support-cases?state=%00", "", nil, 422, codeValidationFailed, "query.state"},
		{"NUL in a parameter's name", hr, "GET", path + "?q%00=a", "", nil, 422, codeValidationFailed, "query.?"},
		{"half an escape", hr, "GET", path + "?q=%f", "", nil, 422, codeValidationFailed, "query"},
		{"NUL in a path", models.RoleITOps, "POST", "/api/v1/systems/%00/check", "", nil, 422, codeValidationFailed, "path.name"},
		{"no UTF-8 in a path", hr, "GET", path + "/%ff", "", nil, 422, codeValidationFailed, "path.id"},
		{"limit", hr, "GET", path + "?limit=1000", "", nil, 422, codeValidationFailed, "query.limit"},
		{"unknown stage", hr, "GET", path + "?stage=gone", "", nil, 422, codeValidationFailed, "query.stage"},
		{"unknown departure", hr, "GET", path + "/" + uuid.NewString(), "", nil, 404, codeNotFound, ""},
		{"no id", hr, "GET", path + "/me", "", nil, 422, codeValidationFailed, "path.id"},
		{"no route", hr, "GET", "/api/v1/nothing", "", nil, 404, codeNotFound, ""},
		{"no method", hr, "DELETE", path, "", nil, 405, codeMethodNotAllowed, ""},
		{"shortening to before the hiring", hr, "PUT", pending + "/dates", `{"last_working_day": "2001-01-01", "confirm_past": true}`, nil, 422, codeBeforeHire, "body.last_working_day"},
		{"no consent", hr, "POST", pending + "/withdrawal", `{"reason": "` + marker + `"}`, nil, 422, codeConsentRequired, "body.company_consent"},
		{"confirmation by a token", models.RoleReviewer, "POST", pending + "/annulment/confirmation", "", nil, 403, codeSessionRequired, ""},
		{"decision by a token", models.RoleReviewer, "POST", "/api/v1/approvals/" + uuid.NewString() + "/decision", `{"decision": "approved"}`, nil, 403, codeSessionRequired, ""},
		{"withdrawal of no request", hr, "POST", "/api/v1/approvals/" + uuid.NewString() + "/withdrawal", "", nil, 404, codeNotFound, ""},
		{"release of no hold", hr, "POST", "/api/v1/holds/" + uuid.NewString() + "/release", `{}`, nil, 404, codeNotFound, ""},
		{"hold of an unknown category", hr, "POST", "/api/v1/holds", `{"employee_id": "` + id + `", "matter": "x", "categories": ["` + marker + `"]}`, nil, 422, codeUnknownCategory, "body.categories"},
		{"hold of nobody", hr, "POST", "/api/v1/holds", `{"employee_id": "` + uuid.NewString() + `", "matter": "x"}`, nil, 404, codeEmployeeNotFound, "body.employee_id"},

		{"unknown system", hr, "POST", "/api/v1/employees/" + id + "/accounts", `{"system": "` + marker + `"}`, nil, 422, codeUnknownSystem, "body.system"},
		{"unlink unknown system", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "systems": ["mail", "` + marker + `"]}`, nil, 422, codeUnknownSystem, "body.systems[1]"},
		{"unlink unknown mode", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "mode": "delete"}`, nil, 422, codeValidationFailed, "body.mode"},
		{"detach nothing", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + id + `", "systems": ["finance"], "mode": "detach"}`, nil, 409, codeNothingToUnlink, ""},
		{"detach nobody's", models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + uuid.NewString() + `", "mode": "detach"}`, nil, 404, codeEmployeeNotFound, "body.employee_id"},
		{"relink unknown", models.RoleITOps, "POST", "/api/v1/account-relinkings", `{"unlinking_id": "` + uuid.NewString() + `"}`, nil, 404, codeNotFound, "body.unlinking_id"},
		{"unknown case", models.RoleITOps, "POST", "/api/v1/support-cases/" + uuid.NewString() + "/resolution", `{"action": "retry"}`, nil, 404, codeNotFound, ""},
		{"unknown action", models.RoleITOps, "POST", "/api/v1/support-cases/" + uuid.NewString() + "/resolution", `{"action": "` + marker + `"}`, nil, 422, codeActionUnknown, "body.action"},
		{"unknown purge", models.RoleReviewer, "POST", "/api/v1/purges/" + uuid.NewString() + "/decision", `{"decision": "approved"}`, nil, 404, codeNotFound, ""},

		{"number taken", hr, "POST", "/api/v1/employees", f.newcomer("R-hr_admin", f.a, ""), nil, 409, codeEmployeeExists, "body.employee_no"},
		{"unknown department", hr, "POST", "/api/v1/employees", f.newcomer("N1", uuid.New(), ""), nil, 422, codeDepartmentNotFound, "body.department_id"},
		{"unknown archive field", hr, "POST", "/api/v1/employees", f.newcomer("N1", f.a, `"`+marker+`": "x"`), nil, 422, codeUnknownArchiveField, "body.fields[0]"},
		{"unreadable value", hr, "POST", "/api/v1/employees", f.newcomer("N1", f.a, `"id_number": "`+marker+`\u0007"`), nil, 422, codeValidationFailed, "body.fields.id_number"},
		{"malformed number", hr, "POST", "/api/v1/employees", f.newcomer(marker, f.a, ""), nil, 422, codeValidationFailed, "body.employee_no"},
		{"other zone", hr, "PATCH", "/api/v1/employees/" + id, `{"time_zone": "Europe/` + marker + `"}`, nil, 422, codeUnknownZone, "body.time_zone"},
		{"a jurisdiction without rules", hr, "PATCH", "/api/v1/employees/" + id, `{"jurisdiction": "XX"}`, nil, 422, codeNoRetentionRules, ""},
	}
	return all
}

func (f *fixture) newcomer(no string, department uuid.UUID, fields string) string {
	return `{"employee_no": "` + no + `", "name": "新人` + marker + `", "department_id": "` + department.String() +
		`", "hired_on": "2024-05-06", "fields": {` + fields + `}}`
}

// TestBadInput sends each in both languages: its own code, texts in the language, nothing repeated,
// and no row written.
func TestBadInput(t *testing.T) {
	f := newFixture(t)
	free, leaving := f.hire("E1", f.a), f.hire("E2", f.a)
	pending := addressOf(models.RefDeparture, f.resign(leaving).ID)
	var id uuid.UUID
	f.tokens["expired"], id = f.token(f.people[models.RoleHRAdmin], models.RoleHRAdmin)
	f.exec("UPDATE api_tokens SET expires_at = lethe_now() WHERE id = ?", id)
	f.tokens["revoked"], id = f.token(f.people[models.RoleHRAdmin], models.RoleHRAdmin)
	f.run(func(tx *database.Tx) error { _, err := identity.Revoke(tx, id.String()); return err })
	all := f.refusals(free, leaving, pending)
	before := f.rows()
	for _, r := range all {
		for _, language := range i18n.Languages {
			t.Run(r.name+"/"+string(language), func(t *testing.T) {
				got := f.ask(r.role, r.method, r.path, r.body, append([]string{"Accept-Language", string(language)}, r.headers...)...)
				r.check(t, got, language)
			})
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("refused requests wrote rows:\n%s", diff)
	}
	if strings.Contains(f.log.String(), "MARKER") {
		t.Error("the log repeats what was submitted")
	}
}

func (r refusal) check(t *testing.T, got reply, language i18n.Language) {
	p := got.problem
	if got.status != r.status || p.Status != r.status || p.Code != r.code {
		t.Fatalf("answered %d %s, want %d %s: %.500s", got.status, p.Code, r.status, r.code, got.body)
	}
	for part, text := range map[string]string{"title": p.Title, "detail": p.Detail, "hint": p.Hint} {
		if r.code == codeRoleNotAllowed && part == "hint" {
			text = strings.TrimSuffix(text, rolesText(language, p.AllowedRoles))
		}
		want, ok := i18n.Lookup(language, "problem."+r.code+"."+part)
		if r.code == codeLastDayInPast && part == "detail" {
			want = fmt.Sprintf(i18n.Text(language, "problem."+r.code+".days_back"), 3) + want
		}
		if !ok || text != want {
			t.Errorf("the %s is %q, want %q", part, text, want)
		}
	}
	if got.header.Get("Content-Language") != string(language) {
		t.Errorf("Content-Language is %q", got.header.Get("Content-Language"))
	}
	if r.field != "" && !slices.ContainsFunc(p.Errors, func(e FieldError) bool { return e.Location == r.field }) {
		t.Errorf("errors are %+v, want one at %s", p.Errors, r.field)
	}
	for _, e := range p.Errors {
		if e.Code == "" || e.Message == "" || strings.Contains(e.Message, ".title") {
			t.Errorf("a field error is %+v", e)
		}
	}
	// The request's own id is random, and may hold any four digits.
	shown := strings.ReplaceAll(string(got.body), p.RequestID, "")
	if strings.Contains(shown, "MARKER") || strings.Contains(shown, "7f3a") {
		t.Errorf("the answer repeats what was submitted: %s", got.body)
	}
	if r.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
}

func TestEveryCodeHasAStatusAndTextsAndIsItsOwn(t *testing.T) {
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		for _, language := range i18n.Languages {
			for _, part := range []string{"title", "detail", "hint"} {
				if _, ok := i18n.Lookup(language, "problem."+code+"."+part); !ok {
					t.Errorf("problem %s has no %s in %s", code, part, language)
				}
			}
		}
	}
	for _, code := range fieldCodes {
		for _, language := range i18n.Languages {
			if _, ok := i18n.Lookup(language, "field."+code); !ok {
				t.Errorf("field code %s has no text in %s", code, language)
			}
		}
	}
	for _, r := range refusals {
		if _, ok := statuses[r.code]; !ok {
			t.Errorf("%v is told as %s, which has no status", r.err, r.code)
		}
	}
}

func TestUnforeseenErrorTellsNothing(t *testing.T) {
	f := newFixture(t)
	f.exec("ALTER TABLE departures RENAME TO departures_gone")
	got := f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "")
	if got.status != 500 || got.problem.Code != codeInternal || strings.Contains(string(got.body), "departures") {
		t.Errorf("answered %d %s", got.status, got.body)
	}
}

// TestKeysDatabaseThatIsClosedIsUnavailable: as while a backup of it is restored. What needs no key is served.
func TestKeysDatabaseThatIsClosedIsUnavailable(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	hold := fmt.Sprintf(`{"employee_id": %q, "matter": "a dispute"}`, leaver)
	if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", hold); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var name string
	if err := f.env.Keys.Read(t.Context()).Raw("SELECT current_database()").Scan(&name).Error; err != nil {
		t.Fatal(err)
	}
	f.exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false")
	f.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", name)
	for _, ask := range []struct{ method, path, body string }{
		{"GET", "/api/v1/holds", ""}, {"POST", "/api/v1/holds", hold},
	} {
		if got := f.ask(models.RoleHRAdmin, ask.method, ask.path, ask.body); got.status != 503 || got.problem.Code != codeUnavailable {
			t.Errorf("%s %s: %d %s", ask.method, ask.path, got.status, got.body)
		}
	}
	for _, path := range []string{"/api/v1/departures", "/api/v1/employees/" + leaver.String()} {
		if got := f.ask(models.RoleHRAdmin, "GET", path, ""); got.status != 200 {
			t.Errorf("%s, which needs no key: %d %s", path, got.status, got.body)
		}
	}
}

func TestDatabaseThatDoesNotAnswerIsUnavailable(t *testing.T) {
	f := newFixture(t)
	if err := f.server.DB.SQL().Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	got := f.ask(models.RoleHRAdmin, "GET", "/api/v1/departures", "")
	if got.status != 503 || got.problem.Code != codeUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("answered %d %s", got.status, got.body)
	}
	if ready := f.ask("", "GET", "/readyz", ""); ready.status != 503 {
		t.Errorf("ready: %d", ready.status)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// limit=5&limit=6 took the first: which of them is meant, nobody knows.
func TestAParameterGivenTwiceIsRefused(t *testing.T) {
	f := newFixture(t)
	for _, query := range []string{"limit=5&limit=6", "limit=5&limit=5", "q=a&q=b", "status=active&limit=5&status=departed"} {
		got := f.ask(models.RoleHRAdmin, "GET", "/api/v1/employees?"+query, "")
		if got.status != http.StatusUnprocessableEntity || len(got.problem.Errors) == 0 || got.problem.Errors[0].Code != fieldRepeated {
			t.Errorf("%s: %d %+v", query, got.status, got.problem)
		}
	}
}
