package disclosures_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/api/disclosures"
	"lethe/models"
)

// TestI28_WhatSomebodyWantedIsRegistered: one step gives the reply, without opening anything, and what is asked for the
// same person next goes to a reviewer, whoever asks.
func TestI28_WhatSomebodyWantedIsRegistered(t *testing.T) {
	w := newWorld(t)
	body := `{"employee_id": "` + w.person.String() + `", "matter": "private_debt", "requested_by": {"description": "自称债主的来电者"}, "said": "他欠我三万不还", "pressed": true}`
	var first, again disclosures.Plea
	for _, v := range []*disclosures.Plea{&first, &again} {
		got := w.hr.Ask("POST", "/api/v1/pleas", body, "Idempotency-Key", "once")
		if got.Status != 201 {
			t.Fatalf("registered: %d %s", got.Status, got.Body)
		}
		got.Into(t, v)
	}
	if first.ID != again.ID {
		t.Error("a repeated request registered it twice")
	}
	if again.Judgement == nil || !again.Judgement.Pressed {
		t.Errorf("kept as %+v", again.Judgement)
	}
	if j := first.Judgement; first.State != models.LookRefused || j == nil || !j.Pressed || j.Matter != "private_debt" || len(first.Fields) > 0 {
		t.Errorf("registered as %+v, %+v", first.DisclosureView, j)
	}
	if first.Reply.Chinese == "" || first.Reply.English == "" || len(first.Alternatives) == 0 || first.Receipt == "" {
		t.Errorf("nothing to say: %+v", first)
	}
	w.WantEntries("disclosure.registered", 1)
	// What the asker said is kept sealed, and read by who may read looks.
	if n := w.Count("disclosures WHERE position(convert_to('三万', 'UTF8') IN statement_sealed) > 0") + w.Count("ledger_content WHERE position('三万' IN coalesce(reason, '') || details::text) > 0"); n != 0 {
		t.Errorf("what was said lies open in %d rows", n)
	}
	var read disclosures.DisclosureView
	w.Ask(models.RoleReviewer, "GET", "/api/v1/disclosures/"+first.ID.String(), "").Into(t, &read)
	if read.Judgement.Written == nil || read.Judgement.Written.Reason != "他欠我三万不还" {
		t.Errorf("read as %+v", read.Judgement)
	}

	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	got := colleague.Ask("POST", w.path(w.person), `{"fields": ["id_number"], "purpose": "own_request", "reason": "员工本人来电申请更正身份证信息，已核验身份",
		"evidence": {"confirmed_how": "callback", "confirmed_on": "`+w.ago(0)[:10]+`"}}`)
	if got.Status != 202 {
		t.Errorf("another look at the person: %d %s", got.Status, got.Body)
	}
}

// TestWhatCannotBeRegistered leaves nothing.
func TestWhatCannotBeRegistered(t *testing.T) {
	w := newWorld(t)
	of := func(person uuid.UUID, matter, more string) string {
		return `{"employee_id": "` + person.String() + `", "matter": "` + matter + `"` + more + `}`
	}
	for what, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"an unknown matter":           {of(w.person, "debt", ""), 422, "validation_failed"},
		"nobody":                      {of(uuid.New(), "private_debt", ""), 404, "employee_not_found"},
		"the own file":                {of(w.People[models.RoleHRAdmin], "private_debt", ""), 403, "own_matter"},
		"a colleague and an outsider": {of(w.person, "private_debt", `, "requested_by": {"employee_id": "`+w.person.String()+`", "description": "x"}`), 422, "validation_failed"},
		"who asked is nobody":         {of(w.person, "private_debt", `, "requested_by": {"employee_id": "`+uuid.NewString()+`"}`), 422, "validation_failed"},
	} {
		nothingShown(t, what, w.hr.Ask("POST", "/api/v1/pleas", c.body), c.status, c.code)
	}
	if n := w.Count("disclosures"); n != 0 {
		t.Errorf("%d are kept", n)
	}
}
