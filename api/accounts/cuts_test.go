package accounts_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/users"
	"lethe/internal/cut"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

const cutsPath = "/api/v1/access-cuts"

func cutOf(person uuid.UUID, rest string) string {
	return `{"employee_id": "` + person.String() + `", "reason": "泄露客户名单"` + rest + `}`
}

func cutAddress(id uuid.UUID) string { return httpkit.AddressOf(models.RefCut, id) }

func makeCut(t *testing.T, by *apitest.Visitor, person uuid.UUID, rest string) (c accounts.AccessCut) {
	t.Helper()
	got := by.Ask("POST", cutsPath, cutOf(person, rest))
	if got.Status != http.StatusCreated {
		t.Fatalf("a cut: %d %s", got.Status, got.Body)
	}
	got.Into(t, &c)
	return c
}

// wants checks that a call is refused, and by what.
func wants(t *testing.T, what string, got apitest.Reply, status int, code string) {
	t.Helper()
	if got.Status != status || got.Problem.Code != code {
		t.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Body, status, code)
	}
}

// holders gives a role to as many more people.
func holders(f *apitest.Fixture, role models.Role, n int) (people []uuid.UUID) {
	for i := range n {
		person := f.Hire(fmt.Sprintf("X-%s-%d", role, i), f.B)
		f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, person, role); return err })
		people = append(people, person)
	}
	return people
}

// TestI12_ACutClosesEverythingAtOnce: the own sessions and tokens with the next request, an order for every system, and
// one effect under one key.
func TestI12_ACutClosesEverythingAtOnce(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	own := f.PlainSession(person, models.RoleEmployee)
	token, _ := f.Token(person, models.RoleEmployee)
	by := f.Session(httpkit.IT)
	var first, again accounts.AccessCut
	by.Ask("POST", cutsPath, cutOf(person, ""), "Idempotency-Key", "one").Into(t, &first)
	by.Ask("POST", cutsPath, cutOf(person, ""), "Idempotency-Key", "one").Into(t, &again)
	if first.ID != again.ID || f.Count("access_cuts") != 1 || f.Count("account_operations") != 1 {
		t.Errorf("repeated with its key: %s and %s, %d cuts", first.ID, again.ID, f.Count("access_cuts"))
	}
	if first.State != models.CutUnconfirmed || !first.OwnAccessOff || first.Off != 0 || first.StillOn != 2 || first.Reason != "泄露客户名单" || !first.ConfirmDueAt.Equal(first.OrderedAt.Add(4*time.Hour)) {
		t.Errorf("the cut is %+v", first)
	}
	wants(t, "the own session", own.Ask("GET", "/api/v1/me", ""), 401, "session_unknown")
	if got := f.Ask("", "GET", "/api/v1/me", "", "Authorization", "Bearer "+token); got.Status != 401 {
		t.Errorf("the own token: %d %s", got.Status, got.Body)
	}
	f.WantEntries("access_cut.ordered", 1)
	f.WantEntries("user.suspended", 1)
	got := f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(person, ""))
	wants(t, "cut already", got, 409, "already_cut")
	if got.Header.Get("Location") != cutAddress(first.ID) {
		t.Errorf("the cut that stands is not named: %v", got.Header)
	}
	var page httpkit.Page[accounts.AccessCut]
	f.Ask(httpkit.Auditor, "GET", cutsPath+"?standing=true", "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].Person == nil || page.Items[0].Person.EmployeeNo != "E1" || page.Items[0].Reason != "" {
		t.Errorf("the list has %+v", page)
	}
	f.Ask(httpkit.IT, "GET", cutAddress(first.ID), "").Into(t, &again) // who wrote the reason
	for role, sees := range map[models.Role]bool{httpkit.HR: true, httpkit.Reviewer: true, httpkit.Auditor: true, httpkit.IT: false} {
		var c accounts.AccessCut
		f.Ask(role, "GET", cutAddress(first.ID), "").Into(t, &c)
		if (c.Reason != "") != (sees || role == httpkit.IT) {
			t.Errorf("%s reads the reason %q", role, c.Reason)
		}
	}
	f.WantEntries("access_cut.read", 3)
	events := f.Follow(httpkit.Auditor, cutAddress(first.ID), "")
	if got := f.Next(events); !strings.Contains(got.Data, first.ID.String()) || strings.Contains(got.Data, "泄露客户名单") {
		t.Errorf("who follows it gets %s", got.Data)
	}
	f.WantEntries("access_cut.read", 3)
}

