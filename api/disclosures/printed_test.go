package disclosures_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/disclosure"
	"lethe/internal/identity"
	"lethe/internal/pdf/pdftest"
	"lethe/models"
)

// papers is a world with two HR administrators, of whom the first enters what came on paper.
type papers struct {
	*world
	clerk, reviewer *apitest.Visitor
}

func newPapers(t *testing.T) *papers {
	w := newWorld(t)
	second := w.Hire("HR2", w.B)
	w.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, second, models.RoleHRAdmin); return err })
	return &papers{w, w.FreshSession(second, models.RoleHRAdmin), w.FreshSession(w.People[models.RoleReviewer], models.RoleReviewer)}
}

// entered is where a request that came on paper some days ago is copied.
func (p *papers) entered(person uuid.UUID, kind string, days int) string {
	p.T.Helper()
	var r struct{ ID uuid.UUID }
	got := p.clerk.Ask("POST", "/api/v1/employees/"+person.String()+"/requests", `{"kind": "`+kind+`", "text": "书面申请", "paper": {"received_on": "`+p.Day(-days)+`", "kept_at": "档案柜 3"}}`)
	if got.Status != 201 {
		p.T.Fatalf("entering: %d %s", got.Status, got.Body)
	}
	got.Into(p.T, &r)
	return "/api/v1/subject-requests/" + r.ID.String() + "/copy"
}

func (p *papers) printed(what string, got apitest.Reply) string {
	p.T.Helper()
	if got.Status != 200 || got.Header.Get("Content-Type") != "application/pdf" || got.Header.Get("Cache-Control") != "no-store" {
		p.T.Fatalf("%s: %d %s", what, got.Status, got.Body)
	}
	return pdftest.Text(p.T, got.Body)
}

// wantPrinted wants HR to be told how often the copy of a request was printed, and each of these looks to name it in the log.
func (p *papers) wantPrinted(at string, times int) {
	p.T.Helper()
	var r struct {
		ID      uuid.UUID
		Printed *int
	}
	p.hr.Ask("GET", at, "").Into(p.T, &r)
	if r.Printed == nil || *r.Printed != times {
		p.T.Errorf("it is printed %v times, want %d", r.Printed, times)
	}
	if n := p.Count("ledger_content WHERE action = 'disclosure.shown' AND details->>'subject_request' = '" + r.ID.String() + "'"); n != int64(times) {
		p.T.Errorf("%d entries name the request, want %d", n, times)
	}
}

// agree has the reviewer agree to what waits.
func (p *papers) agree(what string, got apitest.Reply) (look string) {
	p.T.Helper()
	if got.Status != 202 || bytes.Contains(got.Body, []byte(idNumber)) {
		p.T.Fatalf("%s: %d %s", what, got.Status, got.Body)
	}
	var a approvals.ApprovalView
	got.Into(p.T, &a)
	if decided := p.reviewer.Ask("POST", "/api/v1/approvals/"+a.ID.String()+"/decision", `{"decision": "approved"}`); decided.Status != 200 {
		p.T.Fatalf("%s, deciding: %d %s", what, decided.Status, decided.Body)
	}
	return "/api/v1/disclosures/" + a.Targets[0].ID.String()
}

