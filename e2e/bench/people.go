package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

const (
	listRounds = 40
	listGoal   = 50 * time.Millisecond
	reportGoal = 2 * time.Second // it weighs everybody of its period before it shows a page
	reportPath = "reports/leavers"
)

// peopleLists measures lists and searches over the real API with many people.
func peopleLists(ctx context.Context, s settings) error {
	w, err := open(ctx, map[string]string{"shared_buffers": "2GB", "max_wal_size": "8GB"})
	if err != nil {
		return err
	}
	defer w.close()
	if _, err := w.seedOrganisation(ctx); err != nil {
		return err
	}
	if err := w.fillPeople(ctx, s.people); err != nil {
		return err
	}
	l, err := w.serve(ctx)
	if err != nil {
		return err
	}
	defer l.server.Close()
	return l.measureAll(ctx, s.people)
}

func (w *world) fillPeople(ctx context.Context, people int) error {
	fmt.Printf("copying %d people\n", people)
	f, err := newFiller(ctx, w, people)
	if err != nil {
		return err
	}
	defer func() { _ = f.conn.Close(ctx) }()
	rebuild := []string{"VACUUM ANALYZE", "CHECKPOINT"} // what the copying left to be written is not the lists' work
	for _, index := range []string{"employees_grams", "departures_grams", "employees_names_grams", "departures_names_grams"} {
		var definition string
		if err := f.conn.QueryRow(ctx, "SELECT pg_get_indexdef($1::regclass)", index).Scan(&definition); err != nil {
			return fmt.Errorf("reading an index: %w", database.Hide(err))
		}
		if _, err := f.conn.Exec(ctx, "DROP INDEX "+index); err != nil {
			return fmt.Errorf("dropping an index: %w", database.Hide(err))
		}
		rebuild = append([]string{definition}, rebuild...)
	}
	if err := f.fill(ctx); err != nil {
		return err
	}
	began := time.Now()
	for _, sql := range rebuild {
		if _, err := f.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("indexing: %w", database.Hide(err))
		}
	}
	fmt.Printf("indexed and analysed in %.0f s\n", time.Since(began).Seconds())
	return nil
}

// lister asks the API as one person.
type lister struct {
	server *httptest.Server
	token  string
	slow   bool
}

// serve is the API as the program serves it, with a token of an HR administrator.
func (w *world) serve(ctx context.Context) (*lister, error) {
	return w.serveTo(ctx, rowID(tableEmployee, 1))
}

