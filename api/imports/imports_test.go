package imports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/imports"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	domain "lethe/internal/imports"
	"lethe/internal/sheet"
	"lethe/internal/vault"
	"lethe/models"
)

const base = "/api/v1/employee-imports"

func address(id uuid.UUID) string { return base + "/" + id.String() }

// agree has a run agreed to by a second person of HR, and walks it.
func agree(t *testing.T, f *apitest.Fixture, id uuid.UUID) imports.ImportView {
	t.Helper()
	got := f.Session(models.RoleHRAdmin).Ask("POST", address(id)+"/run", `{"approval_reason": "new site"}`)
	var waits approvals.ApprovalView
	got.Into(t, &waits)
	colleague := f.FreshSession(f.Hire("C-"+uuid.NewString()[:8], f.B), models.RoleHRAdmin)
	if got := colleague.Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK {
		t.Fatalf("agreeing: %d %s", got.Status, got.Body)
	}
	return f.Walk(id)
}

func found(t *testing.T, f *apitest.Fixture, id uuid.UUID) (all []string) {
	t.Helper()
	var page imports.RowProblems
	f.Ask(models.RoleHRAdmin, "GET", address(id)+"/problems", "").Into(t, &page)
	for _, p := range page.Items {
		all = append(all, fmt.Sprintf("%d:%d:%s", p.Row, p.Column, p.Code))
	}
	return all
}

// TestImport is the scene: headers in Chinese, a dry run that says of every cell what is wrong, two people, people who are
// in the archive as if each had been entered alone, and the rows that were left out as a file that is mended and sent again.
func TestImport(t *testing.T) {
	f := apitest.New(t)
	f.Exec("UPDATE departments SET name_zh = '技术部' WHERE id = ?", f.A)
	before := f.Hire("E0007", f.A)
	v := f.Upload("\uFEFF工号,姓名,部门,岗位,入职日期,身份证号,手机号码,证件类型,备注\r\n" +
		"0012,张伟,技术部,工程师,2024/3/5,110101199003070038,+86 138 0013 8000,身份证,x\r\n" +
		"E0007,Person E0007,,主管,,,,,\r\n" +
		"0013,李娜,技术部,,2024年3月6日,110101199003070039,123,身份证,\r\n" +
		"0014,王强,没有的部门,,20240306,,,,\r\n" +
		",赵敏,A,,2024-03-06,,,,\r\n" +
		"0012,张伟,A,,2024-03-06,,,,\r\n")
	if v.State != models.BatchChecked || v.Rows != 6 || v.Checked != 6 {
		t.Fatalf("checked: %+v", v)
	}
	// 0012 stands twice: both rows are wrong.
	if diff := cmp.Diff(imports.ImportPlan{Create: 0, Change: 1, Same: 0, Faulty: 5}, v.Plan); diff != "" {
		t.Error(diff)
	}
	want := []string{"2:1:twice_in_file", "4:6:wrong_check_digit", "4:7:not_a_phone", "5:3:unknown", "6:1:required", "7:1:twice_in_file"}
	if diff := cmp.Diff(want, found(t, f, v.ID)); diff != "" {
		t.Error(diff)
	}
	if last := v.Columns[8]; last.Field != "" || last.Header != "备注" || v.Columns[5].Field != "id_number" {
		t.Errorf("columns: %+v", v.Columns)
	}
	// Only what one person may do is left of it: it runs at once.
	var running imports.ImportView
	f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/run", `{}`).Into(t, &running)
	if running.State != models.BatchRunning {
		t.Fatalf("run: %+v", running)
	}
	done := f.Walk(v.ID)
	if done.State != models.BatchDone || done.Result != (imports.ImportResult{Changed: 1, Refused: 5}) || done.Ran != 6 {
		t.Fatalf("done: %+v", done)
	}
	var file archive.EmployeeView
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/employees/"+before.String(), "").Into(t, &file)
	if file.Post != "主管" {
		t.Errorf("the post is %q", file.Post)
	}

	report := f.Ask(models.RoleHRAdmin, "GET", done.File+"?format=csv", "", "Accept-Language", "zh")
	rows := table(t, report.Body)
	if len(rows) != 6 || rows[0][9] != "问题" || rows[1][5] != "110101199003070038" || !strings.Contains(rows[2][9], "证件号码：校验位不符") || !strings.Contains(rows[2][9], "个人手机号码：") {
		t.Fatalf("the report: %q", rows)
	}
	rows[1][0] = "0011"
	rows[2][5], rows[2][6] = "110101199003070038", "13800138001"
	rows[3][2] = "B"
	rows[4][0] = "0015"
	again := f.Upload(csv(t, rows))
	if again.State != models.BatchChecked || again.Plan != (imports.ImportPlan{Create: 5}) {
		t.Fatalf("the mended file: %+v %v", again, found(t, f, again.ID))
	}
	if got := agree(t, f, again.ID); got.State != models.BatchDone || got.Result != (imports.ImportResult{Created: 5}) || got.Approval == nil {
		t.Fatalf("the mended file: %+v %v", got, found(t, f, again.ID))
	}
	values := stored(t, f, "0011")
	if diff := cmp.Diff(map[string]string{"id_number": "110101199003070038", "personal_phone": "+8613800138000", "id_document_type": "resident_identity_card"}, values); diff != "" {
		t.Error(diff)
	}
	f.WantEntries("import.uploaded", 2)
	f.WantEntries("import.run", 2)
	f.WantEntries("import.done", 2)
	f.WantEntries("import.downloaded", 1)
	if n := f.Count("ledger_content WHERE action = 'employee.created' AND request_id = 'employee_import/" + again.ID.String() + "' AND details ? 'approval_id' AND actor_id = '" + f.People[models.RoleHRAdmin].String() + "'"); n != 5 {
		t.Errorf("%d entries of people", n)
	}
}