// TestWhoMayCutWhom: nobody by a token, without a step-up or by the sealed codes, nor themselves or who is not there.
func TestWhoMayCutWhom(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	hr := f.People[httpkit.HR]
	wants(t, "a token", f.Ask(httpkit.IT, "POST", cutsPath, cutOf(person, "")), 403, "session_required")
	wants(t, "no step-up", f.PlainSession(hr, httpkit.HR).Ask("POST", cutsPath, cutOf(person, "")), 403, "step_up_required")
	wants(t, "sealed codes", f.OpenSession(hr, httpkit.HR, models.ByBreakGlass).Ask("POST", cutsPath, cutOf(person, "")), 403, "break_glass_not_allowed")
	wants(t, "oneself", f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(hr, "")), 403, "own_matter")
	wants(t, "nobody", f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(uuid.New(), "")), 404, "employee_not_found")
	wants(t, "no such system", f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(person, `, "systems": ["no"]`)), 422, "unknown_system")
	wants(t, "a reviewer", f.Session(httpkit.Reviewer).Ask("POST", cutsPath, cutOf(person, "")), 403, "role_not_allowed")
	if f.Count("access_cuts") != 0 {
		t.Error("something was cut")
	}
	c := makeCut(t, f.Session(httpkit.HR), person, `, "systems": ["mail", "mail"]`)
	if len(c.Systems) != 1 || len(c.Accounts) != 1 || c.Accounts[0].System != "mail" {
		t.Errorf("one system: %+v", c.Accounts)
	}
}

// TestHoldersAreCutOneADay, never so that fewer than two are left, and whoever holds the role is told.
func TestHoldersAreCutOneADay(t *testing.T) {
	f := apitest.New(t)
	reviewer := f.People[httpkit.Reviewer]
	hr := f.Session(httpkit.HR)
	wants(t, "the last reviewers", hr.Ask("POST", cutsPath, cutOf(reviewer, "")), 409, "cut_last_reviewers")
	wants(t, "the last administrators", f.Session(httpkit.IT).Ask("POST", cutsPath, cutOf(f.People[httpkit.HR], "")), 409, "cut_last_administrators")
	more := holders(f, models.RoleReviewer, 2)
	c := makeCut(t, hr, reviewer, "")
	if len(c.HolderOfText) == 0 {
		t.Errorf("no role is named: %+v", c)
	}
	for who, told := range map[uuid.UUID]bool{more[0]: true, f.People[httpkit.Auditor]: false, f.People[models.RoleEmployee]: false} {
		role := models.RoleEmployee
		if told {
			role = models.RoleReviewer
		}
		var me users.Me
		f.PlainSession(who, role).Ask("GET", "/api/v1/me", "").Into(t, &me)
		if (len(me.Notices) == 1) != told || told && (me.Notices[0].Person == nil || me.Notices[0].Person.EmployeeID != reviewer) {
			t.Errorf("told %v: %+v", told, me.Notices)
		}
	}
	wants(t, "fewer than two", f.Session(httpkit.IT).Ask("POST", cutsPath, cutOf(more[0], "")), 409, "cut_last_reviewers")
	notices := func(who uuid.UUID) int {
		var me users.Me
		f.FreshSession(who, models.RoleReviewer).Ask("GET", "/api/v1/me", "").Into(t, &me)
		return len(me.Notices)
	}
	later := f.Hire("Y1", f.B)
	f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, later, models.RoleReviewer); return err })
	if n := notices(later); n != 0 {
		t.Errorf("who holds the role since is told of %d", n)
	}
	request := f.Session(httpkit.IT).Ask("POST", cutAddress(c.ID)+"/lifting", `{}`).Header.Get("Location")
	if n := notices(more[1]); n != 1 {
		t.Errorf("before the lifting %d", n)
	}
	if got := f.FreshSession(more[0], models.RoleReviewer).Ask("POST", request+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("lifted: %d %s", got.Status, got.Body)
	}
	if n := notices(more[1]); n != 0 {
		t.Errorf("after the lifting %d", n)
	}
	head := f.People[models.RoleDepartmentHead]
	wants(t, "another within a day", hr.Ask("POST", cutsPath, cutOf(head, "")), 409, "cut_holder_a_day")
	makeCut(t, hr, f.Hire("E1", f.A), "") // who holds no role
	f.Env.Advance(t, 24*time.Hour)
	makeCut(t, f.Session(httpkit.HR), head, "")
}

