package consents_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/consents"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/clock"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/models"
)

const address, policies = "/api/v1/consents", "/api/v1/privacy-policies"

// office is the API with somebody who is asked, and HR.
type office struct {
	*apitest.Fixture
	person   uuid.UUID
	own, hr  *apitest.Visitor
	reviewer *apitest.Visitor
}

func newOffice(t *testing.T) *office {
	f := apitest.New(t)
	o := &office{Fixture: f, person: f.Hire("E1", f.A), hr: f.Session(models.RoleHRAdmin), reviewer: f.Session(models.RoleReviewer)}
	o.own = f.PlainSession(o.person, models.RoleEmployee)
	return o
}

func says(version int, agreed bool, purposes ...models.ConsentPurpose) string {
	var all []map[string]any
	for _, p := range purposes {
		all = append(all, map[string]any{"purpose": p, "agreed": agreed})
	}
	return text(map[string]any{"policy_version": version, "answers": all})
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// states is how somebody stands, by purpose.
func states(c consents.Consents) map[models.ConsentPurpose]consent.State {
	all := map[models.ConsentPurpose]consent.State{}
	for _, item := range c.Items {
		all[item.Purpose] = item.State
	}
	return all
}

func (o *office) open(v *apitest.Visitor) []models.ConsentPurpose {
	o.T.Helper()
	var me users.Me
	v.Ask("GET", "/api/v1/me", "").Into(o.T, &me)
	return me.ConsentsToAnswer
}

// TestI18_WhatIsAskedIsAnsweredAndWithdrawn as easily, each answer once, with its entry.
func TestI18_WhatIsAskedIsAnsweredAndWithdrawn(t *testing.T) {
	o := newOffice(t)
	if got := o.open(o.own); len(got) != 3 {
		t.Errorf("to be answered at first: %v", got)
	}
	var c consents.Consents
	o.own.Ask("GET", address, "", "Accept-Language", "zh").Into(t, &c)
	if len(c.Items) != 3 || c.PolicyVersion != 1 || !strings.Contains(c.Items[0].Ask, "离职后") || c.Items[0].State != consent.Unanswered || !c.Items[0].ToAnswer || len(c.History) != 0 {
		t.Fatalf("asked: %+v", c)
	}
	o.own.Ask("POST", address, says(1, true, models.ConsentMessages)).Into(t, &c)
	o.own.Ask("POST", address, says(1, false, models.ConsentReference)).Into(t, &c)
	want := map[models.ConsentPurpose]consent.State{models.ConsentMessages: consent.Given, models.ConsentReference: consent.Declined, models.ConsentContacts: consent.Unanswered}
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("answered: %s", diff)
	}
	if got := o.open(o.own); len(got) != 1 || got[0] != models.ConsentContacts {
		t.Errorf("still to be answered: %v", got)
	}
	for range 2 { // the same again is nothing new
		o.own.Ask("POST", address, says(1, true, models.ConsentMessages)).Into(t, &c)
	}
	if n := o.Count("consents"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	o.WantEntries("consent.given", 1)
	o.WantEntries("consent.declined", 1)
	o.own.Ask("POST", address, says(1, false, models.ConsentMessages), "Accept-Language", "zh").Into(t, &c)
	if c.Items[0].State != consent.Withdrawn || len(c.History) != 3 || c.History[0].AnswerText != "已撤回" || c.History[0].Form != models.ConsentInPerson || c.History[0].PolicyVersion != 1 {
		t.Errorf("withdrawn: %+v", c)
	}
	o.WantEntries("consent.withdrawn", 1)
	for what, k := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"nothing":         {`{"policy_version": 1, "answers": []}`, 422, "validation_failed"},
		"twice":           {says(1, true, models.ConsentMessages, models.ConsentMessages), 422, "validation_failed"},
		"unheard of":      {`{"policy_version": 1, "answers": [{"purpose": "marketing", "agreed": true}]}`, 422, "validation_failed"},
		"no such version": {says(9, true, models.ConsentMessages), 422, "policy_unknown"},
	} {
		if got := o.own.Ask("POST", address, k.body); got.Status != k.status || got.Problem.Code != k.code {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if n := o.Count("consents"); n != 3 {
		t.Errorf("%d rows after refusals, want 3", n)
	}
}

// TestI26_AnOldYesIsNotRepeatedAfterANo: a client that repeats its request does not give again what was withdrawn.
func TestI26_AnOldYesIsNotRepeatedAfterANo(t *testing.T) {
	o := newOffice(t)
	yes := says(1, true, models.ConsentMessages)
	var c consents.Consents
	o.own.Ask("POST", address, yes, "Idempotency-Key", "one").Into(t, &c)
	o.own.Ask("POST", address, says(1, false, models.ConsentMessages), "Idempotency-Key", "two").Into(t, &c)
	o.own.Ask("POST", address, yes, "Idempotency-Key", "one").Into(t, &c)
	if c.Items[0].State != consent.Withdrawn || o.Count("consents") != 2 {
		t.Errorf("the repeated yes came to %+v", c.Items[0])
	}
}

// TestTwoAnswersAtOnce come one after the other: each row follows the one before.
func TestTwoAnswersAtOnce(t *testing.T) {
	o := newOffice(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			if got := o.own.Ask("POST", address, says(1, i%2 == 0, models.ConsentMessages)); got.Status != 200 {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	var c consents.Consents
	o.own.Ask("GET", address, "").Into(t, &c)
	for i := len(c.History) - 1; i >= 0; i-- {
		before := models.ConsentAnswer("")
		if i+1 < len(c.History) {
			before = c.History[i+1].Answer
		}
		legal := map[models.ConsentAnswer][]models.ConsentAnswer{
			models.ConsentGiven: {"", models.ConsentDeclined, models.ConsentWithdrawn}, models.ConsentWithdrawn: {models.ConsentGiven}, models.ConsentDeclined: {""},
		}
		if got := c.History[i].Answer; !strings.Contains(fmt.Sprint(legal[got]), string(before)) {
			t.Errorf("%s after %q", got, before)
		}
	}
}

// TestHRRecordsWhatSomebodyElseSigned, marked and shown to the person; never by itself, and never against a later answer.
func TestHRRecordsWhatSomebodyElseSigned(t *testing.T) {
	o := newOffice(t)
	hr := o.People[models.RoleHRAdmin]
	paper := func(person uuid.UUID, agreed bool, on, kept string) string {
		return text(map[string]any{"employee_id": person, "policy_version": 1, "answers": []map[string]any{{"purpose": "reference_check", "agreed": agreed}},
			"paper": map[string]any{"signed_on": on, "kept_at": kept}})
	}
	without := text(map[string]any{"employee_id": o.person, "policy_version": 1, "answers": []map[string]any{{"purpose": "reference_check", "agreed": true}}})
	colleague := o.PlainSession(o.Hire("E2", o.A), models.RoleEmployee)
	for what, k := range map[string]struct {
		by     *apitest.Visitor
		body   string
		status int
		code   string
	}{
		"HR without a paper":      {o.hr, without, 403, "consent_of_another"},
		"HR for itself":           {o.hr, paper(hr, true, o.Day(-1), "柜 1"), 403, "consent_own_paper"},
		"a colleague":             {colleague, without, 404, "employee_not_found"},
		"a colleague's paper":     {colleague, paper(o.person, true, o.Day(-1), "柜 1"), 404, "employee_not_found"},
		"a reviewer":              {o.reviewer, paper(o.person, true, o.Day(-1), "柜 1"), 404, "employee_not_found"},
		"for nobody":              {o.hr, paper(uuid.New(), true, o.Day(-1), "柜 1"), 404, "employee_not_found"},
		"signed in a week":        {o.hr, paper(o.person, true, o.Day(7), "柜 1"), 422, "validation_failed"},
		"kept nowhere":            {o.hr, paper(o.person, true, o.Day(-1), " "), 422, "validation_failed"},
		"the own as of somebody":  {o.own, paper(o.person, true, o.Day(-1), "柜 1"), 403, "consent_own_paper"},
		"a break-glass session's": {o.OpenSession(hr, models.RoleHRAdmin, models.ByBreakGlass), paper(o.person, true, o.Day(-1), "柜 1"), 403, "break_glass_not_allowed"},
	} {
		if got := k.by.Ask("POST", address, k.body); got.Status != k.status || got.Problem.Code != k.code || strings.Contains(string(got.Body), "柜 1") {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if n := o.Count("consents"); n != 0 {
		t.Fatalf("%d rows after refusals", n)
	}
	var c consents.Consents
	o.hr.Ask("POST", address, paper(o.person, true, o.Day(-3), "人事档案柜 3-12")).Into(t, &c)
	last := c.History[0]
	if c.EmployeeID != o.person || last.Form != models.ConsentWritten || last.RecordedBy == nil || last.RecordedBy.EmployeeID != hr || last.KeptAt != "人事档案柜 3-12" {
		t.Errorf("HR recorded %+v", last)
	}
	c = consents.Consents{}
	o.own.Ask("GET", address, "").Into(t, &c)
	if last = c.History[0]; last.Form != models.ConsentWritten || last.RecordedBy != nil || last.Department == "" || last.SignedOn == nil || last.KeptAt == "" {
		t.Errorf("the person sees %+v", last)
	}
	var stored string
	o.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT coalesce(string_agg(c::text || l::text, ''), '') FROM consents c JOIN ledger_content l ON l.entry_id = c.ledger_entry_id").Row().Scan(&stored))
	})
	if stored == "" || strings.Contains(stored, "3-12") {
		t.Errorf("kept in clear: %s", stored)
	}
	o.own.Ask("POST", address, says(1, false, models.ConsentReference)).Into(t, &c)
	if c.Items[1].State != consent.Withdrawn {
		t.Errorf("what HR recorded cannot be withdrawn: %+v", c.Items[1])
	}
	for _, day := range []int{-3, 0} {
		if got := o.hr.Ask("POST", address, paper(o.person, true, o.Day(day), "柜 2")); got.Status != 409 || got.Problem.Code != "consent_answered_later" {
			t.Errorf("a paper of %d days ago after a withdrawal: %d %s", -day, got.Status, got.Body)
		}
	}
	if got := o.Ask(models.RoleAuditor, "GET", address+"?employee_id="+o.person.String(), ""); got.Status != 200 {
		t.Errorf("an auditor: %d %s", got.Status, got.Body)
	}
	for who, v := range map[string]*apitest.Visitor{"a colleague": colleague, "IT": o.Session(models.RoleITOps), "the head": o.Session(models.RoleDepartmentHead)} {
		if got := v.Ask("GET", address+"?employee_id="+o.person.String(), ""); got.Status != 404 {
			t.Errorf("%s reads it: %d %s", who, got.Status, got.Body)
		}
	}
}

// TestTheDatabaseKeepsAnswersAsTheyWere, and lets nobody agree for somebody else.
func TestTheDatabaseKeepsAnswersAsTheyWere(t *testing.T) {
	o := newOffice(t)
	o.own.Ask("POST", address, says(1, true, models.ConsentMessages)).Into(t, &consents.Consents{})
	hr := o.People[models.RoleHRAdmin].String()
	row := func(form, answer, by, rest string) string {
		return `INSERT INTO consents (id, employee_id, purpose, answer, form, policy_version, asked_since, recorded_by, ledger_entry_id` + map[bool]string{true: ", signed_on, evidence_sealed"}[rest != ""] + `)
			VALUES (gen_random_uuid(), '` + o.person.String() + `', 'message_passing', '` + answer + `', '` + form + `', 1, 1, ` + by + `, @entry` + rest + `)`
	}
	for what, sql := range map[string]string{
		"changed":             "UPDATE consents SET answer = 'declined'",
		"deleted":             "DELETE FROM consents",
		"by the login of HR":  row("own_login", "given", "'"+hr+"'", ""),
		"a paper of the own":  row("written", "given", "'"+o.person.String()+"'", ", now(), '\\x00'"),
		"no paper":            row("written", "given", "'"+hr+"'", ""),
		"given by the system": row("deletion", "given", "NULL", ""),
		"without its entry":   strings.ReplaceAll(row("own_login", "given", "'"+o.person.String()+"'", ""), "@entry", "gen_random_uuid()"),
	} {
		if err := databasetest.Exec(t, o.Env.Facts, sql); err == nil {
			t.Errorf("%s: the database lets it", what)
		}
	}
	if err := databasetest.Exec(t, o.Env.Facts, row("own_login", "withdrawn", "'"+o.person.String()+"'", "")); err != nil {
		t.Errorf("what is right is refused: %v", err)
	}
}

// TestAnotherVersionAsksAnewWhatItAsksInOtherWords, and only that. Only those who configure ask for one.
func TestAnotherVersionAsksAnewWhatItAsksInOtherWords(t *testing.T) {
	o := newOffice(t)
	o.own.Ask("POST", address, says(1, true, models.ConsentMessages, models.ConsentReference)).Into(t, &consents.Consents{})
	var page httpkit.Page[consents.Policy]
	o.own.Ask("GET", policies, "", "Accept-Language", "zh").Into(t, &page)
	if len(page.Items) != 1 || !page.Items[0].InForce || len(page.Items[0].WithoutConsent) != 10 || !strings.Contains(page.Items[0].Text, "撤回即时生效") {
		t.Fatalf("the program's own: %+v", page)
	}
	draft := map[string]any{"base_version": 1, "text_zh": "新政策", "text_en": "new policy", "asks": []map[string]any{
		{"purpose": "message_passing", "text_zh": "更宽的内容", "text_en": "something wider"},
		{"purpose": "reference_check", "text_zh": "同样的意思，换了说法", "text_en": "the same in other words", "same_meaning": true},
	}}
	if got := o.hr.Ask("POST", policies, text(draft)); got.Status != 403 || got.Problem.Code != "not_configurer" {
		t.Errorf("by who does not configure: %d %s", got.Status, got.Body)
	}
	o.Configures(o.People[models.RoleHRAdmin])
	asked, other := o.hr.Ask("POST", policies, text(draft)), o.hr.Ask("POST", policies, strings.Replace(text(draft), "新政策", "另一个", 1))
	var request struct {
		Changes []struct{ Label, After string } `json:"changes"`
	}
	o.reviewer.Ask("GET", asked.Header.Get("Location"), "", "Accept-Language", "zh").Into(t, &request)
	if told := fmt.Sprint(request.Changes); !strings.Contains(told, "更宽的内容") || strings.Count(told, "重新征求") != 1 {
		t.Errorf("the reviewer is told %s", told)
	}
	agree := func(asked apitest.Reply) apitest.Reply {
		return o.reviewer.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`)
	}
	if got := agree(asked); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	if got := agree(other); got.Status != 409 {
		t.Errorf("what was made from an older version: %d %s", got.Status, got.Body)
	}
	var c consents.Consents
	o.own.Ask("GET", address, "").Into(t, &c)
	if diff := cmp.Diff(map[models.ConsentPurpose]consent.State{models.ConsentMessages: consent.Outdated, models.ConsentReference: consent.Given}, states(c)); diff != "" {
		t.Errorf("under version 2: %s", diff)
	}
	if got := o.open(o.own); len(got) != 1 || got[0] != models.ConsentMessages {
		t.Errorf("asked again for %v", got)
	}
	if got := o.own.Ask("POST", address, says(1, true, models.ConsentMessages)); got.Status != 409 || got.Problem.Code != "policy_changed" {
		t.Errorf("a yes to what is not in force: %d %s", got.Status, got.Body)
	}
	if got := o.own.Ask("POST", address, says(2, true, models.ConsentContacts)); got.Status != 422 || got.Problem.Errors[0].Code != "not_asked" {
		t.Errorf("a yes to what is not asked: %d %s", got.Status, got.Body)
	}
	o.own.Ask("POST", address, says(1, false, models.ConsentReference)).Into(t, &c) // a no is taken to any version
	o.own.Ask("POST", address, says(2, true, models.ConsentMessages)).Into(t, &c)
	if diff := cmp.Diff(map[models.ConsentPurpose]consent.State{models.ConsentMessages: consent.Given, models.ConsentReference: consent.Withdrawn}, states(c)); diff != "" {
		t.Errorf("answered: %s", diff)
	}
	o.own.Ask("GET", policies, "").Into(t, &page)
	if len(page.Items) != 2 || page.Items[0].Version != 2 || page.Items[1].InForce || page.Items[0].ChangedBy != nil {
		t.Errorf("the employee reads %+v", page.Items)
	}
	o.hr.Ask("GET", policies, "").Into(t, &page)
	if page.Items[0].ChangedBy == nil || page.Items[0].ApprovedBy == nil {
		t.Errorf("HR reads %+v", page.Items[0])
	}
	o.WantEntries("privacy_policy.published", 1)
}

// TestI23_WhoIsDisabledAnswersNothing, and a person without any employment answers for themselves.
func TestI23_WhoIsDisabledAnswersNothing(t *testing.T) {
	o := newOffice(t)
	o.Run(func(tx *database.Tx) error { return identity.Disable(tx, o.own.UserID, models.System) })
	if got := o.own.Ask("POST", address, says(1, true, models.ConsentMessages)); got.Status != 401 {
		t.Errorf("a disabled user: %d %s", got.Status, got.Body)
	}
	nobody := uuid.New()
	o.Exec("INSERT INTO employees (id, employee_no, name, department_id) VALUES (?, 'E9', 'n', ?)", nobody, o.A)
	o.Run(func(tx *database.Tx) error {
		_, err := consent.Record(tx, models.Actor{EmployeeID: nobody, Role: models.RoleEmployee}, consent.Answers{
			EmployeeID: nobody, Version: 1, Answers: []consent.Answer{{Purpose: models.ConsentMessages}},
		})
		return err
	})
	err := database.Run(t.Context(), o.Env.Facts, func(tx *database.Tx) error {
		_, err := consent.Record(tx, models.Actor{EmployeeID: uuid.New(), Role: models.RoleHRAdmin}, consent.Answers{
			EmployeeID: nobody, Version: 1, Answers: []consent.Answer{{Purpose: models.ConsentMessages, Agreed: true}}, Paper: &consent.Paper{SignedOn: clock.NewDate(2020, 1, 1), KeptAt: "x"},
		})
		return err
	})
	if !errors.Is(err, consent.ErrAnsweredLater) {
		t.Errorf("a paper from before: %v", err)
	}
}
