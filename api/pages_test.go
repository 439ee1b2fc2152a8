package api_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// TestAPageTakesAsManyQueriesHoweverLongItIs: of each list, with two rows and with six of every kind.
func TestAPageTakesAsManyQueriesHoweverLongItIs(t *testing.T) {
	f := apitest.New(t)
	var queries atomic.Int64
	for _, db := range []*database.DB{f.API.DB, f.Env.Keys} {
		count := func(*gorm.DB) { queries.Add(1) }
		callbacks := db.Read(t.Context()).Callback()
		for name, register := range map[string]func(string, func(*gorm.DB)) error{
			"query": callbacks.Query().Register, "row": callbacks.Row().Register, "raw": callbacks.Raw().Register, "update": callbacks.Update().Register,
		} {
			if err := register("test:count_"+name, count); err != nil {
				t.Fatal(err)
			}
		}
	}
	people := 0
	hire := func() (no string) { people++; return fmt.Sprintf("P%d", people) }
	var subjects []string
	for range 5 {
		subjects = append(subjects, f.Hire(hire(), f.A).String())
	}
	looks := func(hr *apitest.Visitor) { // with a pattern in them
		for _, id := range subjects {
			got := hr.Ask("POST", "/api/v1/employees/"+id+"/disclosures", `{"fields": ["bank_account"], "purpose": "payroll", "reason": "银行退票，需核对员工收款账号后补发工资", "evidence": {"matter": "退票", "period": "2026-10"}}`)
			if got.Status != 200 && got.Status != 202 {
				t.Fatalf("looking: %d %s", got.Status, got.Body)
			}
		}
	}
	add := func() {
		pending, left := f.Resign(f.Hire(hire(), f.A)), f.LeftLongAgo(f.Hire(hire(), f.B), -20, false)
		for _, id := range []string{httpkit.AddressOf(models.RefDeparture, pending.ID), httpkit.AddressOf(models.RefDeparture, left.ID)} {
			if got := f.Ask(httpkit.HR, "POST", id+"/annulment", `{"reason": "mistaken"}`); got.Status != 202 {
				t.Fatalf("asking: %d %s", got.Status, got.Body)
			}
		}
		f.RejectedPurge(f.Hire(hire(), f.A))
		f.StuckCase(f.Hire(hire(), f.B))
		on := f.Hire(hire(), f.A)
		if got := f.Session(httpkit.HR).Ask("POST", "/api/v1/access-cuts", fmt.Sprintf(`{"employee_id": %q, "reason": "r"}`, f.Hire(hire(), f.A))); got.Status != 201 {
			t.Fatalf("a cut: %d %s", got.Status, got.Body)
		}
		f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, on))
		f.Session(httpkit.HR).Ask("POST", "/api/v1/employees", f.Newcomer(hire(), f.A, ""))
		f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, on, models.RoleAuditor); return err })
		looks(f.FreshSession(f.Hire(hire(), f.B), httpkit.HR))
	}
	lists := map[string]models.Role{
		"/api/v1/departures": httpkit.IT, "/api/v1/departures?stage=departed": httpkit.HR, "/api/v1/employees": httpkit.HR, "/api/v1/support-cases": httpkit.IT, "/api/v1/purges": httpkit.IT,
		"/api/v1/purges?state=rejected": httpkit.Reviewer, "/api/v1/retention/deadlines": httpkit.HR, "/api/v1/departures?sort=last_working_day": httpkit.Auditor, "/api/v1/holds": httpkit.Reviewer, "/api/v1/approvals": httpkit.Reviewer, "/api/v1/users": httpkit.Auditor,
		"/api/v1/disclosure-patterns": httpkit.Reviewer, "/api/v1/access-cuts": httpkit.IT, "/api/v1/reports/leavers?from=" + f.Day(-30) + "&to=" + f.Day(0): httpkit.Auditor,
		"/api/v1/reports/access?on=" + f.Day(0): httpkit.Auditor,
	}
	type length struct {
		rows    int
		queries int64
	}
	look := func(role models.Role, path string) length {
		t.Helper()
		f.Ask(role, "GET", path, "") // what is noted once a minute is noted
		queries.Store(0)
		var page httpkit.Page[map[string]any]
		f.Ask(role, "GET", path, "").Into(t, &page)
		return length{len(page.Items), queries.Load()}
	}
	add()
	add()
	before := map[string]length{}
	for path, role := range lists {
		before[path] = look(role, path)
	}
	for range 4 {
		add()
	}
	for path, role := range lists {
		short, long := before[path], look(role, path)
		t.Logf("%s as %s: %d rows with %d queries, %d with %d", path, role, short.rows, short.queries, long.rows, long.queries)
		if short.rows < 2 || long.rows < short.rows+4 || short.queries != long.queries {
			t.Errorf("%s: %d rows take %d queries, %d take %d", path, short.rows, short.queries, long.rows, long.queries)
		}
	}
}

