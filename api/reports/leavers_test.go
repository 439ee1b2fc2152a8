package reports_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/reports"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/leavers"
	"lethe/internal/operations"
	"lethe/models"
)

// report is the whole report of a period of days around today.
func report(t *testing.T, f *apitest.Fixture, role models.Role, from, to int, more string) (v reports.LeaversPage) {
	t.Helper()
	got := f.Ask(role, "GET", fmt.Sprintf("/api/v1/reports/leavers?from=%s&to=%s%s", f.Day(from), f.Day(to), more), "")
	if got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	got.Into(t, &v)
	return v
}

// rewrite changes rows past what guards them: how they come to be so is other packages' matter.
func rewrite(f *apitest.Fixture, sql string, args ...any) {
	f.T.Helper()
	for _, table := range []string{"departures", "linked_accounts", "support_cases", "access_cuts", "employees", "approvals", "account_operations", "account_steps"} {
		f.Exec("ALTER TABLE " + table + " DISABLE TRIGGER USER")
		defer f.Exec("ALTER TABLE " + table + " ENABLE TRIGGER USER")
	}
	f.Exec(sql, args...)
}

// left is somebody who left so many days ago, entered a month before that.
func left(f *apitest.Fixture, name string, unit uuid.UUID, days int) models.Departure {
	f.T.Helper()
	dep := f.LeftLongAgo(f.Hire(name, unit), days, false)
	rewrite(f, "UPDATE departures SET created_at = access_cutoff_at - interval '30 days' WHERE id = ?", dep.ID)
	return dep
}

// off says that all accounts of a departure were read back as off so long after its cutoff.
func off(f *apitest.Fixture, dep models.Departure, after time.Duration) {
	f.T.Helper()
	rewrite(f, `UPDATE linked_accounts a SET state = CASE WHEN a.registered THEN 'disabled' ELSE 'not_found' END, finding = CASE WHEN a.registered THEN '' ELSE 'nothing' END,
		confirmed_at = d.access_cutoff_at + make_interval(secs => ?) FROM departures d WHERE d.employment_id = a.employment_id AND d.id = ?`, after.Seconds(), dep.ID)
	rewrite(f, "UPDATE departures SET accounts_state = 'settled', accounts_settled_at = access_cutoff_at + make_interval(secs => ?) WHERE id = ?", after.Seconds(), dep.ID)
}

func rowOf(t *testing.T, v reports.LeaversPage, dep uuid.UUID) reports.LeaverView {
	t.Helper()
	i := slices.IndexFunc(v.Items, func(l reports.LeaverView) bool { return l.DepartureID == dep })
	if i < 0 {
		t.Fatalf("not in the report: %s", dep)
	}
	return v.Items[i]
}

func has(v reports.LeaversPage, dep uuid.UUID) bool {
	return slices.ContainsFunc(v.Items, func(l reports.LeaverView) bool { return l.DepartureID == dep })
}

