package permissions_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// site enters a site.
func (o *office) site(code string) uuid.UUID {
	o.T.Helper()
	var made struct{ ID uuid.UUID }
	o.Ask(models.RoleHRAdmin, "POST", "/api/v1/sites", `{"code": "`+code+`", "name_zh": "厂", "name_en": "Plant"}`).Into(o.T, &made)
	return made.ID
}

// tier has two people agree to a tier that looks at emergency contacts, in place of the one with that key.
func (o *office) tier(tier permissions.Tier) {
	o.T.Helper()
	p := o.read()
	p.Tiers = append(slices.DeleteFunc(p.Tiers, func(t permissions.Tier) bool { return t.Key == tier.Key }), tier)
	p.Grants = append(slices.DeleteFunc(p.Grants, func(g permissions.Grant) bool { return g.Tier == tier.Key }), permissions.Grant{
		Tier: tier.Key, Group: string(access.GroupEmergencyContact), Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.NoLook,
	})
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		o.T.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
}

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

// TestI27_NobodyLooksFurtherByAMove: whoever reaches people by the site moves to another one by two people's word, in an import
// not at all; and who would reach somebody by a move does not agree to it.
func TestI27_NobodyLooksFurtherByAMove(t *testing.T) {
	o := newOffice(t)
	here, there := o.site("S1"), o.site("S2")
	looker, second, stranger, other := o.Hire("L1", o.A), o.Hire("L2", o.A), o.Hire("E1", o.B), o.Hire("E2", o.B)
	put := func(v *apitest.Visitor, id, site uuid.UUID) apitest.Reply {
		return v.Ask("PATCH", "/api/v1/employees/"+id.String(), `{"site_id": "`+site.String()+`", "approval_reason": "moved"}`)
	}
	hr := o.sessions[o.clerk]
	for id, site := range map[uuid.UUID]uuid.UUID{looker: here, second: here, stranger: there, other: there} {
		if got := put(hr, id, site); got.Status != 200 {
			t.Fatalf("put at a site: %d %s", got.Status, got.Body)
		}
	}
	for _, id := range []uuid.UUID{looker, second} {
		o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, id, models.RoleHRAdmin); return err })
	}
	o.configure()
	o.tier(permissions.Tier{Key: "plant", NameZh: "厂区", NameEn: "Plant", Role: models.RoleHRAdmin, Scope: access.ScopeSite, Members: []uuid.UUID{looker, second}})
	moved := put(hr, looker, there)
	if moved.Status != 202 || !strings.Contains(string(moved.Body), string(models.CauseOwnReach)) {
		t.Errorf("who looks, by one: %d %s", moved.Status, moved.Body)
	}
	if got := hr.Ask("PATCH", "/api/v1/employees/"+looker.String(), `{"site_id": "`+here.String()+`", "post": "Clerk"}`); got.Status != 200 {
		t.Errorf("who looks, to where they are: %d %s", got.Status, got.Body)
	}
	if got := put(hr, other, here); got.Status != 200 {
		t.Errorf("who does not look, by who gains nothing: %d %s", got.Status, got.Body)
	}
	asked := put(o.FreshSession(looker, models.RoleHRAdmin), stranger, here)
	if asked.Status != 202 {
		t.Fatalf("brought to the own site: %d %s", asked.Status, asked.Body)
	}
	var request approvals.ApprovalView
	asked.Into(t, &request)
	decide := func(v *apitest.Visitor) apitest.Reply {
		return v.Ask("POST", "/api/v1/approvals/"+request.ID.String()+"/decision", `{"decision": "approved"}`)
	}
	if got := decide(o.FreshSession(second, models.RoleHRAdmin)); got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("agreed to by who would reach the person, too: %d %s", got.Status, got.Body)
	}
	if got := decide(o.reviewer); got.Status != 200 {
		t.Errorf("agreed to by who gains nothing: %d %s", got.Status, got.Body)
	}
	o.Run(func(tx *database.Tx) error {
		reach, err := archive.ReachNow(tx, second)
		if err != nil {
			return err
		}
		for what, c := range map[string]struct {
			id   uuid.UUID
			site uuid.UUID
			want bool
		}{"a looker": {looker, there, true}, "who is there already": {second, here, false}, "to where a looker imports": {other, there, false}} {
			if got := reach.BySite(models.Employee{ID: c.id, SiteID: &here}, &c.site); got != c.want {
				t.Errorf("%s: %t", what, got)
			}
		}
		if !reach.BySite(models.Employee{ID: other, SiteID: &there}, &here) {
			t.Error("somebody who comes to where the sender looks")
		}
		return nil
	})
}

// TestI27_NobodyAgreesToAMoveIntoTheOwnCompany, if the permissions let them look at all of their company.
func TestI27_NobodyAgreesToAMoveIntoTheOwnCompany(t *testing.T) {
	o := newOffice(t)
	var made struct{ ID uuid.UUID }
	o.Ask(models.RoleHRAdmin, "POST", "/api/v1/legal-entities", `{"code": "LE2", "name_zh": "乙公司", "name_en": "Second", "jurisdiction": "CN", "time_zone": "Asia/Shanghai"}`).Into(t, &made)
	company := made.ID.String()
	o.Ask(models.RoleHRAdmin, "POST", departments, `{"code": "Z", "name_zh": "部", "name_en": "D", "legal_entity_id": "`+company+`"}`).Into(t, &made)
	looker, stranger := o.Hire("L1", made.ID), o.Hire("E1", o.B)
	o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, looker, models.RoleHRAdmin); return err })
	o.configure()
	o.tier(permissions.Tier{Key: "company", NameZh: "本公司", NameEn: "Company", Role: models.RoleHRAdmin, Scope: access.ScopeEntity, Members: []uuid.UUID{looker}})
	asked := o.sessions[o.clerk].Ask("PATCH", "/api/v1/employees/"+stranger.String(), `{"department_id": "`+made.ID.String()+`", "approval_reason": "moved"}`)
	if asked.Status != 202 {
		t.Fatalf("to another company: %d %s", asked.Status, asked.Body)
	}
	var request approvals.ApprovalView
	asked.Into(t, &request)
	got := o.FreshSession(looker, models.RoleHRAdmin).Ask("POST", "/api/v1/approvals/"+request.ID.String()+"/decision", `{"decision": "approved"}`)
	if got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("agreed to by who would reach the person: %d %s", got.Status, got.Body)
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
