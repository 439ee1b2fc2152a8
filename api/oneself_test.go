package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/models"
)

// TestI27_AHoldIsNotReadFromTheDeadlinesItKeeps by whom it is on, in whichever role, nor by the head.
func TestI27_AHoldIsNotReadFromTheDeadlinesItKeeps(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("HR2", f.A)
	dep := f.LeftLongAgo(person, -20, false)
	if got := f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, person)); got.Status != http.StatusCreated {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	for name, c := range map[string]struct {
		who  *apitest.Visitor
		want models.DeadlineState
	}{
		"another of HR": {f.Session(httpkit.HR), models.DeadlineHeld}, "auditor": {f.Session(httpkit.Auditor), models.DeadlineHeld}, "head": {f.Session(httpkit.Head), models.DeadlineScheduled},
		"the leaver": {f.FreshSession(person, httpkit.Employee), models.DeadlineScheduled}, "the leaver, of HR": {f.FreshSession(person, httpkit.HR), models.DeadlineScheduled},
	} {
		var d departures.DepartureView
		c.who.Ask("GET", httpkit.AddressOf(models.RefDeparture, dep.ID), "").Into(t, &d)
		for _, r := range d.Retention {
			if r.State != c.want {
				t.Errorf("%s reads of %s that it is %s %q", name, r.Category, r.State, r.StateText)
			}
		}
		var list httpkit.Page[purges.UpcomingView]
		got := c.who.Ask("GET", "/api/v1/retention/deadlines?employee_id="+person.String(), "")
		if got.Status == http.StatusForbidden {
			continue
		}
		backups := 0 // of accounts; none was taken, so that none is listed
		for _, r := range d.Retention {
			if r.Category == models.CategoryAccountSnapshot {
				backups++
			}
		}
		if got.Into(t, &list); len(list.Items) != len(d.Retention)-backups {
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
	f := apitest.New(t)
	own := f.Hire("IT2", f.B)
	kase, other := f.StuckCase(own), f.StuckCase(f.Hire("E1", f.A))
	if got := f.Session(httpkit.IT).Ask("POST", "/api/v1/support-cases/"+kase.String()+"/resolution", `{"action": "waive"}`); got.Status != http.StatusAccepted {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	me := f.FreshSession(own, httpkit.IT)
	if got := me.Ask("GET", "/api/v1/support-cases/"+kase.String(), ""); got.Status != http.StatusNotFound {
		t.Errorf("the own case: %d %s", got.Status, got.Body)
	}
	var list httpkit.Page[accounts.CaseView]
	if me.Ask("GET", "/api/v1/support-cases", "").Into(t, &list); len(list.Items) != 1 || list.Items[0].ID != other {
		t.Errorf("listed are %+v", list.Items)
	}
	var v accounts.CaseView
	if f.Session(httpkit.IT).Ask("GET", "/api/v1/support-cases/"+kase.String(), "").Into(t, &v); v.Asker == nil || v.Person.EmployeeNo != "IT2" {
		t.Errorf("to others: %+v", v)
	}
}

// TestWhoActedIsNamedToWhoMaySeeThem: the leaver and the head read the role of others.
func TestWhoActedIsNamedToWhoMaySeeThem(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.People[httpkit.Employee])
	for role, want := range map[models.Role]bool{httpkit.Employee: false, httpkit.Head: false, httpkit.HR: true, httpkit.Auditor: true, httpkit.IT: true} {
		var v departures.DepartureView
		f.Ask(role, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "").Into(t, &v)
		if v.Person.EmployeeID != f.People[httpkit.Employee] || len(v.Timeline) == 0 || v.Timeline[0].ByText == "" {
			t.Fatalf("%s reads %+v", role, v)
		}
		if named := v.Timeline[0].ByPerson != nil; named != want {
			t.Errorf("%s reads who began it: %v", role, named)
		}
	}
}

// TestADayThatChangesBetweenTwoPagesSkipsNothing of what did not change.
func TestADayThatChangesBetweenTwoPagesSkipsNothing(t *testing.T) {
	f := apitest.New(t)
	var of []departures.DepartureView
	for i, days := range []int{10, 20, 30} {
		var d departures.DepartureView
		f.Ask(httpkit.HR, "POST", "/api/v1/departures", f.Notice(f.Hire(fmt.Sprintf("S%d", i), f.A), days)).Into(t, &d)
		of = append(of, d)
	}
	var first, rest httpkit.Page[departures.DepartureView]
	f.Ask(httpkit.HR, "GET", "/api/v1/departures?sort=last_working_day&limit=1", "").Into(t, &first)
	if got := f.Ask(httpkit.HR, "PUT", httpkit.AddressOf(models.RefDeparture, of[0].ID)+"/dates", `{"last_working_day": "`+f.Day(40)+`"}`); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	f.Ask(httpkit.HR, "GET", "/api/v1/departures?sort=last_working_day&cursor="+*first.NextCursor, "").Into(t, &rest)
	if len(rest.Items) != 3 || rest.Items[0].ID != of[1].ID || rest.Items[1].ID != of[2].ID {
		t.Errorf("after the first page come %d", len(rest.Items))
	}
}
