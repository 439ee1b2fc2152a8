package holds_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// TestAFieldUnderHoldIsNotChanged: the answer says why, points at the fields, and nothing is changed.
func TestAFieldUnderHoldIsNotChanged(t *testing.T) {
	f := apitest.New(t)
	person := f.People[models.RoleEmployee]
	f.Run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{
			EmployeeID: person, Categories: []models.Category{models.CategoryContract}, Matter: "case 1", By: models.System,
		})
		return err
	})
	address := httpkit.AddressOf(models.RefEmployee, person)
	got := f.Ask(models.RoleHRAdmin, "PATCH", address, `{"post": "X", "fields": {"contract_no": "C-2", "tax_no": "T-2"}}`)
	if got.Status != http.StatusConflict || got.Problem.Code != "under_hold" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleHRAdmin, "PATCH", address, `{"fields": {"tax_no": "T-2"}}`); got.Status != http.StatusOK {
		t.Errorf("what is not held: %d %s", got.Status, got.Body)
	}
}

// TestHold_IsAboutAPersonAFilterOrEverybody: each kind by the API, with what is unclear refused.
func TestHold_IsAboutAPersonAFilterOrEverybody(t *testing.T) {
	f := apitest.New(t)
	hr := models.RoleHRAdmin
	a, b := f.Hire("E1", f.A), f.Hire("E2", f.B)
	covering := func(person string) int {
		var page httpkit.Page[holds.HoldView]
		f.Ask(hr, "GET", "/api/v1/holds?active=true&employee_id="+person, "").Into(t, &page)
		return len(page.Items)
	}
	var view holds.HoldView
	f.Ask(hr, "POST", "/api/v1/holds", `{"employee_id": "`+a.String()+`", "matter": "M-1"}`).Into(t, &view)
	if view.EmployeeID == nil || *view.EmployeeID != a || view.Query != nil || view.Everybody || view.Covers == nil || *view.Covers != (holds.HoldCover{1, 1}) {
		t.Errorf("a person's: %+v", view)
	}
	f.Ask(hr, "POST", "/api/v1/holds", `{"query": {"department_id": "`+f.A.String()+`"}, "matter": "M-2", "categories": ["contract"]}`).Into(t, &view)
	if view.Query == nil || view.Query.DepartmentID == nil || *view.Query.DepartmentID != f.A || len(view.Categories) != 1 ||
		view.Covers == nil || *view.Covers != (holds.HoldCover{3, 3}) {
		t.Errorf("a department's: %+v", view)
	}
	waits := f.Ask(hr, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-3"}`)
	if waits.Status != http.StatusAccepted || covering(b.String()) != 0 {
		t.Errorf("everybody, by one person: %d, %d cover", waits.Status, covering(b.String()))
	}
	if got := f.Session(models.RoleReviewer).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("everybody, agreed to: %d %s", got.Status, got.Body)
	}
	if covering(a.String()) != 3 || covering(b.String()) != 1 {
		t.Errorf("%d and %d holds cover the two", covering(a.String()), covering(b.String()))
	}
	for body, code := range map[string]string{
		`{"matter": "x"}`: "hold_scope_unclear",
		`{"matter": "x", "everybody": true, "employee_id": "` + a.String() + `"}`:        "hold_scope_unclear",
		`{"matter": "x", "query": {}}`:                                                   "hold_scope_unclear",
		`{"matter": "x", "query": {"department_id": "` + a.String() + `"}}`:              "hold_filter_unknown",
		`{"matter": "x", "query": {"left_from": "2026-02-01", "left_to": "2026-01-01"}}`: "hold_period",
		`{"matter": "   ", "employee_id": "` + a.String() + `"}`:                         "validation_failed",
		`{"matter": "x", "query": {"name": "x"}}`:                                        "unknown_field",
	} {
		if got := f.Ask(hr, "POST", "/api/v1/holds", body); got.Problem.Code != code {
			t.Errorf("%s: %d %s, want %s", body, got.Status, got.Problem.Code, code)
		}
	}
}

