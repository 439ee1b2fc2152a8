package imports_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/imports"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

const batches = "/api/v1/departure-batches"

func batch(id uuid.UUID) string { return batches + "/" + id.String() }

func wrongRows(t *testing.T, f *apitest.Fixture, id uuid.UUID) (all []string) {
	t.Helper()
	var page imports.RowProblems
	f.Ask(models.RoleHRAdmin, "GET", batch(id)+"/problems", "").Into(t, &page)
	for _, p := range page.Items {
		all = append(all, fmt.Sprintf("%d:%d:%s", p.Row, p.Column, p.Code))
	}
	return all
}

func rowsOf(t *testing.T, f *apitest.Fixture, id uuid.UUID) (all []imports.DepartureRow) {
	t.Helper()
	for page := 0; ; {
		var got imports.DepartureRows
		f.Ask(models.RoleHRAdmin, "GET", fmt.Sprintf("%s/rows?page=%d", batch(id), page), "").Into(t, &got)
		all = append(all, got.Items...)
		if got.NextPage == nil {
			return all
		}
		page = *got.NextPage
	}
}

func outcomes(rows []imports.DepartureRow) (all []models.BatchOutcome) {
	for _, r := range rows {
		all = append(all, r.Outcome)
	}
	return all
}

// release has a batch agreed to by a reviewer, and walks it.
func release(t *testing.T, f *apitest.Fixture, id uuid.UUID) imports.DepartureBatchView {
	t.Helper()
	got := f.Session(models.RoleHRAdmin).Ask("POST", batch(id)+"/run", `{"approval_reason": "site closes"}`)
	var waits approvals.ApprovalView
	got.Into(t, &waits)
	if waits.Operation != "departure_batch.run" {
		t.Fatalf("one person was enough: %s", got.Body)
	}
	if got := f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("agreeing: %d %s", got.Status, got.Body)
	}
	return f.WalkDepartures(id)
}

// alone has a batch run by one person, and walks it.
func alone(t *testing.T, f *apitest.Fixture, id uuid.UUID) imports.DepartureBatchView {
	t.Helper()
	var v imports.DepartureBatchView
	f.Ask(models.RoleHRAdmin, "POST", batch(id)+"/run", `{}`).Into(t, &v)
	if v.State != models.BatchRunning {
		t.Fatalf("run: %+v", v)
	}
	return f.WalkDepartures(id)
}

