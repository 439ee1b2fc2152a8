package httpkit_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestAWrongFieldSaysWhatIsWanted: the message has the form in words, in both languages; what a closed
// set has, and which parameters there are, is listed for programs too.
func TestAWrongFieldSaysWhatIsWanted(t *testing.T) {
	f := apitest.New(t)
	v := f.Session(models.RoleHRAdmin)
	person := f.People[models.RoleEmployee].String()
	departure := func(more string) string {
		return `{"employee_id": "` + person + `", "kind": "resignation"` + more + `}`
	}
	for name, c := range map[string]struct {
		method, path, body, location, en, zh string
		allowed                              []string
	}{
		"unknown parameter": {"GET", "/holds?colour=red", "", "query.colour",
			"Unknown search parameter: possible are cursor, limit, employee_id, active", "存在未知的查询参数：可用的有 cursor、limit、employee_id、active",
			[]string{"cursor", "limit", "employee_id", "active"}},
		"unknown field": {"POST", "/holds", `{"colour": 1}`, "body.colour",
			"Unknown field: possible are approval_reason, categories, employee_id, everybody, matter, query", "存在未知字段：可用的有 approval_reason、categories、employee_id、everybody、matter、query",
			[]string{"approval_reason", "categories", "employee_id", "everybody", "matter", "query"}},
		"unknown field within a field": {"POST", "/employees/" + person + "/disclosures", `{"fields": ["id_number"], "purpose": "payroll", "reason": "x", "requested_by": {"name": 1}}`, "body.requested_by.name",
			"Unknown field: possible are description, employee_id", "存在未知字段：可用的有 description、employee_id", []string{"description", "employee_id"}},
		"unknown value": {"GET", "/approvals?state=open", "", "query.state",
			"is not one of the allowed values: possible are pending, approved, rejected, withdrawn, expired, void", "不在允许的取值范围内：可用的有 pending、approved、rejected、withdrawn、expired、void",
			[]string{"pending", "approved", "rejected", "withdrawn", "expired", "void"}},
		"limit above":      {"GET", "/holds?limit=1000", "", "query.limit", "is outside the allowed range: from 1 to 200", "超出允许范围：应在 1 至 200 之间", nil},
		"limit below":      {"GET", "/holds?limit=0", "", "query.limit", "is outside the allowed range: from 1 to 200", "超出允许范围：应在 1 至 200 之间", nil},
		"no number":        {"GET", "/holds?limit=all", "", "query.limit", "does not have the right form: from 1 to 200", "格式不正确：应在 1 至 200 之间", nil},
		"nothing":          {"GET", "/holds?limit=", "", "query.limit", "says nothing; give a value, or leave it out: from 1 to 200", "没有内容，请填写，或去掉此项：应在 1 至 200 之间", nil},
		"id":               {"GET", "/holds?employee_id=E1", "", "query.employee_id", "does not have the right form: an id as lists show it", "格式不正确：应为列表中给出的标识（不是工号）", nil},
		"yes":              {"GET", "/retention/deadlines?not_held=yes", "", "query.not_held", "does not have the right form: true or false", "格式不正确：应为“是”或“否”（true/false）", nil},
		"time in a query":  {"GET", "/departures?due_before=29.11.2026", "", "query.due_before", "does not have the right form: a point in time with its zone, such as 2026-11-29T18:00:00+08:00", "格式不正确：应为带时区的时间，例如 2026-11-29T18:00:00+08:00", nil},
		"day in a body":    {"POST", "/departures", departure(`, "last_working_day": "29.11.2026"`), "body.last_working_day", "does not have the right form: a day such as 2026-11-29", "格式不正确：应为日期，例如 2026-11-29", nil},
		"time in a body":   {"POST", "/departures", departure(`, "access_cutoff_at": "18:00"`), "body.access_cutoff_at", "does not have the right form: a point in time with its zone, such as 2026-11-29T18:00:00+08:00", "格式不正确：应为带时区的时间，例如 2026-11-29T18:00:00+08:00", nil},
		"long":             {"POST", "/holds", `{"employee_id": "` + person + `", "matter": "` + strings.Repeat("x", 101) + `"}`, "body.matter", "is too long: 100 characters at most", "过长：最多 100 个字", nil},
		"type":             {"POST", "/holds", `{"employee_id": "` + person + `", "matter": 7}`, "body.matter", "has the wrong type: a text", "类型不正确：应为文字", nil},
		"kind":             {"POST", "/departures", `{"employee_id": "` + person + `", "kind": "quit"}`, "body.kind", "Unknown kind of departure: possible are " + strings.Join(kinds(), ", "), "离职类型未知：可用的有 " + strings.Join(kinds(), "、"), kinds()},
		"both of a stepup": {"POST", "/step-ups", `{"password": "x", "totp": "1"}`, "body.totp", "is one of two, of which exactly one is given", "与另一项二者须填且只能填一项", nil},
		"none of a stepup": {"POST", "/step-ups", `{}`, "body.password", "is one of two, of which exactly one is given", "与另一项二者须填且只能填一项", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for language, want := range map[i18n.Language]string{i18n.English: c.en, i18n.Chinese: c.zh} {
				got := v.Ask(c.method, httpkit.Base+c.path, c.body, "Accept-Language", string(language))
				i := slices.IndexFunc(got.Problem.Errors, func(e httpkit.FieldError) bool { return e.Location == c.location })
				if got.Status != http.StatusUnprocessableEntity || i < 0 {
					t.Fatalf("%d %s", got.Status, got.Body)
				}
				if e := got.Problem.Errors[i]; e.Message != want || !slices.Equal(e.Allowed, c.allowed) {
					t.Errorf("%q, %v, want %q, %v", e.Message, e.Allowed, want, c.allowed)
				}
			}
		})
	}
}

