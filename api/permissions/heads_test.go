package permissions_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// company is an office with people around a head: in the headed department, below it, at the head's site, in the same legal
// entity alone, and in another one.
type company struct {
	*office
	head   uuid.UUID
	by     *apitest.Visitor
	below  uuid.UUID // a department
	far    uuid.UUID // one of another legal entity
	here   uuid.UUID // the head's site
	people map[string]uuid.UUID
}

func newCompany(t *testing.T) *company {
	o := newOffice(t)
	c := &company{office: o, head: o.People[models.RoleDepartmentHead], here: o.site("S1"), people: map[string]uuid.UUID{}}
	enter := func(path, body string) uuid.UUID {
		var made struct{ ID uuid.UUID }
		o.Ask(models.RoleHRAdmin, "POST", path, body).Into(t, &made)
		return made.ID
	}
	var entity uuid.UUID
	o.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT legal_entity_id FROM departments WHERE id = ?", o.A).Row().Scan(&entity))
	})
	other := enter("/api/v1/legal-entities", `{"code": "LE2", "name_zh": "乙公司", "name_en": "Second", "jurisdiction": "CN", "time_zone": "Asia/Shanghai"}`)
	c.below = enter(departments, `{"code": "M", "name_zh": "部", "name_en": "D", "legal_entity_id": "`+entity.String()+`", "parent_id": "`+o.A.String()+`"}`)
	c.far = enter(departments, `{"code": "Z", "name_zh": "部", "name_en": "D", "legal_entity_id": "`+other.String()+`"}`)
	for name, department := range map[string]uuid.UUID{"own": o.A, "below": c.below, "site": o.B, "entity": o.B, "foreign": c.far} {
		c.people[name] = o.file(o.Hire("E-"+strings.ToUpper(name), department))
	}
	for _, id := range []uuid.UUID{c.head, c.people["site"]} {
		c.move(id, `{"site_id": "`+c.here.String()+`"}`)
	}
	o.configure()
	c.by = o.FreshSession(c.head, models.RoleDepartmentHead)
	return c
}

// move changes a file, with the reviewer's word where it takes two.
func (c *company) move(id uuid.UUID, body string) {
	c.T.Helper()
	got := c.sessions[c.clerk].Ask("PATCH", "/api/v1/employees/"+id.String(), strings.TrimSuffix(body, "}")+`, "approval_reason": "moved"}`)
	if got.Status == 202 {
		c.decide(got.Header.Get("Location")+"/decision", 200)
	} else if got.Status != 200 {
		c.T.Fatalf("moving: %d %s", got.Status, got.Body)
	}
}

// reach puts the head into a tier of its own.
func (c *company) reach(scope access.Scope) {
	c.tier(permissions.Tier{Key: "heads", NameZh: "主管", NameEn: "Heads", Role: models.RoleDepartmentHead, Scope: scope, Members: []uuid.UUID{c.head}})
}

