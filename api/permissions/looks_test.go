package permissions_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/disclosures"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/disclosure"
	"lethe/internal/identity"
	"lethe/models"
)

const (
	account = "6222020200112233446"
	payroll = `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`
	order   = `{"fields": ["id_number", "id_document_scan"], "purpose": "authority_order", "reason": "公安机关持调取证据通知书来公司调取，已回拨核实",
		"evidence": {"authority": "某某区公安分局", "officials": "张警官 012345", "document_no": "公（刑）调证字〔2026〕12号", "called_back_at": "110"}}`
)

// change has two people agree to other permissions.
func (o *office) change(what func(p *permissions.Permissions)) {
	o.T.Helper()
	p := o.read()
	what(&p)
	if got := o.agree(o.put(o.configurer, p)); got.Status != 200 {
		o.T.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
}

// level grants a purpose as far as that, or to nobody.
func (o *office) level(purpose access.Purpose, level access.Level) {
	o.T.Helper()
	o.change(func(p *permissions.Permissions) {
		if level == access.NoLook {
			p.Grants = slices.DeleteFunc(p.Grants, func(g permissions.Grant) bool { return g.Purpose == purpose })
		}
		for i := range p.Grants {
			if p.Grants[i].Purpose == purpose {
				p.Grants[i].Level = level
			}
		}
	})
}

// filed is somebody new with a file.
func (o *office) filed(no string) uuid.UUID {
	o.T.Helper()
	return o.file(o.Hire(no, o.B))
}

// file writes into somebody's file what looks are at.
func (o *office) file(id uuid.UUID) uuid.UUID {
	o.T.Helper()
	number, phone, value := "11010519491231002X", "13800138000", account
	o.Run(func(tx *database.Tx) error {
		return archive.Update(tx, o.Vault, id, archive.Patch{Fields: map[string]*string{"bank_account": &value, "id_number": &number, "emergency_contact_phone": &phone}})
	})
	return id
}

func (o *office) emergency() string {
	o.T.Helper()
	now, err := o.Env.Facts.Now(o.T.Context())
	if err != nil {
		o.T.Fatal(err)
	}
	return `{"fields": ["emergency_contact_phone"], "purpose": "medical_emergency", "reason": "员工在车间晕倒，已送往第一医院抢救，需要通知家属",
		"evidence": {"what": "在车间晕倒", "when": "` + now.Add(-10*time.Minute).Format(time.RFC3339) + `", "reported_by": "车间主任"}}`
}

// look asks for one, and says where it is and, if it waits, where the request.
func (o *office) look(by *apitest.Visitor, person uuid.UUID, body string, status int) (look, decision string) {
	o.T.Helper()
	got := by.Ask("POST", "/api/v1/employees/"+person.String()+"/disclosures", body)
	if got.Status != status {
		o.T.Fatalf("looking: %d %s, want %d", got.Status, got.Body, status)
	}
	if status == 202 {
		var a approvals.ApprovalView
		got.Into(o.T, &a)
		return "/api/v1/disclosures/" + a.Targets[0].ID.String(), "/api/v1/approvals/" + a.ID.String() + "/decision"
	}
	var shown disclosures.LookAnswer
	got.Into(o.T, &shown)
	return "/api/v1/disclosures/" + shown.ID.String(), ""
}

// decide has the reviewer agree.
func (o *office) decide(decision string, status int) {
	o.T.Helper()
	if got := o.reviewer.Ask("POST", decision, `{"decision": "approved"}`); got.Status != status || status != 200 && got.Problem.Code != "approval_void" {
		o.T.Errorf("deciding: %d %s, want %d", got.Status, got.Body, status)
	}
}

// opening opens a look, or shows it again.
func (o *office) opening(what string, by *apitest.Visitor, look string, status int, code string) {
	o.T.Helper()
	got := by.Ask("POST", look+"/opening", "")
	if got.Status != status || status != 200 && got.Problem.Code != code {
		o.T.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Body, status, code)
	}
	if status != 200 && bytes.Contains(got.Body, []byte(account)) {
		o.T.Errorf("%s: the value is shown", what)
	}
}

