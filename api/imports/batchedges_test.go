package imports_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/imports"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	domain "lethe/internal/imports"
	"lethe/internal/sheet"
	"lethe/internal/vault"
	"lethe/models"
)

// resignations is a file in which people resign on a day.
func resignations(day string, numbers ...string) string {
	file := "工号,离职类型,最后工作日\n"
	for _, no := range numbers {
		file += no + ",辞职," + day + "\n"
	}
	return file
}

func causes(v imports.DepartureBatchView) (all []models.Cause) {
	for _, b := range v.Because {
		all = append(all, b.Cause)
	}
	return all
}

// department makes one of an entity of its own, or of that of another department.
func department(f *apitest.Fixture, code string, beside uuid.UUID) (id uuid.UUID) {
	id = uuid.New()
	entity := uuid.New()
	if beside == uuid.Nil {
		f.Exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, ?, '乙', 'B', 'CN', 'Asia/Shanghai')", entity, "E"+code)
		f.Exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", id, entity, code)
		return id
	}
	f.Exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) SELECT ?, legal_entity_id, ?, '部', 'D' FROM departments WHERE id = ?", id, code, beside)
	return id
}

// What is more than a share of a department, of three people or more, or of a company, and what would leave fewer than two
// who review or administer, is released by a second person: each is a cause of its own, with whom the sender let leave before.
func TestSharesAndTheLastOnes(t *testing.T) {
	f := apitest.New(t)
	three := department(f, "T", f.B)
	for i := range 3 {
		f.Hire(fmt.Sprintf("T-%d", i), three)
	}
	day := f.Day(20)
	if got := causes(f.SendDepartures(resignations(day, "T-0", "T-1"))); got != nil {
		t.Errorf("two of three: %v", got)
	}
	if got := causes(f.SendDepartures(resignations(day, "T-0", "T-1", "T-2"))); !slices.Equal(got, []models.Cause{models.CauseShare}) {
		t.Errorf("three of three: %v", got)
	}
	alone(t, f, f.SendDepartures(resignations(day, "T-0", "T-1")).ID)
	if got := causes(f.SendDepartures(resignations(day, "T-2"))); !slices.Equal(got, []models.Cause{models.CauseShare}) {
		t.Errorf("the last of three: %v", got)
	}
	two := department(f, "P", uuid.Nil)
	other := department(f, "Q", two)
	for i, d := range []uuid.UUID{two, two, other, other} {
		f.Hire(fmt.Sprintf("P-%d", i), d)
	}
	if got := causes(f.SendDepartures(resignations(day, "P-0", "P-1"))); got != nil {
		t.Errorf("a department of two: %v", got)
	}
	if got := causes(f.SendDepartures(resignations(day, "P-0", "P-1", "P-2", "P-3"))); !slices.Equal(got, []models.Cause{models.CauseShare}) {
		t.Errorf("a company: %v", got)
	}
	reviewer := f.Hire("V-0", f.B)
	grant := func(person uuid.UUID, role models.Role) {
		f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, person, role); return err })
	}
	grant(reviewer, models.RoleReviewer)
	if got := causes(f.SendDepartures(resignations(day, "V-0"))); !slices.Contains(got, models.CauseLastOnes) {
		t.Errorf("one reviewer would be left: %v", got)
	}
	grant(f.Hire("V-1", f.B), models.RoleReviewer)
	if got := causes(f.SendDepartures(resignations(day, "V-0"))); slices.Contains(got, models.CauseLastOnes) {
		t.Errorf("two reviewers would be left: %v", got)
	}
	grant(f.Hire("V-2", f.B), models.RoleHRAdmin)
	if got := causes(f.SendDepartures(resignations(day, "V-2"))); !slices.Contains(got, models.CauseLastOnes) {
		t.Errorf("one administrator would be left: %v", got)
	}
}

