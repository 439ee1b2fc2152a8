package permissions_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

const departments = "/api/v1/departments"

// TestI27_DepartmentsBelow: a tier that reaches down reaches those below the department that somebody heads, and no other.
func TestI27_DepartmentsBelow(t *testing.T) {
	o := newOffice(t)
	var entity uuid.UUID
	o.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT legal_entity_id FROM departments WHERE id = ?", o.A).Row().Scan(&entity))
	})
	enter := func(code, parent string, status int) (id uuid.UUID) {
		t.Helper()
		var made struct{ ID uuid.UUID }
		got := o.Ask(models.RoleHRAdmin, "POST", departments, `{"code": "`+code+`", "name_zh": "部", "name_en": "D", "legal_entity_id": "`+entity.String()+`"`+parent+`}`)
		if got.Status != status {
			t.Fatalf("%s: %d %s", code, got.Status, got.Body)
		}
		if status == 201 {
			got.Into(t, &made)
		}
		return made.ID
	}
	below := func(id uuid.UUID) string { return `, "parent_id": "` + id.String() + `"` }
	middle := enter("M", below(o.A), 201)
	bottom := enter("L", below(middle), 201)
	enter("X", below(uuid.New()), 422)
	move := func(v *apitest.Visitor, id uuid.UUID, body string) apitest.Reply {
		t.Helper()
		if v == nil {
			return o.Ask(models.RoleHRAdmin, "PATCH", departments+"/"+id.String(), body)
		}
		return v.Ask("PATCH", departments+"/"+id.String(), body)
	}
	for what, id := range map[string]uuid.UUID{"itself": o.A, "one below": bottom} {
		if got := move(nil, o.A, `{"parent_id": "`+id.String()+`"}`); got.Status != 409 || got.Problem.Code != "department_cycle" {
			t.Errorf("below %s: %d %s", what, got.Status, got.Body)
		}
	}
	own := o.PlainSession(o.People[models.RoleDepartmentHead], models.RoleHRAdmin)
	if got := move(own, o.B, `{"parent_id": "`+bottom.String()+`"}`); got.Status != 403 || got.Problem.Code != "department_own" {
		t.Errorf("by who heads one above: %d %s", got.Status, got.Body)
	}
	person := o.Hire("E1", bottom)
	outside := o.Hire("E2", o.B)
	if got := o.FreshSession(o.People[models.RoleDepartmentHead], models.RoleHRAdmin).Ask("PATCH", "/api/v1/employees/"+outside.String(), `{"department_id": "`+bottom.String()+`", "approval_reason": "moved"}`); got.Status != 202 || !strings.Contains(string(got.Body), string(models.CauseOwnReach)) {
		t.Errorf("a person by who heads one above: %d %s", got.Status, got.Body)
	}
	o.configure()
	p := o.read()
	p.Tiers = append(p.Tiers, permissions.Tier{Key: "division", NameZh: "事业部", NameEn: "Division", Role: models.RoleDepartmentHead, Scope: access.ScopeBelow, Members: []uuid.UUID{o.People[models.RoleDepartmentHead]}})
	p.Grants = append(p.Grants, permissions.Grant{Tier: "division", Group: string(access.GroupEmergencyContact), Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.NoLook})
	draft, err := json.Marshal(p.Draft)
	if err != nil {
		t.Fatal(err)
	}
	reaches := func() bool {
		t.Helper()
		var preview permissions.Preview
		o.Ask(models.RoleReviewer, "POST", address+"/preview", `{"looker_id": "`+o.People[models.RoleDepartmentHead].String()+`", "role": "department_head", "employee_id": "`+person.String()+`", "draft": `+string(draft)+`}`).Into(t, &preview)
		for _, g := range preview.Groups {
			if g.Group == string(access.GroupEmergencyContact) {
				return g.Shown == access.Masked && g.Purposes[0].Because[0].InScope
			}
		}
		return false
	}
	if !reaches() {
		t.Error("two levels below is not reached")
	}
	if got := move(nil, middle, `{"no_parent": true}`); got.Status != 200 || reaches() {
		t.Errorf("moved away, reached all the same: %d %s", got.Status, got.Body)
	}
}