func kinds() []string {
	return []string{"resignation", "mutual_agreement", "dismissal", "contract_end", "retirement", "death", "assignment_end"}
}

// ofPrograms are the problems that only whoever writes a program can have made.
var ofPrograms = regexp.MustCompile(`^problem\.(idempotency_key_|not_a_code|unsupported_media_type|method_not_allowed)`)

// TestNoProblemSpeaksInNamesOfTheAPI: what people read says in words what programs read in code, allowed
// and location. Names of fields and parameters, routes, settings and literal values are for programs.
func TestNoProblemSpeaksInNamesOfTheAPI(t *testing.T) {
	f := apitest.New(t)
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	f.Ask("", "GET", "/openapi.json", "").Into(t, &doc)
	names := map[string]bool{}
	for _, schema := range doc.Components.Schemas {
		for name := range schema.Properties {
			names[name] = true
		}
	}
	if !names["confirm_past"] || !names["everybody"] {
		t.Fatalf("the document has the names %v", names)
	}
	literal := regexp.MustCompile(`[a-z0-9]+_[a-z0-9_]+|/api/|LETHE_|\b(GET|POST|PUT|PATCH|DELETE) |: ?true|Bearer`)
	word := regexp.MustCompile(`[A-Za-z_]+`)
	command := regexp.MustCompile(`lethe [a-z -]+`)
	for _, key := range i18n.Keys("problem.") {
		for _, language := range i18n.Languages {
			text := command.ReplaceAllString(i18n.Text(language, "problem."+key), "")
			if ofPrograms.MatchString("problem." + key) {
				continue
			}
			if found := literal.FindString(text); found != "" {
				t.Errorf("%s of problem.%s says %q: %s", language, key, found, text)
			}
			for _, w := range word.FindAllString(text, -1) {
				if language == i18n.Chinese && names[w] {
					t.Errorf("%s of problem.%s says %q: %s", language, key, w, text)
				}
			}
		}
	}
}
