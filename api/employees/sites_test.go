package employees_test

import (
	"net/http"
	"testing"

	"lethe/api/apitest"
	"lethe/api/employees"
	"lethe/api/httpkit"
	"lethe/internal/archive"
)

// TestPeopleWorkAtSites that are entered once, renamed, given to people, listed by, and taken back.
func TestPeopleWorkAtSites(t *testing.T) {
	f := apitest.New(t)
	const body = `{"code": "SZ2", "name_zh": "深圳二厂", "name_en": "Shenzhen 2"}`
	first := f.Ask(httpkit.HR, "POST", "/api/v1/sites", body, "Idempotency-Key", "k")
	if again := f.Ask(httpkit.HR, "POST", "/api/v1/sites", body, "Idempotency-Key", "k"); first.Status != http.StatusCreated || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Fatalf("first %d %s, then %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	var site employees.SiteView
	first.Into(t, &site)
	if got := f.Ask(httpkit.HR, "POST", "/api/v1/sites", body); got.Problem.Code != "code_taken" {
		t.Errorf("a code that is taken: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(httpkit.HR, "POST", "/api/v1/sites", `{"code": "sz2", "name_zh": "深圳二厂", "name_en": "Shenzhen 2"}`); got.Problem.Code != "code_taken" || got.Problem.Location != first.Header.Get("Location") {
		t.Errorf("a code that is taken in another case: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(httpkit.HR, "PATCH", "/api/v1/sites/"+site.ID.String(), `{"name_zh": "深圳工厂"}`, "Accept-Language", "zh"); got.Status != 200 {
		t.Errorf("renamed: %d %s", got.Status, got.Body)
	}
	var page httpkit.Page[employees.SiteView]
	f.Ask(httpkit.HR, "GET", "/api/v1/sites", "", "Accept-Language", "zh").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].Name != "深圳工厂" {
		t.Errorf("listed %+v", page.Items)
	}
	person := "/api/v1/employees/" + f.Hire("E1", f.A).String()
	f.Hire("E2", f.A)
	if got := f.Ask(httpkit.HR, "PATCH", person, `{"site_id": "019f0000-0000-7000-8000-000000000000"}`); got.Problem.Code != "site_not_found" {
		t.Errorf("a site that there is not: %d %s", got.Status, got.Body)
	}
	var file archive.EmployeeView
	f.Ask(httpkit.HR, "PATCH", person, `{"site_id": "`+site.ID.String()+`", "post": "钳工"}`, "Accept-Language", "zh").Into(t, &file)
	if file.SiteID == nil || file.Site != "深圳工厂" {
		t.Errorf("the file says %v %q", file.SiteID, file.Site)
	}
	var people httpkit.Page[archive.Employee]
	f.Ask(httpkit.HR, "GET", "/api/v1/employees?site_id="+site.ID.String(), "", "Accept-Language", "zh").Into(t, &people)
	if len(people.Items) != 1 || people.Items[0].Site != "深圳工厂" {
		t.Errorf("at the site: %+v", people.Items)
	}
	f.Ask(httpkit.HR, "PATCH", person, `{"post": "技师"}`).Into(t, &file)
	if file.SiteID == nil {
		t.Error("another change took the site away")
	}
	if got := f.Ask(httpkit.HR, "PATCH", person, `{"site_id": "`+site.ID.String()+`", "no_site": true}`); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("both: %d %s", got.Status, got.Body)
	}
	var left archive.EmployeeView
	f.Ask(httpkit.HR, "PATCH", person, `{"no_site": true}`).Into(t, &left)
	if left.SiteID != nil || left.Site != "" {
		t.Errorf("taken back: %+v", left.Employee)
	}
	if n := f.Count("ledger_content WHERE action LIKE 'site.%'"); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
}
