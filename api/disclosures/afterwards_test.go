package disclosures_test

import (
	"net/http"
	"slices"
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

const idNumber = "11010519491231002X"

// shown asks for an emergency's look and wants its values.
func (w *world) shown(by *apitest.Visitor, person uuid.UUID, headers ...string) (v disclosures.LookAnswer, address string) {
	w.T.Helper()
	got := by.Ask("POST", w.path(person), w.help().String(), headers...)
	got.Into(w.T, &v)
	if v.Values["emergency_contact_phone"] != phone {
		w.T.Fatalf("not shown: %d %s", got.Status, got.Body)
	}
	return v, "/api/v1/disclosures/" + v.ID.String()
}

// TestALookIsOpenedByWhoAskedWhileNothingHasChanged.
func TestALookIsOpenedByWhoAskedWhileNothingHasChanged(t *testing.T) {
	w := newWorld(t)
	left, gone, moved := w.Hire("L1", w.A), w.Hire("G1", w.A), w.Hire("M1", w.A)
	for _, person := range []uuid.UUID{left, gone, moved} {
		w.fill(person)
	}
	resigned, purging, late := w.granted(left), w.granted(gone), w.granted(moved)
	w.Exec("UPDATE employees SET status = 'pending_departure' WHERE id = ?", left)
	w.purging(gone)
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	nothingShown(t, "by a colleague", colleague.Ask("POST", late+"/opening", ""), 403, "disclosure_of_another")
	for what, look := range map[string]string{"the status has changed": resigned, "the purge has begun": purging} {
		nothingShown(t, what, w.hr.Ask("POST", look+"/opening", ""), 409, "disclosure_lapsed")
		if state := w.stateOf(look); state != "lapsed" {
			t.Errorf("%s: it is %s", what, state)
		}
		nothingShown(t, what+", again", w.hr.Ask("POST", look+"/opening", ""), 409, "disclosure_not_open")
	}
	w.WantEntries("disclosure.lapsed", 2)

	// What was shown already is not shown again once its destruction has begun.
	_, shown := w.shown(w.hr, w.person)
	w.purging(w.person)
	nothingShown(t, "shown, and being destroyed", w.hr.Ask("POST", shown+"/opening", ""), 409, "data_destroyed")

	if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	hr := w.FreshSession(w.People[models.RoleHRAdmin], models.RoleHRAdmin)
	nothingShown(t, "a day later", hr.Ask("POST", late+"/opening", ""), 409, "disclosure_lapsed")
	w.WantEntries("disclosure.shown", 1)
}

// TestI8_ALookIsAtTheEmploymentThatIsNamed: somebody who was hired again has another file.
func TestI8_ALookIsAtTheEmploymentThatIsNamed(t *testing.T) {
	w := newWorld(t)
	former := w.Employment(w.person)
	w.Exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", w.person)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		w.Exec("UPDATE employees SET status = ? WHERE id = ?", status, w.person)
	}
	if again := w.Hire("E1", w.B); again != w.person {
		t.Fatal("it is another person")
	}
	newer := "13800000001"
	w.Run(func(tx *database.Tx) error {
		return archive.Update(tx, w.Vault, w.person, archive.Patch{Fields: map[string]*string{"emergency_contact_phone": &newer}})
	})
	for _, c := range []struct {
		what string
		ask  body
		want string
	}{
		{"the latest", w.help(), newer},
		{"the former", w.help().with("employment_id", former), phone},
	} {
		var v disclosures.LookAnswer
		w.hr.Ask("POST", w.path(w.person), c.ask.String()).Into(t, &v)
		if diff := cmp.Diff(map[string]string{"emergency_contact_phone": c.want}, v.Values); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// TestI26_ARepeatedRequestIsTheSameLook: it is shown again, and counted; what was refused is refused again.
func TestI26_ARepeatedRequestIsTheSameLook(t *testing.T) {
	w := newWorld(t)
	ask := w.help().String()
	first := w.hr.Ask("POST", w.path(w.person), ask, "Idempotency-Key", "a look")
	var one, two disclosures.LookAnswer
	first.Into(t, &one)
	w.hr.Ask("POST", w.path(w.person), ask, "Idempotency-Key", "a look").Into(t, &two)
	if one.ID != two.ID || one.ShownTimes != 1 || two.ShownTimes != 2 || two.Values["emergency_contact_phone"] != phone {
		t.Errorf("shown as %+v, again as %+v", one, two)
	}
	if got := w.hr.Ask("POST", w.path(w.person), w.help().with("purpose", "work_injury").String(), "Idempotency-Key", "a look"); got.Status != 422 || strings.Contains(string(got.Body), phone) {
		t.Errorf("the key for something else: %d %s", got.Status, got.Body)
	}

	debt := w.help().with("reason", "他欠我三万块钱不还，要他父母电话催一下").String()
	refused := w.hr.Ask("POST", w.path(w.person), debt, "Idempotency-Key", "a debt")
	again := w.hr.Ask("POST", w.path(w.person), debt, "Idempotency-Key", "a debt")
	nothingShown(t, "refused", refused, 403, "disclosure_refused")
	nothingShown(t, "refused again", again, 403, "disclosure_refused")
	if refused.Problem.Rule != again.Problem.Rule || refused.Problem.Location != again.Problem.Location || again.Problem.Matter != "private_debt" ||
		*refused.Problem.LedgerEntryID != *again.Problem.LedgerEntryID {
		t.Errorf("refused as %s, again as %s", refused.Body, again.Body)
	}

	look, request := w.waiting(w.person, "Idempotency-Key", "an order")
	if sameLook, same := w.waiting(w.person, "Idempotency-Key", "an order"); sameLook != look || same != request {
		t.Errorf("%s and %s wait", request, same)
	}
	if n := w.Count("disclosures"); n != 3 {
		t.Errorf("%d looks, want 3", n)
	}
	w.WantEntries("disclosure.shown", 1)
	w.WantEntries("disclosure.shown_again", 1)
	w.WantEntries("disclosure.refused", 1)
	w.WantEntries("disclosure.requested", 1)

	// The same words are shown again for half an hour, whoever repeats them.
	w.idle(31 * time.Minute)
	nothingShown(t, "later", w.hr.Ask("POST", w.path(w.person), ask, "Idempotency-Key", "a look"), 409, "disclosure_not_open")
}

// idle lets time go by in which the session of HR is used.
func (w *world) idle(d time.Duration) {
	w.T.Helper()
	for ; d > 0; d -= 10 * time.Minute {
		if err := databasetest.MoveClock(w.T.Context(), w.Env.Facts, min(d, 10*time.Minute)); err != nil {
			w.T.Fatal(err)
		}
		w.hr.Ask("GET", "/api/v1/me", "")
	}
}

// TestTheFamilyIsContactedInEmergenciesAlone: what came of a look fits its purpose.
func TestTheFamilyIsContactedInEmergenciesAlone(t *testing.T) {
	w := newWorld(t)
	var look disclosures.LookAnswer
	w.hr.Ask("POST", w.path(w.person), `{"fields": ["id_number"], "purpose": "own_request", "reason": "员工本人来电申请更正身份证信息，已核验身份",
		"evidence": {"confirmed_how": "callback", "confirmed_on": "`+w.ago(0)[:10]+`"}}`).Into(t, &look)
	outcome := "/api/v1/disclosures/" + look.ID.String() + "/outcome"
	nothingShown(t, "the family", w.hr.Ask("POST", outcome, `{"outcome": "family_contacted"}`), 422, "validation_failed")
	if got := w.hr.Ask("POST", outcome, `{"outcome": "person_contacted"}`); got.Status != 200 {
		t.Errorf("the person: %d %s", got.Status, got.Body)
	}
	var c disclosures.Catalogue
	w.Ask(models.RoleDepartmentHead, "GET", "/api/v1/disclosure-purposes", "").Into(t, &c)
	for _, p := range c.Purposes {
		family := slices.ContainsFunc(p.Outcomes, func(o disclosures.OutcomeView) bool { return o.Outcome == models.FamilyContacted })
		if len(p.Outcomes) < 3 || family != p.Reviewed {
			t.Errorf("%s offers %+v", p.Purpose, p.Outcomes)
		}
	}
}

// TestWhatCameOfALookIsToldOnce by who looked.
func TestWhatCameOfALookIsToldOnce(t *testing.T) {
	w := newWorld(t)
	_, look := w.shown(w.hr, w.person)
	outcome := look + "/outcome"
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	passed := `{"outcome": "passed_on", "note": "转交第一医院急诊科", "pressed": true}`
	nothingShown(t, "by a colleague", colleague.Ask("POST", outcome, passed), 403, "disclosure_of_another")
	nothingShown(t, "passed on to nobody", w.hr.Ask("POST", outcome, `{"outcome": "passed_on"}`), 422, "validation_failed")
	nothingShown(t, "no outcome", w.hr.Ask("POST", outcome, `{"outcome": ""}`), 422, "validation_failed")
	nothingShown(t, "an unknown one", w.hr.Ask("POST", outcome, `{"outcome": "forgotten"}`), 422, "validation_failed")
	for range 2 {
		if got := w.hr.Ask("POST", outcome, passed); got.Status != 200 {
			t.Fatalf("told: %d %s", got.Status, got.Body)
		}
	}
	w.WantEntries("disclosure.closed", 1)
	for what, other := range map[string]string{
		"another outcome":  `{"outcome": "not_passed_on"}`,
		"not urged":        strings.Replace(passed, "true", "false", 1),
		"to somebody else": strings.Replace(passed, "第一医院", "第二医院", 1),
	} {
		nothingShown(t, what, w.hr.Ask("POST", outcome, other), 409, "disclosure_closed")
	}
	nothingShown(t, "opened after its end", w.hr.Ask("POST", look+"/opening", ""), 409, "disclosure_not_open")
	waiting, _ := w.waiting(w.person)
	nothingShown(t, "of what was not shown", w.hr.Ask("POST", waiting+"/outcome", passed), 409, "disclosure_not_shown")
	w.WantEntries("disclosure.closed", 1)
}

// TestI28_ALookIsReviewedByASecondPerson: not by the looker, and not by the one whose data it is, in whatever role.
func TestI28_ALookIsReviewedByASecondPerson(t *testing.T) {
	w := newWorld(t)
	_, look := w.shown(w.hr, w.person)
	review, proper := look+"/review", `{"review": "proper"}`
	for what, by := range map[string]*apitest.Visitor{
		"the looker":               w.hr,
		"the looker as a reviewer": w.FreshSession(w.People[models.RoleHRAdmin], models.RoleReviewer),
		"the subject":              w.FreshSession(w.person, models.RoleReviewer),
		"the subject as HR":        w.FreshSession(w.person, models.RoleHRAdmin),
	} {
		nothingShown(t, what, by.Ask("POST", review, proper), 403, "own_matter")
	}
	reviewer := w.reviewer()
	nothingShown(t, "no finding", reviewer.Ask("POST", review, `{"review": ""}`), 422, "validation_failed")
	nothingShown(t, "improper without a word", reviewer.Ask("POST", review, `{"review": "improper"}`), 422, "validation_failed")
	w.idle(10 * time.Minute)
	for range 2 {
		if got := reviewer.Ask("POST", review, proper); got.Status != 200 {
			t.Fatalf("reviewed: %d %s", got.Status, got.Body)
		}
	}
	nothingShown(t, "and differently", reviewer.Ask("POST", review, `{"review": "improper", "note": "没有送医"}`), 409, "disclosure_reviewed")
	w.WantEntries("disclosure.reviewed", 1)
	var own disclosures.LookAnswer
	w.hr.Ask("POST", w.path(w.person), w.own().String()).Into(t, &own)
	nothingShown(t, "one that needs none", reviewer.Ask("POST", "/api/v1/disclosures/"+own.ID.String()+"/review", proper), 409, "disclosure_without_review")
}

// TestALookWhoseRequestEndsIsNeverOpened: rejected, withdrawn, expired, or of who is disabled.
func TestALookWhoseRequestEndsIsNeverOpened(t *testing.T) {
	w := newWorld(t)
	people := map[string]uuid.UUID{"rejected": {}, "withdrawn": {}, "expired": {}}
	looks, requests := map[string]string{}, map[string]string{}
	for how := range people {
		person := w.Hire(how, w.A)
		w.fill(person)
		looks[how], requests[how] = w.waiting(person)
	}
	if got := w.reviewer().Ask("POST", requests["rejected"]+"/decision", `{"decision": "rejected", "comment": "公函没有公章"}`); got.Status != 200 {
		t.Fatalf("rejected: %d %s", got.Status, got.Body)
	}
	if got := w.hr.Ask("POST", requests["withdrawn"]+"/withdrawal", ""); got.Status >= 300 {
		t.Fatalf("withdrawn: %d %s", got.Status, got.Body)
	}
	if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 60*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Approvals.Sweep(t.Context(), w.API.DB); err != nil {
		t.Fatal(err)
	}
	w.hr = w.FreshSession(w.People[models.RoleHRAdmin], models.RoleHRAdmin)
	for how, state := range map[string]string{"rejected": "declined", "withdrawn": "lapsed", "expired": "lapsed"} {
		if got := w.stateOf(looks[how]); got != state {
			t.Errorf("%s: it is %s, want %s", how, got, state)
		}
		nothingShown(t, how, w.hr.Ask("POST", looks[how]+"/opening", ""), 409, "disclosure_not_open")
	}
	w.WantEntries("disclosure.declined", 1)
	w.WantEntries("disclosure.lapsed", 2)

	look, request := w.waiting(w.person)
	if got := w.FreshSession(w.People[models.RoleITOps], models.RoleITOps).Ask("POST", "/api/v1/users/"+w.hr.UserID.String()+"/disabling", ""); got.Status >= 300 {
		t.Fatalf("disabled: %d %s", got.Status, got.Body)
	}
	if got := w.stateOf(look); got == "waiting" { // disabling takes two people: then it waits until they agree
		w.Exec("UPDATE users SET state = 'disabled', ledger_entry_id = @entry WHERE id = ?", w.hr.UserID)
		if _, err := w.Approvals.EndLeft(t.Context(), w.API.DB); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.stateOf(look); got != "lapsed" {
		t.Errorf("of who is disabled: %s is %s", request, got)
	}
}

// TestTwoWhoAskAtOnceHaveALookEach, and one who asks many times at once has one.
func TestTwoWhoAskAtOnceHaveALookEach(t *testing.T) {
	w := newWorld(t)
	colleague := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	order, path := w.order().String(), w.path(w.person)
	answers := make(chan apitest.Reply, 12)
	var all sync.WaitGroup
	for range cap(answers) / 2 {
		all.Go(func() { answers <- w.hr.Ask("POST", path, order) })
		all.Go(func() { answers <- colleague.Ask("POST", path, order) })
	}
	all.Wait()
	close(answers)
	requests := map[uuid.UUID]bool{}
	for got := range answers {
		var asked struct{ ID uuid.UUID }
		got.Into(t, &asked)
		if requests[asked.ID] = true; got.Status != http.StatusAccepted {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if len(requests) != 2 || w.Count("disclosures") != 2 {
		t.Errorf("%d requests, %d looks", len(requests), w.Count("disclosures"))
	}
}

// TestWhoLooksAtManyAtOnceIsSeen: no number of looks at the same moment gets past the count.
func TestWhoLooksAtManyAtOnceIsSeen(t *testing.T) {
	w := newWorld(t)
	people := make([]string, 30)
	for i := range people {
		person := w.Hire("P"+uuid.NewString()[:8], w.A)
		w.fill(person)
		people[i] = w.path(person)
	}
	own := w.own().String()
	answers := make(chan apitest.Reply, len(people))
	var all sync.WaitGroup
	for _, path := range people {
		all.Go(func() { answers <- w.hr.Ask("POST", path, own) })
	}
	all.Wait()
	close(answers)
	opened := 0
	for got := range answers {
		if strings.Contains(string(got.Body), idNumber) {
			opened++
		} else if got.Status != http.StatusAccepted {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if opened != 20 {
		t.Errorf("%d were opened, want 20", opened)
	}
}