// TestI21_ACutIsConfirmedByAnother, lifted by two, and gives back what it took.
func TestI21_ACutIsConfirmedByAnother(t *testing.T) {
	f := apitest.New(t)
	person, colleague := f.Hire("E1", f.A), holders(f, httpkit.HR, 1)[0]
	own := f.PlainSession(person, models.RoleEmployee)
	c := makeCut(t, f.Session(httpkit.HR), person, "")
	at := cutAddress(c.ID)
	wants(t, "who ordered it", f.Session(httpkit.HR).Ask("POST", at+"/confirmation", ""), 403, "same_person")
	wants(t, "IT", f.Session(httpkit.IT).Ask("POST", at+"/confirmation", ""), 403, "role_not_allowed")
	wants(t, "no step-up", f.PlainSession(colleague, httpkit.HR).Ask("POST", at+"/confirmation", ""), 403, "step_up_required")
	f.Run(func(tx *database.Tx) error { return identity.EndAll(tx, f.People[httpkit.HR]) }) // whoever ordered it is gone
	for range 2 {
		f.FreshSession(colleague, httpkit.HR).Ask("POST", at+"/confirmation", "").Into(t, &c)
	}
	if c.State != models.CutConfirmed || c.ConfirmedBy == nil || c.ConfirmedBy.EmployeeID != colleague {
		t.Errorf("confirmed: %+v", c)
	}
	f.WantEntries("access_cut.confirmed", 1)
	got := f.FreshSession(colleague, httpkit.HR).Ask("POST", at+"/lifting", `{"approval_reason": "r"}`)
	if got.Status != 202 {
		t.Fatalf("lifting: %d %s", got.Status, got.Body)
	}
	f.Ask(httpkit.Auditor, "GET", at, "").Into(t, &c)
	if c.LiftRequestID == nil || c.State != models.CutConfirmed {
		t.Errorf("asked to be lifted: %+v", c)
	}
	request := got.Header.Get("Location")
	wants(t, "the same person", f.FreshSession(colleague, httpkit.HR).Ask("POST", request+"/decision", `{"decision": "approved"}`), 403, "same_person")
	if got := f.Session(httpkit.Reviewer).Ask("POST", request+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	f.Ask(httpkit.Auditor, "GET", at, "").Into(t, &c)
	if c.State != models.CutLifted || c.LiftedWith == nil || c.OwnAccessOff {
		t.Errorf("lifted: %+v", c)
	}
	if got := own.Ask("GET", "/api/v1/me", ""); got.Status != 401 {
		t.Error("an old session lives again")
	}
	f.PlainSession(person, models.RoleEmployee).Ask("GET", "/api/v1/me", "").Into(t, &users.Me{})
	wants(t, "confirmed afterwards", f.FreshSession(colleague, httpkit.HR).Ask("POST", at+"/confirmation", ""), 409, "cut_lifted")
	makeCut(t, f.Session(httpkit.IT), person, "") // another one is another row
}

// TestI27_ACutIsNotKnownBeforeTheTalk: heads and the person see an active person as before, in accounts and departures.
func TestI27_ACutIsNotKnownBeforeTheTalk(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	departing := f.Resign(person)
	head := f.People[models.RoleDepartmentHead]
	sees := func() string {
		var all strings.Builder
		for _, path := range []string{accounts.AccountsAddress(person), httpkit.AddressOf(models.RefDeparture, departing.ID), "/api/v1/departures", httpkit.AddressOf(models.RefEmployee, person), "/api/v1/employees"} {
			got := f.FreshSession(head, models.RoleDepartmentHead).Ask("GET", path, "")
			all.WriteString(path + string(got.Body) + "\n")
		}
		return all.String()
	}
	before := sees()
	c := makeCut(t, f.Session(httpkit.HR), person, "")
	if now := sees(); now != before {
		t.Errorf("the head sees\n%s\nbefore it was\n%s", now, before)
	}
	for what, path := range map[string]string{"the cut": cutAddress(c.ID), "the list": cutsPath} {
		wants(t, what, f.Session(models.RoleDepartmentHead).Ask("GET", path, ""), 403, "role_not_allowed")
	}
	f.Exec("UPDATE linked_accounts SET state = 'stuck' WHERE employment_id = ?", f.Employment(person))
	if now := sees(); now != before {
		t.Errorf("of what is stuck the head sees\n%s", now)
	}
	var known []accounts.AccountView
	var page httpkit.Page[accounts.AccountView]
	f.Ask(httpkit.IT, "GET", accounts.AccountsAddress(person), "").Into(t, &page)
	if known = page.Items; len(known) != 2 || known[0].State == models.AccountLinked {
		t.Errorf("IT sees %+v", known)
	}
	f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/telling", "").Into(t, &c)
	f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/telling", "").Into(t, &c)
	f.WantEntries("access_cut.told", 1)
	if c.ToldAt == nil || sees() == before {
		t.Error("after the talk the head sees what was before")
	}
}

// TestI32_TheRequestsOfWhoIsCutEnd with the cut, not with the next sweep; those of others stay.
func TestI32_TheRequestsOfWhoIsCutEnd(t *testing.T) {
	f := apitest.New(t)
	colleague := holders(f, httpkit.HR, 3)[0]
	lifting := func(by *apitest.Visitor, no string) (accounts.AccessCut, string) {
		c := makeCut(t, f.Session(httpkit.IT), f.Hire(no, f.A), "")
		got := by.Ask("POST", cutAddress(c.ID)+"/lifting", `{}`)
		if got.Status != http.StatusAccepted {
			t.Fatalf("lifting: %d %s", got.Status, got.Body)
		}
		return c, got.Header.Get("Location")
	}
	c, own := lifting(f.FreshSession(colleague, httpkit.HR), "E1")
	_, others := lifting(f.Session(httpkit.HR), "E2")
	makeCut(t, f.Session(httpkit.IT), colleague, "")
	for at, want := range map[string]models.ApprovalState{own: models.ApprovalVoid, others: models.ApprovalPending} {
		var a approvals.ApprovalView
		f.Ask(httpkit.Reviewer, "GET", at, "").Into(t, &a)
		if a.State != want {
			t.Errorf("a request is %s, want %s", a.State, want)
		}
	}
	f.WantEntries("approval.voided", 1)
	f.Ask(httpkit.Auditor, "GET", cutAddress(c.ID), "").Into(t, &c)
	if c.LiftRequestID != nil {
		t.Error("a lifting that nobody can agree to is shown as waiting")
	}
}

// TestI13_NothingOpensWhatACutClosed: neither another relinking, nor a new account, user or reset, nor the withdrawal of
// a departure that had taken the accounts over; lifting does.
func TestI13_NothingOpensWhatACutClosed(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	f.PlainSession(person, models.RoleEmployee)
	var d departures.DepartureView
	f.Ask(httpkit.HR, "POST", "/api/v1/departures", f.Notice(person, 2)).Into(t, &d)
	c := makeCut(t, f.Session(httpkit.HR), person, "")
	var op string
	if err := f.Env.Facts.Read(t.Context()).Raw("SELECT id FROM account_operations WHERE cut_id = ?", c.ID).Scan(&op).Error; err != nil {
		t.Fatal(err)
	}
	wants(t, "a relinking", f.Session(httpkit.IT).Ask("POST", "/api/v1/account-relinkings", `{"unlinking_id": "`+op+`"}`), 409, "cut_stands")
	wants(t, "a new account", f.Ask(httpkit.IT, "POST", accounts.AccountsAddress(person), `{"system": "finance", "external_id": "x"}`), 409, "cut_stands")
	wants(t, "a reset", f.Session(httpkit.HR).Ask("POST", "/api/v1/users/"+f.User(person).String()+"/reset", `{}`), 409, "user_suspended")
	f.AdvanceTo(d.AccessCutoffAt)
	f.Run(func(tx *database.Tx) error { return departure.CutAccess(tx, d.ID, f.Systems) })
	wants(t, "lifted after the cutoff", f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/lifting", `{}`), 409, "cut_access_ended")
	f.Run(func(tx *database.Tx) error {
		return departure.WithdrawApproved(tx, f.Vault, models.Actor{EmployeeID: f.People[httpkit.HR], Role: httpkit.HR}, d.ID, "r", true)
	})
	var states, owners []string
	read := func() {
		states, owners = nil, nil
		g := f.Env.Facts.Read(t.Context())
		if err := g.Raw("SELECT state FROM linked_accounts WHERE employment_id = ? ORDER BY system", f.Employment(person)).Scan(&states).Error; err != nil {
			t.Fatal(err)
		}
		if err := g.Raw("SELECT o.kind || ' ' || coalesce(o.cut_id::text, '') FROM linked_accounts a LEFT JOIN account_operations o ON o.id = a.operation_id WHERE a.employment_id = ? ORDER BY a.system", f.Employment(person)).Scan(&owners).Error; err != nil {
			t.Fatal(err)
		}
	}
	if read(); fmt.Sprint(states) != "[unlinking unlinking]" || strings.Count(fmt.Sprint(owners), "unlink "+c.ID.String()) != 2 {
		t.Errorf("after the withdrawal: %v of %v", states, owners)
	}
	for role, want := range map[models.Role]models.AccountsState{httpkit.HR: models.AccountsUnlinking, models.RoleDepartmentHead: models.AccountsRelinked} {
		if f.Ask(role, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "").Into(t, &d); d.AccountsState != want {
			t.Errorf("%s is told that the accounts are %s, want %s", role, d.AccountsState, want)
		}
	}
}

// TestACutOfSomebodyWhoLeft is of what is linked still; where nothing is, and of who is purged, it is refused.
func TestACutOfSomebodyWhoLeft(t *testing.T) {
	f := apitest.New(t)
	left := f.LeftLongAgo(f.Hire("E1", f.A), -20, false).EmployeeID
	f.Exec("UPDATE linked_accounts SET state = 'linked', operation_id = NULL WHERE employment_id = ?", f.Employment(left))
	c := makeCut(t, f.Session(httpkit.HR), left, "")
	if len(c.Accounts) == 0 {
		t.Errorf("nothing is closed: %+v", c)
	}
	wants(t, "lifted", f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/lifting", `{}`), 409, "cut_access_ended")
	gone := f.Hire("E2", f.A)
	f.Exec("DELETE FROM linked_accounts WHERE employment_id = ?", f.Employment(gone))
	f.LeftLongAgo(gone, -20, false)
	f.Exec("DELETE FROM account_steps")
	f.Exec("UPDATE linked_accounts SET operation_id = NULL WHERE employment_id = ?", f.Employment(gone))
	f.Exec("DELETE FROM linked_accounts WHERE employment_id = ?", f.Employment(gone))
	wants(t, "nothing is linked", f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(gone, "")), 409, "nothing_to_cut")
	f.Exec("UPDATE employees SET status = 'purged' WHERE id = ?", gone)
	wants(t, "purged", f.Session(httpkit.HR).Ask("POST", cutsPath, cutOf(gone, "")), 409, "cut_data_deleted")
}

// TestACutEndsWithTheEmployment, confirmed or not: nobody has to decide about it any more. So does one of somebody whose
// data is deleted.
func TestACutEndsWithTheEmployment(t *testing.T) {
	f := apitest.New(t)
	person, purged, stays := f.Hire("E1", f.A), f.Hire("E2", f.A), f.Hire("E3", f.A)
	var d departures.DepartureView
	f.Ask(httpkit.HR, "POST", "/api/v1/departures", f.Notice(person, 2)).Into(t, &d)
	var cuts []accounts.AccessCut
	for _, who := range []uuid.UUID{person, purged, stays} {
		cuts = append(cuts, makeCut(t, f.Session(httpkit.HR), who, ""))
	}
	f.AdvanceTo(d.EmploymentEndedAt)
	f.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, d.ID, f.Systems); return err })
	f.WantEntries("access_cut.ended", 1)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted, models.StatusPurged} {
		f.Exec("UPDATE employees SET status = ? WHERE id = ?", status, purged)
	}
	if _, err := cut.Sweep(t.Context(), f.App); err != nil {
		t.Fatal(err)
	}
	f.WantEntries("access_cut.ended", 2)
	f.WantEntries("access_cut.escalated", 1)
	for i, want := range []models.CutState{models.CutEnded, models.CutEnded, models.CutUnconfirmed} {
		f.Ask(httpkit.Auditor, "GET", cutAddress(cuts[i].ID), "").Into(t, &cuts[i])
		if cuts[i].State != want || (cuts[i].EndedAt != nil) != (want == models.CutEnded) {
			t.Errorf("cut %d is %s", i, cuts[i].State)
		}
	}
	var page httpkit.Page[accounts.AccessCut]
	if f.Ask(httpkit.Auditor, "GET", cutsPath+"?standing=true", "").Into(t, &page); len(page.Items) != 1 || page.Items[0].ID != cuts[2].ID {
		t.Errorf("standing are %+v", page.Items)
	}
	wants(t, "confirmed", f.Session(httpkit.Reviewer).Ask("POST", cutAddress(cuts[0].ID)+"/confirmation", ""), 409, "cut_access_ended")
	wants(t, "lifted", f.Session(httpkit.HR).Ask("POST", cutAddress(cuts[0].ID)+"/lifting", `{}`), 409, "cut_access_ended")
}

