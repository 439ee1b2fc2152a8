package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"lethe/internal/departure"
	"lethe/models"
)

// I27: the leaver learned from the own departure that an earlier end of access had been asked for, and
// read the legal ground, as did the head, IT operations and auditors.
func TestI27_WhoSeesThatAnEarlierCutoffWasAskedFor(t *testing.T) {
	f := newFixture(t)
	leaver := f.people[models.RoleEmployee]
	var made DepartureView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures",
		strings.TrimSuffix(f.notice(leaver, 40), "}")+`, "legal_ground": "劳动合同法第三十九条", "reason_code": "fraud"}`).into(t, &made)
	address := addressOf(models.RefDeparture, made.ID)
	follows := map[models.Role]<-chan event{}
	for _, role := range []models.Role{models.RoleEmployee, models.RoleReviewer} {
		follows[role] = f.follow(role, address, "")
		f.next(follows[role])
	}
	if got := f.ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.day(5)+`"}`); got.status != http.StatusAccepted {
		t.Fatalf("asking for an earlier end: %d %s", got.status, got.problem.Code)
	}
	if got := f.ask(models.RoleHRAdmin, "POST", address+"/annulment", `{"reason": "the wrong person"}`); got.status/100 != 2 {
		t.Fatalf("asking for an annulment: %d %s", got.status, got.problem.Code)
	}
	for role, want := range map[models.Role]struct{ ground, requests bool }{
		models.RoleHRAdmin:        {true, true},
		models.RoleReviewer:       {false, true},
		models.RoleAuditor:        {false, true},
		models.RoleITOps:          {false, true},
		models.RoleDepartmentHead: {false, false},
		models.RoleEmployee:       {false, false},
	} {
		var view DepartureView
		f.ask(role, "GET", address, "").into(t, &view)
		var page Page[DepartureView]
		f.ask(role, "GET", "/api/v1/departures", "").into(t, &page)
		if len(page.Items) != 1 {
			t.Fatalf("%s lists %d departures", role, len(page.Items))
		}
		for where, v := range map[string]DepartureView{"the departure": view, "the list": page.Items[0]} {
			if ground := v.LegalGround != "" || v.ReasonCode != ""; ground != (want.ground && where == "the departure") {
				t.Errorf("%s sees the ground in %s: %v", role, where, ground)
			}
			asked := slices.ContainsFunc(v.Waiting, func(w WaitingView) bool { return w.ApprovalID != nil })
			line := slices.ContainsFunc(v.Timeline, func(e TimelineView) bool { return e.What == departure.EventAnnulmentRequested })
			if asked != want.requests || line != want.requests {
				t.Errorf("%s sees in %s that something waits: %v, in the timeline %v", role, where, asked, line)
			}
		}
	}
	// The reviewer's stream tells of it; the leaver's says nothing, not even that something changed.
	if e := f.next(follows[models.RoleReviewer]); e.kind == eventProblem {
		t.Errorf("the reviewer's stream: %+v", e)
	}
	f.exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", made.Accounts[0].ID)
	if e := f.next(follows[models.RoleEmployee]); e.kind != eventChanged || e.view.Accounts[0].State != models.AccountUnlinking {
		t.Errorf("the leaver's stream: %s", e.kind)
	}
}