// TestACursorIsGoodForItsListOnly: another list, other filters, another person and another role refuse it.
func TestACursorIsGoodForItsListOnly(t *testing.T) {
	f := apitest.New(t)
	for i := range 3 {
		f.Resign(f.Hire(fmt.Sprintf("C%d", i), f.A))
	}
	cursor := func(role models.Role, path string) string {
		t.Helper()
		var page httpkit.Page[map[string]any]
		f.Ask(role, "GET", path, "").Into(t, &page)
		if page.NextCursor == nil {
			t.Fatalf("%s has one page only", path)
		}
		return *page.NextCursor
	}
	departures := cursor(httpkit.HR, "/api/v1/departures?limit=1")
	filtered := cursor(httpkit.HR, "/api/v1/departures?limit=1&stage=pending_departure")
	for name, c := range map[string]struct {
		role models.Role
		path string
		want string
	}{
		"its own":            {httpkit.HR, "/api/v1/departures?limit=1&cursor=" + departures, ""},
		"a longer page":      {httpkit.HR, "/api/v1/departures?limit=2&cursor=" + departures, ""},
		"its own filter":     {httpkit.HR, "/api/v1/departures?stage=pending_departure&cursor=" + filtered, ""},
		"without the filter": {httpkit.HR, "/api/v1/departures?cursor=" + filtered, "invalid_cursor"},
		"with a filter":      {httpkit.HR, "/api/v1/departures?stage=departed&cursor=" + departures, "invalid_cursor"},
		"another list":       {httpkit.HR, "/api/v1/purges?cursor=" + departures, "invalid_cursor"},
		"another person":     {httpkit.Reviewer, "/api/v1/departures?cursor=" + departures, "invalid_cursor"},
	} {
		if got := f.Ask(c.role, "GET", c.path, ""); got.Problem.Code != c.want {
			t.Errorf("%s: %d %q, want %q", name, got.Status, got.Problem.Code, c.want)
		}
	}
}

