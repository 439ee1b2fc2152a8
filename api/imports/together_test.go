package imports_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/purges"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI1_OneDecisionAboutAList: who is due of a file is listed by name, with categories and since when; one decision is
// about all but those taken out, those whose data a hold keeps and those who object. It is by the list as it was seen, has
// one effect, and an entry for each.
func TestI1_OneDecisionAboutAList(t *testing.T) {
	f := apitest.New(t)
	v := agree(t, f, f.Upload(whoLeft(f, 4000, 4000, 4000, 4000, 4000, -1)).ID)
	purge := map[string]uuid.UUID{}
	for i := range 5 {
		no := fmt.Sprintf("L-%d", i+1)
		dep := departureOf(t, f, no)
		f.Run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
		waits, err := database.First[models.Purge](f.Env.Facts.Read(t.Context()).Where("departure_id = ?", dep.ID))
		if err != nil {
			t.Fatal(err)
		}
		purge[no] = waits.ID
	}
	held, objects := departureOf(t, f, "L-2").EmployeeID, departureOf(t, f, "L-3").EmployeeID
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "categories": ["contract"], "matter": "M-1"}`, held))
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec(`INSERT INTO subject_requests (id, employee_id, kind, state, form, entered_by, entered_at, answer_due_at, ledger_entry_id)
			VALUES (gen_random_uuid(), ?, 'erasure', 'open', 'own_login', ?, lethe_now(), lethe_now() + interval '9 days', ?)`, objects, objects, f.Entry(tx)).Error)
	})

	at := address(v.ID)
	list := func() (l purges.DueOfFile) {
		f.Ask(models.RoleReviewer, "GET", at+"/purges", "", "Accept-Language", "zh").Into(t, &l)
		return l
	}
	seen := list()
	if len(seen.Items) != 5 || seen.More || seen.Items[0].Person.Name != "张伟" || len(seen.Items[0].CategoriesText) != 7 || seen.Items[0].DueSince.IsZero() {
		t.Fatalf("the list: %+v", seen)
	}
	for _, p := range seen.Items {
		want := map[uuid.UUID]retention.LeftOut{purge["L-2"]: retention.LeftHeld, purge["L-3"]: retention.LeftDisputed}[p.PurgeID]
		if p.LeftOut != want || (p.LeftOutText == "") != (want == "") {
			t.Errorf("%s is left out: %q %q", p.Person.Name, p.LeftOut, p.LeftOutText)
		}
		// Each screen says the same day of it: that of the rules, years before the purge was made.
		var alone purges.PurgeView
		f.Ask(models.RoleReviewer, "GET", "/api/v1/purges/"+p.PurgeID.String(), "").Into(t, &alone)
		var gone departures.DepartureView
		f.Ask(models.RoleReviewer, "GET", "/api/v1/departures/"+alone.DepartureID.String(), "", "Accept-Language", "zh").Into(t, &gone)
		first := slices.MinFunc(gone.Retention, func(a, b purges.RetentionView) int { return a.Deadline.Compare(b.Deadline) })
		if !alone.DueSince.Equal(p.DueSince) || !first.Deadline.Equal(p.DueSince) || !p.DueSince.Before(alone.CreatedAt.AddDate(0, 0, -1)) || first.DaysLeftText != "已到期" {
			t.Errorf("%s is due since %s in the list, %s by itself, %s (%s) in the archive", p.Person.Name, p.DueSince, alone.DueSince, first.Deadline, first.DaysLeftText)
		}
	}
	decide := func(by *apitest.Visitor, list string, but ...uuid.UUID) int {
		ids := "[]"
		if len(but) > 0 {
			ids = `["` + but[0].String() + `"]`
		}
		return by.Ask("POST", at+"/purge-decision", fmt.Sprintf(`{"decision": "approved", "list": %q, "but": %s}`, list, ids)).Status
	}
	reviewer := f.Session(models.RoleReviewer)
	for what, got := range map[string]struct{ got, want int }{
		"another list":             {decide(reviewer, "0000"), http.StatusConflict},
		"who is left out":          {decide(reviewer, seen.List, purge["L-2"]), http.StatusUnprocessableEntity},
		"by HR":                    {decide(f.Session(models.RoleHRAdmin), seen.List), http.StatusForbidden},
		"by who sent the file":     {decide(f.FreshSession(f.People[models.RoleHRAdmin], models.RoleReviewer), seen.List), http.StatusForbidden},
		"a file that there is not": {reviewer.Ask("GET", address(uuid.New())+"/purges", "").Status, http.StatusNotFound},
	} {
		if got.got != got.want {
			t.Errorf("%s: %d, want %d", what, got.got, got.want)
		}
	}
	if n := f.Count("purges WHERE decision <> ''"); n != 0 {
		t.Fatalf("%d are decided", n)
	}
	if got := decide(reviewer, seen.List, purge["L-4"]); got != http.StatusOK {
		t.Fatalf("deciding: %d", got)
	}
	if got := decide(reviewer, seen.List, purge["L-4"]); got != http.StatusConflict {
		t.Errorf("the same again: %d", got)
	}
	f.WantEntries("purge.decided", 2)
	for _, no := range []string{"L-1", "L-5"} {
		if n := f.Count("purges WHERE decision = 'approved' AND decided_by = '" + f.People[models.RoleReviewer].String() + "' AND id = '" + purge[no].String() + "'"); n != 1 {
			t.Errorf("%s is not approved", no)
		}
	}
	if left := list(); len(left.Items) != 3 {
		t.Errorf("wait still: %+v", left.Items)
	}
}