// TestI18_I28_ACopyOnPaperIsALook: HR prints it as a look for the own request, recorded, once; who entered the paper wants
// somebody else, and so does an old paper.
func TestI18_I28_ACopyOnPaperIsALook(t *testing.T) {
	p := newPapers(t)
	p.shown(p.hr, p.person)
	address := p.entered(p.person, "copy", 1)
	text := p.printed("by another", p.hr.Ask("POST", address, "", "Accept-Language", "zh-CN"))
	for _, want := range []string{"个人信息副本", idNumber, phone, "6222020200112233446", "医疗紧急情况", "档案柜 3", "/receipt"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Person R-hr_admin") {
		t.Error("it names who looked")
	}
	p.WantEntries("disclosure.shown", 2)
	if p.Count("ledger_content WHERE action = 'disclosure.own_copy'") != 0 {
		t.Error("it is the person's own copy")
	}
	var look uuid.UUID
	if err := p.Env.Facts.Read(t.Context()).Raw("SELECT id FROM disclosures WHERE purpose = 'own_request' AND state = 'shown' AND cardinality(fields) = 4").Row().Scan(&look); err != nil {
		t.Fatal(err)
	}
	nothingShown(t, "shown again", p.hr.Ask("POST", "/api/v1/disclosures/"+look.String()+"/opening", ""), 409, "disclosure_not_open")

	asked := p.clerk.Ask("POST", address, "")
	if again := p.clerk.Ask("POST", address, ""); again.Status != 202 || p.Count("disclosures WHERE state = 'waiting'") != 1 {
		t.Errorf("asked again: %d %s", again.Status, again.Body)
	}
	p.wantPrinted(strings.TrimSuffix(address, "/copy"), 1)
	granted := p.agree("by who entered it", asked)
	nothingShown(t, "opened on a screen", p.clerk.Ask("POST", granted+"/opening", ""), 409, "disclosure_not_open")
	if text := p.printed("agreed to", p.clerk.Ask("POST", address, "")); !strings.Contains(text, idNumber) {
		t.Errorf("agreed to: %s", text)
	}
	p.wantPrinted(strings.TrimSuffix(address, "/copy"), 2)
	nothingShown(t, "printed twice", p.clerk.Ask("POST", address, ""), 202, "")
	p.agree("an old paper", p.hr.Ask("POST", p.entered(p.person, "copy", 60), ""))
}

// TestNoCopyIsPrintedBut of an open request for one on paper, by a session that has just proved who it is, of somebody else.
func TestNoCopyIsPrintedBut(t *testing.T) {
	p := newPapers(t)
	address := p.entered(p.person, "copy", 1)
	nothingShown(t, "a token", p.Ask(models.RoleHRAdmin, "POST", address, ""), 403, "session_required")
	nothingShown(t, "an old session", p.PlainSession(p.People[models.RoleHRAdmin], models.RoleHRAdmin).Ask("POST", address, ""), 403, "step_up_required")
	nothingShown(t, "a reviewer", p.reviewer.Ask("POST", address, ""), 403, "role_not_allowed")
	nothingShown(t, "nobody's", p.hr.Ask("POST", "/api/v1/subject-requests/"+uuid.NewString()+"/copy", ""), 404, "not_found")
	nothingShown(t, "an erasure", p.hr.Ask("POST", p.entered(p.person, "erasure", 1), ""), 409, "subject_request_no_paper")
	p.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, p.person, models.RoleHRAdmin); return err })
	nothingShown(t, "the own", p.FreshSession(p.person, models.RoleHRAdmin).Ask("POST", address, ""), 403, "own_matter")
	var own struct{ ID uuid.UUID }
	p.FreshSession(p.person, models.RoleEmployee).Ask("POST", "/api/v1/me/requests", `{"kind": "copy"}`).Into(t, &own)
	nothingShown(t, "by the own login", p.hr.Ask("POST", "/api/v1/subject-requests/"+own.ID.String()+"/copy", ""), 409, "subject_request_no_paper")
	if p.Count("ledger_content WHERE action = 'disclosure.shown'") != 0 {
		t.Error("what was refused is recorded as shown")
	}

	// What is being destroyed is not in it; what was agreed to is judged anew; an answered request has none.
	granted := p.clerk.Ask("POST", address, "")
	p.agree("by who entered it", granted)
	if err := databasetest.Unguarded(p.Env.Facts, "employment_categories", "employment_categories_not_early",
		"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE category = 'identity' AND employment_id = '"+p.Employment(p.person).String()+"'"); err != nil {
		t.Fatal(err)
	}
	if text := p.printed("while identity is being destroyed", p.hr.Ask("POST", address, "")); strings.Contains(text, idNumber) || !strings.Contains(text, phone) {
		t.Errorf("while identity is being destroyed: %s", text)
	}
	p.Resign(p.person)
	nothingShown(t, "the status changed", p.clerk.Ask("POST", address, ""), 409, "disclosure_lapsed")
	if got := p.hr.Ask("POST", strings.TrimSuffix(address, "copy")+"answer", `{"answer": "granted", "text": "已交本人"}`); got.Status != 200 {
		t.Fatalf("answering: %d %s", got.Status, got.Body)
	}
	nothingShown(t, "answered", p.hr.Ask("POST", address, ""), 409, "subject_request_closed")
	p.WantEntries("disclosure.shown", 1)
}

