package departures_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/departure"
	"lethe/models"
)

// I27: the leaver learned from the own departure that an earlier end of access had been asked for, and
// read the legal ground, as did the head, IT operations and auditors.
func TestI27_WhoSeesThatAnEarlierCutoffWasAskedFor(t *testing.T) {
	f := apitest.New(t)
	leaver := f.People[models.RoleEmployee]
	var made departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures",
		strings.TrimSuffix(f.Notice(leaver, 40), "}")+`, "legal_ground": "劳动合同法第三十九条", "reason_code": "fraud"}`).Into(t, &made)
	address := httpkit.AddressOf(models.RefDeparture, made.ID)
	follows := map[models.Role]<-chan apitest.Event{}
	for _, role := range []models.Role{models.RoleEmployee, models.RoleReviewer} {
		follows[role] = f.Follow(role, address, "")
		f.Next(follows[role])
	}
	if got := f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(5)+`"}`); got.Status != http.StatusAccepted {
		t.Fatalf("asking for an earlier end: %d %s", got.Status, got.Problem.Code)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", address+"/annulment", `{"reason": "the wrong person"}`); got.Status/100 != 2 {
		t.Fatalf("asking for an annulment: %d %s", got.Status, got.Problem.Code)
	}
	for role, want := range map[models.Role]struct{ ground, requests bool }{
		models.RoleHRAdmin:        {true, true},
		models.RoleReviewer:       {false, true},
		models.RoleAuditor:        {false, true},
		models.RoleITOps:          {false, true},
		models.RoleDepartmentHead: {false, false},
		models.RoleEmployee:       {false, false},
	} {
		var view departures.DepartureView
		f.Ask(role, "GET", address, "").Into(t, &view)
		var page httpkit.Page[departures.DepartureView]
		f.Ask(role, "GET", "/api/v1/departures", "").Into(t, &page)
		if len(page.Items) != 1 {
			t.Fatalf("%s lists %d departures", role, len(page.Items))
		}
		for where, v := range map[string]departures.DepartureView{"the departure": view, "the list": page.Items[0]} {
			if ground := v.LegalGround != "" || v.ReasonCode != ""; ground != (want.ground && where == "the departure") {
				t.Errorf("%s sees the ground in %s: %v", role, where, ground)
			}
			asked := slices.ContainsFunc(v.Waiting, func(w departures.WaitingView) bool { return w.ApprovalID != nil })
			line := slices.ContainsFunc(v.Timeline, func(e departures.TimelineView) bool { return e.What == departure.EventAnnulmentRequested })
			if asked != want.requests || line != want.requests {
				t.Errorf("%s sees in %s that something waits: %v, in the timeline %v", role, where, asked, line)
			}
		}
	}
	// The reviewer's stream tells of it; the leaver's says nothing, not even that something changed.
	if e := f.Next(follows[models.RoleReviewer]); e.Kind == httpkit.EventProblem {
		t.Errorf("the reviewer's stream: %+v", e)
	}
	f.Exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", made.Accounts[0].ID)
	if e := f.Next(follows[models.RoleEmployee]); e.Kind != httpkit.EventChanged || e.View.Accounts[0].State != models.AccountUnlinking {
		t.Errorf("the leaver's stream: %s", e.Kind)
	}
}
