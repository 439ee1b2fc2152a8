package permissions_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/disclosures"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

const address = "/api/v1/permissions"

// office is the API with two HR administrators besides the usual one, of whom the first configures.
type office struct {
	*apitest.Fixture
	configurer, clerk uuid.UUID
	sessions          map[uuid.UUID]*apitest.Visitor
	reviewer          *apitest.Visitor
}

func newOffice(t *testing.T) *office {
	f := apitest.New(t)
	o := &office{Fixture: f, configurer: f.Hire("CONF", f.B), clerk: f.Hire("CLERK", f.B), sessions: map[uuid.UUID]*apitest.Visitor{}}
	for _, id := range []uuid.UUID{o.configurer, o.clerk, f.People[models.RoleHRAdmin]} {
		f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, id, models.RoleHRAdmin); return err })
		o.sessions[id] = f.FreshSession(id, models.RoleHRAdmin)
	}
	o.reviewer = f.FreshSession(f.People[models.RoleReviewer], models.RoleReviewer)
	return o
}

func (o *office) read() (p permissions.Permissions) {
	o.T.Helper()
	o.Ask(models.RoleAuditor, "GET", address, "").Into(o.T, &p)
	return p
}

// put asks for other permissions as somebody.
func (o *office) put(by uuid.UUID, p permissions.Permissions) apitest.Reply {
	o.T.Helper()
	fields := map[string]any{
		"base_version": p.Version, "tiers": p.Tiers, "grants": p.Grants, "protected": p.Protected, "configurers": p.Configurers, "limits": p.Limits, "approval_reason": "new duties",
	}
	if p.Patterns != nil {
		fields["patterns"] = p.Patterns
	}
	body, err := json.Marshal(fields)
	if err != nil {
		o.T.Fatal(err)
	}
	return o.sessions[by].Ask("PUT", address, string(body))
}

// agree lets the reviewer agree to what was asked for.
func (o *office) agree(asked apitest.Reply) apitest.Reply {
	o.T.Helper()
	if asked.Status != 202 {
		o.T.Fatalf("asked: %d %s", asked.Status, asked.Body)
	}
	var a approvals.ApprovalView
	asked.Into(o.T, &a)
	return o.reviewer.Ask("POST", "/api/v1/approvals/"+a.ID.String()+"/decision", `{"decision": "approved"}`)
}