// TestI23_I27_ALookEndsWithItsGrant: once the grant is gone a reviewer's decision is void, what a reviewer agreed to lapses,
// and what was shown is not shown again, which is in the log.
func TestI23_I27_ALookEndsWithItsGrant(t *testing.T) {
	o := newOffice(t)
	o.configure()
	hr := o.FreshSession(o.clerk, models.RoleHRAdmin)
	shown, _ := o.look(hr, o.filed("E1"), payroll, 200)
	o.opening("as it was", hr, shown, 200, "")
	o.level(access.Payroll, access.LookAfterReview)
	o.opening("shown without a reviewer, whom the grant wants now", hr, shown, 409, "disclosure_not_open")
	o.WantEntries("disclosure.refused", 1)
	waiting, undecided := o.look(hr, o.filed("E2"), payroll, 202)
	granted, decision := o.look(hr, o.filed("E3"), payroll, 202)
	reviewed, another := o.look(hr, o.filed("E4"), payroll, 202)
	o.decide(decision, 200)
	o.decide(another, 200)
	o.opening("agreed to", hr, reviewed, 200, "")
	o.opening("agreed to, again", hr, reviewed, 200, "")
	o.level(access.Payroll, access.NoLook)
	o.decide(undecided, 409)
	o.opening("never agreed to", hr, waiting, 409, "disclosure_not_open")
	o.opening("agreed to before the grant went", hr, granted, 409, "disclosure_lapsed")
	o.opening("shown before the grant went", hr, reviewed, 409, "disclosure_not_open")
	o.WantEntries("disclosure.lapsed", 1)
	o.WantEntries("disclosure.refused", 3)
	if n := o.Count("disclosures WHERE state = 'lapsed'"); n != 1 {
		t.Errorf("%d lapsed", n)
	}
}