func table(t *testing.T, file []byte) (rows [][]string) {
	t.Helper()
	r, _, err := sheet.Open(file, sheet.Bounds)
	for err == nil {
		var row sheet.Row
		if row, err = r.Next(); err == nil {
			cells := make([]string, 10)
			copy(cells, row.Cells)
			rows = append(rows, cells)
		}
	}
	return rows
}

func csv(t *testing.T, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := sheet.NewWriter(&b, sheet.CSV)
	for i := 0; err == nil && i < len(rows); i++ {
		err = w.Write(rows[i])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func stored(t *testing.T, f *apitest.Fixture, no string) map[string]string {
	t.Helper()
	values := map[string]string{}
	f.Run(func(tx *database.Tx) error {
		var rows []models.FieldValue
		err := tx.DB().Raw(`SELECT v.* FROM field_values v JOIN employments m ON m.id = v.employment_id JOIN employees e ON e.id = m.employee_id
			WHERE e.employee_no = ?`, no).Scan(&rows).Error
		for _, row := range rows {
			var d models.FieldDefinition
			if d, err = database.First[models.FieldDefinition](tx.DB().Where("key = ?", row.FieldKey)); err != nil {
				return err
			}
			plain, err := f.Vault.Open(tx, vault.Cell{Table: "field_values", Row: row.ID, Employment: row.EmploymentID, Category: d.Category, Field: row.FieldKey}, row.ValueSealed)
			if err != nil {
				return err
			}
			values[row.FieldKey] = string(plain)
		}
		return err
	})
	return values
}

const people = "工号,姓名,部门,入职日期,身份证号,银行卡号\nI-1,张伟,A,2024-01-02,110101199003070038,6222021234567890128\nI-2,李娜,B,2024-01-03,,\n"

// Repeating a file changes nothing: no value is sealed anew, no file gets another revision, no entry is written about
// anybody; the dry run knows it of what the same person sent.
func TestARepeatedFileChangesNothing(t *testing.T) {
	f := apitest.New(t)
	first := f.Upload(people)
	if got := agree(t, f, first.ID); got.Result != (imports.ImportResult{Created: 2}) {
		t.Fatalf("%+v %v", got, found(t, f, first.ID))
	}
	state := func() string {
		var s string
		f.Run(func(tx *database.Tx) error {
			return database.Hide(tx.DB().Raw(`SELECT md5(string_agg(v.id || v.value_sealed::text || v.updated_at, ',' ORDER BY v.id)) || (SELECT string_agg(revision::text, ',' ORDER BY id) FROM employees)
				|| (SELECT count(*) FROM ledger_content WHERE action LIKE 'employee.%') FROM field_values v`).Scan(&s).Error)
		})
		return s
	}
	again := f.Upload(people)
	if again.Plan != (imports.ImportPlan{Same: 2}) {
		t.Errorf("the dry run: %+v", again.Plan)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", address(again.ID)+"/run", `{}`); got.Problem.Code != "import_has_nothing_to_do" {
		t.Errorf("run: %d %s", got.Status, got.Body)
	}
	// Another person's dry run does not tell what the first one's file said, and neither does the run: it writes it anew.
	other := f.FreshSession(f.Hire("C-2", f.B), models.RoleHRAdmin)
	before := state()
	var v imports.ImportView
	other.Ask("POST", base, people, "Content-Type", "text/csv").Into(t, &v)
	if v = f.Walk(v.ID); v.Plan != (imports.ImportPlan{Change: 1, Same: 1}) || v.Columns[0].Header != "" || v.File != "" {
		t.Errorf("another person's dry run: %+v", v)
	}
	if got := other.Ask("POST", address(v.ID)+"/run", `{}`); got.Status != http.StatusAccepted {
		t.Fatalf("run: %d %s", got.Status, got.Body)
	}
	if v = f.Walk(v.ID); v.Result != (imports.ImportResult{Changed: 1, Unchanged: 1}) {
		t.Errorf("another person's run: %+v", v)
	}
	if after := state(); after == before {
		t.Error("nothing was written, which tells that the values are the same")
	}
	// What was changed by hand since is written again.
	var id string
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT id::text FROM employees WHERE employee_no = 'I-1'").Scan(&id).Error)
	})
	f.Ask(models.RoleHRAdmin, "PATCH", "/api/v1/employees/"+id, `{"fields": {"bank_account": "6222021234567890110"}}`)
	if third := f.Upload(people); third.Plan != (imports.ImportPlan{Change: 1, Same: 1}) {
		t.Errorf("after a change by hand: %+v", third.Plan)
	}
}

