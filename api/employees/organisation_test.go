package employees_test

import (
	"net/http"
	"slices"
	"testing"

	"lethe/api/apitest"
	"lethe/api/employees"
	"lethe/api/httpkit"
	"lethe/models"
)

// Several legal entities and departments, also after the first start: entered once however often it is asked, listed,
// renamed, and recorded.
func TestTheOrganisationIsEnteredAndChanged(t *testing.T) {
	f := apitest.New(t)
	entity := `{"code": "JP1", "name_zh": "日本", "name_en": "Japan", "jurisdiction": "JP", "time_zone": "Asia/Tokyo"}`
	first := f.Ask(httpkit.HR, "POST", "/api/v1/legal-entities", entity, "Idempotency-Key", "k")
	again := f.Ask(httpkit.HR, "POST", "/api/v1/legal-entities", entity, "Idempotency-Key", "k")
	if first.Status != http.StatusCreated || again.Status != first.Status || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Fatalf("first %d %s, then %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	var made employees.LegalEntityView
	first.Into(t, &made)
	if made.Name != "Japan" || made.CutoffTime != "18:00:00" {
		t.Errorf("entered %+v", made)
	}
	for name, c := range map[string]struct{ path, body, code string }{
		"a code that is taken":           {"/legal-entities", entity, "code_taken"},
		"a country without rules":        {"/legal-entities", `{"code": "X", "name_zh": "某", "name_en": "X", "jurisdiction": "XX", "time_zone": "Asia/Tokyo"}`, "validation_failed"},
		"a zone that there is not":       {"/legal-entities", `{"code": "X", "name_zh": "某", "name_en": "X", "jurisdiction": "JP", "time_zone": "Asia/Nowhere"}`, "unknown_time_zone"},
		"a time that there is not":       {"/legal-entities", `{"code": "X", "name_zh": "某", "name_en": "X", "jurisdiction": "JP", "time_zone": "Asia/Tokyo", "cutoff_time": "25:00"}`, "validation_failed"},
		"a department of nobody's":       {"/departments", `{"code": "D9", "name_zh": "部", "name_en": "D", "legal_entity_id": "019f0000-0000-7000-8000-000000000000"}`, "validation_failed"},
		"a department with a blank name": {"/departments", `{"code": "D9", "name_zh": "部", "name_en": " ", "legal_entity_id": "` + made.ID.String() + `"}`, "validation_failed"},
	} {
		if got := f.Ask(httpkit.HR, "POST", "/api/v1"+c.path, c.body); got.Problem.Code != c.code {
			t.Errorf("%s: %d %s, want %s", name, got.Status, got.Body, c.code)
		}
	}
	var department employees.DepartmentView
	f.Ask(httpkit.HR, "POST", "/api/v1/departments", `{"code": "D9", "name_zh": "销售", "name_en": "Sales", "legal_entity_id": "`+made.ID.String()+`"}`).Into(t, &department)
	renamed := f.Ask(httpkit.HR, "PATCH", "/api/v1/departments/"+department.ID.String(), `{"name_zh": "市场"}`, "Accept-Language", "zh")
	if renamed.Into(t, &department); department.Name != "市场" || department.NameEn != "Sales" {
		t.Errorf("renamed to %+v", department)
	}
	later := f.Ask(httpkit.HR, "PATCH", "/api/v1/legal-entities/"+made.ID.String(), `{"cutoff_time": "17:30"}`)
	if later.Into(t, &made); made.CutoffTime != "17:30:00" || made.NameZh != "日本" {
		t.Errorf("changed to %+v", made)
	}
	if got := f.Ask(httpkit.HR, "PATCH", "/api/v1/departments/"+made.ID.String(), `{"name_zh": "x"}`); got.Status != http.StatusNotFound {
		t.Errorf("a department that there is not: %d %s", got.Status, got.Body)
	}
	var page httpkit.Page[employees.DepartmentView]
	f.Ask(httpkit.IT, "GET", "/api/v1/departments?legal_entity_id="+made.ID.String(), "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != department.ID {
		t.Errorf("listed: %+v", page.Items)
	}
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.People[models.RoleReviewer], f.B)
	for role, knows := range map[models.Role]bool{httpkit.HR: true, models.RoleDepartmentHead: false, models.RoleReviewer: true} {
		var page httpkit.Page[employees.DepartmentView]
		f.Ask(role, "GET", "/api/v1/departments", "").Into(t, &page)
		i := slices.IndexFunc(page.Items, func(d employees.DepartmentView) bool { return d.ID == f.B })
		if i < 0 || (page.Items[i].Head != nil) != knows {
			t.Errorf("%s sees of the head of a department: %+v", role, page.Items)
		}
	}
	if got := f.Ask(httpkit.HR, "GET", "/api/v1/field-catalogue", "", "Accept-Language", "zh"); got.Status != http.StatusOK {
		t.Errorf("the catalogue: %d %s", got.Status, got.Body)
	}
	if n := f.Count("ledger_content WHERE action LIKE 'department.%' OR action LIKE 'legal_entity.%'"); n != 4 {
		t.Errorf("%d entries, want 4", n)
	}
}
