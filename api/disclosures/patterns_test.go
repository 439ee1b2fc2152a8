package disclosures_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestReviewersAreShownPatternsAndNobodyElse: by what was written, in words with numbers, recorded, and never of the own looks
// or those at the own file.
func TestReviewersAreShownPatternsAndNobodyElse(t *testing.T) {
	w := newWorld(t)
	const look = `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`
	for i := range 5 {
		if got := w.hr.Ask("POST", "/api/v1/employees/"+w.Hire("P"+strconv.Itoa(i), w.A).String()+"/disclosures", look); got.Status != 200 {
			t.Fatalf("look %d: %d %s", i, got.Status, got.Body)
		}
	}
	var view disclosures.PatternsView
	w.Ask(models.RoleReviewer, "GET", "/api/v1/disclosure-patterns", "", "Accept-Language", "zh").Into(t, &view)
	view.Items = slices.DeleteFunc(view.Items, func(p disclosures.PatternView) bool { return p.Kind == "at_night" }) // this may run then
	if len(view.Items) != 1 || view.Looks != 5 || view.Note == "" {
		t.Fatalf("found %+v", view)
	}
	p := view.Items[0]
	if p.Kind != "one_reason" || p.People != 5 || p.Looks != 5 || len(p.Latest) != 5 || p.Latest[0].Person == nil || p.Latest[0].PurposeText == "" || p.Latest[0].AskedAt.Before(p.Latest[4].AskedAt) || p.Looker == nil || p.Text != "30 天内用同一段原因申请查阅 5 人，共 5 次。" {
		t.Errorf("the pattern is %+v", p)
	}
	if strings.Contains(p.Text, "退票") {
		t.Error("the reason is quoted")
	}
	if n := w.Count("ledger_content WHERE action = 'disclosure.patterns_read'"); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	for _, role := range []models.Role{httpkit.HR, models.RoleDepartmentHead, models.RoleAuditor, models.RoleITOps, models.RoleEmployee} {
		if got := w.Ask(role, "GET", "/api/v1/disclosure-patterns", ""); got.Status != 403 {
			t.Errorf("%s: %d %s", role, got.Status, got.Body)
		}
	}
	if w.Count("ledger_content WHERE action = 'disclosure.patterns_read'") != 1 {
		t.Error("a refused reading is recorded as one")
	}
	own := w.FreshSession(p.Looker.EmployeeID, models.RoleReviewer)
	var mine disclosures.PatternsView
	if own.Ask("GET", "/api/v1/disclosure-patterns", "").Into(t, &mine); len(mine.Items) > 0 || mine.Looks > 0 {
		t.Errorf("about the own looks: %+v", mine)
	}
	subject := w.FreshSession(view.Items[0].Latest[0].Person.EmployeeID, models.RoleReviewer)
	var others disclosures.PatternsView
	if subject.Ask("GET", "/api/v1/disclosure-patterns", "").Into(t, &others); len(others.Items) > 0 || others.Looks != 4 {
		t.Errorf("about looks at the own file: %+v", others)
	}
	if got := w.Ask(models.RoleReviewer, "GET", "/api/v1/disclosure-patterns?days=6", ""); got.Status != 422 {
		t.Errorf("of six days: %d %s", got.Status, got.Body)
	}
}