func TestWhatBadFilesGet(t *testing.T) {
	f := apitest.New(t)
	gb := make([]byte, sheet.MaxBytes+1)
	for name, c := range map[string]struct {
		file, kind, code, detail string
		status                   int
	}{
		"nothing":         {" ", "text/csv", "file_unreadable", "no_rows", 422},
		"a header only":   {"工号,姓名\n", "text/csv", "file_unreadable", "no_rows", 422},
		"JSON":            {`{}`, "application/json", "unsupported_media_type", "", 415},
		"a picture":       {"\x89PNG\x00\x00", "application/octet-stream", "file_unreadable", "not_a_table", 422},
		"a PDF":           {"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj", "application/octet-stream", "file_unreadable", "not_a_table", 422},
		"a page":          {"<html><table>", "text/csv", "file_unreadable", "not_a_table", 422},
		"an old workbook": {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1x", "application/octet-stream", "file_unreadable", "former_format", 422},
		"too large":       {string(gb), "text/csv", "body_too_large", "", 413},
		"an open quote":   {"工号,姓名\n1,\"13800138000\n", "text/csv", "file_unreadable", "broken_quotes", 422},
		"too many rows":   {"工号\n" + strings.Repeat("1\n", sheet.Bounds.Rows+1), "text/csv", "file_out_of_bounds", "too_many_rows", 422},
	} {
		got := f.Ask(models.RoleHRAdmin, "POST", base, c.file, "Content-Type", c.kind)
		if got.Status != c.status || got.Problem.Code != c.code || c.detail != "" && (len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Code != c.detail) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if bytes.Contains(got.Body, []byte("13800138000")) {
			t.Errorf("%s: the answer repeats the file: %s", name, got.Body)
		}
	}
	if n := f.Count("batches") + f.Count("batch_parts"); n != 0 {
		t.Errorf("%d rows are kept of files that were refused", n)
	}
	for _, role := range []models.Role{httpkit.Head, httpkit.Employee, httpkit.Reviewer, httpkit.Auditor, httpkit.IT} {
		if got := f.Ask(role, "POST", base, people, "Content-Type", "text/csv"); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d", role, got.Status)
		}
	}
}

