package disclosures_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/models"
)

// a look as JSON, of which tests change parts.
type body map[string]any

func (b body) with(pairs ...any) body {
	b = maps.Clone(b)
	for i := 0; i+1 < len(pairs); i += 2 {
		key := pairs[i].(string)
		if pairs[i+1] == nil {
			delete(b, key)
		} else {
			b[key] = pairs[i+1]
		}
	}
	return b
}

func (b body) String() string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (w *world) help() body {
	return body{"fields": []string{"emergency_contact_phone"}, "purpose": "medical_emergency", "reason": collapsed,
		"evidence": map[string]any{"what": "在车间晕倒", "when": w.ago(10 * time.Minute), "reported_by": "车间主任"}}
}

// own is a look without an emergency.
func (w *world) own() body {
	return body{"fields": []string{"id_number"}, "purpose": "own_request", "reason": "员工本人来电申请更正身份证信息，已核验身份",
		"evidence": map[string]any{"confirmed_how": "callback", "confirmed_on": w.Day(0)}}
}

// nothingShown checks a refusal: its status and code, and that no value is in it.
func nothingShown(t *testing.T, what string, got apitest.Reply, status int, code string) {
	t.Helper()
	if got.Status != status || got.Problem.Code != code {
		t.Errorf("%s: %d %s, want %d %s: %s", what, got.Status, got.Problem.Code, status, code, got.Body)
	}
	for _, secret := range []string{phone, "11010519491231002X", "6222020200112233446", "王芳"} {
		if strings.Contains(string(got.Body), secret) {
			t.Errorf("%s: a value is shown: %s", what, got.Body)
		}
	}
}

