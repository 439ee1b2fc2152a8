package approvals_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/models"
)

// The reason of an annulment is sealed at the departure: a request shows it to nobody unrecorded.
func TestI18_ASealedReasonIsShownWithItsEntry(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	got := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "wrong-person-marker"}`)
	if strings.Contains(string(got.Body), "marker") {
		t.Errorf("the answer to the request repeats it: %s", got.Body)
	}
	if list := f.Ask(models.RoleReviewer, "GET", "/api/v1/approvals", ""); strings.Contains(string(list.Body), "marker") {
		t.Errorf("the list shows it: %s", list.Body)
	}
	address := got.Header.Get("Location")
	for range 2 {
		if one := f.Ask(models.RoleReviewer, "GET", address, ""); !strings.Contains(string(one.Body), "wrong-person-marker") {
			t.Errorf("who may decide does not see why: %s", one.Body)
		}
	}
	f.WantEntries("approval.read", 2)
	f.Exec("ALTER TABLE ledger_pending ADD CHECK (false) NOT VALID")
	if one := f.Ask(models.RoleReviewer, "GET", address, ""); one.Status < 500 || strings.Contains(string(one.Body), "marker") {
		t.Errorf("shown without its entry: %d %s", one.Status, one.Body)
	}
}

// Who agrees to a departure sees its days, those that were derived too: one that ended years ago would
// make everything due for deletion.
func TestI21_TheSecondPersonSeesTheDatesOfADeparture(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("E1", f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+head.String()+`", "kind": "dismissal",
		"last_working_day": "`+f.Day(-40)+`", "confirm_past": true}`)
	var view approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", got.Header.Get("Location"), "").Into(t, &view)
	shown := map[string]string{}
	for _, c := range view.Changes {
		shown[c.Field] = c.After
	}
	day, err := time.Parse(time.DateOnly, f.Day(-40))
	if err != nil {
		t.Fatal(err)
	}
	if ended := i18n.English.Day(day); shown["last_working_day"] != ended || shown["employment_end_date"] != ended || shown["access_cutoff_at"] == "" || shown["time_zone"] == "" {
		t.Errorf("the reviewer sees %v", shown)
	}
	// The zone from which the days were derived is part of what was judged.
	f.Exec("UPDATE employments SET time_zone = 'Pacific/Kiritimati', basis_entry_id = @entry WHERE employee_id = ?", head)
	got = f.Session(models.RoleReviewer).Ask("POST", httpkit.AddressOf(models.RefApproval, view.ID)+"/decision", `{"decision": "approved"}`)
	if got.Status != 409 || got.Problem.Code != "approval_void" {
		t.Errorf("after the employment changed: %d %s", got.Status, got.Body)
	}
}

// A change of jurisdiction after somebody has left moves the deadlines that run, earlier too, but
// only once two people agreed.
func TestI6_TwoPeopleMoveTheDeadlinesOfALeaver(t *testing.T) {
	f := apitest.New(t)
	leaver := f.Hire("E1", f.A)
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+leaver.String()+`", "kind": "resignation", "immediate": true}`)
	id := uuid.MustParse(strings.TrimPrefix(got.Header.Get("Location"), httpkit.Base+"/departures/"))
	f.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, id, f.Systems); return err })
	deadlines := func() map[models.Category]time.Time {
		var view departures.DepartureView
		f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, id), "").Into(t, &view)
		byCategory := map[models.Category]time.Time{}
		for _, r := range view.Retention {
			byCategory[r.Category] = r.Deadline
		}
		return byCategory
	}
	before := deadlines()
	waits := f.Ask(models.RoleHRAdmin, "PATCH", httpkit.AddressOf(models.RefEmployee, leaver), `{"jurisdiction": "DE"}`)
	if waits.Status != 202 {
		t.Fatalf("%d %s", waits.Status, waits.Body)
	}
	if diff := cmp.Diff(before, deadlines()); diff != "" {
		t.Errorf("asking moved deadlines:\n%s", diff)
	}
	var view approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", waits.Header.Get("Location"), "").Into(t, &view)
	told := map[string]string{}
	for _, c := range view.Changes {
		told[c.Field] = c.Before + " " + c.After
	}
	f.Session(models.RoleReviewer).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`).Into(t, &view)
	after := deadlines()
	for category, was := range before {
		const asShown = "2 Jan 2006, 15:04 (Asia/Shanghai, UTC+08:00)"
		there := time.FixedZone("", 8*3600)
		move := was.In(there).Format(asShown) + " " + after[category].In(there).Format(asShown)
		if got := told["category."+string(category)]; was.Equal(after[category]) != (got == "") || got != "" && got != move {
			t.Errorf("the second person was told %q of %s, which moved %s", got, category, move)
		}
	}
	if len(after) != len(before) || cmp.Equal(before, after) {
		t.Errorf("the deadlines did not follow: %v", after)
	}
	var rules int64
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT count(*) FROM retention_deadlines l JOIN retention_rules r ON r.id = l.rule_id
			WHERE l.departure_id = ? AND r.jurisdiction <> 'DE'`, id).Scan(&rules).Error)
	})
	if rules != 0 {
		t.Errorf("%d deadlines follow another jurisdiction's rules", rules)
	}
}

// What two people agreed to refers to their agreement in the ledger.
func TestI21_TheEffectsEntryRefersToTheApproval(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	got := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x", "approval_reason": "mistaken"}`)
	var view approvals.ApprovalView
	got.Into(t, &view)
	f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved", "comment": "seen"}`).Into(t, &view)
	var entries []struct{ Action, Reason, Approval string }
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT action, reason, COALESCE(details ->> 'approval_id', '') AS approval FROM ledger_content
			WHERE object = ? OR details ->> 'approval_id' = ? ORDER BY at, entry_id`, "approval/"+view.ID.String(), view.ID.String()).Scan(&entries).Error)
	})
	told := map[string]string{}
	for _, e := range entries {
		told[e.Action] = e.Reason + "|" + e.Approval
	}
	if told["approval.requested"] != "mistaken|" || told["approval.approved"] != "seen|"+view.ID.String() || told["departure.annulled"] != "|"+view.ID.String() {
		t.Errorf("the ledger tells %v", told)
	}
}

// What is sealed is what was hashed, whatever the characters.
func TestACommandWithMarkupIsCarriedOut(t *testing.T) {
	f := apitest.New(t)
	const post = `R&D <lab> \u0026`
	body, err := json.Marshal(map[string]any{"employee_no": "E1", "name": "B & C", "department_id": f.A, "hired_on": "2024-01-01", "post": post})
	if err != nil {
		t.Fatal(err)
	}
	got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", string(body))
	var view approvals.ApprovalView
	f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`).Into(t, &view)
	if view.State != models.ApprovalApproved || f.Count("employments WHERE post = '"+post+"'") != 1 {
		t.Errorf("%d %s; then %s (%s)", got.Status, got.Body, view.State, view.VoidReason)
	}
}