// A mapping says which column is which; what cannot be is told; it is remembered for the same headers in any order.
func TestAMappingIsGivenAndRemembered(t *testing.T) {
	f := apitest.New(t)
	const odd = "甲,乙,丙,丁\nI-1,张伟,A,2024-01-02\n"
	v := f.Upload(odd)
	if v.State != models.BatchMapping || v.Checked != 0 {
		t.Fatalf("nothing is known of the columns, and it is %+v", v)
	}
	for body, want := range map[string]string{
		`{"columns": [{"column": 9, "field": "name"}]}`:                                               "unknown_column",
		`{"columns": [{"column": 1, "field": "13800138000"}]}`:                                        "unknown_field",
		`{"columns": [{"column": 1, "field": "employee_no"}, {"column": 2, "field": "employee_no"}]}`: "field_twice",
		`{"columns": [{"column": 1, "field": "employee_no"}, {"column": 1, "field": "name"}]}`:        "column_twice",
		`{"columns": [{"column": 2, "field": "name"}]}`:                                               "no_employee_no",
	} {
		got := f.Ask(models.RoleHRAdmin, "PUT", address(v.ID)+"/mapping", body)
		if got.Status != 422 || got.Problem.Code != "mapping_invalid" || got.Problem.Errors[0].Code != want || bytes.Contains(got.Body, []byte("13800138000")) {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	mapping := `{"columns": [{"column": 1, "field": "employee_no"}, {"column": 2, "field": "name"}, {"column": 3, "field": "department"}, {"column": 4, "field": "hired_on"}]}`
	var mapped imports.ImportView
	f.Ask(models.RoleHRAdmin, "PUT", address(v.ID)+"/mapping", mapping).Into(t, &mapped)
	if mapped.State != models.BatchChecking {
		t.Errorf("mapped: %+v", mapped)
	}
	if v = f.Walk(v.ID); v.State != models.BatchChecked || v.Plan != (imports.ImportPlan{Create: 1}) {
		t.Errorf("checked: %+v", v)
	}
	if again := f.Upload("丁,丙,乙,甲\n2024-01-02,A,张伟,I-1\n"); again.Plan != (imports.ImportPlan{Create: 1}) {
		t.Errorf("the same headers in another order: %+v", again)
	}
	if other := f.Upload("甲,乙,丙,戊\nI-1,张伟,A,2024-01-02\n"); other.State != models.BatchMapping {
		t.Errorf("other headers: %+v", other)
	}
	// A mapping that changes is checked anew from the start.
	f.Ask(models.RoleHRAdmin, "PUT", address(v.ID)+"/mapping", `{"columns": [{"column": 4}]}`).Into(t, &mapped)
	if v = f.Walk(v.ID); v.Plan != (imports.ImportPlan{Faulty: 1}) || v.Checked != 1 || !slices.Equal(found(t, f, v.ID), []string{"2:0:required"}) {
		t.Errorf("without the first day: %+v %v", v, found(t, f, v.ID))
	}
}

// What may not be written is told by the dry run already: another name, what takes two people, the own file, people who
// left, names of departments that are two's, days and numbers that a spreadsheet has spoilt.
func TestWhatRowsMayNotSay(t *testing.T) {
	f := apitest.New(t)
	f.Exec("UPDATE departments SET name_zh = '双' WHERE id IN (?, ?)", f.A, f.B)
	f.Hire("E1", f.A)
	leaver := f.Hire("E2", f.A)
	f.Resign(leaver)
	v := f.Upload("工号,姓名,部门,入职日期,岗位,离职日期\n" +
		"E1,别人,,,,\n" + "E1x,人,双,2024-01-01,,\n" + "R-hr_admin,,,,总监,\n" + "E9,人,A,2024-01-01,,2024-05-01\n" +
		"e1,,,2019-01-01,,\n" + "E8,人,A,01/02/2024,,\n" + "E2,,,,顾问,\n")
	want := []string{"2:1:twice_in_file", "2:2:other_name", "3:3:ambiguous_department", "4:0:own_file", "5:0:departure_kind_missing", "6:1:twice_in_file", "6:4:needs_two_people", "7:4:not_a_date"}
	if diff := cmp.Diff(want, found(t, f, v.ID)); diff != "" {
		t.Error(diff)
	}
	if v.Plan != (imports.ImportPlan{Change: 1, Faulty: 6}) { // who has a departure is changed like everybody
		t.Errorf("%+v", v.Plan)
	}
}

// TestI25_WhoIsPurgedStaysPurged: between dry run and run, and by a file that comes afterwards; the rows around them go
// with what the file holds of them.
func TestI25_WhoIsPurgedStaysPurged(t *testing.T) {
	f := apitest.New(t)
	gone := f.Hire("E1", f.A)
	f.Hire("E2", f.A)
	const file = "工号,手机号码\nE1,13800138000\nE2,13800138001\n"
	v := f.Upload(file)
	if v.Plan != (imports.ImportPlan{Change: 2}) {
		t.Fatalf("%+v", v)
	}
	if err := database.Run(t.Context(), f.API.DB, func(tx *database.Tx) error { return domain.Forget(tx, gone) }); err != nil {
		t.Fatal(err) // by the login that purges
	}
	f.Exec("ALTER TABLE employment_categories DISABLE TRIGGER ALL")
	f.Exec("UPDATE employment_categories SET state = 'purging' WHERE employment_id = ?", f.Employment(gone))
	f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/run", `{}`)
	if v = f.Walk(v.ID); v.Removed != 2 || v.Result != (imports.ImportResult{Refused: 2}) || v.State != models.BatchDone {
		t.Errorf("the run: %+v", v)
	}
	late := f.Upload(file)
	if late.Plan != (imports.ImportPlan{Change: 1, Faulty: 1}) || !slices.Equal(found(t, f, late.ID), []string{"2:0:purged"}) {
		t.Errorf("a file that comes later: %+v %v", late, found(t, f, late.ID))
	}
	if report := f.Ask(models.RoleHRAdmin, "GET", late.File+"?format=csv", ""); bytes.Contains(report.Body, []byte("13800138000")) {
		t.Error("the report gives back what is about somebody whose data is deleted")
	}
	// Nor is it there to be opened.
	f.Run(func(tx *database.Tx) error {
		part, err := database.First[models.BatchPart](tx.DB().Where("batch_id = ?", late.ID))
		if err != nil {
			return err
		}
		_, err = f.Vault.OpenLoose(t.Context(), "batch_parts.rows_sealed/"+part.ID.String(), part.RowsSealed)
		return err
	})
	var keys int64
	if err := f.Env.Keys.Read(t.Context()).Raw("SELECT count(*) FROM loose_keys WHERE place LIKE 'batch_parts.%' AND wrapped IS NOT NULL").Scan(&keys).Error; err != nil {
		t.Fatal(err)
	}
	if stored := f.Count("batch_parts WHERE rows_sealed IS NOT NULL"); keys > stored+1 { // that of Forget ends with the housekeeping
		t.Errorf("%d keys for %d parts", keys, stored)
	}
	f.Ask(models.RoleHRAdmin, "POST", address(late.ID)+"/run", `{}`)
	if late = f.Walk(late.ID); late.Result != (imports.ImportResult{Changed: 1, Refused: 1}) || len(stored(t, f, "E1")) != 0 {
		t.Errorf("the run: %+v", late)
	}
}

// Two files about the same new people, agreed to at once: everybody is entered once.
func TestTwoImportsOfTheSamePeople(t *testing.T) {
	f := apitest.New(t)
	var b strings.Builder
	b.WriteString("工号,姓名,部门,入职日期\n")
	for i := range 1200 {
		fmt.Fprintf(&b, "P%04d,张伟,A,2024-01-02\n", i)
	}
	one, two := f.Upload(b.String()), f.Upload(b.String())
	for _, id := range []uuid.UUID{one.ID, two.ID} {
		f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchImport, id, domain.Agreement{}) })
	}
	w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{}}
	errs := make(chan error, 4)
	for i := range 4 { // and two workers for each
		go func() {
			_, err := w.Walk(t.Context(), []uuid.UUID{one.ID, two.ID}[i%2], time.Now().Add(time.Minute))
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	one, two = f.Walk(one.ID), f.Walk(two.ID)
	if one.State != models.BatchDone || two.State != models.BatchDone || one.Result.Created+two.Result.Created != 1200 || one.Result.Unchanged+two.Result.Unchanged != 1200 {
		t.Errorf("%+v %+v", one.Result, two.Result)
	}
	if n := f.Count("employees WHERE employee_no LIKE 'P0%' OR employee_no LIKE 'P1%'"); n != 1200 {
		t.Errorf("%d people", n)
	}
}

// TestI32_TheImportOfWhoIsGoneEnds: also one that runs, with what it has not written yet.
func TestI32_TheImportOfWhoIsGoneEnds(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload(people)
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchImport, v.ID, domain.Agreement{}) })
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE users SET access_ended_at = lethe_now(), ledger_entry_id = ? WHERE employee_id = ?", f.Entry(tx), f.People[models.RoleHRAdmin]).Error)
	})
	v = f.Walk(v.ID)
	if v.State != models.BatchCancelled || v.EndedBy != models.BatchEndUploaderGone || v.Ran != 0 || f.Count("employees WHERE employee_no LIKE 'I-%'") != 0 {
		t.Errorf("%+v", v)
	}
}

