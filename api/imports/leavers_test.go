package imports_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/imports"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	domain "lethe/internal/imports"
	"lethe/internal/retention"
	"lethe/models"
)

// written is a day as people of China read it.
func written(day string) string {
	t, _ := time.Parse(time.DateOnly, day)
	return i18n.Chinese.Day(t)
}

// whoLeft is a file of people who left so many days ago; a negative number did not.
func whoLeft(f *apitest.Fixture, ago ...int) string {
	var b strings.Builder
	b.WriteString("工号,姓名,部门,入职日期,手机号码,离职日期,离职类型\n")
	for i, days := range ago {
		day, kind := "", ""
		if days >= 0 {
			day, kind = f.Day(-days), "辞职"
		}
		fmt.Fprintf(&b, "L-%d,张伟,A,2010-01-04,13800138000,%s,%s\n", i+1, day, kind)
	}
	return b.String()
}

func departureOf(t *testing.T, f *apitest.Fixture, no string) (dep models.Departure) {
	t.Helper()
	dep, err := database.First[models.Departure](f.Env.Facts.Read(t.Context()).Where("employee_id = (SELECT id FROM employees WHERE employee_no = ?)", no))
	if err != nil {
		t.Fatalf("%s: %v", no, err)
	}
	return dep
}

// TestI6_WhoLeftComesInByTheFilesApproval: two people agree to what they are shown, with days and what is due at once;
// everybody is there as departed, deadlines count from the end, and what is due waits for a review, however long.
func TestI6_WhoLeftComesInByTheFilesApproval(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload(whoLeft(f, 4000, 400, 10, -1))
	want := imports.ImportLeft{People: 3, DuePeople: 2, Due: []imports.ImportDue{
		{models.CategoryContract, "劳动合同", 1}, {models.CategoryEmergencyContact, "紧急联系人", 2}, {models.CategoryIdentity, "身份与联系方式", 1}, {models.CategoryPayBank, "薪酬与银行", 1},
		{models.CategorySocialInsurance, "社会保险", 1}, {models.CategoryDepartureFile, "离职材料", 1}, {models.CategoryAccountSnapshot, "账号快照", 2},
	}}
	if v.Plan.Left == nil || v.Plan.Create != 4 || v.Plan.Faulty != 0 {
		t.Fatalf("the dry run: %+v %v", v.Plan, found(t, f, v.ID))
	}
	got := *v.Plan.Left
	if got.First.String() != f.Day(-4000) || got.Last.String() != f.Day(-10) {
		t.Errorf("they left from %s to %s", got.First, got.Last)
	}
	got.First, got.Last = want.First, want.Last
	for i := range got.Due {
		got.Due[i].Text, want.Due[i].Text = "", ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	asked := f.Session(models.RoleHRAdmin).Ask("POST", address(v.ID)+"/run", `{"approval_reason": "old files"}`)
	colleague := f.FreshSession(f.Hire("C-1", f.B), models.RoleHRAdmin)
	var waits approvals.ApprovalView
	colleague.Ask("GET", asked.Header.Get("Location"), "", "Accept-Language", "zh").Into(t, &waits)
	shown := map[string]string{}
	for _, c := range waits.Changes {
		shown[c.Label] = c.After
	}
	for label, value := range map[string]string{
		"其中已离职人数": "3", "最早离职日期": written(f.Day(-4000)), "最晚离职日期": written(f.Day(-10)), "有资料已到期、待审核后删除的人数": "2", "其中已到期的数据类别（人数）：紧急联系人": "2",
	} {
		if shown[label] != value {
			t.Errorf("the second person is shown %q for %s: %v", shown[label], label, shown)
		}
	}
	var who imports.ImportedPeople
	colleague.Ask("GET", address(v.ID)+"/people", "").Into(t, &who)
	if len(who.Items) != 4 || who.Items[0].EmployeeNo != "L-1" || who.Items[0].Name != "张伟" || who.Items[0].LeftOn == nil || who.Items[3].LeftOn != nil || who.Items[0].Known || who.NextPage != nil {
		t.Errorf("the second person sees %+v", who)
	}
	if got := f.Ask(models.RoleAuditor, "GET", address(v.ID)+"/people", ""); got.Status != http.StatusForbidden {
		t.Errorf("an auditor sees them: %d", got.Status)
	}
	if got := colleague.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("agreeing: %d %s", got.Status, got.Body)
	}
	if v = f.Walk(v.ID); v.State != models.BatchDone || v.Result != (imports.ImportResult{Created: 4, Departed: 3}) {
		t.Fatalf("done: %+v %v", v, found(t, f, v.ID))
	}
	if n := f.Count("employees WHERE employee_no LIKE 'L-%' AND status = 'departed'"); n != 3 {
		t.Errorf("%d people have left", n)
	}
	if n := f.Count("employments m JOIN departures d ON d.employment_id = m.id WHERE d.batch_id IS NOT NULL AND d.stage = 'departed' AND m.ended_at = d.employment_ended_at AND d.counts_from = m.ended_at AND d.advanced"); n != 3 {
		t.Errorf("%d departures count from the end", n)
	}
	f.WantEntries("departure.entered", 3)
	f.WantEntries("retention.scheduled", 3)
	nothingIsPurgedUnreviewed(t, f)
	theyAreAskedAboutInTurn(t, f)
}

