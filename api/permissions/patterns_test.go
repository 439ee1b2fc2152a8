package permissions_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/disclosures"
	"lethe/api/permissions"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/identity"
	"lethe/models"
)

// TestPatternsAreSwitchedByTwo: of looks by people in Germany none are shown until two people say so; others can be
// switched off, and whoever saves the permissions without a word about patterns changes none.
func TestPatternsAreSwitchedByTwo(t *testing.T) {
	o := newOffice(t)
	o.configure()
	var munich, department struct{ ID uuid.UUID }
	hr := o.sessions[o.clerk]
	hr.Ask("POST", "/api/v1/legal-entities", `{"code": "M1", "name_zh": "慕尼黑", "name_en": "Munich", "jurisdiction": "DE", "region": "BY", "time_zone": "Europe/Berlin"}`).Into(t, &munich)
	hr.Ask("POST", "/api/v1/departments", `{"code": "D9", "name_zh": "人事", "name_en": "HR", "legal_entity_id": "`+munich.ID.String()+`"}`).Into(t, &department)
	looker := o.Hire("DE1", department.ID)
	o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, looker, models.RoleHRAdmin); return err })
	there := o.FreshSession(looker, models.RoleHRAdmin)
	for i := range 5 {
		look := `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`
		if got := there.Ask("POST", "/api/v1/employees/"+o.Hire("P"+strconv.Itoa(i), o.A).String()+"/disclosures", look); got.Status != 200 {
			t.Fatalf("look %d: %d %s", i, got.Status, got.Body)
		}
	}
	want := func(when string, found, hidden int) {
		t.Helper()
		var v disclosures.PatternsView
		o.reviewer.Ask("GET", "/api/v1/disclosure-patterns", "").Into(t, &v)
		// Which of them were at night depends on the hour.
		reasons := slices.DeleteFunc(v.Items, func(p disclosures.PatternView) bool { return p.Kind != disclosure.OneReason })
		if len(reasons) != found || len(v.Hidden) != hidden {
			t.Errorf("%s: found %+v, hidden %+v", when, v.Items, v.Hidden)
		}
	}
	want("at first", 0, 1)
	p := o.read()
	if p.Patterns != nil || len(p.Entities) < 2 || p.Entities[0].ShownByDefault == p.Entities[len(p.Entities)-1].ShownByDefault {
		t.Errorf("at first %+v of %+v", p.Patterns, p.Entities)
	}
	p.Patterns = []permissions.PatternSwitch{{LegalEntityID: munich.ID, Shown: true}}
	asked := o.put(o.configurer, p)
	var request approvals.ApprovalView
	o.reviewer.Ask("GET", asked.Header.Get("Location"), "", "Accept-Language", "en").Into(t, &request)
	if len(request.Changes) != 1 || !strings.Contains(string(o.reviewer.Ask("GET", asked.Header.Get("Location"), "").Body), "Munich") {
		t.Errorf("the reviewer is told %+v", request.Changes)
	}
	want("asked for", 0, 1)
	if got := o.agree(asked); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	want("agreed to", 1, 0)

	p = o.read()
	p.Patterns, p.Protected = nil, []uuid.UUID{looker}
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		t.Fatalf("without a word about patterns: %d %s", got.Status, got.Body)
	}
	want("without a word about them", 1, 0)

	p = o.read()
	p.Patterns[0].Shown = false
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		t.Fatalf("switched off: %d %s", got.Status, got.Body)
	}
	want("switched off", 0, 1)
	p = o.read()
	p.Patterns = []permissions.PatternSwitch{}
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 || o.read().Patterns != nil {
		t.Errorf("by default again: %d %s, %+v", got.Status, got.Body, o.read().Patterns)
	}
}