// TestACutIsFollowed: whoever looks sees what the systems answer and what people enter, as it happens.
func TestACutIsFollowed(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	c := makeCut(t, f.Session(httpkit.IT), person, "")
	events := f.Follow(httpkit.Reviewer, cutAddress(c.ID), "")
	next := func(kind, part string) {
		t.Helper()
		for range 3 { // what is written one after the other may be told at once, or not
			if e := f.Next(events); e.Kind == kind && strings.Contains(e.Data, part) {
				return
			}
		}
		t.Errorf("no event %s has %s", kind, part)
	}
	next("snapshot", `"still_on":2`)
	f.Exec("UPDATE linked_accounts SET state = 'stuck' WHERE employment_id = ? AND system = 'mail'", f.Employment(person))
	next("changed", `"state":"stuck"`)
	f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/telling", "").Into(t, &c)
	next("changed", `"told_at"`)
	f.Session(httpkit.Reviewer).Ask("POST", cutAddress(c.ID)+"/confirmation", "").Into(t, &c)
	next("changed", `"state":"confirmed"`)
	f.Run(func(tx *database.Tx) error { return identity.EndAll(tx, f.People[httpkit.Reviewer]) })
	next("problem", "token_revoked")
}

// TestACaseNamesItsCut: whoever handles what is stuck finds why.
func TestACaseNamesItsCut(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	c := makeCut(t, f.Session(httpkit.IT), person, "")
	f.Exec(`INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, ledger_entry_id)
		SELECT gen_random_uuid(), s.operation_id, s.id, s.account_id, s.system, 'unavailable', @entry FROM account_steps s
		JOIN account_operations o ON o.id = s.operation_id WHERE o.cut_id = ? LIMIT 1`, c.ID)
	f.StuckCase(f.Hire("E2", f.A))
	var page httpkit.Page[accounts.CaseView]
	f.Ask(httpkit.IT, "GET", "/api/v1/support-cases", "").Into(t, &page)
	for _, v := range page.Items {
		if of := v.EmployeeID == person; of != (v.CutID != nil) || of && *v.CutID != c.ID {
			t.Errorf("a case of a cut: %v, its cut is %v", of, v.CutID)
		}
	}
	if len(page.Items) != 2 {
		t.Errorf("%d cases", len(page.Items))
	}
}