// TestI27_ThoseAtTheOwnSite: a tier of the site reaches whoever is at the looker's, nobody who is at none or another, and
// follows who moves. Who would reach somebody by moving them there does not do it alone.
func TestI27_ThoseAtTheOwnSite(t *testing.T) {
	o := newOffice(t)
	site := func(code string) (id string) {
		t.Helper()
		var made struct{ ID uuid.UUID }
		o.Ask(models.RoleHRAdmin, "POST", "/api/v1/sites", `{"code": "`+code+`", "name_zh": "厂", "name_en": "Plant"}`).Into(t, &made)
		return made.ID.String()
	}
	here, there := site("S1"), site("S2")
	head := o.People[models.RoleDepartmentHead]
	neighbour, stranger, nowhere := o.Hire("E1", o.B), o.Hire("E2", o.A), o.Hire("E3", o.B)
	put := func(v *apitest.Visitor, id uuid.UUID, site string) apitest.Reply {
		return v.Ask("PATCH", "/api/v1/employees/"+id.String(), `{"site_id": "`+site+`", "approval_reason": "moved"}`)
	}
	hr := o.sessions[o.clerk]
	for id, site := range map[uuid.UUID]string{head: here, neighbour: here, stranger: there} {
		if got := put(hr, id, site); got.Status != 200 {
			t.Fatalf("put at a site: %d %s", got.Status, got.Body)
		}
	}
	o.configure()
	p := o.read()
	p.Tiers = append(p.Tiers, permissions.Tier{Key: "plant", NameZh: "厂区", NameEn: "Plant", Role: models.RoleDepartmentHead, Scope: access.ScopeSite, Members: []uuid.UUID{head}})
	p.Grants = append(p.Grants, permissions.Grant{Tier: "plant", Group: string(access.GroupEmergencyContact), Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.NoLook})
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	reaches := func(id uuid.UUID) bool {
		t.Helper()
		var preview permissions.Preview
		o.Ask(models.RoleReviewer, "POST", address+"/preview", `{"looker_id": "`+head.String()+`", "role": "department_head", "employee_id": "`+id.String()+`"}`).Into(t, &preview)
		for _, g := range preview.Groups {
			if g.Group == string(access.GroupEmergencyContact) {
				return g.Shown == access.Masked && g.Purposes[0].Because[0].InScope
			}
		}
		return false
	}
	if !reaches(neighbour) || reaches(stranger) || reaches(nowhere) {
		t.Errorf("reached: at the own site %t, at another %t, at none %t", reaches(neighbour), reaches(stranger), reaches(nowhere))
	}
	if got := put(o.FreshSession(head, models.RoleHRAdmin), stranger, here); got.Status != 202 || !strings.Contains(string(got.Body), string(models.CauseOwnReach)) {
		t.Errorf("brought to the own site by who reaches it: %d %s", got.Status, got.Body)
	}
	if got := put(hr, neighbour, there); got.Status != 200 || reaches(neighbour) {
		t.Errorf("moved away, reached all the same: %d %s", got.Status, got.Body)
	}
	if got := hr.Ask("PATCH", "/api/v1/employees/"+head.String(), `{"no_site": true}`); got.Status != 200 || reaches(nowhere) {
		t.Errorf("nobody is at no site together: %d %s", got.Status, got.Body)
	}
}

// TestLimitsAreAgreedTo: two people set how often somebody looks before a reviewer is asked; who looks gains by higher ones.
func TestLimitsAreAgreedTo(t *testing.T) {
	o := newOffice(t)
	o.configure()
	p := o.read()
	if *p.Limits != (permissions.Limits{PeoplePerDay: 20, LooksPerWeek: 5}) {
		t.Errorf("at first %+v", p.Limits)
	}
	for _, l := range []permissions.Limits{{PeoplePerDay: 0, LooksPerWeek: 5}, {PeoplePerDay: 101, LooksPerWeek: 5}, {PeoplePerDay: 20, LooksPerWeek: 31}} {
		p.Limits = &l
		if got := o.put(o.configurer, p); got.Status != 422 {
			t.Errorf("%+v: %d %s", l, got.Status, got.Body)
		}
	}
	p.Limits = &permissions.Limits{PeoplePerDay: 21, LooksPerWeek: 5}
	if got := o.put(o.configurer, p); got.Problem.Code != "permissions_gain" {
		t.Errorf("higher, by who looks: %d %s", got.Status, got.Body)
	}
	p.Limits = &permissions.Limits{PeoplePerDay: 1, LooksPerWeek: 5}
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	if got := o.read().Limits; *got != *p.Limits {
		t.Errorf("then %+v", got)
	}
	value := "6222020200112233446"
	look := `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`
	for i, want := range []int{200, 202} {
		id := o.Hire([]string{"E1", "E2"}[i], o.A)
		o.Run(func(tx *database.Tx) error {
			return archive.Update(tx, o.Vault, id, archive.Patch{Fields: map[string]*string{"bank_account": &value}})
		})
		if got := o.sessions[o.clerk].Ask("POST", "/api/v1/employees/"+id.String()+"/disclosures", look); got.Status != want {
			t.Errorf("look %d: %d %s", i, got.Status, got.Body)
		}
	}
}
