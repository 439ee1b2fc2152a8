package overview_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/httpkit"
	api "lethe/api/overview"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

func read(t *testing.T, f *apitest.Fixture, role models.Role) (v api.Overview) {
	t.Helper()
	f.Ask(role, "GET", "/api/v1/overview?today="+f.Day(0), "").Into(t, &v)
	return v
}

// TestTheOverviewCountsWhatTheListsHave: whoever asks, it is what the lists show the same person.
func TestTheOverviewCountsWhatTheListsHave(t *testing.T) {
	f := apitest.New(t)
	before := read(t, f, httpkit.HR)
	f.Resign(f.Hire("O1", f.A))
	soon := f.Hire("O2", f.A)
	f.Ask(httpkit.HR, "POST", "/api/v1/departures", f.Notice(soon, 3))
	f.StuckCase(f.Hire("O3", f.B))
	dep := f.LeftLongAgo(f.Hire("O4", f.B), -20, false)
	asked := f.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefDeparture, dep.ID)+"/annulment", `{"reason": "mistaken"}`)
	if asked.Status != 202 {
		t.Fatalf("asking: %d %s", asked.Status, asked.Body)
	}
	f.Exec(`INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, matter, asked_at, ledger_entry_id)
		SELECT gen_random_uuid(), e.employee_id, e.id, ?, 'hr_admin', '{}', 'private_debt', 'active', 'refused', 'never_for_this', 'private_debt', lethe_now(), @entry
		FROM employments e WHERE e.employee_id IN (?, ?)`, f.People[models.RoleHRAdmin], soon, f.People[models.RoleAuditor])

	// One finding about somebody, and a grave one about who asks.
	run := uuid.New()
	f.Exec(`INSERT INTO reconciliations (id, ledger_entry_id, revision) VALUES (?, @entry, 1)`, run)
	for kind, who := range map[string]uuid.UUID{"no_sign_in": soon, "switched_on": f.People[models.RoleITOps]} {
		f.Exec(`INSERT INTO account_drift (id, system, system_kind, kind, external_id, employee_id, active, first_seen_at, last_seen_at, first_run_id, last_run_id, ledger_entry_id)
			VALUES (?, 'mail', 'mail', ?, ?, ?, true, lethe_now(), lethe_now(), ?, ?, @entry)`, uuid.New(), kind, kind, who, run, run)
	}

	hr, reviewer, auditor, it := read(t, f, httpkit.HR), read(t, f, httpkit.Reviewer), read(t, f, httpkit.Auditor), read(t, f, httpkit.IT)
	if got := hr.Waiting.LeavingWeek - before.Waiting.LeavingWeek; got != 1 {
		t.Errorf("%d leave within a week, want 1 more", got)
	}
	var cases httpkit.Page[map[string]any]
	f.Ask(httpkit.IT, "GET", "/api/v1/support-cases?state=open", "").Into(t, &cases)
	if it.Waiting.Cases != len(cases.Items) || len(cases.Items) == 0 {
		t.Errorf("%d cases, the list has %d", it.Waiting.Cases, len(cases.Items))
	}
	if hr.Waiting.Approvals != 0 || reviewer.Waiting.Approvals != 1 {
		t.Errorf("%d wait for who asked, %d for a reviewer", hr.Waiting.Approvals, reviewer.Waiting.Approvals)
	}
	var due httpkit.Page[map[string]any]
	f.Ask(httpkit.HR, "GET", "/api/v1/retention/deadlines?not_held=true&within_days=30", "").Into(t, &due)
	if hr.Waiting.Deletions != len(due.Items) {
		t.Errorf("%d deletions, the list has %d", hr.Waiting.Deletions, len(due.Items))
	}
	for _, row := range due.Items {
		if row["category"] == string(models.CategoryAccountSnapshot) {
			t.Errorf("a backup is due where none was taken: %v", row)
		}
	}
	var drifted httpkit.Page[map[string]any]
	f.Ask(httpkit.IT, "GET", "/api/v1/drift?state=open", "").Into(t, &drifted)
	if it.Waiting.Drift != len(drifted.Items) || it.Waiting.DriftGrave != 0 || it.Waiting.Drift != 1 || reviewer.Waiting.Drift != 0 {
		t.Errorf("%d differ, %d gravely, for a reviewer %d; the list has %d", it.Waiting.Drift, it.Waiting.DriftGrave, reviewer.Waiting.Drift, len(drifted.Items))
	}
	left := 0
	for _, m := range hr.Months {
		left += m.Leavers
	}
	if len(hr.Months) != 12 || left != 1 || hr.Months[0].Month >= hr.Months[11].Month {
		t.Errorf("months %+v", hr.Months)
	}
	times := func(v api.Overview) (n int) {
		for _, r := range v.Refusals {
			n += r.Times
		}
		return n
	}
	if times(hr) != 2 || times(auditor) != 1 || times(it) != 0 || it.Refusals == nil || hr.Refusals[0].MatterText == "" {
		t.Errorf("refusals: HR %+v, an auditor whose own file was asked for %+v, IT %+v", hr.Refusals, auditor.Refusals, it.Refusals)
	}
	for _, role := range []models.Role{httpkit.Head, httpkit.Employee} {
		if got := f.Ask(role, "GET", "/api/v1/overview", ""); got.Status != 403 {
			t.Errorf("%s: %d", role, got.Status)
		}
	}
}

