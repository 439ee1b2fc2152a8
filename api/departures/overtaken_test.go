package departures_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/models"
)

// TestARequestThatItsDepartureOvertookEnds: another change of the dates, by one person, leaves nothing to agree to.
func TestARequestThatItsDepartureOvertookEnds(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E9", f.A))
	address := httpkit.AddressOf(models.RefDeparture, d.ID)
	f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(40)+`"}`)
	asked := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(20)+`"}`)
	if asked.Status != http.StatusAccepted {
		t.Fatalf("bringing it forward: %d %s", asked.Status, asked.Body)
	}
	var view departures.DepartureView
	f.Ask(models.RoleHRAdmin, "GET", address, "", "Accept-Language", "zh").Into(t, &view)
	if len(view.Waiting) != 1 || view.Waiting[0].RoleText != "人事管理员、审核人" {
		t.Errorf("waits: %+v", view.Waiting)
	}
	f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(50)+`"}`).Into(t, &view)
	var request approvals.ApprovalView
	f.Ask(models.RoleHRAdmin, "GET", asked.Header.Get("Location"), "").Into(t, &request)
	if request.State != models.ApprovalVoid || request.VoidReason != models.VoidChanged || len(view.Waiting) != 0 {
		t.Errorf("the request is %s (%s), and waits: %+v", request.State, request.VoidReason, view.Waiting)
	}
}

// TestARequestOutlastsKeysThatAreAway: what overtakes it is done all the same, since whether it is overtaken is not
// known without its command; it stays whole, and ends with the next change.
func TestARequestOutlastsKeysThatAreAway(t *testing.T) {
	f := apitest.New(t)
	address := httpkit.AddressOf(models.RefDeparture, f.Resign(f.Hire("E9", f.A)).ID)
	dates := func(days int) apitest.Reply {
		return f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(days)+`"}`)
	}
	keys := func(sql string) {
		t.Helper()
		if err := databasetest.Exec(t, f.Env.Keys, sql); err != nil {
			t.Fatal(err)
		}
	}
	request := dates(20).Header.Get("Location")
	keys("ALTER TABLE loose_keys RENAME TO away")
	if got := dates(50); got.Status != http.StatusOK {
		t.Errorf("the change itself: %d %s", got.Status, got.Body)
	}
	if n := f.Count("approvals WHERE state = 'pending' AND command_sealed IS NOT NULL AND ended_at IS NULL"); n != 1 {
		t.Errorf("%d requests wait as before", n)
	}
	keys("ALTER TABLE away RENAME TO loose_keys")
	dates(51)
	var view approvals.ApprovalView
	f.Ask(models.RoleHRAdmin, "GET", request, "").Into(t, &view)
	if view.State != models.ApprovalVoid || view.VoidReason != models.VoidChanged {
		t.Errorf("after the next change it is %s (%s)", view.State, view.VoidReason)
	}
}

// TestARequestEndsWhenItsDepartureTakesEffect: nobody does that, so the next sweep ends what was asked of it before,
// and what was noted for it. That deadlines count from an earlier end can be agreed to all the same.
func TestARequestEndsWhenItsDepartureTakesEffect(t *testing.T) {
	f := apitest.New(t)
	begin := func(no string, days int, more string) (d departures.DepartureView) {
		body := `{"employee_id": "` + f.Hire(no, f.A).String() + `", "kind": "resignation", "last_working_day": "` + f.Day(days) + `"` + more + `}`
		f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body).Into(t, &d)
		return d
	}
	forward, annulled, late := begin("E1", 1, ""), begin("E2", 1, ""), begin("E3", -40, `, "confirm_past": true`)
	annul := func() apitest.Reply {
		return f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, annulled.ID)+"/annulment", `{"reason": "wrong person"}`)
	}
	requests := []string{
		f.Ask(models.RoleHRAdmin, "PUT", httpkit.AddressOf(models.RefDeparture, forward.ID)+"/dates", `{"last_working_day": "`+f.Day(0)+`"}`).Header.Get("Location"),
		annul().Header.Get("Location"),
		httpkit.AddressOf(models.RefApproval, *late.Waiting[0].ApprovalID),
	}
	sweep := func(want int) {
		t.Helper()
		if n, err := f.Approvals.Sweep(t.Context(), f.API.DB); n != want || err != nil {
			t.Errorf("%d requests ended, want %d: %v", n, want, err)
		}
	}
	sweep(0)
	f.Env.Advance(t, 49*time.Hour)
	sweep(0)
	for _, id := range []uuid.UUID{forward.ID, annulled.ID, late.ID} {
		f.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, id, f.Systems); return err })
	}
	sweep(2)
	sweep(0)
	for i, want := range []models.ApprovalState{models.ApprovalVoid, models.ApprovalVoid, models.ApprovalPending} {
		var view approvals.ApprovalView
		f.Ask(models.RoleReviewer, "GET", requests[i], "").Into(t, &view)
		if view.State != want || want == models.ApprovalVoid && view.VoidReason != models.VoidChanged {
			t.Errorf("request %d is %s (%s), want %s", i, view.State, view.VoidReason, want)
		}
	}
	if got := annul(); got.Status != http.StatusAccepted || got.Header.Get("Location") == requests[1] {
		t.Errorf("asking again: %d %s", got.Status, got.Body)
	}
	sweep(0)
}