// meets says what the head meets of each person: "look" and basic file, "file" alone, or nothing.
func (c *company) meets() map[string]string {
	c.T.Helper()
	met := map[string]string{}
	var page httpkit.Page[archive.Employee]
	c.by.Ask("GET", "/api/v1/employees?limit=200", "").Into(c.T, &page)
	for name, id := range c.people {
		listed := slices.ContainsFunc(page.Items, func(e archive.Employee) bool { return e.ID == id })
		var found httpkit.Page[archive.Employee]
		c.by.Ask("GET", "/api/v1/employees?q=E-"+name, "").Into(c.T, &found)
		file := c.by.Ask("GET", "/api/v1/employees/"+id.String(), "")
		look := c.by.Ask("POST", "/api/v1/employees/"+id.String()+"/disclosures", c.emergency())
		compared := c.by.Ask("POST", "/api/v1/employees/"+id.String()+"/comparisons", strings.Replace(strings.Replace(c.emergency(), `"fields": ["emergency_contact_phone"]`, `"field": "emergency_contact_phone"`, 1), `{`, `{"value": "13800138000", `, 1))
		purposes := c.by.Ask("GET", "/api/v1/disclosure-purposes?employee_id="+id.String(), "")
		var offered disclosures.Catalogue
		if purposes.Status == 200 {
			purposes.Into(c.T, &offered)
		}
		opens := slices.ContainsFunc(offered.Purposes, func(p disclosures.PurposeView) bool { return len(p.Groups) > 0 })
		if purposes.Status != file.Status || opens != (look.Status == 200) {
			c.T.Errorf("%s: the purposes answer %d, and offer one: %t; the look %d", name, purposes.Status, opens, look.Status)
		}
		shows := listed && len(found.Items) == 1 && found.Items[0].ID == id && file.Status == 200
		switch { // a number is compared three times a day
		case shows && look.Status == 200 && strings.Contains(string(look.Body), "13800138000") && compared.Status != 404 && strings.Contains(string(file.Body), `"emergency_contact_phone"`):
			met[name] = "look"
		case shows && look.Status == 403 && look.Problem.Code == "disclosure_refused" && compared.Status == 403 && !strings.Contains(string(file.Body), `"emergency_contact_phone"`):
			met[name] = "file"
		case !listed && len(found.Items) == 0 && file.Status == 404 && look.Status == 404 && compared.Status == 404:
			nobody := c.by.Ask("POST", "/api/v1/employees/"+uuid.NewString()+"/disclosures", c.emergency())
			if look.Problem.Title != nobody.Problem.Title || look.Problem.Detail != nobody.Problem.Detail || look.Problem.Code != nobody.Problem.Code {
				c.T.Errorf("%s: %s, of nobody %s", name, look.Body, nobody.Body)
			}
		default:
			c.T.Errorf("%s: listed %t, found %d, file %d, look %d %s, compared %d %s", name, listed, len(found.Items), file.Status, look.Status, look.Body, compared.Status, compared.Body)
		}
	}
	return met
}

func (c *company) want(what string, looks, files string) {
	c.T.Helper()
	met := c.meets()
	for name := range c.people {
		want := ""
		switch {
		case slices.Contains(strings.Fields(looks), name):
			want = "look"
		case slices.Contains(strings.Fields(files), name):
			want = "file"
		}
		if met[name] != want {
			c.T.Errorf("%s: %s is met by %q, want %q", what, name, met[name], want)
		}
	}
}

