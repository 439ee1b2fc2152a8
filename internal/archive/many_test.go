package archive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
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

// Many files at once are changed as each alone would be: values replaced and new ones sealed, the rest as it was, a
// revision and an entry each; where a purge has begun, nothing is.
func TestI18_ManyFilesAreChangedAsEachAloneWouldBe(t *testing.T) {
	c := newCompany(t)
	full, bare, alone := c.zhang(), c.zhang(), c.zhang()
	full.EmployeeNo, bare.EmployeeNo, alone.EmployeeNo, bare.Fields = "M1", "M2", "M3", nil
	_, ofFull := c.hire(t, full)
	_, ofBare := c.hire(t, bare)
	single, ofSingle := c.hire(t, alone)
	text := func(s string) *string { return &s }
	patch := func() archive.Patch {
		return archive.Patch{Post: text("主管"), DepartmentID: &c.sales, Fields: map[string]*string{"id_number": text("11010519491231002X"), "tax_no": text("T-1")}}
	}
	change := func() error {
		return database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
			rules, err := archive.RulesNow(tx)
			if err != nil {
				return err
			}
			files, err := archive.Files(tx, []string{"m1", "M2"}, true)
			if err != nil {
				return err
			}
			var all []archive.Change
			for _, no := range []string{"m1", "M2"} {
				p := patch()
				if err := rules.JudgeChange(files[no], p); err != nil {
					return err
				}
				all = append(all, archive.Change{File: files[no], Patch: p})
			}
			return archive.ChangeAll(tx, c.vault, rules, all)
		})
	}
	must(t, change())
	must(t, c.update(t, single, patch()))
	if diff := cmp.Diff(c.stored(t, ofSingle), c.stored(t, ofFull)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"id_number": "11010519491231002X", "tax_no": "T-1"}, c.stored(t, ofBare)); diff != "" {
		t.Error(diff)
	}
	var rows []struct {
		Post       string
		Department string
		Revision   int64
		Entries    int64
		Details    string
	}
	must(t, c.Facts.Read(t.Context()).Raw(`SELECT m.post, e.department_id || ' ' || m.department_id AS department, e.revision,
			(SELECT count(*) FROM ledger_content l WHERE l.subject_id = e.id AND l.action = 'employee.updated') AS entries,
			(SELECT l.details ->> 'fields' FROM ledger_content l WHERE l.subject_id = e.id AND l.action = 'employee.updated' AND l.entry_id = m.basis_entry_id) AS details
		FROM employees e JOIN employments m ON m.employee_id = e.id ORDER BY e.employee_no`).Scan(&rows).Error)
	if len(rows) != 3 || rows[0] != rows[2] || rows[1] != rows[2] || rows[0].Entries != 1 || rows[0].Details == "" {
		t.Errorf("the third was changed alone: %+v", rows)
	}
	before := c.stored(t, ofBare)
	must(t, databasetest.Exec(t, c.Facts, "ALTER TABLE employment_categories DISABLE TRIGGER ALL"))
	must(t, databasetest.Exec(t, c.Facts, "UPDATE employment_categories SET state = 'purging' WHERE employment_id = ? AND category = 'identity'", ofFull))
	if err := change(); err == nil {
		t.Error("changed although a purge has begun")
	}
	if diff := cmp.Diff(before, c.stored(t, ofBare)); diff != "" {
		t.Error(diff)
	}
}

// TestManyFilesMoveToSites, those that say so; who is at one stays there.
func TestManyFilesMoveToSites(t *testing.T) {
	c := newCompany(t)
	numbers := []string{"M1", "M2", "M3"}
	var here, there uuid.UUID
	for i, no := range numbers {
		n := c.zhang()
		if n.EmployeeNo = no; i == 0 {
			must(t, database.Run(t.Context(), c.Facts, func(tx *database.Tx) (err error) {
				if here, err = archive.CreateSite(tx, archive.NewSite{Code: "S1", NameZh: "一厂", NameEn: "Plant 1"}); err == nil {
					there, err = archive.CreateSite(tx, archive.NewSite{Code: "S2", NameZh: "二厂", NameEn: "Plant 2"})
				}
				return err
			}))
		}
		if i == 1 {
			n.SiteID = &there
		}
		c.hire(t, n)
	}
	post := "主管"
	must(t, database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
		rules, err := archive.RulesNow(tx)
		if err != nil {
			return err
		}
		files, err := archive.Files(tx, numbers, true)
		if err != nil {
			return err
		}
		return archive.ChangeAll(tx, c.vault, rules, []archive.Change{
			{File: files["M1"], Patch: archive.Patch{SiteID: &here}}, {File: files["M2"], Patch: archive.Patch{Post: &post}}, {File: files["M3"], Patch: archive.Patch{Post: &post}},
		})
	}))
	var got []string
	must(t, c.Facts.Read(t.Context()).Raw("SELECT coalesce(CAST(site_id AS text), '') FROM employees ORDER BY employee_no").Scan(&got).Error)
	if diff := cmp.Diff([]string{here.String(), there.String(), ""}, got); diff != "" {
		t.Error(diff)
	}
}
