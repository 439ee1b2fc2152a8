package archive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// Many people at once get the rows, the sealed values and the entries that each alone would have got.
func TestI18_ManyPeopleAreCreatedAsEachAloneWouldBe(t *testing.T) {
	c := newCompany(t)
	one := c.zhang()
	_, alone := c.hire(t, one)
	all := make([]archive.NewEmployee, 700)
	for i := range all {
		all[i] = c.zhang()
		all[i].EmployeeNo = fmt.Sprintf("M%05d", i)
		if i%2 == 1 {
			all[i].Fields = nil
		}
	}
	must(t, database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
		rules, err := archive.RulesNow(tx)
		if err != nil {
			return err
		}
		ids, err := archive.CreateAll(tx, c.vault, rules, all)
		if len(ids) != len(all) {
			t.Errorf("%d ids", len(ids))
		}
		return err
	}))
	read := func(no string) (models.Employee, models.Employment) {
		person, err := database.First[models.Employee](c.Facts.Read(t.Context()).Where("employee_no = ?", no))
		must(t, err)
		employment, err := database.First[models.Employment](c.Facts.Read(t.Context()).Where("employee_id = ?", person.ID))
		must(t, err)
		return person, employment
	}
	person, employment := read(one.EmployeeNo)
	other, employed := read("M00006")
	if diff := cmp.Diff(person, other, cmpopts.IgnoreFields(models.Employee{}, "ID", "EmployeeNo", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(employment, employed, cmpopts.IgnoreFields(models.Employment{}, "ID", "EmployeeID", "CreatedAt", "LedgerEntryID")); diff != "" || employed.LedgerEntryID == nil {
		t.Error(diff)
	}
	if diff := cmp.Diff(c.stored(t, alone), c.stored(t, employed.ID)); diff != "" {
		t.Error(diff)
	}
	if _, none := read("M00007"); len(c.stored(t, none.ID)) != 0 {
		t.Error("values of somebody who has none")
	}
	var entries, categories, searched int64
	must(t, c.Facts.Read(t.Context()).Raw(`SELECT count(*) FROM employments e JOIN ledger_content l ON l.entry_id = e.ledger_entry_id
		WHERE l.action = 'employee.created' AND l.subject_id = e.employee_id AND l.object = 'employee/' || e.employee_id`).Scan(&entries).Error)
	must(t, c.Facts.Read(t.Context()).Raw("SELECT count(*) FROM employment_categories").Scan(&categories).Error)
	must(t, c.Facts.Read(t.Context()).Raw("SELECT count(*) FROM employees WHERE search_names <> ''").Scan(&searched).Error)
	if n := int64(len(all) + 1); entries != n || categories != n*int64(len(models.Categories)) || searched != n {
		t.Errorf("%d entries, %d categories, %d are found by sound", entries, categories, searched)
	}
}

// One wrong person is nobody.
func TestManyPeopleWithOneThatIsRefused(t *testing.T) {
	c := newCompany(t)
	wrong := c.zhang()
	wrong.EmployeeNo, wrong.Fields = "M2", map[string]string{"id_number": "110101199003070039"}
	for name, all := range map[string][]archive.NewEmployee{
		"a value": {c.zhang(), wrong}, "a number twice": {c.zhang(), c.zhang()},
	} {
		err := database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
			rules, err := archive.RulesNow(tx)
			if err == nil {
				_, err = archive.CreateAll(tx, c.vault, rules, all)
			}
			return err
		})
		var people int64
		must(t, c.Facts.Read(t.Context()).Model(&models.Employee{}).Count(&people).Error)
		if err == nil || people != 0 {
			t.Errorf("%s: %v, and %d people", name, err, people)
		}
	}
}