// nothingIsPurgedUnreviewed: not after years; with a reviewer's word it is, and by nobody who sent the file.
func nothingIsPurgedUnreviewed(t *testing.T, f *apitest.Fixture) {
	t.Helper()
	for i, due := range []int{7, 2, 0} {
		dep := departureOf(t, f, fmt.Sprintf("L-%d", i+1))
		f.Run(func(tx *database.Tx) error { _, err := retention.Look(tx, dep.ID, retention.Spread{}); return err })
		if n := f.Count("retention_deadlines WHERE state = 'in_review' AND departure_id = '" + dep.ID.String() + "'"); n != int64(due) {
			t.Errorf("L-%d: %d categories are in review, want %d", i+1, n, due)
		}
		if n := f.Count("retention_deadlines WHERE advanced AND departure_id = '" + dep.ID.String() + "'"); n != int64(len(models.Categories)) {
			t.Errorf("L-%d: %d deadlines want a review", i+1, n)
		}
	}
	oldest := departureOf(t, f, "L-1")
	purge, err := database.First[models.Purge](f.Env.Facts.Read(t.Context()).Where("departure_id = ?", oldest.ID))
	if err != nil || purge.State != models.PurgeInReview || !purge.ReviewRequired {
		t.Fatalf("%+v %v", purge, err)
	}
	intent := func() (i retention.Intent) {
		f.Run(func(tx *database.Tx) (err error) { i, err = retention.CommitIntent(tx, purge.ID); return err })
		return i
	}
	f.Env.Advance(t, 3*365*24*time.Hour)
	if intent().Began {
		t.Error("a purge began though nobody reviewed it")
	}
	decide := func(by uuid.UUID) error {
		return database.Run(t.Context(), f.Env.Facts, func(tx *database.Tx) error {
			return retention.Decide(tx, purge.ID, models.Actor{EmployeeID: by, Role: models.RoleReviewer}, models.DecisionApproved)
		})
	}
	if err := decide(f.People[models.RoleHRAdmin]); err == nil {
		t.Error("who sent the file reviewed what it lets go")
	}
	if err := decide(f.People[models.RoleReviewer]); err != nil {
		t.Fatal(err)
	}
	if !intent().Began {
		t.Error("reviewed, and it did not begin")
	}
}

// theyAreAskedAboutInTurn: at the set rate, behind those of the file before; what a system is asked is asked cautiously.
func theyAreAskedAboutInTurn(t *testing.T, f *apitest.Fixture) {
	t.Helper()
	var gaps []float64
	if err := f.Env.Facts.Read(t.Context()).Raw(`SELECT extract(epoch FROM wake_at - lag(wake_at) OVER (ORDER BY wake_at))::float8 FROM departures WHERE batch_id IS NOT NULL OFFSET 1`).Scan(&gaps).Error; err != nil {
		t.Fatal(err)
	}
	if len(gaps) != 2 || slices.ContainsFunc(gaps, func(g float64) bool { return g < 0.0999 }) {
		t.Errorf("between their turns are %v s", gaps)
	}
	if n := f.Count("departures WHERE batch_id IS NOT NULL AND revision > seen_revision") + f.Count("retentions WHERE revision > seen_revision"); n != 0 {
		t.Errorf("%d are begun at once", n)
	}
	dep := departureOf(t, f, "L-2")
	f.Run(func(tx *database.Tx) error { return departure.CutAccess(tx, dep.ID, f.Systems) })
	if n := f.Count("account_steps s JOIN account_operations o ON o.id = s.operation_id WHERE s.cautious AND o.departure_id = '" + dep.ID.String() + "'"); n != 2 {
		t.Errorf("%d systems are asked", n)
	}
	if dep = departureOf(t, f, "L-2"); dep.AccountsState != models.AccountsUnlinking {
		t.Errorf("the accounts are %s", dep.AccountsState)
	}
}