// TestI27_AHeadReachesWhomTheTierReaches, in the list, the search, the file and by a look, and nobody else: those of the own
// departments by their basic file alone if the tier does not reach them.
func TestI27_AHeadReachesWhomTheTierReaches(t *testing.T) {
	c := newCompany(t)
	c.want("without a tier", "", "own")
	for _, s := range []struct {
		scope access.Scope
		looks string
	}{
		{access.ScopeDepartment, "own"},
		{access.ScopeBelow, "own below"},
		{access.ScopeSite, "site"},
		{access.ScopeEntity, "own below site entity"},
		{access.ScopeAll, "own below site entity foreign"},
	} {
		c.reach(s.scope)
		c.want(string(s.scope), s.looks, "own")
	}
	employee := c.FreshSession(c.head, models.RoleEmployee)
	if got := employee.Ask("GET", "/api/v1/employees/"+c.people["entity"].String(), ""); got.Status != 404 {
		t.Errorf("in another role: %d", got.Status)
	}
	// What is about the person beside the file stays with those who saw it before.
	for path, status := range map[string]int{"/api/v1/employees/%/accounts": 404, "/api/v1/employees/%/disclosures": 404} {
		if got := c.by.Ask("GET", strings.Replace(path, "%", c.people["entity"].String(), 1), ""); got.Status != status {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	c.change(func(p *permissions.Permissions) {
		p.Grants = slices.DeleteFunc(p.Grants, func(g permissions.Grant) bool { return g.Tier == "heads" })
	})
	c.want("a tier without a grant", "", "own")
}

// TestI27_WhomAHeadReachesFollowsMoves, of either, and ends with the tier.
func TestI27_WhomAHeadReachesFollowsMoves(t *testing.T) {
	c := newCompany(t)
	c.reach(access.ScopeSite)
	c.move(c.people["entity"], `{"site_id": "`+c.here.String()+`"}`)
	c.move(c.people["site"], `{"no_site": true}`)
	c.want("two moved", "entity", "own")
	c.move(c.head, `{"no_site": true}`)
	c.want("at no site", "", "own")
	c.reach(access.ScopeBelow)
	c.move(c.people["entity"], `{"department_id": "`+c.below.String()+`"}`)
	c.move(c.people["below"], `{"department_id": "`+c.B.String()+`"}`)
	c.want("another department", "own entity", "own")
	c.reach(access.ScopeEntity)
	c.move(c.people["site"], `{"department_id": "`+c.far.String()+`"}`)
	c.want("another legal entity", "own below entity", "own")
	shown, _ := c.look(c.by, c.people["entity"], c.emergency(), 200)
	c.change(func(p *permissions.Permissions) {
		p.Tiers = slices.DeleteFunc(p.Tiers, func(t permissions.Tier) bool { return t.Key == "heads" })
		p.Grants = slices.DeleteFunc(p.Grants, func(g permissions.Grant) bool { return g.Tier == "heads" })
	})
	c.want("the tier is taken away", "", "own")
	c.opening("shown before", c.by, shown, 409, "disclosure_not_open")
}

// TestI27_ProtectedPeopleAreReachedWhereTheyMayBe: whom no tier lets the head look at is not found by the tier either; and
// who is purged, has left or works elsewhere by now stands to the head as anybody does.
func TestI27_ProtectedPeopleAreReachedWhereTheyMayBe(t *testing.T) {
	c := newCompany(t)
	c.reach(access.ScopeEntity)
	c.change(func(p *permissions.Permissions) { p.Protected = []uuid.UUID{c.people["entity"], c.people["own"]} })
	c.want("protected", "below site", "own")
	c.change(func(p *permissions.Permissions) {
		for i := range p.Grants {
			if p.Grants[i].Tier == "heads" {
				p.Grants[i].Protected = access.Look
			}
		}
	})
	c.want("protected, who may be looked at", "own below site entity", "own")
	c.change(func(p *permissions.Permissions) {
		for i := range p.Grants {
			if p.Grants[i].Tier == "heads" {
				p.Grants[i].Protected = access.LookAfterReview
			}
		}
	})
	offered := func(name string) string {
		return string(c.by.Ask("GET", "/api/v1/disclosure-purposes?employee_id="+c.people[name].String(), "").Body)
	}
	if offered("entity") != offered("site") || !strings.Contains(offered("site"), `"groups":[{`) {
		t.Errorf("the purposes tell who is protected: %s, %s", offered("entity"), offered("site"))
	}

	if err := databasetest.Unguarded(c.Env.Facts, "employees", "employees_status", "UPDATE employees SET status = 'purged' WHERE id = '"+c.people["site"].String()+"'"); err != nil {
		t.Fatal(err)
	}
	if got := c.by.Ask("GET", "/api/v1/employees/"+c.people["site"].String(), ""); got.Status != 200 {
		t.Errorf("purged: %d", got.Status)
	}
	// A second employment elsewhere: the first one is not reached through it.
	first := c.Employment(c.people["below"])
	c.LeftLongAgo(c.people["below"], -40, false)
	again, err := clock.ParseDate(c.Day(1))
	if err != nil {
		t.Fatal(err)
	}
	c.Run(func(tx *database.Tx) error {
		_, _, err := archive.Create(tx, c.Vault, archive.NewEmployee{EmployeeNo: "E-BELOW", Name: "Person E-BELOW", DepartmentID: c.far, HiredOn: again})
		return err
	})
	former := strings.Replace(c.emergency(), `{`, `{"employment_id": "`+first.String()+`", `, 1)
	for what, body := range map[string]string{"hired elsewhere": c.emergency(), "the former employment": former} {
		if got := c.by.Ask("POST", "/api/v1/employees/"+c.people["below"].String()+"/disclosures", body); got.Status != 404 {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
}
