package subjects_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/subjects"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/subject"
	"lethe/models"
)

// office is the API with somebody who asks, and HR.
type office struct {
	*apitest.Fixture
	person  uuid.UUID
	own, hr *apitest.Visitor
}

func newOffice(t *testing.T) *office {
	f := apitest.New(t)
	o := &office{Fixture: f, person: f.Hire("E1", f.A), hr: f.Session(models.RoleHRAdmin)}
	o.own = f.PlainSession(o.person, models.RoleEmployee)
	o.fill(o.person, "home_address", "personal_email", "emergency_contact_name")
	return o
}

var values = map[string]string{"home_address": "上海市静安区南京西路1号", "personal_email": "wang@example.org", "emergency_contact_name": "王母"}

func (o *office) fill(person uuid.UUID, keys ...string) {
	p := archive.Patch{Fields: map[string]*string{}}
	for _, key := range keys {
		value := values[key]
		p.Fields[key] = &value
	}
	o.Run(func(tx *database.Tx) error { return archive.Update(tx, o.Vault, person, p) })
}

func (o *office) has(person uuid.UUID, key string) bool {
	return o.Count(fmt.Sprintf("field_values v JOIN employments m ON m.id = v.employment_id WHERE m.employee_id = '%s' AND v.field_key = '%s' AND v.value_sealed IS NOT NULL", person, key)) > 0
}

func (o *office) asks(body string) (r subjects.SubjectRequest) {
	o.T.Helper()
	o.own.Ask("POST", "/api/v1/me/requests", body).Into(o.T, &r)
	return r
}

func at(r subjects.SubjectRequest) string { return "/api/v1/subject-requests/" + r.ID.String() }

func refused(t *testing.T, what string, got apitest.Reply, status int, code string) {
	t.Helper()
	if got.Status != status || got.Problem.Code != code {
		t.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Body, status, code)
	}
}

func (o *office) wrong(what string, got apitest.Reply, location, code string) {
	o.T.Helper()
	if got.Status != 422 || len(got.Problem.Errors) == 0 || got.Problem.Errors[0].Location != location || got.Problem.Errors[0].Code != code {
		o.T.Errorf("%s: %d %s, want %s %s", what, got.Status, got.Body, location, code)
	}
}

// TestACorrectionIsWrittenWithItsAnswer, like any change of the file, once, by somebody else than the person.
func TestACorrectionIsWrittenWithItsAnswer(t *testing.T) {
	o := newOffice(t)
	o.wrong("without saying what", o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "correction"}`), "body.text", "required")
	o.wrong("an unknown field", o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "correction", "text": "x", "fields": ["shoe_size"]}`), "body.fields", "unknown")
	refused(t, "by a token", o.Ask(models.RoleEmployee, "POST", "/api/v1/me/requests", `{"kind": "copy"}`), 403, "session_required")
	r := o.asks(`{"kind": "correction", "fields": ["home_address"], "text": "我已搬家，新地址：徐汇区衡山路2号"}`)
	if r.State != models.SubjectOpen || r.Overdue || r.Written == nil || !strings.Contains(r.Written.Text, "衡山路") || r.AnswerDueAt.Sub(r.EnteredAt) > 24*24*time.Hour || r.AnswerDueAt.Sub(r.EnteredAt) < 20*24*time.Hour {
		t.Errorf("asked: %+v", r)
	}
	listed := o.hr.Ask("GET", "/api/v1/subject-requests?state=open", "")
	if listed.Status != 200 || !strings.Contains(string(listed.Body), r.ID.String()) || strings.Contains(string(listed.Body), "衡山路") {
		t.Errorf("listed as %s", listed.Body)
	}
	var read subjects.SubjectRequest
	o.hr.Ask("GET", at(r), "").Into(t, &read)
	if read.Written == nil || !strings.Contains(read.Written.Text, "衡山路") {
		t.Errorf("HR reads %+v", read)
	}
	o.WantEntries("subject_request.read", 1)
	refused(t, "the person by HR's way", o.own.Ask("GET", at(r), ""), 403, "role_not_allowed")
	refused(t, "a head", o.Ask(models.RoleDepartmentHead, "GET", "/api/v1/subject-requests", ""), 403, "role_not_allowed")
	var none httpkit.Page[subjects.SubjectRequest]
	if o.Session(models.RoleEmployee).Ask("GET", "/api/v1/me/requests", "").Into(t, &none); len(none.Items) != 0 {
		t.Errorf("somebody else sees %+v", none.Items)
	}

	o.wrong("granted without writing it", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已更正"}`), "body.fields", "required")
	o.wrong("what nobody asked for", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已更正", "fields": {"home_address": "徐汇区衡山路2号", "bank_name": "x"}}`), "body.fields", "not_requested")
	o.wrong("refused without a reason in law", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "refused", "text": "不更正"}`), "body.basis", "required")
	o.wrong("no value of its type", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已更正", "fields": {"home_address": " "}}`), "body.fields.home_address", "required")
	o.wrong("taken away", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已更正", "fields": {"home_address": null}}`), "body.fields", "required")
	if o.Count("subject_requests WHERE state <> 'open'") != 0 {
		t.Fatal("a refused answer was kept")
	}
	before := o.Count("ledger_content WHERE action = 'employee.updated'")
	good := `{"answer": "granted", "text": "已按您提供的地址更正", "fields": {"home_address": "徐汇区衡山路2号"}}`
	var answers sync.WaitGroup
	var statuses [2]int
	for i := range statuses {
		answers.Go(func() { statuses[i] = o.hr.Ask("POST", at(r)+"/answer", good).Status })
	}
	answers.Wait()
	if statuses[0]+statuses[1] != 200+409 {
		t.Errorf("two answers at once: %v", statuses)
	}
	if n := o.Count("ledger_content WHERE action = 'employee.updated'") - before; n != 1 {
		t.Errorf("the file was changed %d times", n)
	}
	o.WantEntries("subject_request.answered", 1)
	var mine httpkit.Page[subjects.SubjectRequest]
	o.own.Ask("GET", "/api/v1/me/requests", "").Into(t, &mine)
	if len(mine.Items) != 1 || mine.Items[0].Answer != models.SubjectGranted || !strings.Contains(mine.Items[0].Written.Answer, "已按您") || mine.Items[0].AnsweredBy != nil || mine.Items[0].Department == "" {
		t.Errorf("the person sees %+v", mine.Items)
	}
	refused(t, "withdrawn after its answer", o.own.Ask("POST", "/api/v1/me/requests/"+r.ID.String()+"/withdrawal", ""), 409, "subject_request_closed")
}