// TestI25_AFileIsGoneAfterSevenDays, with its header, its rows and their keys; before that it ends unrun.
func TestI25_AFileIsGoneAfterSevenDays(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload("工号,姓名\n1,张伟\n")
	look := func() (facts domain.Facts) {
		f.Run(func(tx *database.Tx) (err error) { facts, err = domain.Look(tx, v.ID); return err })
		return facts
	}
	if facts := look(); facts.Over || facts.Done || facts.WakeIn <= 0 || facts.WakeIn > 5*time.Minute {
		t.Errorf("today: %+v", facts)
	}
	f.Env.Advance(t, domain.ContentLife)
	if facts := look(); !facts.Over || facts.State != models.BatchExpired {
		t.Fatalf("after seven days: %+v", facts)
	}
	w := domain.Worker{DB: f.App, Vault: f.Vault}
	for range 2 {
		if err := w.Clear(t.Context(), v.ID); err != nil {
			t.Fatal(err)
		}
	}
	if facts := look(); !facts.Done {
		t.Errorf("cleared: %+v", facts)
	}
	var keys int64
	if err := f.Env.Keys.Read(t.Context()).Raw("SELECT count(*) FROM loose_keys WHERE place LIKE 'batch%' AND wrapped IS NOT NULL").Scan(&keys).Error; err != nil {
		t.Fatal(err)
	}
	if n := f.Count("batch_parts WHERE rows_sealed IS NOT NULL") + f.Count("batches WHERE headers_sealed IS NOT NULL"); n+keys != 0 {
		t.Errorf("%d sealed columns and keys are left", n+keys)
	}
	if got := f.Ask(models.RoleHRAdmin, "GET", address(v.ID)+"/file", ""); got.Problem.Code != "import_file_gone" {
		t.Errorf("the rows: %d %s", got.Status, got.Body)
	}
}