// TestWhatRowsOfLeaversMayNotSay is told by the dry run: days that cannot be, kinds that are none, numbers of people who
// are employed or whose departure says otherwise. An earlier employment of somebody employed is not taken in.
func TestWhatRowsOfLeaversMayNotSay(t *testing.T) {
	f := apitest.New(t)
	f.Hire("E1", f.A)
	left := f.LeftLongAgo(f.Hire("E2", f.A), -100, true)
	f.Hire("E3", f.A)
	f.LeftLongAgo(f.Hire("E4", f.A), -5, false)
	day := left.EmploymentEndDate.String()
	const head = "工号,姓名,部门,入职日期,离职日期,离职类型\n"
	v := f.Upload(head +
		"N1,张伟,A,2010-01-04,2009-12-31,辞职\n" + // before the first day
		"N2,张伟,A,2010-01-04," + f.Day(1) + ",辞职\n" + // ahead
		"N3,张伟,A,2010-01-04," + f.Day(0) + ",辞职\n" + // not over yet
		"N4,张伟,A,2010-01-04,2019-12-31,\n" + // no kind
		"N5,张伟,A,2010-01-04,2019-12-31,出差\n" +
		"N6,张伟,A,2010-01-04,2019-12-31,集团内调动\n" +
		"N7,张伟,A,2010-01-04,,辞职\n" + // no day
		"N8,张伟,A,2010-01-04,31/12/2019,辞职\n" +
		"N9,张伟,A,,2019-12-31,辞职\n" +
		"N10,张伟,A,2010-01-04,2019-02-30,辞职\n" +
		"E1,Person E1,A,2020-03-01,2021-03-01,辞职\n" + // is employed
		"E1x,张伟,A,2010-01-04,2010-01-04,Resignation\n" + // one day
		"E2,Person E2,A,2020-03-01,2021-03-01,辞职\n" + // left on another day
		"E2x,张伟,A,2010-01-04,1900-01-01,辞职\n" +
		"E3,李娜,A,2020-03-01,2021-12-31,辞职\n" + // somebody else's number
		"E4,Person E4,A,2020-03-01," + f.Day(-5) + ",退休\n" + // in another way
		"R-hr_admin,Person R-hr_admin,,,2019-12-31,辞职\n")
	want := []string{
		"2:5:before_hire", "3:5:leaves_yet", "4:5:leaves_yet", "5:6:departure_kind_missing", "6:6:not_allowed", "7:6:not_allowed", "8:5:left_on_missing", "9:5:not_a_date", "10:4:required",
		"11:5:not_a_date", "12:5:still_employed", "14:5:ends_otherwise", "15:5:before_hire", "16:2:other_name", "17:6:ends_otherwise", "18:0:own_file",
	}
	if diff := cmp.Diff(want, found(t, f, v.ID)); diff != "" {
		t.Error(diff)
	}
	if v.Plan.Create != 1 || v.Plan.Left == nil || v.Plan.Left.People != 1 {
		t.Errorf("%+v", v.Plan)
	}
	// What the departure says already changes nothing.
	if v := f.Upload(head + "E2,Person E2,A,2020-03-01," + day + ",辞职\n"); v.Plan.Same != 1 {
		t.Errorf("what is known: %+v %v", v.Plan, found(t, f, v.ID))
	}
	f.Exec("UPDATE retention_rules SET superseded_at = lethe_now() WHERE category = 'identity'")
	if v := f.Upload(head + "N1,张伟,A,2010-01-04,2019-12-31,辞职\n"); !slices.Equal(found(t, f, v.ID), []string{"2:3:no_retention_rules"}) {
		t.Errorf("without rules: %v", found(t, f, v.ID))
	}
}