// TestARequestToBeginAtOnceEndsWithTheDeparture that somebody else begins meanwhile.
func TestARequestToBeginAtOnceEndsWithTheDeparture(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("H1", f.A)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	asked := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+head.String()+`", "kind": "resignation", "immediate": true}`)
	if asked.Status != http.StatusAccepted {
		t.Fatalf("%d %s", asked.Status, asked.Body)
	}
	f.Resign(head)
	var request approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", asked.Header.Get("Location"), "").Into(t, &request)
	if request.State != models.ApprovalVoid || request.VoidReason != models.VoidChanged {
		t.Errorf("the request is %s (%s)", request.State, request.VoidReason)
	}
}

// TestARequestEndsWithWhatOnePersonDoesBeside asking for the rest: access is cut at once, whatever two people say to
// the dates, and an earlier request for other dates is overtaken by that.
func TestARequestEndsWithWhatOnePersonDoesBeside(t *testing.T) {
	f := apitest.New(t)
	address := httpkit.AddressOf(models.RefDeparture, f.Resign(f.Hire("E9", f.A)).ID)
	dates := func(days int) apitest.Reply {
		return f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(days)+`", "confirm_past": true}`)
	}
	first, second := dates(20), dates(-2)
	if first.Status != http.StatusAccepted || second.Status != http.StatusAccepted {
		t.Fatalf("%d %s, %d %s", first.Status, first.Body, second.Status, second.Body)
	}
	for request, want := range map[string]models.ApprovalState{first.Header.Get("Location"): models.ApprovalVoid, second.Header.Get("Location"): models.ApprovalPending} {
		var view approvals.ApprovalView
		f.Ask(models.RoleHRAdmin, "GET", request, "").Into(t, &view)
		if view.State != want {
			t.Errorf("%s is %s, want %s", request, view.State, want)
		}
	}
}

// TestARequestAboutAPurgeOutlastsTheDataOfOthers who may not decide about it, such as whoever entered the departure.
func TestARequestAboutAPurgeOutlastsTheDataOfOthers(t *testing.T) {
	f := apitest.New(t)
	purge := f.RejectedPurge(f.Hire("E2", f.A))
	f.Exec("ALTER TABLE departures DISABLE TRIGGER USER")
	f.Exec("UPDATE departures SET created_by = ? WHERE id = (SELECT departure_id FROM purges WHERE id = ?)", f.People[models.RoleHRAdmin], purge)
	asked := f.Session(models.RoleReviewer).Ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "extended", "until": "`+f.Day(60)+`", "reason": "r"}`)
	if asked.Status != http.StatusAccepted || f.Count("approvals WHERE cardinality(subject_ids) > 1") != 1 {
		t.Fatalf("%d %s", asked.Status, asked.Body)
	}
	for _, of := range []struct {
		whose string
		ended int
	}{{"<>", 0}, {"=", 1}} {
		f.Exec(`UPDATE employment_categories SET purging_at = lethe_now() WHERE employment_id IN (SELECT m.id FROM employments m, approvals q
			WHERE m.employee_id = ANY (q.subject_ids) AND m.id `+of.whose+` (SELECT employment_id FROM purges WHERE id = ?))`, purge)
		if n, err := f.Approvals.Sweep(t.Context(), f.API.DB); n != of.ended || err != nil {
			t.Errorf("data of employments %s the purge's: %d requests ended, want %d: %v", of.whose, n, of.ended, err)
		}
	}
}