// Rows go back to who sent them alone, are recorded before, and nothing of a file is anywhere else: not in an answer, in
// the log, in the ledger, or in clear in the database.
func TestI24_I27_NoValueOfAFileIsAnywhereElse(t *testing.T) {
	f := apitest.New(t)
	const secret = "13912345678"
	v := f.Upload("工号,姓名,手机号码,身份证号\nSECRETNO1,宝贝名," + secret + ",110101199003070039\n")
	if got := f.FreshSession(f.Hire("C-1", f.B), models.RoleHRAdmin).Ask("GET", address(v.ID)+"/file", ""); got.Problem.Code != "import_of_another" {
		t.Errorf("another person: %d %s", got.Status, got.Body)
	}
	if n := f.Count("ledger_content WHERE action = 'import.downloaded'"); n != 0 {
		t.Errorf("%d downloads are recorded", n)
	}
	for _, path := range []string{"", "/problems"} {
		got := f.Ask(models.RoleHRAdmin, "GET", address(v.ID)+path, "")
		for _, value := range []string{secret, "SECRETNO1", "宝贝名", "110101199003070039"} {
			if bytes.Contains(got.Body, []byte(value)) {
				t.Errorf("%s holds %s: %s", path, value, got.Body)
			}
		}
	}
	var tables []string
	g := f.Env.Facts.Read(t.Context())
	if err := g.Raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").Scan(&tables).Error; err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		var dump string
		if err := g.Raw("SELECT coalesce(string_agg(t::text, ' '), '') FROM " + table + " t").Scan(&dump).Error; err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{secret, "SECRETNO1", "宝贝名", "110101199003070039"} {
			if strings.Contains(dump, value) {
				t.Errorf("%s holds %s", table, value)
			}
		}
	}
	if strings.Contains(f.Log.String(), secret) {
		t.Error("the log holds a value")
	}
}

