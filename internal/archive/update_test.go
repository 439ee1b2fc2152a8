package archive_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/models"
)

func TestUpdate_ChangesWhatIsGiven(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, employment := c.hire(t, n)
	must(t, c.update(t, id, archive.Patch{
		Name: ptr("张三丰"), Post: ptr("架构师"), DepartmentID: &c.sales,
		// What is the same as before is no change.
		Jurisdiction: ptr("CN"), TimeZone: ptr("Asia/Shanghai"), HiredOn: &n.HiredOn,
		Fields: map[string]*string{"base_salary": ptr("25000"), "tax_no": ptr("T-1"), "contract_no": nil, "housing_fund_no": nil},
	}))
	want := map[string]string{
		"id_number": "310101199001011234", "emergency_contact_phone": "13800000000", "emergency_contact_name": "张父",
		"base_salary": "25000", "tax_no": "T-1",
	}
	if diff := cmp.Diff(want, c.stored(t, employment)); diff != "" {
		t.Error(diff)
	}
	view, err := archive.Get(t.Context(), c.Facts, c.hr, id, "en")
	must(t, err)
	if view.Name != "张三丰" || view.Post != "架构师" || view.DepartmentID != c.sales {
		t.Errorf("the skeleton is %+v", view.Employee)
	}
	latest, err := archive.LatestEmployment(c.Facts.Read(t.Context()), id)
	must(t, err)
	if latest.DepartmentID != c.sales {
		t.Error("the employment is still in the former department")
	}
}

// TestI6_WhatMovesDeadlinesNeedsAnApproval refuses each fact that a deadline hangs on, and writes
// nothing of the rest of such a patch.
func TestI6_WhatMovesDeadlinesNeedsAnApproval(t *testing.T) {
	c := newCompany(t)
	id, _ := c.hire(t, c.zhang())
	abroad, err := database.First[models.Department](c.Facts.Read(t.Context()).Where("id = ?", c.abroad))
	must(t, err)
	for name, p := range map[string]archive.Patch{
		"legal entity":                 {LegalEntityID: &abroad.LegalEntityID, DepartmentID: &c.abroad},
		"department of another entity": {DepartmentID: &c.abroad},
		"jurisdiction":                 {Jurisdiction: ptr("JP")},
		"time zone":                    {TimeZone: ptr("Asia/Tokyo")},
		"hired later":                  {HiredOn: ptr(clock.NewDate(2021, 1, 1))},
		"hired earlier":                {HiredOn: ptr(clock.NewDate(2019, 1, 1))},
	} {
		p.Name = ptr("李四")
		if err := c.update(t, id, p); !cmp.Equal(err, archive.ErrApprovalRequired, cmp.Comparer(func(a, b error) bool { return a == b })) {
			t.Errorf("%s: %v, want ErrApprovalRequired", name, err)
		}
	}
	person, err := archive.EmployeeByNo(c.Facts.Read(t.Context()), "E-1")
	must(t, err)
	if person.Name != "张三" {
		t.Error("a refused patch changed the name")
	}
}

func TestUpdate_Refuses(t *testing.T) {
	c := newCompany(t)
	id, employment := c.hire(t, c.zhang())
	wantError(t, c.update(t, uuid.New(), archive.Patch{Name: ptr("x")}), database.ErrNotFound)
	wantInvalid(t, c.update(t, id, archive.Patch{Name: ptr(""), Post: ptr("\t"), Fields: map[string]*string{"x": nil, "post": ptr("y")}}),
		invalid.Value{Location: "name", Code: "required"}, invalid.Value{Location: "post", Code: "not_text"},
		invalid.Value{Location: "fields.post", Code: "read_only"}, invalid.Value{Location: "fields[1]", Code: "unknown_field"})
	wantInvalid(t, c.update(t, id, archive.Patch{DepartmentID: ptr(uuid.New())}), invalid.Value{Location: "department_id", Code: "unknown"})

	must(t, c.Facts.Read(t.Context()).Exec("ALTER TABLE employment_categories DISABLE TRIGGER employment_categories_not_early").Error)
	must(t, c.Facts.Read(t.Context()).Exec("UPDATE employment_categories SET state = 'purging' WHERE category = 'pay_bank'").Error)
	wantError(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"base_salary": ptr("1")}}), archive.ErrPurged)
	wantError(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"base_salary": nil}}), archive.ErrPurged)
	must(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": ptr("1")}}))

	c.leave(t, id, employment, time.Date(2024, 5, 31, 16, 0, 0, 0, time.UTC))
	must(t, c.update(t, id, archive.Patch{Name: ptr("张三三")})) // a leaver's file is still kept
	c.run(t, func(tx *database.Tx) error { return archive.SetStatus(tx, id, models.StatusPurged) })
	wantError(t, c.update(t, id, archive.Patch{Name: ptr("x")}), archive.ErrPurged)
}