// TestI28_WhatIsMalformedWritesNothing whoever sends it: purpose, reason and evidence are mandatory on every route.
func TestI28_WhatIsMalformedWritesNothing(t *testing.T) {
	w := newWorld(t)
	evidence := func(pairs ...any) body { return body(w.help()["evidence"].(map[string]any)).with(pairs...) }
	someone := w.path(w.person)
	before := w.Rows()
	for _, c := range []struct {
		what, path string
		body       body
		status     int
		code       string
		at         string // "location code" of one of the errors
	}{
		{"no purpose", someone, w.help().with("purpose", nil), 422, "validation_failed", ""},
		{"an empty purpose", someone, w.help().with("purpose", ""), 422, "validation_failed", ""},
		{"an unknown purpose", someone, w.help().with("purpose", "private_debt"), 422, "validation_failed", ""},
		{"no fields", someone, w.help().with("fields", nil), 422, "validation_failed", ""},
		{"an empty list", someone, w.help().with("fields", []string{}), 422, "validation_failed", ""},
		{"an unknown field", someone, w.help().with("fields", []string{"id_number", "blood_type", "home_address"}), 422, "unknown_archive_field", "body.fields[1] unknown_archive_field"},
		{"a field that is no secret", someone, w.help().with("fields", []string{"id_number", "department"}), 422, "validation_failed", "body.fields[1] not_sensitive"},
		{"a field twice", someone, w.help().with("fields", []string{"id_number", "id_number"}), 422, "validation_failed", "body.fields repeated"},
		{"no reason", someone, w.help().with("reason", nil), 422, "validation_failed", ""},
		{"blanks for a reason", someone, w.help().with("reason", " \u3000\u200b"), 422, "validation_failed", "body.reason required"},
		{"a full stop", someone, w.help().with("reason", "。"), 422, "validation_failed", "body.reason says_nothing"},
		{"10,000 characters", someone, w.help().with("reason", strings.Repeat("急", 10_000)), 422, "validation_failed", ""},
		{"a reason that turns around", someone, w.help().with("reason", collapsed+"\u202e"), 422, "validation_failed", "body.reason not_text"},
		{"a number for a reason", someone, w.help().with("reason", 7), 422, "validation_failed", ""},
		{"no evidence", someone, w.help().with("evidence", nil), 422, "validation_failed", "body.evidence.when required"},
		{"null", someone, w.help().with("evidence", json.RawMessage("null")), 422, "validation_failed", ""},
		{"one piece of three", someone, w.help().with("evidence", evidence("reported_by", nil)), 422, "validation_failed", "body.evidence.reported_by required"},
		{"blanks for evidence", someone, w.help().with("evidence", evidence("what", " \u3000")), 422, "validation_failed", "body.evidence.what required"},
		{"evidence of the wrong type", someone, w.help().with("evidence", evidence("when", "heute früh")), 422, "validation_failed", "body.evidence.when malformed"},
		{"a date for a time", someone, w.help().with("evidence", evidence("when", w.Day(0))), 422, "validation_failed", "body.evidence.when malformed"},
		{"a number as evidence", someone, w.help().with("evidence", evidence("when", 17)), 422, "validation_failed", ""},
		{"evidence in the future", someone, w.help().with("evidence", evidence("when", w.ago(-time.Hour))), 422, "validation_failed", "body.evidence.when in_the_future"},
		{"evidence that nobody wants", someone, w.help().with("evidence", evidence("case_no", "7")), 422, "validation_failed", "body.evidence not_wanted"},
		{"evidence that is too long", someone, w.help().with("evidence", evidence("what", strings.Repeat("急", 201))), 422, "validation_failed", "body.evidence.what too_long"},
		{"a choice that there is not", someone, w.own().with("evidence", body{"confirmed_how": "telepathy", "confirmed_on": w.Day(0)}), 422, "validation_failed", "body.evidence.confirmed_how not_allowed"},
		{"a date to come", someone, w.own().with("evidence", body{"confirmed_how": "callback", "confirmed_on": w.Day(2)}), 422, "validation_failed", "body.evidence.confirmed_on in_the_future"},
		{"no calendar's date", someone, w.own().with("evidence", body{"confirmed_how": "callback", "confirmed_on": "2026-02-30"}), 422, "validation_failed", "body.evidence.confirmed_on malformed"},
		{"asked by two", someone, w.help().with("requested_by", body{"employee_id": w.People[models.RoleEmployee], "description": "来电者"}), 422, "validation_failed", "body.requested_by one_of_two"},
		{"asked by a colleague who is not there", someone, w.help().with("requested_by", body{"employee_id": uuid.New()}), 422, "validation_failed", "body.requested_by.employee_id unknown"},
		{"something that nobody knows", someone, w.help().with("force", true), 422, "unknown_field", ""},
		{"nobody", w.path(uuid.New()), w.help(), 404, "employee_not_found", ""},
		{"no identifier", "/api/v1/employees/E1/disclosures", w.help(), 422, "validation_failed", ""},
		{"an employment of somebody else", someone, w.help().with("employment_id", w.Employment(w.People[models.RoleEmployee])), 404, "employee_not_found", ""},
		{"an employment of nobody", someone, w.help().with("employment_id", uuid.New()), 404, "employee_not_found", ""},
	} {
		for _, got := range []apitest.Reply{
			w.hr.Ask("POST", c.path, c.body.String()),
			w.Ask(models.RoleHRAdmin, "POST", c.path, c.body.String()),
		} {
			nothingShown(t, c.what, got, c.status, c.code)
			located := map[string]bool{"": true}
			for _, e := range got.Problem.Errors {
				located[e.Location+" "+e.Code] = true
			}
			if !located[c.at] {
				t.Errorf("%s: %s, want %s", c.what, got.Body, c.at)
			}
		}
	}
	for _, role := range models.Roles {
		if role == models.RoleHRAdmin || role == models.RoleDepartmentHead {
			continue // whom the permissions let
		}
		for _, ask := range []body{w.help(), w.help().with("reason", nil)} {
			nothingShown(t, string(role), w.Ask(role, "POST", someone, ask.String()), 403, "role_not_allowed")
		}
		nothingShown(t, string(role), w.Ask(role, "POST", "/api/v1/disclosures/"+uuid.NewString()+"/opening", ""), 403, "role_not_allowed")
	}
	for _, path := range []string{"opening", "outcome", "review"} {
		sent := map[string]string{"outcome": `{"outcome": "not_passed_on"}`, "review": `{"review": "proper"}`}[path]
		nothingShown(t, path, w.hr.Ask("POST", "/api/v1/disclosures/"+uuid.NewString()+"/"+path, sent), 404, "not_found")
	}
	if diff := cmp.Diff(before, w.Rows()); diff != "" {
		t.Errorf("something was written: %s", diff)
	}
}

// TestI18_WhatTheRulesRefuseIsRecordedAndShowsNothing.
func TestI18_WhatTheRulesRefuseIsRecordedAndShowsNothing(t *testing.T) {
	w := newWorld(t)
	self := w.FreshSession(w.person, models.RoleHRAdmin)
	got := self.Ask("POST", w.path(w.person), w.help().String())
	nothingShown(t, "the own file", got, 403, "own_matter")
	got = w.hr.Ask("POST", w.path(w.person), w.help().with("fields", []string{"bank_account"}).String())
	nothingShown(t, "a purpose that the field lacks", got, 403, "disclosure_refused")
	if got.Problem.Rule != "purpose_not_for_field" || len(got.Problem.Alternatives) == 0 || got.Problem.LedgerEntryID == nil {
		t.Errorf("a purpose that the field lacks: %s", got.Body)
	}
	got = w.hr.Ask("POST", w.path(w.person), w.help().with("fields", []string{"emergency_contact_phone", "bank_account"}).String())
	nothingShown(t, "one of two fields", got, 403, "disclosure_refused")

	gone := w.Hire("E9", w.A)
	w.fill(gone)
	w.purging(gone)
	got = w.hr.Ask("POST", w.path(gone), w.help().String())
	nothingShown(t, "what is being destroyed", got, 403, "disclosure_refused")
	if got.Problem.Rule != "category_destroyed" {
		t.Errorf("what is being destroyed: %s", got.Body)
	}
	w.WantEntries("disclosure.refused", 4)
}