// TestTheReportHasEverybodyWhoLeft, the worst first, with what their accounts came to; who did not leave after all is not in it.
func TestTheReportHasEverybodyWhoLeft(t *testing.T) {
	f := apitest.New(t)
	open := f.LeftLongAgo(f.Hire("open", f.A), -5, false)
	late, prompt := left(f, "late", f.A, -5), left(f, "prompt", f.B, -5)
	off(f, late, 26*time.Hour)
	off(f, prompt, 2*time.Minute)
	nobody := f.LeftLongAgo(f.Hire("nobody", f.B), -5, false)
	off(f, nobody, time.Minute)
	rewrite(f, "UPDATE linked_accounts SET registered = false, finding = 'nothing', state = 'not_found' WHERE employment_id = ?", nobody.EmploymentID)
	pending := f.Resign(f.Hire("pending", f.A))
	annulled, withdrawn := f.LeftLongAgo(f.Hire("annulled", f.A), -5, false), f.Resign(f.Hire("withdrawn", f.A))
	rewrite(f, "UPDATE departures SET stage = 'annulled' WHERE id = ?", annulled.ID)
	rewrite(f, "UPDATE departures SET stage = 'withdrawn' WHERE id = ?", withdrawn.ID)
	earlier := f.LeftLongAgo(f.Hire("earlier", f.A), -25, false)

	v := report(t, f, httpkit.Auditor, -10, 30, "")
	for _, never := range []uuid.UUID{pending.ID, annulled.ID, withdrawn.ID, earlier.ID} {
		if has(v, never) {
			t.Errorf("in the report: %s", never)
		}
	}
	if len(v.Items) != 4 || v.Items[0].DepartureID != open.ID || v.Items[1].DepartureID != late.ID || v.Items[2].DepartureID != prompt.ID {
		t.Fatalf("the order is %+v", v.Items)
	}
	for id, want := range map[uuid.UUID]leavers.Outcome{open.ID: leavers.Open, late.ID: leavers.Late, prompt.ID: leavers.InTime, nobody.ID: leavers.NoneFound} {
		row := rowOf(t, v, id)
		if row.Outcome != want || row.OutcomeText == "" || row.LegalEntity == "" || row.Department == "" || row.Person.Name == "" {
			t.Errorf("%+v, want %s", row, want)
		}
	}
	row := rowOf(t, v, late.ID)
	if row.DelaySeconds == nil || *row.DelaySeconds != int64((26*time.Hour).Seconds()) || row.DelayText != "1 day 2 hours" || row.Accounts[0].DelayText != row.DelayText {
		t.Errorf("the delay is %+v", row)
	}
	if !rowOf(t, v, open.ID).Accounts[0].Open || row.Accounts[0].Open {
		t.Errorf("accounts %+v", v.Items)
	}
	totals := v.Totals
	if totals.Leavers != 4 || totals.Open != 1 || totals.Late != 1 || totals.InTime != 1 || totals.NoneFound != 1 || totals.Median == nil || *totals.Longest != 26*3600 || totals.Text == "" {
		t.Errorf("totals %+v", totals)
	}
	if few := report(t, f, httpkit.HR, -10, 30, "&outcome=open,not_looked"); len(few.Items) != 1 || few.Totals.Leavers != 4 {
		t.Errorf("of the open ones %+v", few)
	}
	if patient := report(t, f, httpkit.IT, -10, 30, "&late_after_minutes=2880"); patient.Totals.InTime != 2 || patient.Totals.Late != 0 {
		t.Errorf("with two days %+v", patient.Totals)
	}
	if some := report(t, f, httpkit.Reviewer, -10, 30, "&department_id="+f.B.String()); some.Totals.Leavers != 2 {
		t.Errorf("of a department %+v", some.Totals)
	}
	for _, role := range []models.Role{httpkit.Head, httpkit.Employee} {
		if got := f.Ask(role, "GET", "/api/v1/reports/leavers?from="+f.Day(-10)+"&to="+f.Day(0), ""); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d", role, got.Status)
		}
	}
}