// TestI23_I27_ALookThatWaitsEndsByItself once nobody could open it any more, and its request with it, so that no reviewer is
// asked in vain: refused by the rule that says so, in the log, by nobody's hand; what still can be opened waits on.
func TestI23_I27_ALookThatWaitsEndsByItself(t *testing.T) {
	o := newOffice(t)
	o.configure()
	hr := o.FreshSession(o.clerk, models.RoleHRAdmin)
	o.level(access.Payroll, access.LookAfterReview)
	look := map[string][2]string{}
	for _, c := range []struct{ what, body string }{{"ungranted", payroll}, {"granted", order}, {"left", order}, {"destroyed", order}} {
		person := o.filed(strings.ToUpper(c.what))
		address, decision := o.look(hr, person, c.body, 202)
		look[c.what] = [2]string{address, strings.TrimSuffix(decision, "/decision")}
		switch c.what {
		case "left":
			o.Exec("UPDATE employees SET status = 'pending_departure' WHERE id = ?", person)
		case "destroyed":
			if err := databasetest.Unguarded(o.Env.Facts, "employment_categories", "employment_categories_not_early",
				"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() - interval '1 day' WHERE employment_id = '"+o.Employment(person).String()+"'"); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(when string, states map[string]models.DisclosureState) {
		t.Helper()
		for what, state := range states {
			var view disclosures.DisclosureView
			hr.Ask("GET", look[what][0], "").Into(t, &view)
			var request approvals.ApprovalView
			o.reviewer.Ask("GET", look[what][1], "").Into(t, &request)
			if view.State != state || (request.State == models.ApprovalPending) != (state == models.LookWaiting) {
				t.Errorf("%s, %s: the look is %s, the request %s, want %s", when, what, view.State, request.State, state)
			}
			if rule := map[string]disclosure.Rule{"ungranted": disclosure.RulePurposeNotForField, "destroyed": disclosure.RuleDestroyed}[what]; state == models.LookRefused && (view.Judgement == nil || view.Judgement.Rule != rule) {
				t.Errorf("%s, %s: refused by %+v, want %s", when, what, view.Judgement, rule)
			}
		}
	}
	o.level(access.Payroll, access.NoLook)
	want("as the permissions change", map[string]models.DisclosureState{
		"ungranted": models.LookRefused, "granted": models.LookWaiting, "left": models.LookLapsed, "destroyed": models.LookRefused,
	})
	if n := o.Count("ledger_content WHERE action = 'disclosure.refused' AND actor_role = '" + string(models.RoleSystem) + "'"); n != 2 {
		t.Errorf("%d entries by nobody's hand, want 2", n)
	}
	if n, err := disclosure.Sweep(t.Context(), o.Env.Facts); n != 0 || err != nil {
		t.Errorf("%d ended again, %v", n, err)
	}
	if got := o.reviewer.Ask("POST", look["ungranted"][1]+"/decision", `{"decision": "approved"}`); got.Status != 409 {
		t.Errorf("an ended request is decided: %d %s", got.Status, got.Body)
	}
	o.decide(look["granted"][1]+"/decision", 200)
	o.opening("what waited on", hr, look["granted"][0], 200, "")
}

// TestI27_ALookThatWaitsEndsWithTheMove of who looks or whose file it is, with the next sweep at the latest.
func TestI27_ALookThatWaitsEndsWithTheMove(t *testing.T) {
	o := newOffice(t)
	o.configure()
	looker, stays, moves := o.Hire("LOOK", o.A), o.filed("E1"), o.filed("E2")
	o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, looker, models.RoleHRAdmin); return err })
	here, there := uuid.New(), uuid.New()
	for code, id := range map[string]uuid.UUID{"S1": here, "S2": there} {
		o.Exec("INSERT INTO sites (id, code, name_zh, name_en) VALUES (?, ?, 'x', 'x')", id, code)
	}
	o.Exec("UPDATE employees SET site_id = ? WHERE id IN (?, ?, ?)", here, looker, stays, moves)
	o.change(func(p *permissions.Permissions) {
		p.Tiers = append(p.Tiers, permissions.Tier{Key: "plant", NameZh: "厂区", NameEn: "Plant", Role: models.RoleHRAdmin, Scope: access.ScopeSite, Members: []uuid.UUID{looker}})
		p.Grants = append(p.Grants, permissions.Grant{Tier: "plant", Group: string(access.GroupPayBank), Purpose: access.Payroll, Level: access.LookAfterReview, Protected: access.NoLook})
	})
	by := o.FreshSession(looker, models.RoleHRAdmin)
	o.look(by, stays, payroll, 202)
	o.look(by, moves, payroll, 202)
	sweep := func(looks, requests int) {
		t.Helper()
		n, err := disclosure.Sweep(t.Context(), o.Env.Facts)
		m, approvalErr := o.Approvals.Sweep(t.Context(), o.API.DB)
		if n != looks || m != requests || err != nil || approvalErr != nil {
			t.Errorf("%d looks and %d requests ended, want %d and %d; %v %v", n, m, looks, requests, err, approvalErr)
		}
	}
	sweep(0, 0)
	o.Exec("UPDATE employees SET site_id = ? WHERE id = ?", there, moves)
	sweep(1, 1)
	o.Exec("UPDATE employees SET site_id = NULL WHERE id = ?", looker)
	sweep(1, 1)
	sweep(0, 0)
	if n := o.Count("disclosures WHERE state = 'refused' AND rule = 'purpose_not_for_field'"); n != 2 {
		t.Errorf("%d refused by the rule, want 2", n)
	}
}

// TestI28_AnEmergencyIsShownAgain though a reviewer is asked for it now: no reviewer stands before it. Without any grant
// it is not.
func TestI28_AnEmergencyIsShownAgain(t *testing.T) {
	o := newOffice(t)
	o.configure()
	hr := o.FreshSession(o.clerk, models.RoleHRAdmin)
	look, _ := o.look(hr, o.filed("E1"), o.emergency(), 200)
	o.level(access.MedicalEmergency, access.LookAfterReview)
	o.opening("after a review", hr, look, 200, "")
	o.level(access.MedicalEmergency, access.NoLook)
	o.opening("granted to nobody", hr, look, 409, "disclosure_not_open")
}

