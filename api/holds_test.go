package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// TestAFieldUnderHoldIsNotChanged: the answer says why, points at the fields, and nothing is changed.
func TestAFieldUnderHoldIsNotChanged(t *testing.T) {
	f := newFixture(t)
	person := f.people[models.RoleEmployee]
	f.run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{
			EmployeeID: person, Categories: []models.Category{models.CategoryContract}, Matter: "case 1", By: models.System,
		})
		return err
	})
	address := addressOf(models.RefEmployee, person)
	got := f.ask(models.RoleHRAdmin, "PATCH", address, `{"post": "X", "fields": {"contract_no": "C-2", "tax_no": "T-2"}}`)
	if got.status != http.StatusConflict || got.problem.Code != codeUnderHold {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := f.ask(models.RoleHRAdmin, "PATCH", address, `{"fields": {"tax_no": "T-2"}}`); got.status != http.StatusOK {
		t.Errorf("what is not held: %d %s", got.status, got.body)
	}
}

// TestHold_IsAboutAPersonAFilterOrEverybody: each kind by the API, with what is unclear refused.
func TestHold_IsAboutAPersonAFilterOrEverybody(t *testing.T) {
	f := newFixture(t)
	hr := models.RoleHRAdmin
	a, b := f.hire("E1", f.a), f.hire("E2", f.b)
	covering := func(person string) int {
		var page Page[HoldView]
		f.ask(hr, "GET", "/api/v1/holds?active=true&employee_id="+person, "").into(t, &page)
		return len(page.Items)
	}
	var view HoldView
	f.ask(hr, "POST", "/api/v1/holds", `{"employee_id": "`+a.String()+`", "matter": "M-1"}`).into(t, &view)
	if view.EmployeeID == nil || *view.EmployeeID != a || view.Query != nil || view.Everybody || view.Covers == nil || *view.Covers != (HoldCover{1, 1}) {
		t.Errorf("a person's: %+v", view)
	}
	f.ask(hr, "POST", "/api/v1/holds", `{"query": {"department_id": "`+f.a.String()+`"}, "matter": "M-2", "categories": ["contract"]}`).into(t, &view)
	if view.Query == nil || view.Query.DepartmentID == nil || *view.Query.DepartmentID != f.a || len(view.Categories) != 1 ||
		view.Covers == nil || *view.Covers != (HoldCover{3, 3}) {
		t.Errorf("a department's: %+v", view)
	}
	waits := f.ask(hr, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-3"}`)
	if waits.status != http.StatusAccepted || covering(b.String()) != 0 {
		t.Errorf("everybody, by one person: %d, %d cover", waits.status, covering(b.String()))
	}
	if got := f.session(models.RoleReviewer).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`); got.status != http.StatusOK {
		t.Fatalf("everybody, agreed to: %d %s", got.status, got.body)
	}
	if covering(a.String()) != 3 || covering(b.String()) != 1 {
		t.Errorf("%d and %d holds cover the two", covering(a.String()), covering(b.String()))
	}
	for body, code := range map[string]string{
		`{"matter": "x"}`: codeHoldScope,
		`{"matter": "x", "everybody": true, "employee_id": "` + a.String() + `"}`:        codeHoldScope,
		`{"matter": "x", "query": {}}`:                                                   codeHoldScope,
		`{"matter": "x", "query": {"department_id": "` + a.String() + `"}}`:              codeHoldFilterUnknown,
		`{"matter": "x", "query": {"left_from": "2026-02-01", "left_to": "2026-01-01"}}`: codeHoldPeriod,
		`{"matter": "x", "query": {"name": "x"}}`:                                        codeUnknownField,
	} {
		if got := f.ask(hr, "POST", "/api/v1/holds", body); got.problem.Code != code {
			t.Errorf("%s: %d %s, want %s", body, got.status, got.problem.Code, code)
		}
	}
}

// TestADepartureNamesTheHoldsThatKeepItsData: those in force, for whom they concern, until they are released.
func TestADepartureNamesTheHoldsThatKeepItsData(t *testing.T) {
	f := newFixture(t)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.people[models.RoleDepartmentHead], f.a)
	person := f.hire("E1", f.a)
	dep := f.leftLongAgo(person, -20, false)
	var holds []uuid.UUID
	for _, c := range []struct {
		about      uuid.UUID
		categories []models.Category
	}{{person, []models.Category{models.CategoryContract}}, {person, nil}, {f.hire("E2", f.a), nil}} {
		f.run(func(tx *database.Tx) error {
			hold, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: c.about, Categories: c.categories, Matter: "case", By: models.System})
			holds = append(holds, hold.ID)
			return err
		})
	}
	f.run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
	named := func(role models.Role) (ids []uuid.UUID) {
		var d DepartureView
		f.ask(role, "GET", addressOf(models.RefDeparture, dep.ID), "").into(t, &d)
		for _, w := range d.Waiting {
			if w.What == waitsForRelease && w.WhatText != "" && w.Role == models.RoleHRAdmin {
				ids = append(ids, *w.HoldID)
			}
		}
		return ids
	}
	if got := named(models.RoleHRAdmin); !slices.Equal(got, holds[:2]) {
		t.Errorf("HR is shown %v, want %v", got, holds[:2])
	}
	if got := named(models.RoleDepartmentHead); got != nil {
		t.Errorf("the head is shown %v", got)
	}
	f.run(func(tx *database.Tx) error {
		return retention.ReleaseHold(tx, holds[1], models.System, models.System)
	})
	if got := named(models.RoleHRAdmin); !slices.Equal(got, holds[:1]) {
		t.Errorf("after a release HR is shown %v, want %v", got, holds[:1])
	}
}

// TestAHoldEndsTheRequestsThatItOvertakes: an extension, or an approval, of a purge that will not destroy
// now is void at once, whether the hold is about the person or by a filter; those about others stay.
func TestAHoldEndsTheRequestsThatItOvertakes(t *testing.T) {
	f := newFixture(t)
	asker := f.freshSession(f.hire("R-asker", f.b), models.RoleReviewer)
	ask := func(person uuid.UUID, decision string) string {
		purge := f.rejectedPurge(person)
		got := asker.ask("POST", "/api/v1/purges/"+purge.String()+"/decision", decision)
		if got.status != http.StatusAccepted {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return got.header.Get("Location")
	}
	extension := `{"decision": "extended", "until": "` + f.day(90) + `", "reason": "an audit"}`
	held, inDepartment, other := f.hire("E1", f.b), f.hire("E2", f.a), f.hire("E3", f.b)
	requests := map[string]string{
		ask(held, extension):                          `{"employee_id": "` + held.String() + `", "matter": "M-1", "categories": ["contract"]}`,
		ask(inDepartment, `{"decision": "approved"}`): `{"query": {"department_id": "` + f.a.String() + `"}, "matter": "M-2"}`,
	}
	stays := ask(other, extension)
	for address, hold := range requests {
		var request ApprovalView
		asker.ask("GET", address, "").into(t, &request)
		if request.State != models.ApprovalPending {
			t.Fatalf("before the hold it is %s", request.State)
		}
		if got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", hold); got.status != http.StatusCreated {
			t.Fatalf("%d %s", got.status, got.body)
		}
		asker.ask("GET", address, "").into(t, &request)
		if request.State != models.ApprovalVoid || request.VoidReason != models.VoidGone || request.VoidReasonText == "" {
			t.Errorf("after %s it is %s %s", hold, request.State, request.VoidReason)
		}
	}
	var request ApprovalView
	asker.ask("GET", stays, "").into(t, &request)
	if request.State != models.ApprovalPending {
		t.Errorf("the request about somebody else is %s", request.State)
	}
}

// TestTheTimelineSaysWhoKeptTheData: holds on the person or by a filter, their releases and rejections, in the
// order of time, for those who see what waits for reviewers; none of them of anybody else's departure.
func TestTheTimelineSaysWhoKeptTheData(t *testing.T) {
	f := newFixture(t)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.people[models.RoleDepartmentHead], f.a)
	person, other := f.hire("E1", f.a), f.hire("E2", f.b)
	purge := f.rejectedPurge(person)
	f.rejectedPurge(other)
	var view PurgeView
	f.ask(models.RoleReviewer, "GET", "/api/v1/purges/"+purge.String(), "").into(t, &view)
	var mine, filtered, theirs HoldView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+person.String()+`", "matter": "M-1"}`).into(t, &mine)
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"query": {"department_id": "`+f.a.String()+`"}, "matter": "M-2"}`).into(t, &filtered)
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+other.String()+`", "matter": "M-3"}`).into(t, &theirs)
	release := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefHold, mine.ID)+"/release", `{}`).header.Get("Location")
	if got := f.session(models.RoleReviewer).ask("POST", release+"/decision", `{"decision": "approved"}`); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	hr := f.people[models.RoleHRAdmin]
	want := []TimelineView{
		{What: "purge_rejected", WhatText: "审核人拒绝删除", By: "reviewer", ByID: view.RejectedBy, PurgeID: &purge},
		{What: "hold_placed", WhatText: "已设置暂停删除", By: "hr_admin", ByID: &hr, HoldID: &mine.ID},
		{What: "hold_placed", WhatText: "已设置暂停删除", By: "hr_admin", ByID: &hr, HoldID: &filtered.ID},
		{What: "hold_released", WhatText: "已解除暂停删除", By: "hr_admin", ByID: &hr, HoldID: &mine.ID},
	}
	for i := range want {
		want[i].ByText = i18n.Text(i18n.Chinese, "role."+want[i].By)
		var who PersonView
		if want[i].ByPerson = &who; f.env.Facts.Read(t.Context()).Raw("SELECT id AS employee_id, employee_no, name FROM employees WHERE id = ?", want[i].ByID).Scan(&who).Error != nil {
			t.Fatal("nobody did it")
		}
	}
	told := func(v *visitor) (lines []TimelineView) {
		var d DepartureView
		v.ask("GET", addressOf(models.RefDeparture, view.DepartureID), "", "Accept-Language", "zh").into(t, &d)
		if !slices.IsSortedFunc(d.Timeline, func(a, b TimelineView) int { return a.At.Compare(b.At) }) {
			t.Errorf("not in the order of time: %+v", d.Timeline)
		}
		for _, e := range d.Timeline {
			if e.What == "purge_rejected" || e.HoldID != nil {
				e.At = time.Time{}
				lines = append(lines, e)
			}
		}
		return lines
	}
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor} {
		if diff := cmp.Diff(want, told(f.session(role))); diff != "" {
			t.Errorf("%s is told (-want +got):\n%s", role, diff)
		}
	}
	for name, v := range map[string]*visitor{
		"the head": f.session(models.RoleDepartmentHead), "the leaver": f.freshSession(person, models.RoleEmployee),
	} {
		if got := told(v); got != nil {
			t.Errorf("%s is told %+v", name, got)
		}
	}
}

