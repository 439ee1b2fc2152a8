package api

import (
	"fmt"
	"net/http"
	"testing"

	"lethe/models"
)

// TestI27_AHoldIsNotReadFromTheDeadlinesItKeeps by whom it is on, in whichever role, nor by the head.
func TestI27_AHoldIsNotReadFromTheDeadlinesItKeeps(t *testing.T) {
	f := newFixture(t)
	person := f.hire("HR2", f.a)
	dep := f.leftLongAgo(person, -20, false)
	if got := f.session(hr).ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, person)); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for name, c := range map[string]struct {
		who  *visitor
		want models.DeadlineState
	}{
		"another of HR": {f.session(hr), models.DeadlineHeld}, "auditor": {f.session(auditor), models.DeadlineHeld}, "head": {f.session(head), models.DeadlineScheduled},
		"the leaver": {f.freshSession(person, employee), models.DeadlineScheduled}, "the leaver, of HR": {f.freshSession(person, hr), models.DeadlineScheduled},
	} {
		var d DepartureView
		c.who.ask("GET", addressOf(models.RefDeparture, dep.ID), "").into(t, &d)
		for _, r := range d.Retention {
			if r.State != c.want {
				t.Errorf("%s reads of %s that it is %s %q", name, r.Category, r.State, r.StateText)
			}
		}
		var list Page[UpcomingView]
		got := c.who.ask("GET", "/api/v1/retention/deadlines?employee_id="+person.String(), "")
		if got.status == http.StatusForbidden {
			continue
		}
		if got.into(t, &list); len(list.Items) != len(d.Retention) {
			t.Errorf("%s reads a list of %d, a departure with %d", name, len(list.Items), len(d.Retention))
		}
		for _, u := range list.Items {
			if u.State != c.want {
				t.Errorf("%s is listed %s as %s", name, u.Category, u.State)
			}
		}
	}
}

// TestI27_WhoseAccountItIsReadsNoCaseOfIt: neither that it is stuck nor who asked for a waiver.
func TestI27_WhoseAccountItIsReadsNoCaseOfIt(t *testing.T) {
	f := newFixture(t)
	own := f.hire("IT2", f.b)
	kase, other := f.stuckCase(own), f.stuckCase(f.hire("E1", f.a))
	if got := f.session(it).ask("POST", "/api/v1/support-cases/"+kase.String()+"/resolution", `{"action": "waive"}`); got.status != http.StatusAccepted {
		t.Fatalf("%d %s", got.status, got.body)
	}
	me := f.freshSession(own, it)
	if got := me.ask("GET", "/api/v1/support-cases/"+kase.String(), ""); got.status != http.StatusNotFound {
		t.Errorf("the own case: %d %s", got.status, got.body)
	}
	var list Page[CaseView]
	if me.ask("GET", "/api/v1/support-cases", "").into(t, &list); len(list.Items) != 1 || list.Items[0].ID != other {
		t.Errorf("listed are %+v", list.Items)
	}
	var v CaseView
	if f.session(it).ask("GET", "/api/v1/support-cases/"+kase.String(), "").into(t, &v); v.Asker == nil || v.Person.EmployeeNo != "IT2" {
		t.Errorf("to others: %+v", v)
	}
}

// TestWhoActedIsNamedToWhoMaySeeThem: the leaver and the head read the role of others.
func TestWhoActedIsNamedToWhoMaySeeThem(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.people[employee])
	for role, want := range map[models.Role]bool{employee: false, head: false, hr: true, auditor: true, it: true} {
		var v DepartureView
		f.ask(role, "GET", addressOf(models.RefDeparture, d.ID), "").into(t, &v)
		if v.Person.EmployeeID != f.people[employee] || len(v.Timeline) == 0 || v.Timeline[0].ByText == "" {
			t.Fatalf("%s reads %+v", role, v)
		}
		if named := v.Timeline[0].ByPerson != nil; named != want {
			t.Errorf("%s reads who began it: %v", role, named)
		}
	}
}

// TestADayThatChangesBetweenTwoPagesSkipsNothing of what did not change.
func TestADayThatChangesBetweenTwoPagesSkipsNothing(t *testing.T) {
	f := newFixture(t)
	var of []DepartureView
	for i, days := range []int{10, 20, 30} {
		var d DepartureView
		f.ask(hr, "POST", "/api/v1/departures", f.notice(f.hire(fmt.Sprintf("S%d", i), f.a), days)).into(t, &d)
		of = append(of, d)
	}
	var first, rest Page[DepartureView]
	f.ask(hr, "GET", "/api/v1/departures?sort=last_working_day&limit=1", "").into(t, &first)
	if got := f.ask(hr, "PUT", addressOf(models.RefDeparture, of[0].ID)+"/dates", `{"last_working_day": "`+f.day(40)+`"}`); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	f.ask(hr, "GET", "/api/v1/departures?sort=last_working_day&cursor="+*first.NextCursor, "").into(t, &rest)
	if len(rest.Items) != 3 || rest.Items[0].ID != of[1].ID || rest.Items[1].ID != of[2].ID {
		t.Errorf("after the first page come %d", len(rest.Items))
	}
}