// configure gives the first the permission to configure.
func (o *office) configure() {
	o.T.Helper()
	p := o.read()
	p.Configurers = []uuid.UUID{o.configurer}
	if got := o.agree(o.put(o.clerk, p)); got.Status != 200 {
		o.T.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
}

// TestI21_NobodyExtendsTheOwnPermissions: nobody configures until two people say so, neither who asks nor who agrees
// gains, and a change that was overtaken is void.
func TestI21_NobodyExtendsTheOwnPermissions(t *testing.T) {
	o := newOffice(t)
	usual := o.People[models.RoleHRAdmin]
	p := o.read()
	if p.Version != 0 || len(p.Grants) == 0 || len(p.Configurers) != 0 {
		t.Fatalf("at first: %+v", p)
	}
	without := p
	without.Grants = slices.Clone(p.Grants[1:])
	if got := o.put(usual, without); got.Status != 403 || got.Problem.Code != "not_configurer" {
		t.Errorf("by who does not configure: %d %s", got.Status, got.Body)
	}
	own := p
	own.Configurers = []uuid.UUID{usual}
	if got := o.put(usual, own); got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("for oneself: %d %s", got.Status, got.Body)
	}
	if got := o.put(usual, p); got.Status != 422 || got.Problem.Code != "permissions_same" {
		t.Errorf("nothing changed: %d %s", got.Status, got.Body)
	}
	o.configure()
	if p = o.read(); p.Version != 1 || !slices.Equal(p.Configurers, []uuid.UUID{o.configurer}) || p.ApprovedBy == nil || p.ChangedBy.EmployeeID != o.clerk {
		t.Fatalf("then: %+v", p)
	}
	o.WantEntries("permissions.changed", 1)

	// Who configures takes the own grants and gives them to a tier of others: the clerk gains, the two do not.
	narrow := p
	narrow.Tiers = append(slices.Clone(p.Tiers), permissions.Tier{Key: "pay", NameZh: "薪酬组", NameEn: "Pay", Role: models.RoleHRAdmin, Scope: access.ScopeAll, Members: []uuid.UUID{o.clerk}})
	narrow.Grants = append(slices.Clone(p.Grants), permissions.Grant{Tier: "pay", Group: string(access.GroupPayBank), Purpose: access.Payroll, Level: access.Look, Protected: access.NoLook})
	asked := o.put(o.configurer, narrow)
	stale := o.put(usual, permissions.Permissions{Version: 1, Draft: permissions.Draft{Tiers: p.Tiers, Grants: p.Grants, Configurers: []uuid.UUID{o.configurer, o.clerk}, Protected: []uuid.UUID{}}})
	var request approvals.ApprovalView
	o.sessions[o.configurer].Ask("GET", asked.Header.Get("Location"), "", "Accept-Language", "zh").Into(t, &request)
	text := fmt.Sprint(request.Changes)
	for _, want := range []string{"薪酬组", "薪酬与银行账户", "薪酬核对与更正", "可查阅", "CLERK"} {
		if !strings.Contains(text, want) {
			t.Errorf("the reviewer is not told %s: %s", want, text)
		}
	}
	if got := o.agree(asked); got.Status != 200 || o.read().Version != 2 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	if got := o.agree(stale); got.Status != 409 {
		t.Errorf("what was made from an older version: %d %s", got.Status, got.Body)
	}
	p = o.read()
	gain := p
	gain.Grants = slices.Clone(p.Grants)
	for i := range gain.Grants {
		if gain.Grants[i].Level == access.LookAfterReview {
			gain.Grants[i].Level = access.Look
		}
	}
	if got := o.put(o.configurer, gain); got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("what the requester gains by: %d %s", got.Status, got.Body)
	}
	// The reviewer is an HR administrator besides: what the tier of all gains is the reviewer's, too.
	o.Run(func(tx *database.Tx) error {
		_, err := identity.GrantTo(tx, o.People[models.RoleReviewer], models.RoleHRAdmin)
		return err
	})
	move := p
	move.Tiers = slices.Clone(p.Tiers)
	move.Tiers[len(move.Tiers)-1].Members = []uuid.UUID{o.clerk, o.configurer}
	if got := o.agree(o.put(o.configurer, move)); got.Status != 200 { // the requester loses
		t.Fatalf("moved: %d %s", got.Status, got.Body)
	}
	p = o.read()
	gain = p
	gain.Grants = slices.Clone(p.Grants)
	gain.Grants[0].Protected = access.Look
	gain.Protected = []uuid.UUID{o.People[models.RoleAuditor]}
	for i, g := range gain.Grants {
		if g.Level == access.LookAfterReview {
			gain.Grants[i].Level = access.Look
		}
	}
	if got := o.agree(o.put(o.configurer, gain)); got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("what the approver gains by: %d %s", got.Status, got.Body)
	}
	if o.read().Version != p.Version {
		t.Error("it was carried out")
	}
}