// TestDeparturesAreFoundByTheirDays: sorted by each of them, page by page, and narrowed to some.
func TestDeparturesAreFoundByTheirDays(t *testing.T) {
	f := apitest.New(t)
	var of []departures.DepartureView
	for i, days := range []int{30, 10, 20, 10} {
		var d departures.DepartureView
		f.Ask(httpkit.HR, "POST", "/api/v1/departures", f.Notice(f.Hire(fmt.Sprintf("S%d", i), f.A), days)).Into(t, &d)
		of = append(of, d)
	}
	walk := func(query string) (found []int) {
		t.Helper()
		cursor := ""
		for {
			var page httpkit.Page[departures.DepartureView]
			f.Ask(httpkit.HR, "GET", "/api/v1/departures?limit=1"+query+cursor, "").Into(t, &page)
			for _, d := range page.Items {
				found = append(found, slices.IndexFunc(of, func(o departures.DepartureView) bool { return o.ID == d.ID }))
			}
			if page.NextCursor == nil {
				return found
			}
			cursor = "&cursor=" + *page.NextCursor
		}
	}
	for query, want := range map[string][]int{
		"":                          {3, 2, 1, 0},
		"&sort=last_working_day":    {1, 3, 2, 0},
		"&sort=access_cutoff_at":    {1, 3, 2, 0},
		"&sort=employment_ended_at": {1, 3, 2, 0},
		"&employee_id=" + of[2].EmployeeID.String():                                                                {2},
		"&sort=last_working_day&last_working_day_from=" + f.Day(11):                                                {2, 0},
		"&last_working_day_to=" + f.Day(20):                                                                        {3, 2, 1},
		"&employment_end_date_from=" + f.Day(20) + "&employment_end_date_to=" + f.Day(20):                          {2},
		"&sort=employment_ended_at&employment_end_date_from=" + f.Day(10) + "&employment_end_date_to=" + f.Day(20): {1, 3, 2},
		"&sort=employment_ended_at&employment_end_date_from=" + f.Day(11):                                          {2, 0},
		"&sort=employment_ended_at&employment_end_date_to=" + f.Day(19):                                            {1, 3},
		"&sort=last_working_day&last_working_day_from=" + f.Day(10) + "&last_working_day_to=" + f.Day(10):          {1, 3},
	} {
		if got := walk(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"sort=name", "sort=legal_ground_sealed", "last_working_day_from=yesterday"} {
		if got := f.Ask(httpkit.HR, "GET", "/api/v1/departures?"+query, ""); got.Status != 422 {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

// TestWhatWillBeDestroyedIsAList, soonest first, of everybody, with whose it is; what is destroyed or under
// review is not in it.
func TestWhatWillBeDestroyedIsAList(t *testing.T) {
	f := apitest.New(t)
	first, second := f.Hire("U1", f.A), f.Hire("U2", f.B)
	f.LeftLongAgo(first, -20, false)
	f.LeftLongAgo(second, -5, false)
	var all []purges.UpcomingView
	cursor := ""
	for {
		var page httpkit.Page[purges.UpcomingView]
		f.Ask(httpkit.Reviewer, "GET", "/api/v1/retention/deadlines?limit=3"+cursor, "").Into(t, &page)
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	var deadlines int64
	if err := f.Env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM retention_deadlines WHERE category <> 'account_snapshot'").Scan(&deadlines).Error; err != nil || int(deadlines) != len(all) || deadlines < 6 {
		t.Fatalf("%d of %d are listed, %v", len(all), deadlines, err)
	}
	if !slices.IsSortedFunc(all, func(a, b purges.UpcomingView) int { return a.Deadline.Compare(b.Deadline) }) || all[0].Person.EmployeeNo != "U1" && all[0].Person.EmployeeNo != "U2" {
		t.Errorf("listed are %+v", all)
	}
	var of httpkit.Page[purges.UpcomingView]
	f.Ask(httpkit.HR, "GET", fmt.Sprintf("/api/v1/retention/deadlines?employee_id=%s&category=%s", second, all[0].Category), "").Into(t, &of)
	if len(of.Items) != 1 || of.Items[0].Person.EmployeeNo != "U2" || of.Items[0].Category != all[0].Category {
		t.Errorf("of one: %+v", of)
	}
	f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, second))
	f.Ask(httpkit.HR, "GET", "/api/v1/retention/deadlines?employee_id="+second.String(), "").Into(t, &of)
	for _, u := range of.Items {
		if u.State != models.DeadlineHeld {
			t.Errorf("under a hold %s is %s", u.Category, u.State)
		}
	}
	if got := f.Ask(httpkit.HR, "GET", "/api/v1/retention/deadlines?category=diary", ""); got.Status != 422 {
		t.Errorf("a category that there is not: %d", got.Status)
	}
}