// TestI21_OnlyWhoSentAFileMapsAndRunsIt: what is written is written in the name of who sent it.
func TestI21_OnlyWhoSentAFileMapsAndRunsIt(t *testing.T) {
	f := apitest.New(t)
	colleague := f.FreshSession(f.Hire("C-1", f.B), models.RoleHRAdmin)
	v := f.Upload("工号,岗位\nC-1,总裁\n")
	for what, got := range map[string]apitest.Reply{
		"mapped": colleague.Ask("PUT", address(v.ID)+"/mapping", `{"columns": [{"column": 2, "field": "home_address"}]}`),
		"run":    colleague.Ask("POST", address(v.ID)+"/run", `{}`),
	} {
		if got.Status != http.StatusForbidden || got.Problem.Code != "import_of_another" {
			t.Errorf("%s by whom it is about: %d %s", what, got.Status, got.Body)
		}
	}
	if n := f.Count("ledger_content WHERE action = 'employee.updated'"); n != 0 {
		t.Errorf("%d files were changed", n)
	}
}

// TestACellWithANulIsOneThatCannotBeRead, and keeps nothing from going on.
func TestACellWithANulIsOneThatCannotBeRead(t *testing.T) {
	f := apitest.New(t)
	var file []byte
	for _, r := range utf16.Encode([]rune("\ufeff工号,姓名\nA\x001,张伟\n")) {
		file = append(file, byte(r), byte(r>>8))
	}
	var v imports.ImportView
	f.Ask(models.RoleHRAdmin, "POST", base, string(file), "Content-Type", "text/csv").Into(t, &v)
	if v = f.Walk(v.ID); v.State != models.BatchChecked || v.Plan.Faulty != 1 {
		t.Errorf("checked: %+v", v)
	}
}

// TestI26_ARepeatedUpload has one effect, and keeps nothing of the second one.
func TestI26_ARepeatedUpload(t *testing.T) {
	f := apitest.New(t)
	first := f.Ask(models.RoleHRAdmin, "POST", base, people, "Content-Type", "text/csv", "Idempotency-Key", "k")
	again := f.Ask(models.RoleHRAdmin, "POST", base, people, "Content-Type", "text/csv", "Idempotency-Key", "k")
	if first.Status != http.StatusAccepted || again.Status != first.Status || again.Header.Get("Location") != first.Header.Get("Location") || f.Count("batches") != 1 {
		t.Errorf("%d %s, then %d %s", first.Status, first.Body, again.Status, again.Body)
	}
	if other := f.Ask(models.RoleHRAdmin, "POST", base, people+"\n3,,,\n", "Content-Type", "text/csv", "Idempotency-Key", "k"); other.Problem.Code != "idempotency_key_reused" {
		t.Errorf("another file: %d %s", other.Status, other.Body)
	}
	var keys int64
	if err := f.Env.Keys.Read(t.Context()).Raw("SELECT count(*) FROM loose_keys WHERE place LIKE 'batch%' AND wrapped IS NOT NULL").Scan(&keys).Error; err != nil || keys != 2 {
		t.Errorf("%d keys, %v", keys, err)
	}
}