// workbook is one with sheets, each of rows as XML.
func workbook(t *testing.T, sheets ...string) string {
	t.Helper()
	var names, targets strings.Builder
	parts := []string{}
	for i, s := range sheets {
		fmt.Fprintf(&names, `<sheet name="s%d" r:id="rId%d"/>`, i, i)
		fmt.Fprintf(&targets, `<Relationship Id="rId%d" Target="worksheets/sheet%d.xml"/>`, i, i)
		parts = append(parts, fmt.Sprintf("xl/worksheets/sheet%d.xml", i), `<worksheet><sheetData>`+s+`</sheetData><mergeCells><mergeCell ref="B2:B3"/></mergeCells></worksheet>`)
	}
	parts = append(parts, "xl/workbook.xml", `<workbook><sheets>`+names.String()+`</sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships>`+targets.String()+`</Relationships>`)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func cellOf(at, text string) string {
	return `<c r="` + at + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
}

const typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func sendBook(t *testing.T, f *apitest.Fixture, file string) imports.DepartureBatchView {
	t.Helper()
	var v imports.DepartureBatchView
	f.Ask(models.RoleHRAdmin, "POST", batches, file, "Content-Type", typeXLSX).Into(t, &v)
	return f.WalkDepartures(v.ID)
}

// A workbook is read as a text file is: numbers as they are, the value of a formula, the upper cell alone of what is merged.
// One whose first sheet is something else waits for somebody to say what its columns are, and begins nothing.
func TestABatchFromAWorkbook(t *testing.T) {
	f := apitest.New(t)
	for _, no := range []string{"120000", "120001", "W-3"} {
		f.Hire(no, f.B)
	}
	head := `<row r="1">` + cellOf("A1", "工号") + cellOf("B1", "离职类型") + cellOf("C1", "最后工作日") + `</row>`
	v := sendBook(t, f, workbook(t, head+
		`<row r="2"><c r="A2"><v>1.2E+5</v></c>`+cellOf("B2", "辞职")+cellOf("C2", f.Day(20))+`</row>`+
		`<row r="3"><c r="A3"><f>A2+1</f><v>120001</v></c>`+cellOf("C3", f.Day(20))+`</row>`+
		`<row r="4">`+cellOf("A4", "W-3 ")+cellOf("B4", "辞职")+cellOf("C4", f.Day(20))+`</row>`+
		`<row r="5">`+cellOf("A5", "w-3")+cellOf("B5", "辞职")+cellOf("C5", f.Day(20))+`</row>`))
	if diff := cmp.Diff([]string{"3:2:departure_kind_missing", "4:1:twice_in_file", "5:1:twice_in_file"}, wrongRows(t, f, v.ID)); diff != "" || v.Plan.Begin != 1 {
		t.Errorf("%+v %s", v.Plan, diff)
	}
	wrong := sendBook(t, f, workbook(t, `<row r="1">`+cellOf("A1", "填写说明")+`</row><row r="2">`+cellOf("A2", "请在第二张表中填写")+`</row>`, head))
	if wrong.State != models.BatchMapping || wrong.Plan.Begin != 0 {
		t.Errorf("another sheet: %+v", wrong)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", batch(wrong.ID)+"/run", `{}`); got.Status != http.StatusConflict {
		t.Errorf("another sheet runs: %d", got.Status)
	}
}

// The template, filled in, is read back without anybody saying what its columns are, in both languages and formats.
func TestTheTemplateIsReadBack(t *testing.T) {
	f := apitest.New(t)
	f.Hire("Y-1", f.B)
	for _, language := range []string{"zh", "en"} {
		for format, kind := range map[sheet.Format]string{sheet.CSV: "text/csv", sheet.XLSX: typeXLSX} {
			empty := f.Ask(models.RoleHRAdmin, "GET", batches+"/template?format="+string(format), "", "Accept-Language", language)
			if got := f.Ask(models.RoleHRAdmin, "POST", batches, string(empty.Body), "Content-Type", kind); got.Status != http.StatusUnprocessableEntity || got.Problem.Code != "file_unreadable" {
				t.Errorf("%s %s, not filled in: %d %s", language, format, got.Status, got.Body)
			}
			headers := table(t, empty.Body)[0]
			var b bytes.Buffer
			w, err := sheet.NewWriter(&b, format)
			if err == nil {
				err = w.Write(headers[:9])
			}
			word := map[string]string{"zh": "是", "en": "yes"}[language]
			if err == nil {
				err = w.Write([]string{"Y-1", "Person Y-1", map[string]string{"zh": "单位解除", "en": "dismissal"}[language], "", "", f.Day(0), word, "relocation", "note"})
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			var v imports.DepartureBatchView
			f.Ask(models.RoleHRAdmin, "POST", batches, b.String(), "Content-Type", kind).Into(t, &v)
			if v = f.WalkDepartures(v.ID); v.Plan.Begin != 1 {
				t.Errorf("%s %s: %+v %v", language, format, v.Plan, wrongRows(t, f, v.ID))
			}
		}
	}
}

// A file that is no table, or in two encodings at once, is refused whole, and not repeated.
func TestWhatBadFilesOfDeparturesGet(t *testing.T) {
	f := apitest.New(t)
	for name, c := range map[string]struct{ file, detail string }{
		"nothing":                  {" \n", "no_rows"},
		"a header only":            {"工号,离职类型,最后工作日\n", "no_rows"},
		"GB18030 within UTF-8":     {"工号,离职类型,最后工作日\nB-1,\xb4\xc7\xd6\xb0,2026-01-01\n", "unreadable_text"},
		"GB18030 far within UTF-8": {resignations("2026-01-01", strings.Split(strings.Repeat("13800138000 ", 5000), " ")...) + "B-1,\xb4\xc7\xd6\xb0,2026-01-01\n", "unreadable_text"},
	} {
		got := f.Ask(models.RoleHRAdmin, "POST", batches, c.file, "Content-Type", "text/csv")
		if got.Status != http.StatusUnprocessableEntity || len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Code != c.detail || bytes.Contains(got.Body, []byte("13800138000")) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if n := f.Count("batches") + f.Count("batch_parts"); n != 0 {
		t.Errorf("%d rows are kept of files that were refused", n)
	}
}

// The database lets no departure carry a file that does not run, or that somebody else sent, whatever the program does.
func TestTheFloorOfABatch(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("F-1", f.B)
	f.Hire("F-2", f.B)
	v := f.SendDepartures(resignations(f.Day(20), "F-2"))
	day, err := clock.ParseDate(f.Day(20))
	if err != nil {
		t.Fatal(err)
	}
	begin := func(by models.Actor) error {
		return database.Run(t.Context(), f.App, func(tx *database.Tx) error {
			file, err := database.First[models.Batch](tx.DB().Where("id = ?", v.ID))
			if err != nil {
				return err
			}
			o, err := departure.Leavers{}.Judge(tx, by, domain.Leave{EmployeeID: person, Kind: models.KindResignation, LastDay: &day})
			if err == nil {
				_, err = o.Begin(tx, f.Vault, file, false)
			}
			return err
		})
	}
	sender := models.Actor{EmployeeID: f.People[models.RoleHRAdmin], Role: models.RoleHRAdmin}
	if err := begin(sender); database.Code(err) != database.CodeTooEarly {
		t.Errorf("by a file that does not run: %v", err)
	}
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchDepartures, v.ID, domain.Agreement{}) })
	if err := begin(models.Actor{EmployeeID: f.People[models.RoleReviewer], Role: models.RoleHRAdmin}); database.Code(err) != database.CodeTooEarly {
		t.Errorf("by another's file: %v", err)
	}
	if err := begin(sender); err != nil {
		t.Errorf("by a file that runs: %v", err)
	}
	err = database.Run(t.Context(), f.App, func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE departures SET begun_batch_id = NULL WHERE employee_id = ?", person).Error)
	})
	if err == nil {
		t.Error("a departure forgets by which file it was begun")
	}
}