// TestAFileOfLeaversSentTwice changes nothing, and two files with one leaver enter the person once.
func TestAFileOfLeaversSentTwice(t *testing.T) {
	f := apitest.New(t)
	file := whoLeft(f, 400, 10)
	one, two := f.Upload(file), f.Upload(file)
	agree(t, f, one.ID)
	if v := f.Walk(one.ID); v.Result != (imports.ImportResult{Created: 2, Departed: 2}) {
		t.Fatalf("%+v", v)
	}
	if v := agree(t, f, two.ID); v.Result != (imports.ImportResult{Unchanged: 2}) || v.Result.Departed != 0 {
		t.Errorf("the other file: %+v %v", v.Result, found(t, f, v.ID))
	}
	if v := f.Upload(file); v.Plan != (imports.ImportPlan{Same: 2}) {
		t.Errorf("again: %+v", v.Plan)
	}
	if n := f.Count("departures"); n != 2 {
		t.Errorf("%d departures", n)
	}
	// Somebody who is deleted by now does not come back.
	gone := departureOf(t, f, "L-1")
	f.Exec("ALTER TABLE employment_categories DISABLE TRIGGER ALL")
	f.Exec("UPDATE employment_categories SET state = 'purging' WHERE employment_id = ?", gone.EmploymentID)
	if v := f.Upload(file); v.Plan != (imports.ImportPlan{Same: 1, Faulty: 1}) || !slices.Equal(found(t, f, v.ID), []string{"2:0:purged"}) {
		t.Errorf("after a purge: %+v %v", v.Plan, found(t, f, v.ID))
	}
}

// TestI4_AHoldKeepsWhoIsImported: one by a filter that is placed between dry run and run.
func TestI4_AHoldKeepsWhoIsImported(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload(whoLeft(f, 4000, 10))
	got := f.Session(models.RoleHRAdmin).Ask("POST", "/api/v1/holds", `{"query": {"department_id": "`+f.A.String()+`", "left_to": "`+f.Day(-100)+`"}, "matter": "arbitration"}`)
	if got.Status != http.StatusCreated {
		t.Fatalf("the hold: %d %s", got.Status, got.Body)
	}
	agree(t, f, v.ID)
	for no, held := range map[string]int64{"L-1": 7, "L-2": 0} {
		dep := departureOf(t, f, no)
		if n := f.Count("retention_deadlines WHERE state = 'held' AND departure_id = '" + dep.ID.String() + "'"); n != held {
			t.Errorf("%s: %d deadlines are held", no, n)
		}
	}
}

// TestI6_NoFileCountsFromAnEarlierDayAlone: without the approval of the very file the database lets nobody's deadlines
// count from an earlier day, nor somebody's who was there before.
func TestI6_NoFileCountsFromAnEarlierDayAlone(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload(whoLeft(f, 400))
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchImport, v.ID, domain.Agreement{}) })
	w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{LookUps: 1}}
	if _, err := w.Walk(t.Context(), v.ID, time.Now().Add(time.Minute)); !errors.Is(err, departure.ErrApprovalRequired) {
		t.Errorf("one person's file: %v", err)
	}
	if n := f.Count("employees WHERE employee_no = 'L-1'"); n != 0 {
		t.Errorf("%d people came in", n)
	}
	other := f.Upload(whoLeft(f, 400, 300))
	agree(t, f, other.ID)
	present := f.Hire("E1", f.A)
	err := database.Run(t.Context(), f.App, func(tx *database.Tx) error {
		batch, err := database.First[models.Batch](tx.DB().Where("id = ?", other.ID))
		if err != nil {
			return err
		}
		employment, err := database.First[models.Employment](tx.DB().Where("employee_id = ?", present))
		if err != nil {
			return err
		}
		ended := time.Now().Add(-400 * 24 * time.Hour)
		employment.EndedAt = &ended
		return departure.Leavers{LookUps: 1}.Enter(tx, batch, []domain.Left{{Employment: employment, End: domain.End{Kind: models.KindResignation}}})
	})
	if err == nil || f.Count("departures WHERE employee_id = '"+present.String()+"'") != 0 {
		t.Errorf("the approval of a file speaks for somebody whom it does not enter: %v", err)
	}
}