// A file of people who leave is checked row by row, by what judges one departure; what is wrong is named by row and column,
// the others begin, each with the batch's id. The same file again has nothing to do, a mended one its corrections alone.
func TestABatchOfDepartures(t *testing.T) {
	f := apitest.New(t)
	people := map[string]uuid.UUID{}
	for _, no := range []string{"B-1", "B-2", "B-3", "B-4", "B-5", "B-6", "B-7", "B-8"} {
		people[no] = f.Hire(no, f.A)
	}
	last := f.Day(20)
	f.Resign(people["B-5"])
	var me archive.EmployeeView
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/employees/"+f.People[models.RoleHRAdmin].String(), "").Into(t, &me)
	file := "工号,姓名,离职类型,最后工作日,劳动关系结束日期,收到离职通知日期,立即离职,原因代码,备注,爱好\n" +
		"B-1,Person B-1,辞职," + last + ",,,,,去读书,下棋\n" + // 2
		"b-2,,协商解除," + last + "," + f.Day(25) + ",,否,relocation,,\n" +
		"NOBODY,,辞职," + last + ",,,,,,\n" + // 4
		"B-3,张伟,辞职," + last + ",,,,,,\n" +
		"B-4,,辞职," + last + ",,,,,,\n" + // 6
		"b-4,,辞职," + last + ",,,,,,\n" +
		"B-5,,辞职," + last + ",,,,,,\n" + // 8
		me.EmployeeNo + ",,辞职," + last + ",,,,,,\n" +
		"B-6,,辞职," + last + "," + f.Day(10) + ",,,,,\n" + // 10
		"B-7,,调动," + last + ",,,,,,\n" +
		"1.2E+5,,辞职," + last + ",,,,,,\n" + // 12
		"=A1,,辞职," + last + ",,,,,,\n" +
		",,辞职," + last + ",,,,,,\n" + // 14
		"B-8,,辞职,,,,,,,\n"
	v := f.SendDepartures(file)
	want := []string{
		"4:1:unknown", "5:2:other_name", "6:1:twice_in_file", "7:1:twice_in_file", "8:4:departure_open", "9:1:own_file", "10:5:dates_out_of_order",
		"11:3:not_allowed", "12:1:digits_lost", "13:1:formula", "14:1:required", "15:4:required",
	}
	if diff := cmp.Diff(want, wrongRows(t, f, v.ID)); diff != "" {
		t.Error(diff)
	}
	if v.State != models.BatchChecked || v.Plan.Begin != 2 || v.Plan.Faulty != 12 || v.Alone == nil || !*v.Alone {
		t.Fatalf("checked: %+v", v)
	}
	if n := f.Count("departures"); n != 1 {
		t.Fatalf("the dry run wrote %d departures", n)
	}
	done := alone(t, f, v.ID)
	if done.State != models.BatchDone || done.Result != (imports.DepartureBatchResult{Begun: 2, Refused: 12}) {
		t.Fatalf("done: %+v", done)
	}
	rows := rowsOf(t, f, v.ID)
	if rows[0].Outcome != models.OutcomeBegun || rows[0].DepartureID == nil || rows[0].Name != "Person B-1" || rows[6].Outcome != models.OutcomeRefused || rows[6].Problems[0].Code != "departure_open" {
		t.Errorf("rows: %+v", rows)
	}
	if n := f.Count("departures WHERE begun_batch_id = '" + v.ID.String() + "' AND created_by = '" + f.People[models.RoleHRAdmin].String() + "'"); n != 2 {
		t.Errorf("%d departures of the batch", n)
	}
	if n := f.Count("ledger_content WHERE action = 'departure.started' AND request_id = 'departure_batch/" + v.ID.String() + "' AND details ->> 'departure_batch' = '" + v.ID.String() + "'"); n != 2 {
		t.Errorf("%d entries", n)
	}
	again := f.SendDepartures(file)
	if again.Plan.Begin != 0 || again.Plan.Same != 2 || again.Plan.Faulty != 12 {
		t.Errorf("the same file: %+v", again.Plan)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", batch(again.ID)+"/run", `{}`); got.Status != http.StatusConflict || got.Problem.Code != "import_has_nothing_to_do" {
		t.Errorf("nothing to do: %d %s", got.Status, got.Body)
	}

	table := table(t, f.Ask(models.RoleHRAdmin, "GET", done.File+"?format=csv", "", "Accept-Language", "zh").Body)
	if len(table) != 15 || table[0][9] != "爱好" {
		t.Fatalf("the report: %q", table)
	}
	mended := strings.Replace(file, "B-3,张伟", "B-3,Person B-3", 1)
	fixed := f.SendDepartures(mended)
	if fixed.Plan.Begin != 1 || fixed.Plan.Same != 2 {
		t.Errorf("a mended file: %+v", fixed.Plan)
	}
	if got := alone(t, f, fixed.ID); got.Result.Begun != 1 || got.Result.Unchanged != 2 {
		t.Errorf("a mended file: %+v", got)
	}
	f.WantEntries("departure_batch.uploaded", 3)
	f.WantEntries("departure_batch.run", 2)
	f.WantEntries("departure_batch.done", 2)
	f.WantEntries("departure_batch.downloaded", 1)
}