// TestADepartureNamesTheHoldsThatKeepItsData: those in force, for whom they concern, until they are released.
func TestADepartureNamesTheHoldsThatKeepItsData(t *testing.T) {
	f := apitest.New(t)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.People[models.RoleDepartmentHead], f.A)
	person := f.Hire("E1", f.A)
	dep := f.LeftLongAgo(person, -20, false)
	var holds []uuid.UUID
	for _, c := range []struct {
		about      uuid.UUID
		categories []models.Category
	}{{person, []models.Category{models.CategoryContract}}, {person, nil}, {f.Hire("E2", f.A), nil}} {
		f.Run(func(tx *database.Tx) error {
			hold, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: c.about, Categories: c.categories, Matter: "case", By: models.System})
			holds = append(holds, hold.ID)
			return err
		})
	}
	f.Run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
	named := func(role models.Role) (ids []uuid.UUID) {
		var d departures.DepartureView
		f.Ask(role, "GET", httpkit.AddressOf(models.RefDeparture, dep.ID), "").Into(t, &d)
		for _, w := range d.Waiting {
			if w.What == departures.WaitsForRelease && w.WhatText != "" && w.Role == models.RoleHRAdmin {
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
	f.Run(func(tx *database.Tx) error {
		return retention.ReleaseHold(tx, holds[1], models.System, models.System)
	})
	if got := named(models.RoleHRAdmin); !slices.Equal(got, holds[:1]) {
		t.Errorf("after a release HR is shown %v, want %v", got, holds[:1])
	}
}

// TestAHoldEndsTheRequestsThatItOvertakes: an extension, or an approval, of a purge that will not destroy
// now is void at once, whether the hold is about the person or by a filter; those about others stay.
func TestAHoldEndsTheRequestsThatItOvertakes(t *testing.T) {
	f := apitest.New(t)
	asker := f.FreshSession(f.Hire("R-asker", f.B), models.RoleReviewer)
	ask := func(person uuid.UUID, decision string) string {
		purge := f.RejectedPurge(person)
		got := asker.Ask("POST", "/api/v1/purges/"+purge.String()+"/decision", decision)
		if got.Status != http.StatusAccepted {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return got.Header.Get("Location")
	}
	extension := `{"decision": "extended", "until": "` + f.Day(90) + `", "reason": "an audit"}`
	held, inDepartment, other := f.Hire("E1", f.B), f.Hire("E2", f.A), f.Hire("E3", f.B)
	requests := map[string]string{
		ask(held, extension):                          `{"employee_id": "` + held.String() + `", "matter": "M-1", "categories": ["contract"]}`,
		ask(inDepartment, `{"decision": "approved"}`): `{"query": {"department_id": "` + f.A.String() + `"}, "matter": "M-2"}`,
	}
	stays := ask(other, extension)
	for address, hold := range requests {
		var request approvals.ApprovalView
		asker.Ask("GET", address, "").Into(t, &request)
		if request.State != models.ApprovalPending {
			t.Fatalf("before the hold it is %s", request.State)
		}
		if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", hold); got.Status != http.StatusCreated {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		asker.Ask("GET", address, "").Into(t, &request)
		if request.State != models.ApprovalVoid || request.VoidReason != models.VoidGone || request.VoidReasonText == "" {
			t.Errorf("after %s it is %s %s", hold, request.State, request.VoidReason)
		}
	}
	var request approvals.ApprovalView
	asker.Ask("GET", stays, "").Into(t, &request)
	if request.State != models.ApprovalPending {
		t.Errorf("the request about somebody else is %s", request.State)
	}
}

// TestTheTimelineSaysWhoKeptTheData: holds on the person or by a filter, their releases and rejections, in the
// order of time, for those who see what waits for reviewers; none of them of anybody else's departure.
func TestTheTimelineSaysWhoKeptTheData(t *testing.T) {
	f := apitest.New(t)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.People[models.RoleDepartmentHead], f.A)
	person, other := f.Hire("E1", f.A), f.Hire("E2", f.B)
	purge := f.RejectedPurge(person)
	f.RejectedPurge(other)
	var view purges.PurgeView
	f.Ask(models.RoleReviewer, "GET", "/api/v1/purges/"+purge.String(), "").Into(t, &view)
	var mine, filtered, theirs holds.HoldView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+person.String()+`", "matter": "M-1"}`).Into(t, &mine)
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"query": {"department_id": "`+f.A.String()+`"}, "matter": "M-2"}`, "Accept-Language", "zh").Into(t, &filtered)
	if !slices.Equal(filtered.QueryText, []string{"部"}) {
		t.Errorf("a hold on the department %q", filtered.QueryText)
	}
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/holds", `{"employee_id": "`+other.String()+`", "matter": "M-3"}`).Into(t, &theirs)
	release := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefHold, mine.ID)+"/release", `{}`).Header.Get("Location")
	if got := f.Session(models.RoleReviewer).Ask("POST", release+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	hr := f.People[models.RoleHRAdmin]
	want := []departures.TimelineView{
		{What: "purge_rejected", WhatText: "审核人拒绝删除", By: "reviewer", ByID: view.RejectedBy, PurgeID: &purge},
		{What: "hold_placed", WhatText: "已设置暂停删除", By: "hr_admin", ByID: &hr, HoldID: &mine.ID},
		{What: "hold_placed", WhatText: "已设置暂停删除", By: "hr_admin", ByID: &hr, HoldID: &filtered.ID},
		{What: "hold_released", WhatText: "已解除暂停删除", By: "hr_admin", ByID: &hr, HoldID: &mine.ID},
	}
	for i := range want {
		want[i].ByText = i18n.Text(i18n.Chinese, "role."+want[i].By)
		var who render.PersonView
		if want[i].ByPerson = &who; f.Env.Facts.Read(t.Context()).Raw("SELECT e.id AS employee_id, employee_no, name, d.name_zh AS department, m.time_zone FROM employees e JOIN departments d ON d.id = department_id JOIN employments m ON m.employee_id = e.id WHERE e.id = ?", want[i].ByID).Scan(&who).Error != nil {
			t.Fatal("nobody did it")
		}
	}
	told := func(v *apitest.Visitor) (lines []departures.TimelineView) {
		var d departures.DepartureView
		v.Ask("GET", httpkit.AddressOf(models.RefDeparture, view.DepartureID), "", "Accept-Language", "zh").Into(t, &d)
		if !slices.IsSortedFunc(d.Timeline, func(a, b departures.TimelineView) int { return a.At.Compare(b.At) }) {
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
		if diff := cmp.Diff(want, told(f.Session(role))); diff != "" {
			t.Errorf("%s is told (-want +got):\n%s", role, diff)
		}
	}
	for name, v := range map[string]*apitest.Visitor{
		"the head": f.Session(models.RoleDepartmentHead), "the leaver": f.FreshSession(person, models.RoleEmployee),
	} {
		if got := told(v); got != nil {
			t.Errorf("%s is told %+v", name, got)
		}
	}
}

// TestAHoldIsNotShownToWhomItIsOn: whoever may list holds sees those on others, and not the one on themselves.
func TestAHoldIsNotShownToWhomItIsOn(t *testing.T) {
	f := apitest.New(t)
	ids := map[bool]uuid.UUID{}
	for own, person := range map[bool]uuid.UUID{true: f.People[models.RoleReviewer], false: f.Hire("E1", f.A)} {
		f.Run(func(tx *database.Tx) error {
			hold, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: person, Matter: "an inquiry", By: models.System})
			ids[own] = hold.ID
			return err
		})
	}
	for role, want := range map[models.Role][]uuid.UUID{models.RoleReviewer: {ids[false]}, models.RoleAuditor: {ids[false], ids[true]}} {
		var page httpkit.Page[holds.HoldView]
		f.Ask(role, "GET", "/api/v1/holds", "").Into(t, &page)
		var got []uuid.UUID
		for _, h := range page.Items {
			got = append(got, h.ID)
		}
		if !sameIDs(got, want) {
			t.Errorf("the %s is shown %v, want %v", role, got, want)
		}
	}
	for own, want := range map[bool]int{true: 404, false: 200} {
		if got := f.Ask(models.RoleReviewer, "GET", httpkit.AddressOf(models.RefHold, ids[own]), ""); got.Status != want {
			t.Errorf("own: %t: %d %s", own, got.Status, got.Body)
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
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	patch := func(value string) apitest.Reply {
		return f.Ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+person.String(), `{"fields": {"tax_no": `+value+`}}`)
	}
	if got := patch(`"1"`); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	f.Run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{Query: retention.HoldQuery{DepartmentID: &f.A}, Matter: "a case", By: models.System, Approver: models.System})
		return err
	})
	if got := patch(`"2"`); got.Status != 200 {
		t.Errorf("corrected: %d %s", got.Status, got.Body)
	}
	if got := patch("null"); got.Status != 409 || got.Problem.Code != "under_hold" {
		t.Errorf("taken out: %d %s", got.Status, got.Body)
	}
}
