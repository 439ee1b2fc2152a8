package journey

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/models"
	"lethe/sandbox/control"
)

// TestI29_WhoLeftBeforeAFileCameIsLookedUp: people who left come in by workers that are killed; every system is asked
// about them by number, at the set rate. Nothing there settles; an account in use stays until people decide; and nothing
// is destroyed before a reviewer says so, though it is all due at once.
func TestI29_WhoLeftBeforeAFileCameIsLookedUp(t *testing.T) {
	t.Parallel()
	const people, left = 3000, 20
	stack := harness.Start(t, harness.Options{Env: map[string]string{"IMPORT_LOOKUPS": "10"}})
	j := on(t, stack, harness.Hire{})
	planted, err := stack.System("mail").Plant(j.ctx, control.Plant{EmployeeNo: "LEFT00000"})
	j.must(err)
	var file strings.Builder
	file.WriteString("工号,姓名,部门,入职日期,手机号码,离职日期,离职类型\n")
	for i := range people {
		end := ","
		if i%(people/left) == 0 {
			end = "2015-06-30,辞职"
		}
		fmt.Fprintf(&file, "LEFT%05d,导入人,D-%s,2010-01-04,13800138000,%s\n", i, models.DemoJurisdiction, end)
	}
	v := j.sendFile(file.String())
	v.until("checked", false)
	v.run()
	v.until("done", true)
	if v.Result.Created != people || v.Result.Departed != left {
		t.Fatalf("%+v", v.Result)
	}
	count := func(what string) (n int) {
		j.must(stack.Facts.Read(j.ctx).Raw("SELECT count(*) FROM " + what).Row().Scan(&n))
		return n
	}
	began := time.Now()
	j.must(harness.Eventually(j.ctx, 90*time.Second, func() error {
		settled, cases := count("departures WHERE batch_id IS NOT NULL AND accounts_state = 'settled'"), count("support_cases WHERE reason = 'found_in_use'")
		review := count("purges p JOIN departures d ON d.id = p.departure_id WHERE d.batch_id IS NOT NULL AND p.state = 'in_review' AND p.review_required")
		if settled != left-1 || cases != 1 || review != left {
			return fmt.Errorf("%d accounts are settled, %d cases, %d purges in review", settled, cases, review)
		}
		return nil
	}))
	if took := time.Since(began); took < time.Second {
		t.Errorf("everybody was asked about after %s", took)
	}
	account, err := stack.System("mail").Account(j.ctx, planted[0].ID)
	j.must(err)
	if !account.Active {
		t.Error("an account in use was taken away from whoever has it")
	}
	if n := count("employment_categories c JOIN departures d ON d.employment_id = c.employment_id WHERE d.batch_id IS NOT NULL AND c.state <> 'open'"); n != 0 {
		t.Errorf("%d categories were destroyed unreviewed", n)
	}
	var purge, departure string
	j.must(stack.Facts.Read(j.ctx).Raw(`SELECT p.id, d.id FROM purges p JOIN departures d ON d.id = p.departure_id JOIN employees e ON e.id = d.employee_id
		WHERE e.employee_no = 'LEFT00150'`).Row().Scan(&purge, &departure))
	reviewer, err := stack.Reviewer(j.ctx)
	j.must(err, reviewer.Decide(j.ctx, "/api/v1/purges/"+purge, models.DecisionApproved))
	j.untilPurged(departure)
}
