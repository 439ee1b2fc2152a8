package archive_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/models"
)

// A name of a zero-width space alone was hired, 张​伟 with one in it was not found, and the forms of a
// character decided who was.
func TestANameIsFoundWhateverItsForm(t *testing.T) {
	c := newCompany(t)
	person := func(no, name string) uuid.UUID {
		n := c.zhang()
		n.EmployeeNo, n.Name = no, name
		id, _ := c.hire(t, n)
		return id
	}
	hidden, german, traditional, wide := person("N-1", "张\u200b伟"), person("N-2", "Mu\u0308ller"), person("N-3", "陳麗華"), person("N-4", "ＡＢＣ")
	person("N-5", "王小明") // somebody who is not looked for
	for query, want := range map[string]uuid.UUID{
		"张伟": hidden, "张\u200b伟": hidden, "張偉": hidden, "Müller": german, "MÜLLER": german, "mu\u0308ller": german,
		"陈丽华": traditional, "丽华": traditional, "陳": traditional, "abc": wide, "ａｂｃ": wide, "n-4": wide, "Ｎ－4": wide,
	} {
		people, _, err := archive.List(t.Context(), c.Facts, archive.Filter{Actor: c.hr, Query: query})
		if err != nil || len(people) != 1 || people[0].ID != want {
			t.Errorf("%q finds %+v, %v", query, people, err)
		}
	}
	for _, name := range []string{"\u200b", "\u3164", " \u00a0", "\u2060\ufeff"} {
		n := c.zhang()
		n.EmployeeNo, n.Name = "N-9", name
		_, _, err := c.create(t, n)
		wantInvalid(t, err, invalid.Value{Location: "name", Code: invalid.Required})
	}
	for _, wildcard := range []string{"%", "_", `\`} {
		if people, _, err := archive.List(t.Context(), c.Facts, archive.Filter{Actor: c.hr, Query: wildcard}); err != nil || len(people) != 0 {
			t.Errorf("%q finds %d people, %v", wildcard, len(people), err)
		}
	}
}

// DEMO-0050 and demo-0050 were two people. Those that are, from before, stay two, and each is found by
// the own spelling; nobody is added to them.
func TestNumbersThatDifferByCaseAreOne(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	n.EmployeeNo = "DEMO-0050"
	first, _ := c.hire(t, n)
	n.EmployeeNo, n.Name = "demo-0050", "李四"
	_, _, err := c.create(t, n)
	wantError(t, err, archive.ErrEmployeeNoTaken)

	// As 0.2 left it, and the migration keyed it.
	second := uuid.New()
	must(t, c.Facts.Read(t.Context()).Exec(`ALTER TABLE employees DISABLE TRIGGER employees_key_no`).Error)
	must(t, c.Facts.Read(t.Context()).Exec(`INSERT INTO employees (id, employee_no, name, department_id, status, employee_no_key)
		VALUES (?, 'Demo-0050', '王五', ?, 'active', ?)`, second, c.tech, "demo-0050@"+second.String()).Error)
	must(t, c.Facts.Read(t.Context()).Exec(`ALTER TABLE employees ENABLE ALWAYS TRIGGER employees_key_no`).Error)
	for no, want := range map[string]uuid.UUID{"DEMO-0050": first, "Demo-0050": second, "dEMO-0050": first} {
		var found models.Employee
		c.run(t, func(tx *database.Tx) (err error) { found, err = archive.EmployeeByNo(tx.DB(), no); return err })
		if found.ID != want {
			t.Errorf("%s is %s", no, found.EmployeeNo)
		}
	}
}