// TestACopyForARelative says that a relative asked, and has nothing of what relatives wrote; a look that waits for it ends with its request.
func TestACopyForARelative(t *testing.T) {
	p := newPapers(t)
	day, err := clock.ParseDate(p.Day(-1))
	if err != nil {
		t.Fatal(err)
	}
	p.entered(p.person, "copy", 1) // the person's own
	p.Run(func(tx *database.Tx) error {
		dep, err := departure.Begin(tx, p.Vault, models.System, departure.Notice{EmployeeID: p.person, Kind: models.KindDeath, RequestedDates: departure.RequestedDates{LastWorkingDay: &day, ConfirmPast: true}})
		if err == nil {
			_, err = departure.Advance(tx, dep.ID, p.Systems)
		}
		return err
	})
	enter := func(kept string) (at string) {
		var r struct{ ID uuid.UUID }
		p.clerk.Ask("POST", "/api/v1/employees/"+p.person.String()+"/requests", `{"kind": "copy", "text": "亲属写给公司的话", "paper": {"received_on": "`+p.Day(-1)+`", "kept_at": "`+kept+`"},
			"relative": {"name": "王芳", "relation": "spouse", "proof": "死亡证明", "interest": "社保结算"}}`).Into(t, &r)
		if got := p.reviewer.Ask("POST", "/api/v1/subject-requests/"+r.ID.String()+"/proof", ""); got.Status != 200 {
			t.Fatalf("seen: %d %s", got.Status, got.Body)
		}
		return "/api/v1/subject-requests/" + r.ID.String()
	}
	at, waits := enter("亲属柜 7"), enter("亲属柜 8")
	text := p.printed("for a relative", p.hr.Ask("POST", at+"/copy", "", "Accept-Language", "zh-CN"))
	for _, not := range []string{"亲属写给公司的话", "亲属柜"} {
		if strings.Contains(text, not) {
			t.Errorf("%q is in\n%s", not, text)
		}
	}
	if !strings.Contains(text, "档案柜 3") {
		t.Error("the person's own request is not in it")
	}
	english := p.printed("in English", p.hr.Ask("POST", at+"/copy", "", "Accept-Language", "en"))
	for _, spoken := range []string{"您", "本人申请", "本人的"} {
		if strings.Contains(text, spoken) {
			t.Errorf("it says %q to the relative:\n%s", spoken, text)
		}
	}
	if to := regexp.MustCompile(`(?i)\byou(rs?)?\b|person's own request`).FindString(english); to != "" {
		t.Errorf("it says %q to the relative:\n%s", to, english)
	}
	for _, want := range []string{"身故", "近亲属申请"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	p.wantPrinted(at, 2)
	p.wantPrinted(waits, 0)
	var row models.Disclosure
	if err := p.Env.Facts.Read(t.Context()).Where("purpose = 'own_request' AND state = 'shown'").Order("id").First(&row).Error; err != nil {
		t.Fatal(err)
	}
	written, err := disclosure.Statements(t.Context(), p.Env.Facts, row)
	if err != nil || !strings.Contains(written[0].Reason, "近亲属") {
		t.Errorf("it is entered with %+v: %v", written, err)
	}
	if got := p.clerk.Ask("POST", waits+"/copy", ""); got.Status != 202 {
		t.Fatalf("by who entered it: %d %s", got.Status, got.Body)
	}
	if got := p.hr.Ask("POST", waits+"/answer", `{"answer": "refused", "text": "不提供", "basis": "个人信息保护法第四十九条"}`); got.Status != 200 {
		t.Fatalf("answering: %d %s", got.Status, got.Body)
	}
	if _, err := disclosure.EndOvertaken(t.Context(), p.Env.Facts); err != nil {
		t.Fatal(err)
	}
	if n := p.Count("disclosures WHERE state = 'waiting'"); n != 0 {
		t.Error("a look outlives its request")
	}
}