// What one person lets leave is limited: by count with what they began within a day, by shares, and where heads or
// administrators are among them. A reviewer releases it, and is shown who; who is in the file does not.
func TestAReviewerReleasesWhatIsMuch(t *testing.T) {
	f := apitest.New(t)
	file := func(from, to int) string {
		var b strings.Builder
		b.WriteString("工号,离职类型,最后工作日\n")
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "M-%02d,协商解除,%s\n", i, f.Day(20))
		}
		return b.String()
	}
	for i := range 24 {
		f.Hire(fmt.Sprintf("M-%02d", i), f.B)
	}
	first := f.SendDepartures(file(0, 12))
	if !*first.Alone {
		t.Fatalf("twelve: %+v", first.Because)
	}
	alone(t, f, first.ID)
	f.Resign(f.Hire("M-99", f.A))
	second := f.SendDepartures(file(10, 19)) // 12, one by itself, and 7 more: twenty
	if second.Plan.Begin != 7 || second.Plan.Same != 2 || !*second.Alone {
		t.Fatalf("twenty together: %+v", second)
	}
	third := f.SendDepartures(file(10, 20))
	if *third.Alone || third.Because[0].Cause != models.CauseManyLeave {
		t.Fatalf("one more: %+v", third)
	}
	var waits approvals.ApprovalView
	got := f.Session(models.RoleHRAdmin).Ask("POST", batch(third.ID)+"/run", `{}`)
	got.Into(t, &waits)
	if waits.Operation != "departure_batch.run" {
		t.Fatalf("%s", got.Body)
	}
	var waiting imports.DepartureBatchView
	f.Ask(models.RoleHRAdmin, "GET", batch(third.ID), "").Into(t, &waiting)
	if waiting.State != models.BatchAwaitingApproval || waiting.Approval == nil {
		t.Errorf("waiting: %+v", waiting)
	}
	if got := f.FreshSession(f.Hire("C-1", f.B), models.RoleHRAdmin).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusForbidden {
		t.Errorf("another HR administrator: %d %s", got.Status, got.Body)
	}
	if got := f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("agreeing: %d %s", got.Status, got.Body)
	}
	if done := f.WalkDepartures(third.ID); done.Result.Begun != 8 || done.Result.Unchanged != 2 {
		t.Errorf("released: %+v", done)
	}
	// The other file overlaps with it: what it planned has begun.
	if done := release(t, f, second.ID); done.Result.Begun != 0 || done.Result.Unchanged != 9 {
		t.Errorf("what overlaps: %+v", done)
	}
	if n := f.Count("departures"); n != 21 {
		t.Errorf("%d departures", n)
	}
}

// The release is a ceiling: whoever became a head since, and whose day has passed since, is not done but told.
func TestAReleaseIsACeiling(t *testing.T) {
	f := apitest.New(t)
	head, later, other := f.Hire("H-1", f.B), f.Hire("L-1", f.B), f.Hire("O-1", f.B)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.B)
	v := f.SendDepartures("工号,离职类型,最后工作日,立即离职\nH-1,单位解除,,是\nL-1,单位解除," + f.Day(9) + ",\nO-1,单位解除," + f.Day(0) + ",\n")
	if v.Plan.Begin != 3 || v.Plan.Protected != 1 || v.Plan.Sudden != 1 || *v.Alone {
		t.Fatalf("checked: %+v %v", v, wrongRows(t, f, v.ID))
	}
	got := f.Session(models.RoleHRAdmin).Ask("POST", batch(v.ID)+"/run", `{}`)
	var waits approvals.ApprovalView
	got.Into(t, &waits)
	named := false
	for _, c := range waits.Changes {
		named = named || strings.Contains(c.After, "H-1 Person H-1")
	}
	if !named {
		t.Errorf("the head is not named: %+v", waits.Changes)
	}
	if got := f.FreshSession(head, models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusForbidden {
		t.Errorf("who is in the file: %d %s", got.Status, got.Body)
	}
	if got := f.FreshSession(other, models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusForbidden {
		t.Errorf("who is in the file, further down: %d %s", got.Status, got.Body)
	}
	if got := f.Session(models.RoleReviewer).Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("agreeing: %d %s", got.Status, got.Body)
	}
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", later, f.A)
	f.Env.Advance(t, 30*time.Hour)
	done := f.WalkDepartures(v.ID)
	if diff := cmp.Diff([]models.BatchOutcome{models.OutcomeBegun, models.OutcomeChanged, models.OutcomeChanged}, outcomes(rowsOf(t, f, v.ID))); diff != "" {
		t.Errorf("%+v: %s", done, diff)
	}
	if diff := cmp.Diff([]string{"3:0:changed_since", "4:0:changed_since"}, wrongRows(t, f, v.ID)); diff != "" {
		t.Error(diff)
	}
}