// TestAHoldIsNotShownToWhomItIsOn: whoever may list holds sees those on others, and not the one on themselves.
func TestAHoldIsNotShownToWhomItIsOn(t *testing.T) {
	f := newFixture(t)
	ids := map[bool]uuid.UUID{}
	for own, person := range map[bool]uuid.UUID{true: f.people[models.RoleReviewer], false: f.hire("E1", f.a)} {
		f.run(func(tx *database.Tx) error {
			hold, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: person, Matter: "an inquiry", By: models.System})
			ids[own] = hold.ID
			return err
		})
	}
	for role, want := range map[models.Role][]uuid.UUID{models.RoleReviewer: {ids[false]}, models.RoleAuditor: {ids[false], ids[true]}} {
		var page Page[HoldView]
		f.ask(role, "GET", "/api/v1/holds", "").into(t, &page)
		var got []uuid.UUID
		for _, h := range page.Items {
			got = append(got, h.ID)
		}
		if !sameIDs(got, want) {
			t.Errorf("the %s is shown %v, want %v", role, got, want)
		}
	}
	for own, want := range map[bool]int{true: 404, false: 200} {
		if got := f.ask(models.RoleReviewer, "GET", addressOf(models.RefHold, ids[own]), ""); got.status != want {
			t.Errorf("own: %t: %d %s", own, got.status, got.body)
		}
	}
}

func sameIDs(a, b []uuid.UUID) bool {
	order := func(x, y uuid.UUID) int { return strings.Compare(x.String(), y.String()) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// TestAFilledFieldIsCorrectedUnderAHoldByAFilter: such a hold keeps what is there from being taken out, and
// leaves the daily work.
func TestAFilledFieldIsCorrectedUnderAHoldByAFilter(t *testing.T) {
	f := newFixture(t)
	person := f.hire("E1", f.a)
	patch := func(value string) reply {
		return f.ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+person.String(), `{"fields": {"tax_no": `+value+`}}`)
	}
	if got := patch(`"1"`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	f.run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{Query: retention.HoldQuery{DepartmentID: &f.a}, Matter: "a case", By: models.System, Approver: models.System})
		return err
	})
	if got := patch(`"2"`); got.status != 200 {
		t.Errorf("corrected: %d %s", got.status, got.body)
	}
	if got := patch("null"); got.status != 409 || got.problem.Code != codeUnderHold {
		t.Errorf("taken out: %d %s", got.status, got.body)
	}
}