// TestTwoCutsAtOnce: of one person one stands; of two who cut each other one does.
func TestTwoCutsAtOnce(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	others := holders(f, httpkit.IT, 2)
	both := []*apitest.Visitor{f.FreshSession(others[0], httpkit.IT), f.FreshSession(others[1], httpkit.IT)}
	ask := func(of func(i int) uuid.UUID) (statuses [2]int) {
		var wg sync.WaitGroup
		for i, v := range both {
			wg.Go(func() { statuses[i] = v.Ask("POST", cutsPath, cutOf(of(i), "")).Status })
		}
		wg.Wait()
		return statuses
	}
	if got := ask(func(int) uuid.UUID { return person }); got[0]+got[1] != 201+409 || f.Count("access_cuts") != 1 {
		t.Errorf("one person by two: %v", got)
	}
	if got := ask(func(i int) uuid.UUID { return others[1-i] }); got[0]+got[1] != 201+401 || f.Count("access_cuts") != 2 {
		t.Errorf("each other: %v", got)
	}
}

// TestACutThatNobodyConfirmsEscalates after four hours, once, and again after three days; it stays closed.
func TestACutThatNobodyConfirmsEscalates(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	f.PlainSession(person, models.RoleEmployee)
	c := makeCut(t, f.Session(httpkit.HR), person, "")
	confirmed := makeCut(t, f.Session(httpkit.HR), f.Hire("E2", f.A), "")
	f.Session(httpkit.Reviewer).Ask("POST", cutAddress(confirmed.ID)+"/confirmation", "").Into(t, &confirmed)
	sweep := func(want int) {
		t.Helper()
		if n, err := cut.Sweep(t.Context(), f.App); err != nil || n != want {
			t.Errorf("escalated %d, want %d: %v", n, want, err)
		}
	}
	sweep(0)
	f.Env.Advance(t, 4*time.Hour)
	sweep(1)
	sweep(0)
	f.Env.Advance(t, 68*time.Hour)
	sweep(1)
	sweep(0)
	f.Env.Advance(t, 1000*time.Hour)
	sweep(0)
	f.WantEntries("access_cut.escalated", 2)
	f.Session(httpkit.Auditor).Ask("GET", cutAddress(c.ID), "").Into(t, &c)
	if c.State != models.CutUnconfirmed || c.EscalatedAt == nil || !c.OwnAccessOff {
		t.Errorf("undecided: %+v", c)
	}
}

// TestAUserDisabledForAnotherReasonStaysDisabled when a cut is lifted.
func TestAUserDisabledForAnotherReasonStaysDisabled(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	f.PlainSession(person, models.RoleEmployee)
	c := makeCut(t, f.Session(httpkit.IT), person, "")
	f.Run(func(tx *database.Tx) error { return identity.Disable(tx, f.User(person), models.System) })
	request := f.Session(httpkit.HR).Ask("POST", cutAddress(c.ID)+"/lifting", `{}`).Header.Get("Location")
	f.Session(httpkit.Reviewer).Ask("POST", request+"/decision", `{"decision": "approved"}`)
	f.Ask(httpkit.Auditor, "GET", cutAddress(c.ID), "").Into(t, &c)
	if c.State != models.CutLifted || !c.OwnAccessOff {
		t.Errorf("lifted: %+v", c)
	}
}
