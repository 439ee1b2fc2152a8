package disclosures_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// named is a comparison of a number that somebody names on the phone.
func (w *world) named(field, value string) body {
	return body{"field": field, "value": value, "purpose": "own_request", "reason": "来电人自称员工本人，报出证件号码，申请更正地址，请核对",
		"evidence": map[string]any{"confirmed_how": "callback", "confirmed_on": w.Day(0)}}
}

func (w *world) compare(by *apitest.Visitor, person uuid.UUID, b body, headers ...string) apitest.Reply {
	w.T.Helper()
	return by.Ask("POST", "/api/v1/employees/"+person.String()+"/comparisons", b.String(), headers...)
}

// TestI18_ANumberIsComparedWithoutBeingShown: judged and recorded, and neither number is in the answer, in the row or in the log.
func TestI18_ANumberIsComparedWithoutBeingShown(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		value   string
		matched bool
	}{{"11010519491231002x", true}, {"110105 1949 1231 002X", true}, {"110105194912310020", false}} {
		got := w.compare(w.hr, w.person, w.named("id_number", c.value))
		var v disclosures.Comparison
		got.Into(t, &v)
		if got.Status != 201 || v.Judgement.Matched == nil || *v.Judgement.Matched != c.matched || v.State != models.LookCompared || v.ShownAt != nil || v.Receipt == "" || v.Notice == "" {
			t.Errorf("%s: %d %s", c.value, got.Status, got.Body)
		}
		nothingShown(t, c.value, got, 201, "")
	}
	w.WantEntries("disclosure.compared", 3)
	var kept []string
	w.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT to_jsonb(d)::text FROM disclosures d UNION ALL SELECT details::text FROM ledger_content").Scan(&kept).Error)
	})
	for _, text := range kept {
		if strings.Contains(text, "1101051949123100") {
			t.Errorf("a number is kept: %s", text)
		}
	}
	// The fourth try of the day is refused, whoever tries; another field, and another person, are not.
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	got := w.compare(colleague, w.person, w.named("id_number", idNumber))
	nothingShown(t, "a fourth try", got, 403, "disclosure_refused")
	if got.Problem.Rule != "compared_too_often" || len(got.Problem.Alternatives) != 1 {
		t.Errorf("refused by %s with %v", got.Problem.Rule, got.Problem.Alternatives)
	}
	if got := w.compare(colleague, w.person, w.named("bank_account", "6222 0202 0011 2233 446")); got.Status != 201 {
		t.Errorf("another field: %d %s", got.Status, got.Body)
	}
	other := w.Hire("E2", w.A)
	w.fill(other)
	if got := w.compare(colleague, other, w.named("id_number", idNumber)); got.Status != 201 {
		t.Errorf("another person: %d %s", got.Status, got.Body)
	}
	if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	again := w.FreshSession(w.People[models.RoleHRAdmin], models.RoleHRAdmin)
	if got := w.compare(again, w.person, w.named("id_number", idNumber)); got.Status != 201 {
		t.Errorf("a day later: %d %s", got.Status, got.Body)
	}
}

// TestI28_AComparisonIsJudgedLikeALook.
func TestI28_AComparisonIsJudgedLikeALook(t *testing.T) {
	w := newWorld(t)
	gone := w.Hire("G1", w.A)
	w.fill(gone)
	w.purging(gone)
	number := w.named("id_number", idNumber)
	before := w.Rows()
	for _, c := range []struct {
		what   string
		person uuid.UUID
		body   body
		status int
		code   string
	}{
		{"no reason", w.person, number.with("reason", ""), 422, "validation_failed"},
		{"a reason that says nothing", w.person, number.with("reason", "。"), 422, "validation_failed"},
		{"no evidence", w.person, number.with("evidence", nil), 422, "validation_failed"},
		{"an unknown purpose", w.person, number.with("purpose", "debt"), 422, "validation_failed"},
		{"no number", w.person, number.with("value", " "), 422, "validation_failed"},
		{"a date", w.person, number.with("field", "date_of_birth"), 422, "validation_failed"},
		{"a document", w.person, number.with("field", "id_document_scan"), 422, "validation_failed"},
		{"no sensitive field", w.person, number.with("field", "name"), 422, "validation_failed"},
		{"nobody", uuid.New(), number, 404, "employee_not_found"},
	} {
		nothingShown(t, c.what, w.compare(w.hr, c.person, c.body), c.status, c.code)
	}
	if diff := cmp.Diff(before, w.Rows()); diff != "" {
		t.Errorf("something was written: %s", diff)
	}
	for what, c := range map[string]struct {
		person uuid.UUID
		body   body
		rule   string
	}{
		"what is destroyed":         {gone, number, "category_destroyed"},
		"a private debt":            {w.Hire("E3", w.A), number.with("reason", "他欠我钱不还，我要核对他的身份证号去起诉他"), "never_for_this"},
		"what a reviewer decides":   {w.Hire("E2", w.A), body(w.order()).with("fields", nil, "field", "id_number", "value", idNumber), "grant_after_review"},
		"the own number, in HR":     {w.People[models.RoleHRAdmin], number, ""},
		"a purpose without a grant": {w.person, body(w.help()).with("fields", nil, "field", "bank_account", "value", "1"), "purpose_not_for_field"},
	} {
		got := w.compare(w.hr, c.person, c.body)
		if got.Status != 403 || got.Problem.Rule != c.rule {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
		nothingShown(t, what, got, 403, got.Problem.Code)
	}
	// A file without the number has another one.
	empty := w.Hire("X1", w.A)
	var v disclosures.Comparison
	w.compare(w.hr, empty, number).Into(t, &v)
	if v.Judgement.Matched == nil || *v.Judgement.Matched {
		t.Errorf("compared with nothing: %+v", v.Judgement)
	}
}

// TestI26_ARepeatedComparisonIsOneTry.
func TestI26_ARepeatedComparisonIsOneTry(t *testing.T) {
	w := newWorld(t)
	var first, again disclosures.Comparison
	w.compare(w.hr, w.person, w.named("id_number", idNumber), "Idempotency-Key", "k").Into(t, &first)
	w.Run(func(tx *database.Tx) error {
		other := "130104199003076539"
		return archive.Update(tx, w.Vault, w.person, archive.Patch{Fields: map[string]*string{"id_number": &other}})
	})
	w.compare(w.hr, w.person, w.named("id_number", idNumber), "Idempotency-Key", "k").Into(t, &again)
	if first.ID != again.ID || !*again.Judgement.Matched || again.Receipt != "" {
		t.Errorf("first %+v, then %+v", first, again)
	}
	nothingShown(t, "another number", w.compare(w.hr, w.person, w.named("id_number", "1"), "Idempotency-Key", "k"), 422, "idempotency_key_reused")
	w.WantEntries("disclosure.compared", 1)
}

// TestManyAtOnceTryThreeTimes in all.
func TestManyAtOnceTryThreeTimes(t *testing.T) {
	w := newWorld(t)
	var lookers []*apitest.Visitor
	for _, no := range []string{"HR2", "HR3", "HR4", "HR5", "HR6", "HR7"} {
		lookers = append(lookers, w.FreshSession(w.Hire(no, w.B), models.RoleHRAdmin))
	}
	var group sync.WaitGroup
	for _, by := range lookers {
		group.Go(func() { w.compare(by, w.person, w.named("id_number", idNumber)) })
	}
	group.Wait()
	w.WantEntries("disclosure.compared", 3)
	w.WantEntries("disclosure.refused", 3)
}