// serveTo is serve, to somebody else.
func (w *world) serveTo(ctx context.Context, who uuid.UUID) (*lister, error) {
	people := identity.New(w.facts, w.vault, identity.Options{Insecure: true})
	approvals, err := operations.New(operations.Deps{Vault: w.vault, Identity: people, Systems: w.systems}, approval.Options{})
	if err != nil {
		return nil, err
	}
	l := &lister{}
	err = database.Run(ctx, w.facts, func(tx *database.Tx) (err error) {
		if _, err := identity.GrantTo(tx, who, models.RoleHRAdmin); err != nil {
			return err
		}
		l.token, _, err = identity.Issue(tx, who, models.RoleHRAdmin, "bench", time.Hour, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.server = httptest.NewServer(api.New(api.Deps{DB: w.facts, Vault: w.vault, Identity: people, Approvals: approvals, Systems: w.systems, Dev: true, Log: quiet()}))
	return l, nil
}

// list is a page that somebody asks for.
type list struct {
	what, path string
	query      url.Values
	status     int // 200 unless given
}

func (one list) goal() time.Duration {
	if one.path == reportPath {
		return reportGoal
	}
	return listGoal
}

func q(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func lists(people int, deep string) []list {
	day := func(days int) string { return clock.Today(time.Now(), time.UTC).AddDays(days).String() }
	all := []list{
		{"people, first page", "employees", nil, 0},
		{"people, far behind", "employees", q("cursor", deep), 0},
		{"people, of a department", "employees", q("department_id", rowID(tableDepartment, 7).String()), 0},
		{"people, active", "employees", q("status", "active"), 0},
		{"people, about to leave", "employees", q("status", "pending_departure"), 0},
		{"people, gone and deleted", "employees", q("status", "purged"), 0},
		{"people, gone, of a department", "employees", q("status", "departed", "department_id", rowID(tableDepartment, 7).String()), 0},
	}
	searched := []struct{ what, text string }{
		{"two common characters", "王伟"}, {"a given name", "国文"}, {"three characters", "张伟强"}, {"two rare characters", "霁月"},
		{"nobody's characters", "龘靐"}, {"part of a Latin name", "schm"}, {"a Latin name", "anna lindqvist"}, {"a number", fmt.Sprintf("P%07d", people/2)},
		{"part of a number", "0123"}, {"the beginning of numbers", "P0"}, {"the first tenth of numbers", fmt.Sprintf("P%07d", people/10)[:3]}, {"the last tenth of numbers", fmt.Sprintf("P%07d", people*9/10)[:3]}, {"nobody's number", "P9999999"}, {"a common character", "王"},
		{"a rare character", "霁"}, {"nobody's character", "龘"}, {"%", "%"}, {"_", "_"}, {"two %", "%%"},
		{"a common sound", "zhang"}, {"a whole sound", "wangwei"}, {"three sounds", "zhangweiqiang"}, {"initials", "zw"}, {"rare initials", "xqz"}, {"a letter", "z"},
		{"a rare sound", "jiyue"}, {"the beginning of a sound", "zho"}, {"nobody's sound", "qqqq"},
	}
	for _, s := range searched {
		all = append(all, list{"people by " + s.what, "employees", q("q", s.text), 0}, list{"departures by " + s.what, "departures", q("q", s.text), 0})
	}
	all = append(all, list{"departures, newest first", "departures", nil, 0})
	for _, sort := range []string{"last_working_day", "access_cutoff_at", "employment_ended_at"} {
		all = append(all, list{"departures by " + sort, "departures", q("sort", sort), 0},
			list{"departures to come by " + sort, "departures", q("sort", sort, "stage", "pending_departure"), 0},
			list{"departures by " + sort + ", found", "departures", q("sort", sort, "q", "王伟"), 0})
	}
	for _, stage := range []string{"pending_departure", "departed", "purging", "purged", "withdrawn", "annulled"} {
		all = append(all, list{"departures, " + stage, "departures", q("stage", stage), 0})
	}
	return append(all,
		list{"departures, last days of a week", "departures", q("last_working_day_from", day(-400), "last_working_day_to", day(-393)), 0},
		list{"departures, ends of a month, sorted", "departures", q("employment_end_date_from", day(1), "employment_end_date_to", day(30), "sort", "last_working_day"), 0},
		list{"departures, ends of a week, newest", "departures", q("employment_end_date_from", day(-3000), "employment_end_date_to", day(-2993)), 0},
		list{"departures, ends of a year, sorted", "departures", q("employment_end_date_from", day(-1800), "employment_end_date_to", day(-1435), "sort", "last_working_day"), 0},
		list{"departures, last days of a year, newest", "departures", q("last_working_day_from", day(-1800), "last_working_day_to", day(-1435)), 0},
		list{"departures due", "departures", q("due_before", time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)), 0},
		list{"deadlines", "retention/deadlines", nil, 0}, list{"deadlines of a category", "retention/deadlines", q("category", "identity"), 0},
		list{"deadlines of a person", "retention/deadlines", q("employee_id", rowID(tableEmployee, 30).String()), 0},
		list{"deadlines until next year", "retention/deadlines", q("before", time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339)), 0},
		list{"cases", "support-cases", nil, 0}, list{"cases, open", "support-cases", q("state", "open"), 0},
		list{"cases, open, of a system", "support-cases", q("state", "open", "system", "attendance"), 0},
		list{"cases of a person", "support-cases", q("employee_id", rowID(tableEmployee, 0).String()), 0},
		list{"purges", "purges", nil, 0}, list{"purges in review", "purges", q("state", "in_review"), 0}, list{"purges escalated", "purges", q("escalated", "true"), 0},
		list{"purges of a person", "purges", q("employee_id", rowID(tableEmployee, 0).String()), 0},
		list{"requests", "approvals", nil, 0}, list{"requests, open", "approvals", q("state", "pending"), 0}, list{"users", "users", nil, 0},
		list{"the overview", "overview", nil, 0},
		list{"the leavers' report, of everybody", reportPath, q("from", day(-7300), "to", day(0)), 0},
		list{"the leavers' report, of a year", reportPath, q("from", day(-1800), "to", day(-1435)), 0},
	)
}

func (l *lister) measureAll(ctx context.Context, people int) error {
	deep := ""
	for range 30 { // a few thousand rows behind
		var err error
		if deep, err = l.next(ctx, deep); err != nil {
			return err
		}
	}
	fmt.Printf("\nlists with %d people, pages of 50, goal: p95 at most %d ms\n", people, listGoal.Milliseconds())
	for _, one := range lists(people, deep) {
		if err := l.measure(ctx, one); err != nil {
			return err
		}
	}
	if l.slow {
		return fmt.Errorf("not every list has p95 at most %v", listGoal)
	}
	return nil
}

func (l *lister) measure(ctx context.Context, one list) error {
	var took []time.Duration
	rows := 0
	for round := range listRounds + 2 {
		began := time.Now()
		status, body, err := l.get(ctx, one.path, one.query)
		if err != nil {
			return err
		}
		if want := max(one.status, http.StatusOK); status != want {
			return fmt.Errorf("%s: answered %d, not %d: %s", one.what, status, want, body)
		}
		if round >= 2 { // warm
			took = append(took, time.Since(began))
		}
		rows = countItems(body)
		if round == 4 && took[0] > time.Second && took[1] > time.Second { // no need to wait
			break
		}
	}
	slices.Sort(took)
	p95 := took[(len(took)*95+99)/100-1]
	mark := ""
	if p95 > one.goal() {
		mark, l.slow = "  TOO SLOW", true
	}
	fmt.Printf("  %-46s %3d rows, p50 %7.1f ms, p95 %7.1f ms%s\n", one.what, rows, ms(took[len(took)/2]), ms(p95), mark)
	return nil
}

func (l *lister) get(ctx context.Context, path string, query url.Values) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+"/api/v1/"+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return 0, nil, fmt.Errorf("asking for %s: %w", path, err)
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	response, err := l.server.Client().Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("asking for %s: %w", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return response.StatusCode, body, nil
}

// next is the cursor of the page after one of 200 people.
func (l *lister) next(ctx context.Context, cursor string) (string, error) {
	query := q("limit", "200")
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	_, body, err := l.get(ctx, "employees", query)
	if err != nil {
		return "", err
	}
	var page struct {
		Next string `json:"next_cursor"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return "", fmt.Errorf("reading a page: %w", err)
	}
	return page.Next, nil
}

func countItems(body []byte) int {
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	_ = json.Unmarshal(body, &page) // a problem has none
	return len(page.Items)
}