// TestNobodyAnswersTheOwnRequest, nor enters one on paper for themselves or for nobody.
func TestNobodyAnswersTheOwnRequest(t *testing.T) {
	o := newOffice(t)
	var r subjects.SubjectRequest
	o.hr.Ask("POST", "/api/v1/me/requests", `{"kind": "copy"}`).Into(t, &r)
	refused(t, "answered", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "给自己"}`), 403, "own_matter")
	refused(t, "read", o.hr.Ask("GET", at(r), ""), 404, "not_found")
	paper := `{"kind": "erasure", "text": "请删除我的邮箱", "paper": {"received_on": "` + o.Day(-3) + `", "kept_at": "柜3"}}`
	refused(t, "for themselves", o.hr.Ask("POST", "/api/v1/employees/"+o.People[models.RoleHRAdmin].String()+"/requests", paper), 403, "own_matter")
	refused(t, "for nobody", o.hr.Ask("POST", "/api/v1/employees/"+uuid.NewString()+"/requests", paper), 404, "employee_not_found")
	o.wrong("tomorrow's", o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", strings.Replace(paper, o.Day(-3), o.Day(2), 1)), "body.paper.received_on", "in_the_future")
	var entered subjects.SubjectRequest
	o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", paper, "Idempotency-Key", "k").Into(t, &entered)
	var again subjects.SubjectRequest
	o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", paper, "Idempotency-Key", "k").Into(t, &again)
	if entered.ID != again.ID || entered.Form != models.ConsentWritten || entered.Written != nil || entered.EnteredBy == nil {
		t.Errorf("entered %+v, again %s", entered, again.ID)
	}
	if due := entered.AnswerDueAt.Sub(entered.EnteredAt); due > 21*24*time.Hour {
		t.Errorf("counted from its entry: %s", due)
	}
	var withdrawn subjects.SubjectRequest
	refused(t, "withdrawn by somebody else", o.Session(models.RoleEmployee).Ask("POST", "/api/v1/me/requests/"+entered.ID.String()+"/withdrawal", ""), 404, "not_found")
	o.own.Ask("POST", "/api/v1/me/requests/"+entered.ID.String()+"/withdrawal", "").Into(t, &withdrawn)
	if withdrawn.State != models.SubjectWithdrawn || withdrawn.EnteredBy != nil || withdrawn.Written.Text == "" {
		t.Errorf("withdrawn: %+v", withdrawn)
	}
	refused(t, "put off", o.hr.Ask("POST", at(r)+"/extension", `{"reason": "x"}`), 403, "own_matter")
}

// TestI6_AnErasureTakesNothingThatTheLawWantsKept: while somebody works here, fields that rest on consent alone; afterwards
// deadlines come forward to the floor, by two people, and what is deleted then is reviewed.
func TestI6_AnErasureTakesNothingThatTheLawWantsKept(t *testing.T) {
	o := newOffice(t)
	r := o.asks(`{"kind": "erasure", "fields": ["personal_email"], "text": "请删除"}`)
	o.wrong("what a contract needs", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已删", "erase_fields": ["bank_account"]}`), "body.erase_fields", "not_by_consent")
	o.wrong("granted, and nothing done", o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已删"}`), "body.erase_fields", "required")
	stepped := o.FreshSession(o.People[models.RoleHRAdmin], models.RoleHRAdmin)
	got := stepped.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已删", "erase_categories": ["emergency_contact"]}`)
	if refused(t, "of somebody employed", got, 409, "erasure_kept"); !strings.Contains(got.Problem.RuleText, "在职") && !strings.Contains(got.Problem.RuleText, "works here") {
		t.Errorf("refused as %q", got.Problem.RuleText)
	}
	o.hr.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "已删", "erase_fields": ["personal_email"]}`).Into(t, &r)
	if o.has(o.person, "personal_email") || !o.has(o.person, "home_address") {
		t.Error("the wrong fields were removed")
	}

	left := o.Hire("E2", o.A)
	o.fill(left, "personal_email", "emergency_contact_name")
	dep := o.LeftLongAgo(left, -20, false)
	erase := subjects.SubjectRequest{ID: o.AskedToErase(left)}
	var read subjects.SubjectRequest
	o.hr.Ask("GET", at(erase), "").Into(t, &read)
	kept := map[models.Category]string{}
	for _, e := range read.MayBeErased {
		kept[e.Category] = string(e.Kept)
	}
	if len(kept) != len(models.Categories) || kept[models.CategoryPayBank] != "law" || kept[models.CategoryEmergencyContact] != "" {
		t.Errorf("HR is told %v", kept)
	}
	order := func(categories string) apitest.Reply {
		return stepped.Ask("POST", at(erase)+"/answer", `{"answer": "partly", "text": "紧急联系人提前删除", "basis": "工资记录依法保存两年", "erase_categories": [`+categories+`]}`)
	}
	got = order(`"emergency_contact", "pay_bank"`)
	if refused(t, "what the law wants kept", got, 409, "erasure_kept"); got.Problem.Rule != "CN/pay_bank/1" || !strings.Contains(got.Problem.RuleText, "20") {
		t.Errorf("refused by %q: %q", got.Problem.Rule, got.Problem.RuleText)
	}
	deadline := func() (at time.Time, advanced bool) {
		o.Run(func(tx *database.Tx) error {
			return tx.DB().Raw("SELECT deadline, advanced FROM retention_deadlines WHERE departure_id = ? AND category = 'emergency_contact'", dep.ID).Row().Scan(&at, &advanced)
		})
		return at, advanced
	}
	before, _ := deadline()
	asked := order(`"emergency_contact"`)
	if asked.Status != 202 {
		t.Fatalf("asked: %d %s", asked.Status, asked.Body)
	}
	if at, _ := deadline(); !at.Equal(before) {
		t.Error("it came forward on one person's word")
	}
	other := o.Hire("HR2", o.B)
	second := o.FreshSession(other, models.RoleHRAdmin)
	if got := second.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	after, advanced := deadline()
	if !after.Before(before) || !advanced || !o.has(left, "emergency_contact_name") {
		t.Errorf("it went from %s to %s, advanced %t", before, after, advanced)
	}
	o.WantEntries("retention.erasure_granted", 1)
	o.WantEntries("subject_request.answered", 2)
}

// TestI4_AHoldWinsOverAnErasure that two people would grant.
func TestI4_AHoldWinsOverAnErasure(t *testing.T) {
	o := newOffice(t)
	dep := o.LeftLongAgo(o.person, -20, false)
	if got := o.hr.Ask("POST", "/api/v1/holds", `{"employee_id": "`+o.person.String()+`", "matter": "仲裁"}`); got.Status != 201 {
		t.Fatalf("held: %d %s", got.Status, got.Body)
	}
	erase := subjects.SubjectRequest{ID: o.AskedToErase(o.person)}
	stepped := o.FreshSession(o.People[models.RoleHRAdmin], models.RoleHRAdmin)
	for what, body := range map[string]string{
		"a category": `{"answer": "granted", "text": "删", "erase_categories": ["emergency_contact"]}`,
		"a field":    `{"answer": "granted", "text": "删", "erase_fields": ["personal_email"]}`,
	} {
		if got := stepped.Ask("POST", at(erase)+"/answer", body); got.Status != 409 {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if !o.has(o.person, "personal_email") || o.Count("subject_requests WHERE state <> 'open'") != 0 || o.Count("retention_deadlines WHERE advanced AND departure_id = '"+dep.ID.String()+"'") != 0 {
		t.Error("a hold was passed by")
	}
}

// TestAnOverdueAnswerIsShownOnce in the log, and stands on the list; where the law gives more time it is put off once.
func TestAnOverdueAnswerIsShownOnce(t *testing.T) {
	o := newOffice(t)
	cn := o.asks(`{"kind": "copy"}`)
	refused(t, "put off in CN", o.hr.Ask("POST", at(cn)+"/extension", `{"reason": "很多"}`), 409, "subject_request_no_extension")
	o.Exec("UPDATE employments SET jurisdiction = 'DE', time_zone = 'Europe/Berlin', basis_entry_id = @entry WHERE employee_id = ?", o.person)
	de := o.asks(`{"kind": "copy"}`)
	var extended subjects.SubjectRequest
	o.hr.Ask("POST", at(de)+"/extension", `{"reason": "Es sind viele Unterlagen"}`).Into(t, &extended)
	if !extended.AnswerDueAt.After(de.AnswerDueAt.AddDate(0, 1, 20)) || extended.ExtendedAt == nil {
		t.Errorf("put off from %s to %s", de.AnswerDueAt, extended.AnswerDueAt)
	}
	refused(t, "put off twice", o.hr.Ask("POST", at(de)+"/extension", `{"reason": "noch mehr"}`), 409, "subject_request_extended")
	sweep := func() int {
		n, err := subject.Sweep(t.Context(), o.Env.Facts)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := sweep(); n != 0 {
		t.Errorf("%d are overdue at once", n)
	}
	if err := databasetest.MoveClock(t.Context(), o.Env.Facts, 25*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if n, again := sweep(), sweep(); n != 1 || again != 0 {
		t.Errorf("%d, then %d overdue", n, again)
	}
	o.WantEntries("subject_request.overdue", 1)
	var page httpkit.Page[subjects.SubjectRequest]
	o.Ask(models.RoleReviewer, "GET", "/api/v1/subject-requests?overdue=true", "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != cn.ID || !page.Items[0].Overdue {
		t.Errorf("on the list: %+v", page.Items)
	}
}

// TestI25_WhatWasWrittenEndsWithThePerson: open requests end, texts are cleared, and nothing more is asked for.
func TestI25_WhatWasWrittenEndsWithThePerson(t *testing.T) {
	o := newOffice(t)
	r := o.asks(`{"kind": "correction", "text": "地址不对"}`)
	o.Run(func(tx *database.Tx) error { return subject.End(tx, o.person) })
	if n := o.Count("subject_requests WHERE text_sealed IS NOT NULL OR state <> 'ended' OR finished_at IS NULL"); n != 0 {
		t.Errorf("%d still hold something", n)
	}
	var read subjects.SubjectRequest
	if o.hr.Ask("GET", at(r), "").Into(t, &read); read.Written.Text != "" || read.State != models.SubjectEnded {
		t.Errorf("read as %+v", read)
	}
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted, models.StatusPurged} {
		o.Exec("UPDATE employees SET status = ? WHERE id = ?", status, o.person)
	}
	refused(t, "for who is purged", o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", `{"kind": "copy", "paper": {"received_on": "`+o.Day(-1)+`", "kept_at": "柜3"}}`), 409, "subject_gone")
}

// TestOnePersonHasTwentyOpenRequests at most.
func TestOnePersonHasTwentyOpenRequests(t *testing.T) {
	o := newOffice(t)
	for range 20 {
		o.asks(`{"kind": "copy"}`)
	}
	refused(t, "the 21st", o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "copy"}`), 409, "subject_requests_too_many")
}