// A run is paused, goes on, and its rest is cancelled; a command that comes again has no other effect. Whoever sent it and is
// disabled ends it.
func TestABatchIsPausedAndCancelled(t *testing.T) {
	f := apitest.New(t)
	var b strings.Builder
	b.WriteString("工号,离职类型,最后工作日\n")
	for i := range 3 {
		f.Hire(fmt.Sprintf("P-%d", i), f.B)
		fmt.Fprintf(&b, "P-%d,辞职,%s\n", i, f.Day(20))
	}
	begin := func() imports.DepartureBatchView {
		var v imports.DepartureBatchView
		f.Ask(models.RoleHRAdmin, "POST", batch(f.SendDepartures(b.String()).ID)+"/run", `{}`).Into(t, &v)
		return v
	}
	does := func(v imports.DepartureBatchView, what, key string, status int) (after imports.DepartureBatchView) {
		t.Helper()
		got := f.Ask(models.RoleHRAdmin, "POST", batch(v.ID)+"/"+what, "", "Idempotency-Key", key)
		if got.Status != status {
			t.Fatalf("%s: %d %s", what, got.Status, got.Body)
		}
		if status == http.StatusOK {
			got.Into(t, &after)
		}
		return after
	}
	v := begin()
	if got := does(v, "pause", "k1", http.StatusOK); got.State != models.BatchPaused {
		t.Errorf("%+v", got)
	}
	does(v, "pause", "k1", http.StatusOK)
	if got := f.WalkDepartures(v.ID); got.Ran != 0 || got.State != models.BatchPaused {
		t.Errorf("while paused: %+v", got)
	}
	if got := does(v, "resumption", "k2", http.StatusOK); got.State != models.BatchRunning {
		t.Errorf("%+v", got)
	}
	if got := does(v, "cancellation", "k3", http.StatusOK); got.State != models.BatchCancelled {
		t.Errorf("%+v", got)
	}
	does(v, "cancellation", "k3", http.StatusOK)
	does(v, "cancellation", "k4", http.StatusConflict)
	does(v, "pause", "k5", http.StatusConflict)
	if got := f.WalkDepartures(v.ID); got.Ran != 0 || f.Count("departures") != 0 {
		t.Errorf("after it was cancelled: %+v", got)
	}
	f.WantEntries("departure_batch.paused", 1)
	f.WantEntries("departure_batch.resumed", 1)
	f.WantEntries("departure_batch.cancelled", 1)

	v = begin()
	// Another kind's address knows nothing of it.
	for _, path := range []string{"", "/problems", "/people"} {
		if got := f.Ask(models.RoleHRAdmin, "GET", address(v.ID)+path, ""); got.Status != http.StatusNotFound {
			t.Errorf("a batch of departures as an import, %q: %d", path, got.Status)
		}
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/cancellation", ""); got.Status != http.StatusNotFound {
		t.Errorf("a batch of departures as an import: %d", got.Status)
	}
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE users SET access_ended_at = lethe_now(), ledger_entry_id = ? WHERE employee_id = ?", f.Entry(tx), f.People[models.RoleHRAdmin]).Error)
	})
	if got := f.WalkDepartures(v.ID); got.State != models.BatchCancelled || got.EndedBy != models.BatchEndUploaderGone || f.Count("departures") != 0 {
		t.Errorf("who sent it is gone: %+v", got)
	}
}

// Who was rehired leaves the new employment; who has left, or whose data was deleted, is told as such.
func TestABatchOfPeopleWithAPast(t *testing.T) {
	f := apitest.New(t)
	gone, deleted, again := f.Hire("G-1", f.B), f.Hire("D-1", f.B), f.Hire("A-1", f.B)
	for _, person := range []uuid.UUID{gone, deleted, again} {
		f.LeftLongAgo(person, -20, false)
	}
	f.Exec("ALTER TABLE employment_categories DISABLE TRIGGER ALL")
	f.Exec("UPDATE employment_categories SET state = 'purging' WHERE employment_id = ?", f.Employment(deleted))
	today, err := clock.ParseDate(f.Day(0))
	if err != nil {
		t.Fatal(err)
	}
	f.Run(func(tx *database.Tx) error {
		_, _, err := archive.Create(tx, f.Vault, archive.NewEmployee{EmployeeNo: "A-1", Name: "Person A-1", DepartmentID: f.B, HiredOn: today})
		return err
	})
	v := f.SendDepartures("工号,离职类型,最后工作日\nG-1,辞职," + f.Day(20) + "\nD-1,辞职," + f.Day(20) + "\nA-1,辞职," + f.Day(20) + "\n")
	if diff := cmp.Diff([]string{"2:0:left_already", "3:0:purged"}, wrongRows(t, f, v.ID)); diff != "" || v.Plan.Begin != 1 {
		t.Error(diff, v.Plan)
	}
}