// A second employment: the current one is written to, and nothing of the former.
func TestASecondEmploymentIsTheOneThatIsChanged(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	former := f.Employment(person)
	f.Run(func(tx *database.Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		for _, s := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
			if err := archive.SetStatus(tx, person, s); err != nil {
				return err
			}
		}
		if err := archive.EndEmployment(tx, former, &now, databasetest.Entry(t, tx)); err != nil {
			return err
		}
		_, _, err = archive.Create(tx, f.Vault, archive.NewEmployee{EmployeeNo: "E1", Name: "Person E1", DepartmentID: f.B, HiredOn: clock.DateOf(now).AddDays(1)})
		return err
	})
	v := f.Upload("工号,岗位,手机号码\nE1,顾问,13800138000\n")
	f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/run", `{}`)
	if v = f.Walk(v.ID); v.Result != (imports.ImportResult{Changed: 1}) {
		t.Fatalf("%+v %v", v, found(t, f, v.ID))
	}
	if n := f.Count("field_values WHERE employment_id = '" + former.String() + "'"); n != 0 {
		t.Errorf("%d values of the former employment", n)
	}
	if n := f.Count("employments WHERE employee_id = '" + person.String() + "' AND post = '顾问'"); n != 1 {
		t.Errorf("%d employments have the post", n)
	}
}

// A request that is rejected, and an import that is cancelled while one waits.
func TestWhatWaitsForASecondPerson(t *testing.T) {
	f := apitest.New(t)
	v := f.Upload(people)
	got := f.Session(models.RoleHRAdmin).Ask("POST", address(v.ID)+"/run", `{}`)
	if got.Status != http.StatusAccepted {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if v = f.Walk(v.ID); v.State != models.BatchAwaitingApproval {
		t.Errorf("asked: %+v", v)
	}
	if got := f.Ask(models.RoleHRAdmin, "PUT", address(v.ID)+"/mapping", `{"columns": [{"column": 1, "field": "employee_no"}]}`); got.Problem.Code != "import_at_another_point" {
		t.Errorf("another mapping meanwhile: %d %s", got.Status, got.Body)
	}
	colleague := f.FreshSession(f.Hire("C-1", f.B), models.RoleHRAdmin)
	colleague.Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "rejected", "comment": "no"}`)
	if v = f.Walk(v.ID); v.State != models.BatchChecked {
		t.Errorf("rejected: %+v", v)
	}
	got = f.Session(models.RoleHRAdmin).Ask("POST", address(v.ID)+"/run", `{"approval_reason": "again"}`)
	if c := f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/cancellation", ""); c.Status != http.StatusOK {
		t.Errorf("cancelling: %d %s", c.Status, c.Body)
	}
	if d := colleague.Ask("POST", got.Header.Get("Location")+"/decision", `{"decision": "approved"}`); d.Status == http.StatusOK {
		t.Errorf("agreed to what was cancelled: %s", d.Body)
	}
	if v = f.Walk(v.ID); v.State != models.BatchCancelled || v.EndedBy != models.BatchEndPerson {
		t.Errorf("cancelled: %+v", v)
	}
	var page httpkit.Page[imports.ImportView]
	if err := json.Unmarshal(f.Ask(models.RoleHRAdmin, "GET", base, "").Body, &page); err != nil || len(page.Items) != 1 {
		t.Errorf("listed: %v %+v", err, page)
	}
}