// TestTheReportIsWalkedInPages: each row once, in the same order.
func TestTheReportIsWalkedInPages(t *testing.T) {
	f := apitest.New(t)
	for i := range 7 {
		dep := f.LeftLongAgo(f.Hire(fmt.Sprintf("W%d", i), f.A), -5, false)
		if i > 1 {
			off(f, dep, time.Duration(i)*time.Hour)
		}
	}
	whole := report(t, f, httpkit.Auditor, -10, 0, "")
	var walked []uuid.UUID
	for cursor := ""; ; {
		page := report(t, f, httpkit.Auditor, -10, 0, "&limit=2"+cursor)
		for _, row := range page.Items {
			walked = append(walked, row.DepartureID)
		}
		if page.Totals.Leavers != 7 {
			t.Errorf("totals of a page: %+v", page.Totals)
		}
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	if !slices.EqualFunc(walked, whole.Items, func(id uuid.UUID, row reports.LeaverView) bool { return row.DepartureID == id }) || len(walked) != 7 {
		t.Errorf("walked %v of %d", walked, len(whole.Items))
	}
}

// TestWhatIsWrittenWrongIsRefused: days, their order, the zone.
func TestWhatIsWrittenWrongIsRefused(t *testing.T) {
	f := apitest.New(t)
	for query, place := range map[string]string{
		"from=2026-02-30&to=2026-03-01": "query.from", "from=2026-03-02&to=2026-03-01": "query.to", "from=2026-03-01&to=2026-03-01&zone=Mars/Phobos": "query.zone",
	} {
		got := f.Ask(httpkit.Auditor, "GET", "/api/v1/reports/leavers?"+query, "")
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(string(got.Body), place) {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

// TestARehiredPersonLeavesTwice: each employment has its row, the running one has none, and accounts stay with theirs.
func TestARehiredPersonLeavesTwice(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("again", f.A)
	first := f.LeftLongAgo(person, -20, false)
	off(f, first, time.Minute)
	var second uuid.UUID
	f.Run(func(tx *database.Tx) (err error) {
		hired, err := clock.ParseDate(f.Day(-8))
		if err != nil {
			return err
		}
		_, second, err = archive.Create(tx, f.Vault, archive.NewEmployee{EmployeeNo: "again", Name: "Person again", DepartmentID: f.B, HiredOn: hired})
		return err
	})
	v := report(t, f, httpkit.Auditor, -30, 0, "")
	if len(v.Items) != 1 || v.Items[0].DepartureID != first.ID || v.Items[0].Outcome != leavers.InTime {
		t.Fatalf("employed again: %+v", v.Items)
	}
	rewrite(f, "INSERT INTO linked_accounts (id, employment_id, system, kind, registered, state, ledger_entry_id) VALUES (?, ?, 'mail', 'mail', true, 'linked', @entry)", uuid.New(), second)
	again := f.LeftLongAgo(person, -1, false)
	v = report(t, f, httpkit.Auditor, -30, 0, "")
	if len(v.Items) != 2 || rowOf(t, v, again.ID).Outcome != leavers.Open || rowOf(t, v, first.ID).Outcome != leavers.InTime {
		t.Errorf("left twice: %+v", v.Items)
	}
}

// TestALateEntryIsNoLateRemoval: nobody could end access before the departure was known. It is an exception, and is counted.
func TestALateEntryIsNoLateRemoval(t *testing.T) {
	f := apitest.New(t)
	known, prompt, slow := left(f, "known", f.A, -5), f.LeftLongAgo(f.Hire("prompt", f.A), -5, false), f.LeftLongAgo(f.Hire("slow", f.A), -5, false)
	off(f, known, 3*time.Hour)
	for id, after := range map[uuid.UUID]time.Duration{prompt.ID: 10 * time.Minute, slow.ID: 2 * time.Hour} {
		rewrite(f, "UPDATE departures SET created_at = access_cutoff_at + interval '2 days' WHERE id = ?", id)
		dep := map[uuid.UUID]models.Departure{prompt.ID: prompt, slow.ID: slow}[id]
		off(f, dep, 48*time.Hour+after)
	}
	v := report(t, f, httpkit.Auditor, -10, 0, "")
	for id, want := range map[uuid.UUID]struct {
		outcome leavers.Outcome
		seconds int64
		late    bool
	}{known.ID: {leavers.Late, 3 * 3600, false}, prompt.ID: {leavers.InTime, 600, true}, slow.ID: {leavers.Late, 7200, true}} {
		row := rowOf(t, v, id)
		if row.Outcome != want.outcome || row.DelaySeconds == nil || *row.DelaySeconds != want.seconds || row.EnteredLate != want.late || *row.Accounts[0].DelaySeconds != want.seconds {
			t.Errorf("%+v, want %+v", row, want)
		}
		i := slices.IndexFunc(row.Exceptions, func(e reports.ExceptionView) bool { return e.What == leavers.Entered })
		if (i >= 0) != want.late || want.late && row.Exceptions[i].AfterText != "2 days after the cutoff" {
			t.Errorf("exceptions %+v", row.Exceptions)
		}
	}
	const said = "3 employments ended. Of these, 2 had all accounts off, but late; 1 had all accounts off in time."
	if v.Totals.EnteredLate != 2 || *v.Totals.Longest != 3*3600 || !strings.HasPrefix(v.Totals.Text, said) || !strings.Contains(v.Totals.Text, "2 were entered only after") {
		t.Errorf("%+v", v.Totals)
	}
}

// TestNothingLookedUpIsNotSettled, whatever the departure says; nor is what is switched on again, or linked after the end.
func TestNothingLookedUpIsNotSettled(t *testing.T) {
	f := apitest.New(t)
	unseen := f.LeftLongAgo(f.Hire("unseen", f.A), -5, false)
	off(f, unseen, time.Minute)
	rewrite(f, "DELETE FROM account_steps WHERE account_id IN (SELECT id FROM linked_accounts WHERE employment_id = ?)", unseen.EmploymentID)
	rewrite(f, "DELETE FROM linked_accounts WHERE employment_id = ?", unseen.EmploymentID)
	restored := f.LeftLongAgo(f.Hire("restored", f.A), -5, false)
	off(f, restored, time.Minute)
	rewrite(f, "UPDATE linked_accounts SET state = 'relinked', confirmed_at = NULL WHERE registered AND employment_id = ?", restored.EmploymentID)
	afterwards := f.LeftLongAgo(f.Hire("afterwards", f.A), -5, false)
	off(f, afterwards, time.Minute)
	rewrite(f, "INSERT INTO linked_accounts (id, employment_id, system, kind, registered, external_id, state, ledger_entry_id) VALUES (?, ?, 'mail', 'mail', true, 'x2', 'linked', @entry)", uuid.New(), afterwards.EmploymentID)
	v := report(t, f, httpkit.Auditor, -10, 0, "")
	for id, want := range map[uuid.UUID]leavers.Outcome{unseen.ID: leavers.NotLooked, restored.ID: leavers.Open, afterwards.ID: leavers.Open} {
		if got := rowOf(t, v, id); got.Outcome != want {
			t.Errorf("%s, want %s", got.Outcome, want)
		}
	}
	if row := rowOf(t, v, unseen.ID); len(row.Accounts) != 0 || v.Totals.NotLooked != 1 || v.Totals.InTime != 0 {
		t.Errorf("of whom nothing is known: %+v, %+v", row, v.Totals)
	}
}

// TestACutoffAtMidnightHasItsDayInTheReportsZone, and the end of the employment the same day in each.
func TestACutoffAtMidnightHasItsDayInTheReportsZone(t *testing.T) {
	f := apitest.New(t)
	dep := f.LeftLongAgo(f.Hire("midnight", f.A), -5, false)
	shanghai, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	midnight := clock.StartOfDay(dep.EmploymentEndDate, shanghai)
	rewrite(f, "UPDATE departures SET access_cutoff_at = ? WHERE id = ?", midnight, dep.ID)
	for _, c := range []struct {
		basis, zone string
		day         int
		want        bool
	}{
		{"cutoff", "Asia/Shanghai", -5, true}, {"cutoff", "Asia/Shanghai", -6, false}, {"cutoff", "UTC", -6, true}, {"cutoff", "UTC", -5, false},
		{"end", "UTC", -5, true}, {"end", "Pacific/Kiritimati", -5, true}, {"end", "UTC", -6, false},
	} {
		v := report(t, f, httpkit.Auditor, c.day, c.day, "&basis="+c.basis+"&zone="+c.zone)
		if has(v, dep.ID) != c.want || v.Totals.Zone != c.zone {
			t.Errorf("%+v: %+v", c, v.Totals)
		}
	}
}

// TestWhoeverReadsIsNotInTheReport, which says so; and a departure whose time has come is, though nothing carried it out.
func TestWhoeverReadsIsNotInTheReport(t *testing.T) {
	f := apitest.New(t)
	own := f.LeftLongAgo(f.Hire("own", f.A), -5, false)
	rewrite(f, "UPDATE departures SET employee_id = ? WHERE id = ?", f.People[httpkit.Auditor], own.ID)
	v := report(t, f, httpkit.Auditor, -10, 0, "")
	if len(v.Items) != 0 || v.Totals.Leavers != 0 || v.Totals.Own != 1 || v.Totals.Open != 0 {
		t.Errorf("%+v", v)
	}
	if other := report(t, f, httpkit.HR, -10, 0, ""); len(other.Items) != 1 || other.Totals.Own != 0 {
		t.Errorf("another reader: %+v", other)
	}
	stuck := f.Resign(f.Hire("stuck", f.B))
	f.Env.Advance(t, stuck.EmploymentEndedAt.Sub(now(f))+time.Hour)
	if later := report(t, f, httpkit.HR, -10, 40, ""); rowOf(t, later, stuck.ID).Outcome == leavers.InTime || !has(later, stuck.ID) {
		t.Errorf("one whose time has come: %+v", later)
	}
}

func now(f *apitest.Fixture) time.Time {
	at, err := f.Env.Facts.Now(f.T.Context())
	if err != nil {
		f.T.Fatal(err)
	}
	return at
}

// TestExceptionsNameBothPeople: a waiver, an emergency cut once the person was told, and what was entered too late.
func TestExceptionsNameBothPeople(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("waived", f.A)
	dep := f.LeftLongAgo(person, -5, false)
	off(f, dep, time.Minute)
	hr, reviewer := f.People[httpkit.HR], f.People[httpkit.Reviewer]
	rewrite(f, `INSERT INTO support_cases (id, operation_id, step_id, account_id, departure_id, system, reason, state, resolution, asked_by, confirmed_by, asked_at, closed_at, ledger_entry_id)
		SELECT gen_random_uuid(), s.operation_id, s.id, s.account_id, ?, s.system, 'unavailable', 'closed', 'waive', ?, ?, lethe_now(), lethe_now(), @entry
		FROM account_steps s JOIN linked_accounts a ON a.id = s.account_id WHERE a.employment_id = ? AND a.registered`, dep.ID, f.People[httpkit.IT], reviewer, dep.EmploymentID)
	rewrite(f, "UPDATE linked_accounts SET state = 'waived' WHERE registered AND employment_id = ?", dep.EmploymentID)
	cut := func(told string) {
		rewrite(f, `INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, told_at, told_by, ledger_entry_id)
			VALUES (gen_random_uuid(), ?, 'unconfirmed', '{}', ?, 'hr_admin', lethe_now() - interval '6 days', lethe_now(), `+told+`, @entry)`, person, hr)
	}
	cut("NULL, NULL")
	row := rowOf(t, report(t, f, httpkit.Auditor, -10, 0, ""), dep.ID)
	what := func() (all []leavers.What) {
		for _, e := range row.Exceptions {
			all = append(all, e.What)
		}
		return all
	}
	if row.Outcome != leavers.Accepted || !slices.Equal(what(), []leavers.What{leavers.Entered, leavers.Waived}) {
		t.Fatalf("%s with %+v", row.Outcome, row.Exceptions)
	}
	if e := row.Exceptions[1]; e.By == nil || e.By.EmployeeID != f.People[httpkit.IT] || e.Second == nil || e.Second.EmployeeID != reviewer || e.SystemText == "" {
		t.Errorf("the waiver is %+v", e)
	}
	rewrite(f, "UPDATE access_cuts SET told_at = lethe_now(), told_by = ?, ledger_entry_id = @entry WHERE employee_id = ?", hr, person)
	row = rowOf(t, report(t, f, httpkit.Auditor, -10, 0, ""), dep.ID)
	if !slices.Contains(what(), leavers.Cut) {
		t.Errorf("once the person was told: %+v", row.Exceptions)
	}
}

// agreed writes down a step that two people agreed to.
func agreed(f *apitest.Fixture, operation string, person uuid.UUID, kind string, target uuid.UUID, result models.Ref) {
	f.T.Helper()
	err := databasetest.Agreed(f.T, f.Env.Facts, databasetest.Agreement{
		Operation: operation, Subject: person, Kind: kind, Target: target, Requester: f.People[httpkit.HR], Approver: f.People[httpkit.Reviewer],
	}, func(*database.Tx) error { return nil })
	if err != nil {
		f.T.Fatal(err)
	}
	rewrite(f, "UPDATE approvals SET result_location = ? WHERE operation = ? AND subject_ids = ARRAY[CAST(? AS uuid)]", result.String(), operation, person)
}

// operation writes down an operation that has an account, as it found it.
func operation(f *apitest.Fixture, dep models.Departure, account uuid.UUID, mode string, cut *uuid.UUID) uuid.UUID {
	f.T.Helper()
	id := uuid.New()
	rewrite(f, "INSERT INTO account_operations (id, employment_id, kind, mode, origin, cut_id, created_at, ledger_entry_id) VALUES (?, ?, 'unlink', ?, 'standalone', ?, lethe_now() - interval '20 days', @entry)", id, dep.EmploymentID, mode, cut)
	rewrite(f, "INSERT INTO account_steps (id, operation_id, account_id, system, position, action, before) SELECT gen_random_uuid(), ?, id, system, 1, 'unlink', '{\"state\": \"linked\", \"registered\": true}' FROM linked_accounts WHERE id = ?", id, account)
	return id
}

// registered is the account of a departure that people linked.
func registered(f *apitest.Fixture, dep models.Departure) (id uuid.UUID) {
	f.T.Helper()
	if err := f.Env.Facts.Read(f.T.Context()).Raw("SELECT id FROM linked_accounts WHERE registered AND employment_id = ? LIMIT 1", dep.EmploymentID).Row().Scan(&id); err != nil {
		f.T.Fatal(err)
	}
	return id
}

// TestI12_ADetachedAccountIsNotOff: two people let it be used, whom the report names; nobody did, and it is open.
func TestI12_ADetachedAccountIsNotOff(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("detached", f.A)
	dep := f.LeftLongAgo(person, -5, false)
	off(f, dep, 0)
	account := registered(f, dep)
	rewrite(f, "UPDATE linked_accounts SET state = 'detached', confirmed_at = confirmed_at + interval '3 days' WHERE id = ?", account)
	shown := func() (row reports.LeaverView, detached reports.LeaverAccount, totals reports.LeaversTotals) {
		v := report(t, f, httpkit.Auditor, -10, 0, "")
		row = rowOf(t, v, dep.ID)
		i := slices.IndexFunc(row.Accounts, func(a reports.LeaverAccount) bool { return a.State == models.AccountDetached })
		return row, row.Accounts[i], v.Totals
	}
	if row, a, _ := shown(); row.Outcome != leavers.Open || !a.Open || a.DelaySeconds != nil {
		t.Errorf("without two people: %s, %+v", row.Outcome, a)
	}
	op := operation(f, dep, account, "detach", nil)
	agreed(f, operations.Detach, person, "account", account, models.Ref{Kind: models.RefUnlinking, ID: op})
	row, a, totals := shown()
	if row.Outcome != leavers.Accepted || a.Open || a.DelaySeconds != nil || totals.Accepted != 1 || totals.Median != nil {
		t.Errorf("with two people: %s, %+v, %+v", row.Outcome, a, totals)
	}
	i := slices.IndexFunc(row.Exceptions, func(e reports.ExceptionView) bool { return e.What == leavers.Approved })
	if i < 0 || row.Exceptions[i].By.EmployeeID != f.People[httpkit.HR] || row.Exceptions[i].Second.EmployeeID != f.People[httpkit.Reviewer] {
		t.Errorf("exceptions %+v", row.Exceptions)
	}
}

// TestI27_ACutIsNotToldOfBeforeThePersonIs: neither that it was lifted, nor what was decided in it, nor that an account is off.
func TestI27_ACutIsNotToldOfBeforeThePersonIs(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("cut", f.A)
	dep := f.LeftLongAgo(person, -5, false)
	off(f, dep, -10*24*time.Hour)
	account, cut := registered(f, dep), uuid.New()
	rewrite(f, `INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id)
		VALUES (?, ?, 'unconfirmed', '{}', ?, 'hr_admin', lethe_now() - interval '20 days', lethe_now(), @entry)`, cut, person, f.People[httpkit.HR])
	rewrite(f, "DELETE FROM account_steps WHERE account_id IN (SELECT id FROM linked_accounts WHERE employment_id = ?)", dep.EmploymentID)
	rewrite(f, "DELETE FROM account_operations WHERE employment_id = ?", dep.EmploymentID)
	op := operation(f, dep, account, "disable", &cut)
	rewrite(f, "UPDATE linked_accounts SET operation_id = ? WHERE id = ?", op, account)
	rewrite(f, `INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, state, resolution, asked_by, asked_at, closed_at, ledger_entry_id)
		SELECT gen_random_uuid(), operation_id, id, account_id, system, 'unavailable', 'closed', 'resolved_by_hand', ?, lethe_now(), lethe_now(), @entry
		FROM account_steps WHERE operation_id = ?`, f.People[httpkit.IT], op)
	agreed(f, operations.LiftCut, person, models.RefCut, cut, models.Ref{Kind: models.RefCut, ID: cut})
	shown := func() (row reports.LeaverView, what []leavers.What) {
		row = rowOf(t, report(t, f, httpkit.Auditor, -10, 0, ""), dep.ID)
		for _, e := range row.Exceptions {
			if e.What != leavers.Entered {
				what = append(what, e.What)
			}
		}
		slices.Sort(what)
		return row, what
	}
	row, what := shown()
	i := slices.IndexFunc(row.Accounts, func(a reports.LeaverAccount) bool { return !a.LookUp })
	if len(what) != 0 || row.Outcome != leavers.Open || row.Accounts[i].State != models.AccountLinked || !row.Accounts[i].Open || row.Accounts[i].ConfirmedAt != nil {
		t.Errorf("before the person was told: %s, %v, %+v", row.Outcome, what, row.Accounts)
	}
	rewrite(f, "UPDATE access_cuts SET told_at = lethe_now(), told_by = ? WHERE id = ?", f.People[httpkit.HR], cut)
	row, what = shown()
	if !slices.Equal(what, []leavers.What{leavers.Approved, leavers.ByHand, leavers.Cut}) || row.Outcome != leavers.InTime || row.Accounts[i].State != models.AccountDisabled {
		t.Errorf("once the person was told: %s, %v, %+v", row.Outcome, what, row.Accounts)
	}
}

// TestAPurgedPersonIsShownAsElsewhere, with the row that an auditor counts on.
func TestAPurgedPersonIsShownAsElsewhere(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("purged", f.A)
	dep := f.LeftLongAgo(person, -20, false)
	off(f, dep, time.Minute)
	rewrite(f, "UPDATE departures SET stage = 'purging' WHERE id = ?", dep.ID)
	var elsewhere departures.DepartureView
	f.Ask(httpkit.Auditor, "GET", httpkit.AddressOf(models.RefDeparture, dep.ID), "").Into(t, &elsewhere)
	if row := rowOf(t, report(t, f, httpkit.Auditor, -30, 0, ""), dep.ID); row.Person != elsewhere.Person || row.Outcome != leavers.InTime {
		t.Errorf("%+v, elsewhere %+v", row, elsewhere.Person)
	}
}

// TestAPageOfLeaversTakesAsManyStatementsHoweverLongItIs.
func TestAPageOfLeaversTakesAsManyStatementsHoweverLongItIs(t *testing.T) {
	f := apitest.New(t)
	var statements atomic.Int64
	callbacks := f.API.DB.Read(t.Context()).Callback()
	for _, register := range []func(string, func(*gorm.DB)) error{callbacks.Query().Register, callbacks.Row().Register, callbacks.Raw().Register} {
		if err := register("test:count", func(*gorm.DB) { statements.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	look := func() (int, int64) {
		report(t, f, httpkit.Auditor, -10, 0, "") // what is noted once a minute is noted
		statements.Store(0)
		v := report(t, f, httpkit.Auditor, -10, 0, "")
		return len(v.Items), statements.Load()
	}
	add := func(n int) {
		for i := range n {
			f.LeftLongAgo(f.Hire(fmt.Sprintf("N%d-%s", i, uuid.NewString()[:6]), f.A), -5, false)
		}
	}
	add(2)
	rows, few := look()
	add(4)
	if more, many := look(); rows != 2 || more != 6 || few != many || many > 15 {
		t.Errorf("%d statements for %d rows, then %d for %d", few, rows, many, more)
	}
}