// unwell judges as departures do, but fails for one person where it is told to.
type unwell struct {
	departure.Leavers
	person uuid.UUID
	begins bool
	err    error
	failed *int
}

func (u unwell) Judge(tx *database.Tx, by models.Actor, l domain.Leave) (domain.Outlook, error) {
	if l.EmployeeID != u.person {
		return u.Leavers.Judge(tx, by, l)
	}
	fail := func() error {
		*u.failed++
		_ = tx.DB().Exec("SELECT 1 / 0").Error // what the transaction would not get over
		return u.err
	}
	if !u.begins {
		return domain.Outlook{}, fail()
	}
	o, err := u.Leavers.Judge(tx, by, l)
	o.Begin = func(*database.Tx, vault.Sealer, models.Batch, bool) (uuid.UUID, error) { return uuid.Nil, fail() }
	return o, err
}

// A row that fails for a reason that no rule foresees is tried again, then left out and told; the others go on. What the whole
// database, or the end of the process, is the reason of is no row's: everything waits.
func TestARowThatFailsByItselfHoldsNobodyUp(t *testing.T) {
	f := apitest.New(t)
	for _, no := range []string{"U-1", "U-3"} {
		f.Hire(no, f.B)
	}
	ill, failed := f.Hire("U-2", f.B), 0
	walk := func(id uuid.UUID, u unwell) error {
		failed = 0
		u.person, u.failed = ill, &failed
		w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: u}
		_, err := w.Walk(t.Context(), id, time.Now().Add(time.Minute))
		return err
	}
	v := f.SendDepartures(resignations(f.Day(20), "U-1", "U-2", "U-3"))
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchDepartures, v.ID, domain.Agreement{}) })
	if err := walk(v.ID, unwell{begins: true, err: context.Canceled}); !errors.Is(err, context.Canceled) || f.Count("departures") != 0 {
		t.Errorf("a walk that ends: %v", err)
	}
	if err := walk(v.ID, unwell{begins: true, err: errors.New("out of order")}); err != nil || failed < 2 {
		t.Errorf("%d tries: %v", failed, err)
	}
	v = f.WalkDepartures(v.ID)
	if v.State != models.BatchDone || v.Result.Begun != 2 || v.Result.Refused != 1 || !slices.Equal(wrongRows(t, f, v.ID), []string{"3:0:failed"}) {
		t.Errorf("%+v %v", v, wrongRows(t, f, v.ID))
	}
	if n := f.Count("departures"); n != 2 {
		t.Errorf("%d departures", n)
	}
	var sent imports.DepartureBatchView
	f.Ask(models.RoleHRAdmin, "POST", batches, resignations(f.Day(20), "U-1", "U-2", "U-3"), "Content-Type", "text/csv").Into(t, &sent)
	if err := walk(sent.ID, unwell{err: errors.New("out of order")}); err != nil {
		t.Error(err)
	}
	if v = f.WalkDepartures(sent.ID); v.State != models.BatchChecked || v.Plan.Same != 2 || v.Plan.Faulty != 1 || !slices.Equal(wrongRows(t, f, v.ID), []string{"3:0:failed"}) {
		t.Errorf("the dry run: %+v %v", v, wrongRows(t, f, v.ID))
	}
	if v = f.SendDepartures(resignations(f.Day(20), "U-1", "U-2", "U-3")); v.Plan.Begin != 1 || v.Plan.Same != 2 {
		t.Errorf("the same file afterwards: %+v", v.Plan)
	}
}