// TestTheMatrixDecidesViewsAndLooks: what a tier is not granted is hidden in the file and refused as a look, at once.
func TestTheMatrixDecidesViewsAndLooks(t *testing.T) {
	o := newOffice(t)
	person := o.Hire("E1", o.A)
	o.Run(func(tx *database.Tx) error {
		value := "6222020200112233446"
		return archive.Update(tx, o.Vault, person, archive.Patch{Fields: map[string]*string{"bank_account": &value}})
	})
	look := `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`
	ask := func() apitest.Reply {
		return o.sessions[o.clerk].Ask("POST", "/api/v1/employees/"+person.String()+"/disclosures", look)
	}
	masked := func() bool {
		var view archive.EmployeeView
		o.sessions[o.clerk].Ask("GET", "/api/v1/employees/"+person.String(), "").Into(t, &view)
		return slices.ContainsFunc(view.Fields, func(f archive.Field) bool { return f.Key == "bank_account" })
	}
	var shown disclosures.LookAnswer
	if ask().Into(t, &shown); shown.Values["bank_account"] == "" || !masked() {
		t.Fatalf("by the program's own permissions: %+v", shown)
	}
	o.configure()
	p := o.read()
	p.Tiers = append(p.Tiers, permissions.Tier{Key: "care", NameZh: "员工关怀", NameEn: "Care", Role: models.RoleHRAdmin, Scope: access.ScopeAll, Members: []uuid.UUID{o.clerk}})
	p.Grants = append(p.Grants, permissions.Grant{Tier: "care", Group: string(access.GroupEmergencyContact), Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.LookAfterReview})
	draft, err := json.Marshal(p.Draft)
	if err != nil {
		t.Fatal(err)
	}
	var preview permissions.Preview
	o.Ask(models.RoleReviewer, "POST", address+"/preview", `{"looker_id": "`+o.clerk.String()+`", "role": "hr_admin", "employee_id": "`+person.String()+`", "draft": `+string(draft)+`}`, "Accept-Language", "zh").Into(t, &preview)
	for _, g := range preview.Groups {
		if want := map[bool]access.Access{true: access.Masked, false: access.Hidden}[g.Group == string(access.GroupEmergencyContact)]; g.Shown != want {
			t.Errorf("%s would be %s", g.Group, g.Shown)
		}
		if len(g.Purposes[0].Because) != 1 || g.Purposes[0].Because[0].TierText != "员工关怀" {
			t.Errorf("because of %+v", g.Purposes[0].Because)
		}
	}
	if !masked() {
		t.Error("a preview changed something")
	}
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	if got := ask(); got.Status != 403 || got.Problem.Rule != "purpose_not_for_field" || masked() {
		t.Errorf("without a grant: %d %s, masked %v", got.Status, got.Body, masked())
	}
}

// TestPermissionsThatDoNotHoldTogetherAreRefused, each with where it is wrong.
func TestPermissionsThatDoNotHoldTogetherAreRefused(t *testing.T) {
	o := newOffice(t)
	o.configure()
	for what, change := range map[string]func(p *permissions.Permissions){
		"tiers[0].members":  func(p *permissions.Permissions) { p.Tiers[0].Members = []uuid.UUID{o.clerk} },
		"tiers[2].key":      func(p *permissions.Permissions) { p.Tiers = append(p.Tiers, p.Tiers[0]); p.Tiers[2].Default = false },
		"tiers":             func(p *permissions.Permissions) { p.Tiers = p.Tiers[:1] },
		"grants[0].tier":    func(p *permissions.Permissions) { p.Grants[0].Tier = "nobody's" },
		"grants[1]":         func(p *permissions.Permissions) { p.Grants[1] = p.Grants[0] },
		"protected":         func(p *permissions.Permissions) { p.Protected = []uuid.UUID{uuid.Max} },
		"configurers":       func(p *permissions.Permissions) { p.Configurers = append(p.Configurers, uuid.Max) },
		"grants[0].level":   func(p *permissions.Permissions) { p.Grants[0].Level = "everything" },
		"tiers[0].scope":    func(p *permissions.Permissions) { p.Tiers[0].Scope = "the_world" },
		"tiers[0].name_zh":  func(p *permissions.Permissions) { p.Tiers[0].NameZh = "\u200b" },
		"grants[0].purpose": func(p *permissions.Permissions) { p.Grants[0].Purpose = "curiosity" },
		"patterns[0].legal_entity_id": func(p *permissions.Permissions) {
			p.Patterns = []permissions.PatternSwitch{{LegalEntityID: uuid.Max}}
		},
		"patterns[1].legal_entity_id": func(p *permissions.Permissions) {
			p.Patterns = []permissions.PatternSwitch{{LegalEntityID: p.Entities[0].ID}, {LegalEntityID: p.Entities[0].ID, Shown: true}}
		},
	} {
		p := o.read()
		change(&p)
		got := o.put(o.configurer, p)
		found := false
		for _, e := range got.Problem.Errors {
			found = found || e.Location == "body."+what
		}
		if got.Status != 422 || !found {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if o.read().Version != 1 {
		t.Error("one of them was carried out")
	}
	old := o.read()
	old.Version = 0
	old.Grants = old.Grants[1:]
	if got := o.put(o.configurer, old); got.Status != 409 || got.Problem.Code != "permissions_changed" {
		t.Errorf("from an older version: %d %s", got.Status, got.Body)
	}
}
