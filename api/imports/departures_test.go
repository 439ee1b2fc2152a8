package imports_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/imports"
	"lethe/internal/archive"
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