// Who was cut off between dry run and run leaves as the file says; whose departure was taken back, or begun otherwise,
// meanwhile is told and left alone; a row of somebody whose data is deleted goes.
func TestWhatHappensBetweenDryRunAndRun(t *testing.T) {
	f := apitest.New(t)
	cut, back, otherwise := f.Hire("C-1", f.B), f.Hire("C-2", f.B), f.Hire("C-3", f.B)
	dep := f.Resign(back)
	v := f.SendDepartures(resignations(f.Day(30), "C-1", "C-2", "C-3"))
	if v.Plan.Begin != 2 || v.Plan.Same != 1 {
		t.Fatalf("%+v", v.Plan)
	}
	if got := f.Session(models.RoleHRAdmin).Ask("POST", "/api/v1/access-cuts", fmt.Sprintf(`{"employee_id": %q, "reason": "X"}`, cut)); got.Status/100 != 2 {
		t.Fatalf("cutting: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures/"+dep.ID.String()+"/withdrawal", `{"reason": "stays", "company_consent": true}`); got.Status != http.StatusOK {
		t.Fatalf("withdrawing: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(otherwise, 40)); got.Status/100 != 2 {
		t.Fatalf("beginning: %d %s", got.Status, got.Body)
	}
	v = alone(t, f, v.ID)
	if diff := cmp.Diff([]string{"3:0:changed_since", "4:3:departure_open"}, wrongRows(t, f, v.ID)); diff != "" || v.Result.Begun != 1 || v.State != models.BatchDone {
		t.Errorf("%+v %s", v, diff)
	}
	if n := f.Count("departures WHERE begun_batch_id IS NOT NULL AND employee_id = '" + cut.String() + "'"); n != 1 {
		t.Error("who was cut off stays employed")
	}

	gone := f.Hire("C-4", f.B)
	f.Hire("C-5", f.B)
	v = f.SendDepartures(resignations(f.Day(30), "C-4", "C-5"))
	if err := database.Run(t.Context(), f.API.DB, func(tx *database.Tx) error { return domain.Forget(tx, gone) }); err != nil {
		t.Fatal(err)
	}
	before := f.Count("departures")
	if got := f.Ask(models.RoleHRAdmin, "POST", batch(v.ID)+"/run", `{}`); got.Status != http.StatusAccepted {
		t.Fatalf("run: %d %s", got.Status, got.Body)
	}
	if v = f.WalkDepartures(v.ID); v.Removed != 2 || v.Result.Begun != 0 || v.Result.Refused != 2 || v.State != models.BatchDone || f.Count("departures") != before {
		t.Errorf("a part that is gone: %+v", v)
	}
}

// A departure that a file began and two people annulled is begun again by the same file.
func TestTheSameFileAfterAnAnnulment(t *testing.T) {
	f := apitest.New(t)
	f.Hire("N-1", f.B)
	f.Hire("N-2", f.B)
	file := resignations(f.Day(20), "N-1", "N-2")
	v := alone(t, f, f.SendDepartures(file).ID)
	at := "/api/v1/departures/" + rowsOf(t, f, v.ID)[0].DepartureID.String() + "/annulment"
	f.Ask(models.RoleHRAdmin, "POST", at, `{"reason": "wrong person"}`)
	if got := f.Session(models.RoleReviewer).Ask("POST", at+"/confirmation", ""); got.Status != http.StatusOK {
		t.Fatalf("annulling: %d %s", got.Status, got.Body)
	}
	again := f.SendDepartures(file)
	if again.Plan.Begin != 1 || again.Plan.Same != 1 {
		t.Fatalf("%+v %v", again.Plan, wrongRows(t, f, again.ID))
	}
	if again = alone(t, f, again.ID); again.Result.Begun != 1 || again.Result.Unchanged != 1 || f.Count("departures") != 3 {
		t.Errorf("%+v", again)
	}
}

// Two workers at once begin everybody once.
func TestTwoWorkersOfABatch(t *testing.T) {
	f := apitest.New(t)
	var numbers []string
	for i := range 110 {
		numbers = append(numbers, fmt.Sprintf("K-%03d", i))
		f.Hire(numbers[i], f.B)
	}
	v := f.SendDepartures(resignations(f.Day(20), numbers...))
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchDepartures, v.ID, domain.Agreement{}) })
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{}}
			if _, err := w.Walk(t.Context(), v.ID, time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if v = f.WalkDepartures(v.ID); v.State != models.BatchDone || v.Ran != 110 || v.Result.Begun != 110 {
		t.Errorf("%+v", v)
	}
	if n := f.Count("departures WHERE begun_batch_id = '" + v.ID.String() + "'"); n != 110 {
		t.Errorf("%d departures", n)
	}
	f.WantEntries("departure_batch.done", 1)
	f.WantEntries("departure.started", 110)
}