// TestACutWaitsForWhoMayConfirmIt: for the other HR and the reviewers, never for who ordered it, is cut or confirms none,
// and not once it was confirmed, lifted or has ended. The number is what the list has.
func TestACutWaitsForWhoMayConfirmIt(t *testing.T) {
	f := apitest.New(t)
	colleague := f.Hire("C1", f.B)
	f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, colleague, httpkit.HR); return err })
	other := f.PlainSession(colleague, httpkit.HR)
	var cuts []uuid.UUID
	for _, no := range []string{"K1", "K2"} {
		var made accounts.AccessCut
		f.Session(httpkit.HR).Ask("POST", "/api/v1/access-cuts", `{"employee_id": "`+f.Hire(no, f.A).String()+`", "reason": "r"}`).Into(t, &made)
		cuts = append(cuts, made.ID)
	}
	// One of the reviewer, who is still let in here.
	cuts = append(cuts, uuid.New())
	f.Exec(`INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id)
		VALUES (?, ?, 'unconfirmed', '{}', ?, 'hr_admin', lethe_now(), lethe_now() + interval '4 hours', @entry)`, cuts[2], f.People[httpkit.Reviewer], f.People[httpkit.HR])
	want := func(when string, who string, ask func(method, path, body string, headers ...string) apitest.Reply, n int) {
		t.Helper()
		var v api.Overview
		var list httpkit.Page[accounts.AccessCut]
		ask("GET", "/api/v1/overview", "").Into(t, &v)
		ask("GET", "/api/v1/access-cuts?to_confirm=true", "").Into(t, &list)
		if v.Waiting.Cuts != n || len(list.Items) != n {
			t.Errorf("%s, %s: %d wait, the list has %d, want %d", when, who, v.Waiting.Cuts, len(list.Items), n)
		}
		for _, c := range list.Items {
			if c.Person == nil || c.ConfirmDueAt.IsZero() {
				t.Errorf("%s: a cut without a person or its deadline: %+v", who, c)
			}
		}
	}
	all := func(when string, colleagues, reviewers int) {
		t.Helper()
		of := func(role models.Role) func(method, path, body string, headers ...string) apitest.Reply {
			return func(method, path, body string, headers ...string) apitest.Reply {
				return f.Ask(role, method, path, body, headers...)
			}
		}
		want(when, "another HR", other.Ask, colleagues)
		want(when, "a reviewer", of(httpkit.Reviewer), reviewers)
		for _, role := range []models.Role{httpkit.HR, httpkit.Auditor, httpkit.IT} {
			want(when, string(role), of(role), 0)
		}
		for _, role := range []models.Role{httpkit.Head, httpkit.Employee} {
			if got := f.Ask(role, "GET", "/api/v1/access-cuts?to_confirm=true", ""); got.Status != 403 {
				t.Errorf("%s: %d", role, got.Status)
			}
		}
	}
	all("three wait", 3, 2)
	if got := f.Session(httpkit.Reviewer).Ask("POST", httpkit.AddressOf(models.RefCut, cuts[0])+"/confirmation", ""); got.Status != 200 {
		t.Fatalf("confirming: %d %s", got.Status, got.Body)
	}
	all("one is confirmed", 2, 1)
	f.Exec(`UPDATE access_cuts SET state = 'ended', ended_at = lethe_now(), ledger_entry_id = @entry WHERE id = ?`, cuts[1])
	all("one has ended", 1, 0)
	f.Exec(`UPDATE access_cuts SET state = 'lifted', lifted_at = lethe_now(), lifted_by = ordered_by, lifted_with = ?, ledger_entry_id = @entry WHERE id = ?`, colleague, cuts[2])
	all("one is lifted", 0, 0)
}

// TestTheDelayHasQuartiles: until all was off, from the entry of departures whose cutoff was over by then.
func TestTheDelayHasQuartiles(t *testing.T) {
	f := apitest.New(t)
	for i, minutes := range []int{10, 20, 30, 40, 50} {
		dep := f.LeftLongAgo(f.Hire(fmt.Sprintf("Q%d", i), f.A), -20, false)
		f.Exec(`UPDATE departures SET accounts_settled_at = created_at + make_interval(mins => ?) WHERE id = ?`, minutes, dep.ID)
	}
	open := f.LeftLongAgo(f.Hire("Q9", f.A), -20, false)
	f.Exec(`UPDATE departures SET accounts_settled_at = NULL WHERE id = ?`, open.ID)
	v := read(t, f, httpkit.HR)
	for _, m := range v.Months {
		if m.Leavers == 0 {
			continue
		}
		if m.Leavers != 6 || m.Settled != 5 || m.Open != 1 || m.Delay == nil || *m.Delay != (api.Delay{Q1: 1200, Q2: 1800, Q3: 2400}) {
			t.Errorf("%+v %+v", m, m.Delay)
		}
	}
}

// TestTheOverviewTakesFewStatements, however much there is to count.
func TestTheOverviewTakesFewStatements(t *testing.T) {
	f := apitest.New(t)
	var statements atomic.Int64
	callbacks := f.API.DB.Read(t.Context()).Callback()
	for _, register := range []func(string, func(*gorm.DB)) error{callbacks.Query().Register, callbacks.Row().Register, callbacks.Raw().Register} {
		if err := register("test:count", func(*gorm.DB) { statements.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	look := func() int64 {
		read(t, f, httpkit.HR) // what is noted once a minute is noted
		statements.Store(0)
		read(t, f, httpkit.HR)
		return statements.Load()
	}
	few := look()
	for i := range 5 {
		f.Resign(f.Hire(fmt.Sprintf("S%d", i), f.A))
		f.StuckCase(f.Hire(fmt.Sprintf("T%d", i), f.B))
	}
	if many := look(); few != many || many > 6 {
		t.Errorf("%d statements, then %d", few, many)
	}
}