// TestI27_ALookEndsWithTheScope: who moves away from a site reaches those there no more, by no look from before.
func TestI27_ALookEndsWithTheScope(t *testing.T) {
	o := newOffice(t)
	looker := o.Hire("LOOK", o.A)
	o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, looker, models.RoleHRAdmin); return err })
	first, second := o.filed("E1"), o.filed("E2")
	site := func(code string) (id string) {
		t.Helper()
		var made struct{ ID uuid.UUID }
		o.Ask(models.RoleHRAdmin, "POST", "/api/v1/sites", `{"code": "`+code+`", "name_zh": "厂", "name_en": "Plant"}`).Into(t, &made)
		return made.ID.String()
	}
	here, there := site("S1"), site("S2")
	move := func(id uuid.UUID, site string) {
		t.Helper()
		if got := o.sessions[o.clerk].Ask("PATCH", "/api/v1/employees/"+id.String(), `{"site_id": "`+site+`"}`); got.Status == 202 { // of who reaches by the site
			o.decide(got.Header.Get("Location")+"/decision", 200)
		} else if got.Status != 200 {
			t.Fatalf("moving: %d %s", got.Status, got.Body)
		}
	}
	for _, id := range []uuid.UUID{looker, first, second} {
		move(id, here)
	}
	o.configure()
	o.change(func(p *permissions.Permissions) {
		p.Tiers = append(p.Tiers, permissions.Tier{Key: "plant", NameZh: "厂区", NameEn: "Plant", Role: models.RoleHRAdmin, Scope: access.ScopeSite, Members: []uuid.UUID{looker}})
		p.Grants = append(p.Grants,
			permissions.Grant{Tier: "plant", Group: string(access.GroupEmergencyContact), Purpose: access.MedicalEmergency, Level: access.Look, Protected: access.NoLook},
			permissions.Grant{Tier: "plant", Group: string(access.GroupPayBank), Purpose: access.Payroll, Level: access.LookAfterReview, Protected: access.NoLook})
	})
	by := o.FreshSession(looker, models.RoleHRAdmin)
	shown, _ := o.look(by, first, o.emergency(), 200)
	granted, decision := o.look(by, first, payroll, 202)
	_, undecided := o.look(by, second, payroll, 202)
	o.decide(decision, 200)
	move(looker, there)
	o.opening("shown before the move", by, shown, 409, "disclosure_not_open")
	o.decide(undecided, 409)
	o.opening("agreed to before the move", by, granted, 409, "disclosure_lapsed")
	move(looker, here)
	o.opening("moved back within the half hour", by, shown, 200, "")
	o.opening("moved back, lapsed", by, granted, 409, "disclosure_not_open")
}

// TestI18_I27_PapersEndWithTheGrant: the sheet of what was given has no values any more, and no document is sent.
func TestI18_I27_PapersEndWithTheGrant(t *testing.T) {
	o := newOffice(t)
	o.configure()
	person := o.filed("E1")
	hr := o.FreshSession(o.clerk, models.RoleHRAdmin)
	if got := hr.Ask("POST", "/api/v1/employees/"+person.String()+"/attachments?field=id_document_scan", "%PDF-1.7\n", "Content-Type", "application/pdf", "Content-Disposition", `attachment; filename="scan.pdf"`); got.Status != 201 {
		t.Fatalf("attaching: %d %s", got.Status, got.Body)
	}
	look, decision := o.look(hr, person, order, 202)
	o.decide(decision, 200)
	var shown disclosures.LookAnswer
	hr.Ask("POST", look+"/opening", "").Into(t, &shown)
	document := ""
	for _, f := range shown.Shown {
		for _, a := range f.Attachments {
			document = a.Content
		}
	}
	papers := func(what string, status int, values bool) {
		t.Helper()
		if got := hr.Ask("GET", look+"/registration", ""); got.Status != 200 || strings.Contains(string(got.Body), "11010519491231002X") != values {
			t.Errorf("the sheet, %s: %d, values wanted: %v: %s", what, got.Status, values, got.Body)
		}
		if got := hr.Ask("GET", document, ""); got.Status != status || status != 200 && got.Problem.Code != "disclosure_not_open" {
			t.Errorf("the document, %s: %d %s", what, got.Status, got.Body)
		}
	}
	papers("as it was", 200, true)
	o.level(access.AuthorityOrder, access.NoLook)
	papers("granted to nobody", 409, false)
	o.WantEntries("disclosure.refused", 1)
}
