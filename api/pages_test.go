package api

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// TestAPageTakesAsManyQueriesHoweverLongItIs: of each list, with two rows and with six of every kind.
func TestAPageTakesAsManyQueriesHoweverLongItIs(t *testing.T) {
	f := newFixture(t)
	var queries atomic.Int64
	for _, db := range []*database.DB{f.server.DB, f.env.Keys} {
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
	add := func() {
		pending, left := f.resign(f.hire(hire(), f.a)), f.leftLongAgo(f.hire(hire(), f.b), -20, false)
		for _, id := range []string{addressOf(models.RefDeparture, pending.ID), addressOf(models.RefDeparture, left.ID)} {
			if got := f.ask(hr, "POST", id+"/annulment", `{"reason": "mistaken"}`); got.status != 202 {
				t.Fatalf("asking: %d %s", got.status, got.body)
			}
		}
		f.rejectedPurge(f.hire(hire(), f.a))
		f.stuckCase(f.hire(hire(), f.b))
		on := f.hire(hire(), f.a)
		f.session(hr).ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, on))
		f.session(hr).ask("POST", "/api/v1/employees", f.newcomer(hire(), f.a, ""))
		f.run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, on, models.RoleAuditor); return err })
	}
	lists := map[string]models.Role{
		"/api/v1/departures": it, "/api/v1/departures?stage=departed": hr, "/api/v1/employees": hr, "/api/v1/support-cases": it, "/api/v1/purges": it,
		"/api/v1/purges?state=rejected": reviewer, "/api/v1/retention/deadlines": hr, "/api/v1/departures?sort=last_working_day": auditor, "/api/v1/holds": reviewer, "/api/v1/approvals": reviewer, "/api/v1/users": auditor,
	}
	type length struct {
		rows    int
		queries int64
	}
	look := func(role models.Role, path string) length {
		t.Helper()
		f.ask(role, "GET", path, "") // what is noted once a minute is noted
		queries.Store(0)
		var page Page[map[string]any]
		f.ask(role, "GET", path, "").into(t, &page)
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
	f := newFixture(t)
	for i := range 3 {
		f.resign(f.hire(fmt.Sprintf("C%d", i), f.a))
	}
	cursor := func(role models.Role, path string) string {
		t.Helper()
		var page Page[map[string]any]
		f.ask(role, "GET", path, "").into(t, &page)
		if page.NextCursor == nil {
			t.Fatalf("%s has one page only", path)
		}
		return *page.NextCursor
	}
	departures := cursor(hr, "/api/v1/departures?limit=1")
	filtered := cursor(hr, "/api/v1/departures?limit=1&stage=pending_departure")
	for name, c := range map[string]struct {
		role models.Role
		path string
		want string
	}{
		"its own":            {hr, "/api/v1/departures?limit=1&cursor=" + departures, ""},
		"a longer page":      {hr, "/api/v1/departures?limit=2&cursor=" + departures, ""},
		"its own filter":     {hr, "/api/v1/departures?stage=pending_departure&cursor=" + filtered, ""},
		"without the filter": {hr, "/api/v1/departures?cursor=" + filtered, codeInvalidCursor},
		"with a filter":      {hr, "/api/v1/departures?stage=departed&cursor=" + departures, codeInvalidCursor},
		"another list":       {hr, "/api/v1/purges?cursor=" + departures, codeInvalidCursor},
		"another person":     {reviewer, "/api/v1/departures?cursor=" + departures, codeInvalidCursor},
	} {
		if got := f.ask(c.role, "GET", c.path, ""); got.problem.Code != c.want {
			t.Errorf("%s: %d %q, want %q", name, got.status, got.problem.Code, c.want)
		}
	}
}

// TestDeparturesAreFoundByTheirDays: sorted by each of them, page by page, and narrowed to some.
func TestDeparturesAreFoundByTheirDays(t *testing.T) {
	f := newFixture(t)
	var of []DepartureView
	for i, days := range []int{30, 10, 20, 10} {
		var d DepartureView
		f.ask(hr, "POST", "/api/v1/departures", f.notice(f.hire(fmt.Sprintf("S%d", i), f.a), days)).into(t, &d)
		of = append(of, d)
	}
	walk := func(query string) (found []int) {
		t.Helper()
		cursor := ""
		for {
			var page Page[DepartureView]
			f.ask(hr, "GET", "/api/v1/departures?limit=1"+query+cursor, "").into(t, &page)
			for _, d := range page.Items {
				found = append(found, slices.IndexFunc(of, func(o DepartureView) bool { return o.ID == d.ID }))
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
		"&employee_id=" + of[2].EmployeeID.String():                                                       {2},
		"&sort=last_working_day&last_working_day_from=" + f.day(11):                                       {2, 0},
		"&last_working_day_to=" + f.day(20):                                                               {3, 2, 1},
		"&employment_end_date_from=" + f.day(20) + "&employment_end_date_to=" + f.day(20):                 {2},
		"&sort=last_working_day&last_working_day_from=" + f.day(10) + "&last_working_day_to=" + f.day(10): {1, 3},
	} {
		if got := walk(query); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"sort=name", "sort=legal_ground_sealed", "last_working_day_from=yesterday"} {
		if got := f.ask(hr, "GET", "/api/v1/departures?"+query, ""); got.status != 422 {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

// TestWhatWillBeDestroyedIsAList, soonest first, of everybody, with whose it is; what is destroyed or under
// review is not in it.
func TestWhatWillBeDestroyedIsAList(t *testing.T) {
	f := newFixture(t)
	first, second := f.hire("U1", f.a), f.hire("U2", f.b)
	f.leftLongAgo(first, -20, false)
	f.leftLongAgo(second, -5, false)
	var all []UpcomingView
	cursor := ""
	for {
		var page Page[UpcomingView]
		f.ask(reviewer, "GET", "/api/v1/retention/deadlines?limit=3"+cursor, "").into(t, &page)
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	var deadlines int64
	if err := f.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM retention_deadlines").Scan(&deadlines).Error; err != nil || int(deadlines) != len(all) || deadlines < 6 {
		t.Fatalf("%d of %d are listed, %v", len(all), deadlines, err)
	}
	if !slices.IsSortedFunc(all, func(a, b UpcomingView) int { return a.Deadline.Compare(b.Deadline) }) || all[0].Person.EmployeeNo != "U1" && all[0].Person.EmployeeNo != "U2" {
		t.Errorf("listed are %+v", all)
	}
	var of Page[UpcomingView]
	f.ask(hr, "GET", fmt.Sprintf("/api/v1/retention/deadlines?employee_id=%s&category=%s", second, all[0].Category), "").into(t, &of)
	if len(of.Items) != 1 || of.Items[0].Person.EmployeeNo != "U2" || of.Items[0].Category != all[0].Category {
		t.Errorf("of one: %+v", of)
	}
	f.session(hr).ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M"}`, second))
	f.ask(hr, "GET", "/api/v1/retention/deadlines?employee_id="+second.String(), "").into(t, &of)
	for _, u := range of.Items {
		if u.State != models.DeadlineHeld {
			t.Errorf("under a hold %s is %s", u.Category, u.State)
		}
	}
	if got := f.ask(hr, "GET", "/api/v1/retention/deadlines?category=diary", ""); got.status != 422 {
		t.Errorf("a category that there is not: %d", got.status)
	}
}