// TestAnotherTextDoesNotUndoARefusal: what was refused for what it said goes to a reviewer when it is asked for in other
// words, whatever the purpose and whoever asks; a wrong purpose can be put right.
func TestAnotherTextDoesNotUndoARefusal(t *testing.T) {
	w := newWorld(t)
	since := body{"since": w.ago(26 * time.Hour), "tried": "电话、微信、上门均无人应答"}
	missing := body{"fields": []string{"emergency_contact_phone"}, "purpose": "unreachable", "reason": "员工已两天未到岗，电话无人接听，担心其安全，需联系家属", "evidence": since}
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	nothingShown(t, "a debt", w.hr.Ask("POST", w.path(w.person), missing.with("reason", "他欠我三万块钱不还，要他父母电话催一下").String()), 403, "disclosure_refused")
	for what, got := range map[string]apitest.Reply{
		"the same purpose in other words":      w.hr.Ask("POST", w.path(w.person), missing.String()),
		"by a colleague, for something else":   colleague.Ask("POST", w.path(w.person), w.own().String()),
		"by a colleague, for the same purpose": colleague.Ask("POST", w.path(w.person), missing.String()),
	} {
		nothingShown(t, what, got, 202, "")
	}
	if got := w.hr.Ask("POST", w.path(w.person), w.help().String()); got.Status != 200 {
		t.Errorf("an emergency: %d %s", got.Status, got.Body)
	}
	other := w.Hire("E2", w.A)
	w.fill(other)
	nothingShown(t, "a field that the purpose lacks", w.hr.Ask("POST", w.path(other), w.help().with("fields", []string{"bank_account"}).String()), 403, "disclosure_refused")
	if got := w.hr.Ask("POST", w.path(other), w.help().String()); got.Status != 200 {
		t.Errorf("the right field: %d %s", got.Status, got.Body)
	}
}

// purging has the purge of somebody's data begun.
func (w *world) purging(person uuid.UUID) {
	w.T.Helper()
	err := databasetest.Unguarded(w.Env.Facts, "employment_categories", "employment_categories_not_early",
		"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE employment_id = '"+w.Employment(person).String()+"'")
	if err != nil {
		w.T.Fatal(err)
	}
}

// TestI23_WhoIsDisabledLooksAtNothing, and opens nothing that was agreed to before.
func TestI23_WhoIsDisabledLooksAtNothing(t *testing.T) {
	w := newWorld(t)
	look := w.granted(w.person)
	w.Run(func(tx *database.Tx) error { return identity.Disable(tx, w.hr.UserID, models.System) })
	before := w.Rows()
	nothingShown(t, "a look", w.hr.Ask("POST", w.path(w.person), w.help().String()), 401, "session_unknown")
	nothingShown(t, "an opening", w.hr.Ask("POST", look+"/opening", ""), 401, "session_unknown")
	if diff := cmp.Diff(before, w.Rows()); diff != "" {
		t.Errorf("something was written: %s", diff)
	}
}

// order is a look that a reviewer decides about.
func (w *world) order() body {
	return body{"fields": []string{"id_number"}, "purpose": "authority_order", "reason": "公安机关持调取证据通知书来公司调取，已回拨核实",
		"evidence": body{"authority": "某某区公安分局", "officials": "张警官 012345", "document_no": "公（刑）调证字〔2026〕12号", "called_back_at": "110"}}
}

// waiting asks for a look that a reviewer decides about, and says where it and the request are.
func (w *world) waiting(person uuid.UUID, headers ...string) (look, request string) {
	w.T.Helper()
	got := w.hr.Ask("POST", w.path(person), w.order().String(), headers...)
	var asked struct {
		ID      uuid.UUID
		Targets []struct{ ID uuid.UUID }
	}
	if got.Into(w.T, &asked); got.Status != 202 || len(asked.Targets) != 1 {
		w.T.Fatalf("asked: %d %s", got.Status, got.Body)
	}
	return httpkit.AddressOf(models.RefDisclosure, asked.Targets[0].ID), httpkit.AddressOf(models.RefApproval, asked.ID)
}

// granted is a look that a reviewer agreed to.
func (w *world) granted(person uuid.UUID) (look string) {
	w.T.Helper()
	look, request := w.waiting(person)
	if got := w.reviewer().Ask("POST", request+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		w.T.Fatalf("decided: %d %s", got.Status, got.Body)
	}
	return look
}

func (w *world) reviewer() *apitest.Visitor {
	return w.FreshSession(w.People[models.RoleReviewer], models.RoleReviewer)
}

// stateOf is how far a look came.
func (w *world) stateOf(look string) (state string) {
	w.T.Helper()
	var v struct{ State string }
	w.FreshSession(w.People[models.RoleAuditor], models.RoleAuditor).Ask("GET", look, "").Into(w.T, &v)
	return v.State
}
