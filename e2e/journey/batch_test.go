package journey

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/models"
)

// rowsOfBatch is how many people leave by the file of [TestI31_AKilledWorkerBeginsEverybodyOnce]: a thousand, or BATCH_ROWS.
func rowsOfBatch() int {
	if rows, err := strconv.Atoi(os.Getenv("BATCH_ROWS")); err == nil {
		return rows
	}
	return 500
}

// TestI31_AKilledWorkerBeginsEverybodyOnce: a file with rows of eleven kinds that are wrong is checked, released and run by
// workers that are killed again and again. Every row has one effect, every wrong one is named, progress never goes back, and
// the file again has nothing to do.
func TestI31_AKilledWorkerBeginsEverybodyOnce(t *testing.T) {
	t.Parallel()
	people := rowsOfBatch()
	stack := harness.Start(t, harness.Options{})
	j := on(t, stack, harness.Hire{})
	var hire, leave strings.Builder
	hire.WriteString("工号,姓名,部门,入职日期\n")
	leave.WriteString("工号,姓名,离职类型,最后工作日,劳动关系结束日期,立即离职,原因代码\n")
	last := time.Now().AddDate(0, 0, 40).Format(time.DateOnly)
	for i := range people {
		fmt.Fprintf(&hire, "LEAVE%05d,离职人,D-%s,2024-01-02\n", i, models.DemoJurisdiction)
	}
	v := j.sendFile(hire.String())
	v.until("checked", false)
	v.run()
	v.until("done", false)

	wrong := []struct{ row, code string }{
		{"NOBODY%05d,,辞职," + last + ",,,", "unknown"},
		{"LEAVE00000,,辞职," + last + ",,,", "twice_in_file"},
		{"LEAVE%05d,别人,辞职," + last + ",,,", "other_name"},
		{"LEAVE%05d,,辞职,2021-01-01,,,", "before_hire"},
		{"LEAVE%05d,,辞职,2024年13月1日,,,", "not_a_date"},
		{"LEAVE%05d,,辞职," + last + ",2024-02-01,,", "dates_out_of_order"},
		{"LEAVE%05d,,辞职,2999-01-01,,,", "too_far_ahead"},
		{"=LEAVE%05d,,辞职," + last + ",,,", "formula"},
		{"1.2E+%d,,辞职," + last + ",,,", "digits_lost"},
		{"LEAVE%05d,,调动," + last + ",,,", "not_allowed"},
		{"LEAVE%05d,,,  " + last + ",,,", "departure_kind_missing"},
	}
	want, bad := map[string]int{}, max(len(wrong), people*137/10_000)
	for i := range people {
		if i < bad { // of those whose row is wrong, each number stands in one
			kind := wrong[i%len(wrong)]
			row := kind.row
			if strings.Contains(row, "%") {
				row = fmt.Sprintf(row, i)
			}
			leave.WriteString(row + "\n")
			want[kind.code]++
			continue
		}
		fmt.Fprintf(&leave, "LEAVE%05d,离职人,协商解除,%s,,,site_closed\n", i, last)
	}
	if want["twice_in_file"] == 1 {
		want["twice_in_file"]++
		leave.WriteString(wrong[1].row + "\n")
	}
	b := j.sendTo("/api/v1/departure-batches", leave.String())
	b.until("checked", true)
	j.wrongAre(b, want)
	b.run()
	b.until("done", true)
	var once, several, entries int
	count := func(into *int, query string, args ...any) {
		j.must(stack.Facts.Read(j.ctx).Raw(query, args...).Row().Scan(into))
	}
	count(&once, "SELECT count(*) FROM departures WHERE begun_batch_id = ?", b.ID)
	count(&several, "SELECT count(*) FROM (SELECT FROM departures GROUP BY employee_id HAVING count(*) > 1) d")
	count(&entries, "SELECT count(DISTINCT subject_id) FROM ledger_content WHERE action = 'departure.started' AND request_id = ?", "departure_batch/"+b.ID)
	if good := people - bad; b.Result.Begun != good || once != good || several != 0 || entries != good {
		t.Errorf("%d of %d reported, %d begun, %d entries, %d people twice", b.Result.Begun, good, once, entries, several)
	}
	j.must(harness.Eventually(j.ctx, 2*time.Minute, func() error {
		var unseen int
		count(&unseen, "SELECT count(*) FROM departures WHERE begun_batch_id = ? AND seen_revision = 0", b.ID)
		if unseen > 0 {
			return fmt.Errorf("%d departures have no workflow", unseen)
		}
		return nil
	}))
	again := j.sendTo("/api/v1/departure-batches", leave.String())
	again.until("checked", false)
	if again.Plan.Begin != 0 {
		t.Errorf("the same file again would begin %d", again.Plan.Begin)
	}
}

// wrongAre compares what is wrong with the rows of a file, by code, each with its row and column.
func (j *journey) wrongAre(b *anImport, want map[string]int) {
	j.Helper()
	got, after := map[string]int{}, 0
	for {
		var page struct {
			Items []struct {
				Row, Column int
				Code        string
			}
			Next *int `json:"next_after_row"`
		}
		a, err := b.hr.Do(b.ctx, http.MethodGet, fmt.Sprintf("%s/%s/problems?after_row=%d", b.base, b.ID, after), nil)
		j.must(err, json.Unmarshal(a.Body, &page))
		for _, p := range page.Items {
			if got[p.Code]++; p.Row < 2 || p.Column < 1 {
				j.Errorf("%s is at row %d, column %d", p.Code, p.Row, p.Column)
			}
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if !maps.Equal(got, want) {
		j.Errorf("what is wrong: %v, want %v", got, want)
	}
}