// TestUpdate_AtOnce changes fields of many categories from many sides: nobody deadlocks for good,
// and the last one's values are whole.
func TestUpdate_AtOnce(t *testing.T) {
	c := newCompany(t)
	id, employment := c.hire(t, archive.NewEmployee{EmployeeNo: "E-1", Name: "张三", DepartmentID: c.tech, HiredOn: clock.NewDate(2020, 1, 1)})
	keys := []string{"tax_no", "base_salary", "id_number", "contract_no", "emergency_contact_name", "exit_interview"}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			fields := map[string]*string{}
			for _, key := range keys {
				fields[key] = ptr(string(rune('1' + i)))
			}
			if err := c.update(t, id, archive.Patch{Fields: fields}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	stored := c.stored(t, employment)
	for _, key := range keys {
		if stored[key] == "" || stored[key] != stored[keys[0]] {
			t.Errorf("values of two changes are mixed: %v", stored)
		}
	}
}

// TestI11_Status walks at random: a change is accepted if it is listed, and the same status again
// changes nothing.
func TestI11_Status(t *testing.T) {
	c := newCompany(t)
	id, _ := c.hire(t, c.zhang())
	legal := map[[2]models.EmployeeStatus]bool{
		{"active", "pending_departure"}: true, {"pending_departure", "active"}: true, {"pending_departure", "departed"}: true,
		{"departed", "active"}: true, {"departed", "purged"}: true, {"purged", "active"}: true,
	}
	status := models.StatusActive
	rapid.Check(t, func(rt *rapid.T) {
		next := rapid.SampledFrom([]models.EmployeeStatus{"active", "pending_departure", "departed", "purged", "gone"}).Draw(rt, "next")
		err := database.Run(t.Context(), c.Facts, func(tx *database.Tx) error { return archive.SetStatus(tx, id, next) })
		if want := next == status || legal[[2]models.EmployeeStatus{status, next}]; (err == nil) != want {
			rt.Fatalf("from %s to %s: %v", status, next, err)
		}
		if err == nil {
			status = next
		}
		person, err := archive.EmployeeByNo(c.Facts.Read(t.Context()), "E-1")
		if err != nil || person.Status != status {
			rt.Fatalf("the status is %s, want %s (%v)", person.Status, status, err)
		}
	})
}

// hold places one on a person, or on everybody (nil).
func (c company) hold(t *testing.T, employee *uuid.UUID, categories string) {
	t.Helper()
	must(t, database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindRetention, Action: "hold.placed"})
		if err != nil {
			return err
		}
		return tx.DB().Exec(`INSERT INTO holds (id, employee_id, everybody, categories, ledger_entry_id)
			VALUES (gen_random_uuid(), ?, ?, string_to_array(NULLIF(?, ''), ','), ?)`, employee, employee == nil, categories, entry).Error
	}))
}

// TestUpdate_AHoldOnEverybodyLeavesTheDailyWork: the values of people who are employed are replaced, as
// every day, and never removed; the file of somebody who left stays as it is.
func TestUpdate_AHoldOnEverybodyLeavesTheDailyWork(t *testing.T) {
	c := newCompany(t)
	id, employment := c.hire(t, c.zhang())
	c.hold(t, nil, "")
	must(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": ptr("T-2")}}))
	if err := c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": nil}}); !errors.Is(err, archive.ErrHeld) {
		t.Errorf("removed: %v", err)
	}
	must(t, databasetest.Exec(t, c.Facts, "UPDATE employments SET ended_at = lethe_now(), basis_entry_id = @entry WHERE id = ?", employment))
	if err := c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": ptr("T-3")}}); !errors.Is(err, archive.ErrHeld) {
		t.Errorf("set after the end: %v", err)
	}
}

// TestUpdate_RefusesWhatIsUnderHold: what a court may ask for stays as it is, the rest can change.
func TestUpdate_RefusesWhatIsUnderHold(t *testing.T) {
	c := newCompany(t)
	id, employment := c.hire(t, c.zhang())
	before := c.stored(t, employment)
	place := func(categories string) { c.hold(t, &id, categories) }
	place("identity,contract")
	for name, p := range map[string]archive.Patch{
		"set":                    {Fields: map[string]*string{"id_number": ptr("X")}},
		"removed":                {Fields: map[string]*string{"contract_no": nil}},
		"together with the rest": {Name: ptr("李四"), Fields: map[string]*string{"id_number": ptr("X"), "tax_no": ptr("T-2")}},
	} {
		if err := c.update(t, id, p); !errors.Is(err, archive.ErrHeld) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, c.stored(t, employment)); diff != "" {
		t.Error(diff)
	}
	must(t, c.update(t, id, archive.Patch{Post: ptr("架构师"), Fields: map[string]*string{"tax_no": ptr("T-2")}}))
	place("")
	if err := c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": ptr("T-3")}}); !errors.Is(err, archive.ErrHeld) {
		t.Errorf("a hold on everything: %v", err)
	}
}

// TestI18_AChangeOfAFileNamesItsFieldsAndNoValue: one entry for each change, none for a refused one.
func TestI18_AChangeOfAFileNamesItsFieldsAndNoValue(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, _ := c.hire(t, n)
	must(t, c.update(t, id, archive.Patch{Name: ptr("张三丰"), Fields: map[string]*string{"tax_no": ptr("T-1"), "contract_no": nil}}))
	if err := c.update(t, id, archive.Patch{Name: ptr("X"), Fields: map[string]*string{"no such": nil}}); err == nil {
		t.Fatal("an unknown field is accepted")
	}
	var got []struct{ Action, Fields, Content string }
	must(t, c.Facts.Read(t.Context()).Raw(`SELECT action, details ->> 'fields' AS fields, l::text AS content FROM ledger_content l
		WHERE subject_id = ? ORDER BY entry_id`, id).Scan(&got).Error)
	if len(got) != 2 || got[0].Action != "employee.created" || got[1].Action != "employee.updated" || got[1].Fields != "contract_no,name,tax_no" {
		t.Fatalf("entries: %+v", got)
	}
	for _, value := range append(slices.Collect(maps.Values(n.Fields)), n.Name, "张三丰", n.EmployeeNo) {
		for _, entry := range got {
			if strings.Contains(entry.Content, value) {
				t.Errorf("%s holds a value", entry.Action)
			}
		}
	}
}
