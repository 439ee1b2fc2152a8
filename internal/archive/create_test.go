package archive_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/invalid"
	"lethe/models"
)

func TestCreate_SealsEverythingButTheSkeleton(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, employment := c.hire(t, n)
	if diff := cmp.Diff(n.Fields, c.stored(t, employment)); diff != "" {
		t.Error(diff)
	}
	got, err := database.First[models.Employment](c.Facts.Read(t.Context()).Where("employee_id = ?", id))
	must(t, err)
	want := models.Employment{
		ID: employment, EmployeeID: id, LegalEntityID: got.LegalEntityID, DepartmentID: c.tech, Post: "工程师",
		Jurisdiction: "CN", TimeZone: "Asia/Shanghai", HiredOn: n.HiredOn, CreatedAt: got.CreatedAt,
		LedgerEntryID: got.LedgerEntryID,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var dump string
	must(t, c.Facts.Read(t.Context()).Raw("SELECT string_agg(v::text, '') FROM field_values v").Scan(&dump).Error)
	for _, value := range n.Fields {
		if strings.Contains(dump, value) || strings.Contains(dump, hex(value)) {
			t.Error("a value is stored in clear")
		}
	}
}

func hex(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("0123456789abcdef"[s[i]>>4 : s[i]>>4+1])
		b.WriteString("0123456789abcdef"[s[i]&15 : s[i]&15+1])
	}
	return b.String()
}

func TestCreate_Refuses(t *testing.T) {
	c := newCompany(t)
	now, err := c.Facts.Now(t.Context())
	must(t, err)
	for name, test := range map[string]struct {
		change func(n *archive.NewEmployee)
		want   []invalid.Value
	}{
		"nothing given": {
			func(n *archive.NewEmployee) { *n = archive.NewEmployee{} },
			[]invalid.Value{{Location: "employee_no", Code: "required"}, {Location: "name", Code: "required"}, {Location: "hired_on", Code: "required"}, {Location: "department_id", Code: "unknown"}},
		},
		"number with a space":  {func(n *archive.NewEmployee) { n.EmployeeNo = "E 1" }, []invalid.Value{{Location: "employee_no", Code: "malformed"}}},
		"number too long":      {func(n *archive.NewEmployee) { n.EmployeeNo = strings.Repeat("1", 65) }, []invalid.Value{{Location: "employee_no", Code: "malformed"}}},
		"name of spaces":       {func(n *archive.NewEmployee) { n.Name = " \u3000" }, []invalid.Value{{Location: "name", Code: "required"}}},
		"name with a newline":  {func(n *archive.NewEmployee) { n.Name = "张\n三" }, []invalid.Value{{Location: "name", Code: "not_text"}}},
		"name turned around":   {func(n *archive.NewEmployee) { n.Name = "张\u202E三" }, []invalid.Value{{Location: "name", Code: "not_text"}}},
		"name not UTF-8":       {func(n *archive.NewEmployee) { n.Name = "\xff" }, []invalid.Value{{Location: "name", Code: "not_text"}}},
		"name too long":        {func(n *archive.NewEmployee) { n.Name = strings.Repeat("张", 201) }, []invalid.Value{{Location: "name", Code: "too_long"}}},
		"post with NUL":        {func(n *archive.NewEmployee) { n.Post = "a\x00" }, []invalid.Value{{Location: "post", Code: "not_text"}}},
		"hired too long ago":   {func(n *archive.NewEmployee) { n.HiredOn = clock.NewDate(1899, 12, 31) }, []invalid.Value{{Location: "hired_on", Code: "out_of_range"}}},
		"hired in the far":     {func(n *archive.NewEmployee) { n.HiredOn = clock.DateOf(now).AddDays(740) }, []invalid.Value{{Location: "hired_on", Code: "out_of_range"}}},
		"unknown zone":         {func(n *archive.NewEmployee) { n.TimeZone = "Mars/Base" }, []invalid.Value{{Location: "time_zone", Code: "unknown"}}},
		"the server's zone":    {func(n *archive.NewEmployee) { n.TimeZone = "Local" }, []invalid.Value{{Location: "time_zone", Code: "unknown"}}},
		"unknown department":   {func(n *archive.NewEmployee) { n.DepartmentID = uuid.New() }, []invalid.Value{{Location: "department_id", Code: "unknown"}}},
		"another legal entity": {func(n *archive.NewEmployee) { n.LegalEntityID = uuid.New() }, []invalid.Value{{Location: "legal_entity_id", Code: "mismatch"}}},
		"unknown field":        {func(n *archive.NewEmployee) { n.Fields = map[string]string{"secret": "x"} }, []invalid.Value{{Location: "fields[0]", Code: "unknown_field"}}},
		"a column as a field":  {func(n *archive.NewEmployee) { n.Fields = map[string]string{"name": "x"} }, []invalid.Value{{Location: "fields.name", Code: "read_only"}}},
		"empty field":          {func(n *archive.NewEmployee) { n.Fields = map[string]string{"tax_no": ""} }, []invalid.Value{{Location: "fields.tax_no", Code: "required"}}},
		"values of no such type": {func(n *archive.NewEmployee) {
			n.Fields = map[string]string{"date_of_birth": "31.12.1949", "emergency_contact_2_phone": "12", "contract_type": "permanent", "base_salary": "much", "bank_account": "DE88370400440532013000"}
		}, []invalid.Value{{Location: "fields.bank_account", Code: "wrong_check_digit"}, {Location: "fields.base_salary", Code: "not_a_number"}, {Location: "fields.contract_type", Code: "not_allowed"}, {Location: "fields.date_of_birth", Code: "not_a_date"}, {Location: "fields.emergency_contact_2_phone", Code: "not_a_phone"}}},
		"a mistyped identity number": {func(n *archive.NewEmployee) { n.Fields = map[string]string{"id_number": "110105194912310021"} },
			[]invalid.Value{{Location: "fields.id_number", Code: "wrong_check_digit"}}},
		"no number of the card": {func(n *archive.NewEmployee) {
			n.Fields = map[string]string{"id_number": "E12345678", "id_document_type": "resident_identity_card"}
		}, []invalid.Value{{Location: "fields.id_number", Code: "malformed"}}},
		"born on another day": {func(n *archive.NewEmployee) {
			n.Fields = map[string]string{"id_number": "11010519491231002X", "date_of_birth": "1949-12-30"}
		}, []invalid.Value{{Location: "fields.id_number", Code: "birth_date_mismatch"}}},
		"a contract that ends before": {func(n *archive.NewEmployee) {
			n.Fields = map[string]string{"contract_start": "2024-02-01", "contract_end": "2024-01-31"}
		}, []invalid.Value{{Location: "fields.contract_end", Code: "mismatch"}}},
		"field too long": {func(n *archive.NewEmployee) { n.Fields = map[string]string{"tax_no": strings.Repeat("1", 1001)} }, []invalid.Value{{Location: "fields.tax_no", Code: "too_long"}}},
	} {
		t.Run(name, func(t *testing.T) {
			n := c.zhang()
			test.change(&n)
			_, _, err := c.create(t, n)
			wantInvalid(t, err, test.want...)
		})
	}
	var rows int64
	must(t, c.Facts.Read(t.Context()).Raw("SELECT (SELECT count(*) FROM employees) + (SELECT count(*) FROM employments)").Scan(&rows).Error)
	if rows != 0 {
		t.Errorf("%d rows were written by refused commands", rows)
	}
}

func TestCreate_NumberInUse(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	c.hire(t, n)
	_, _, err := c.create(t, n)
	wantError(t, err, archive.ErrStillEmployed)
	n.Name = "李四"
	_, _, err = c.create(t, n)
	wantError(t, err, archive.ErrEmployeeNoTaken)
}

func TestCreate_TheSameAtOnce(t *testing.T) {
	c := newCompany(t)
	var all sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		all.Go(func() { _, _, errs[i] = c.create(t, c.zhang()) })
	}
	all.Wait()
	created := 0
	for _, err := range errs {
		if err == nil {
			created++
		}
	}
	var employments int64
	must(t, c.Facts.Read(t.Context()).Table("employments").Count(&employments).Error)
	if created != 1 || employments != 1 {
		t.Errorf("%d created, %d employments; want one: %v", created, employments, errs)
	}
}

// TestI8_RehireIsANewEmployment: the same person gets new categories with new keys, and clearing the
// old employment's fields touches nothing of the new one's.
func TestI8_RehireIsANewEmployment(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, former := c.hire(t, n)
	ended := time.Date(2024, 5, 31, 16, 0, 0, 0, time.UTC) // 1 June, 00:00 in Shanghai
	c.leave(t, id, former, ended)

	again := n
	again.DepartmentID, again.HiredOn = c.abroad, clock.NewDate(2024, 5, 31)
	again.Fields = map[string]string{"id_number": "NEW-NUMBER", "base_salary": "30000"}
	_, _, err := c.create(t, again)
	wantInvalid(t, err, invalid.Value{Location: "hired_on", Code: invalid.TooEarly})
	again.HiredOn = clock.NewDate(2024, 6, 1)
	same, current := c.hire(t, again)
	if same != id || current == former {
		t.Fatal("a rehire is the same person with a new employment")
	}
	person, err := archive.EmployeeByNo(c.Facts.Read(t.Context()), "E-1")
	must(t, err)
	if person.Status != models.StatusActive || person.DepartmentID != c.abroad {
		t.Errorf("after the rehire: %s in %v", person.Status, person.DepartmentID)
	}
	_, _, err = c.create(t, again)
	wantError(t, err, archive.ErrStillEmployed)
	err = database.Run(t.Context(), c.Facts, func(tx *database.Tx) error { return archive.EndEmployment(tx, former, nil, databasetest.Entry(t, tx)) })
	wantError(t, err, archive.ErrStillEmployed)
	if !database.Violates(err, "employments_one_current") {
		t.Error("the constraint's name is lost")
	}

	c.run(t, func(tx *database.Tx) error {
		var rows []models.EmploymentCategory
		if err := tx.DB().Where("employment_id = ?", former).Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			if err := c.vault.Destroy(tx.Context(), row.ID); err != nil {
				return err
			}
			if _, err := archive.ClearFields(tx, row.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if diff := cmp.Diff(map[string]string{}, c.stored(t, former)); diff != "" {
		t.Errorf("the former employment: %s", diff)
	}
	if diff := cmp.Diff(again.Fields, c.stored(t, current)); diff != "" {
		t.Errorf("the new employment: %s", diff)
	}
	latest, err := archive.LatestEmployment(c.Facts.Read(t.Context()), id)
	must(t, err)
	if latest.ID != current || latest.Jurisdiction != "JP" {
		t.Errorf("the latest employment is %v in %s", latest.ID, latest.Jurisdiction)
	}
}

func TestClearFields_CountsOnce(t *testing.T) {
	c := newCompany(t)
	_, employment := c.hire(t, c.zhang())
	row, err := database.First[models.EmploymentCategory](c.Facts.Read(t.Context()).
		Where("employment_id = ? AND category = ?", employment, models.CategoryEmergencyContact))
	must(t, err)
	for _, want := range []int64{2, 0} {
		c.run(t, func(tx *database.Tx) error {
			n, err := archive.ClearFields(tx, row.ID)
			if n != want {
				t.Errorf("cleared %d, want %d", n, want)
			}
			return err
		})
	}
	if len(c.stored(t, employment)) != 3 {
		t.Error("other categories were cleared too")
	}
}

// TestI8_TheLatestEmploymentIsTheOneEnteredLast, wherever it is asked for, also when two people set its first
// day before that of the former one, and both are over.
func TestI8_TheLatestEmploymentIsTheOneEnteredLast(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, former := c.hire(t, n)
	c.leave(t, id, former, time.Date(2024, 5, 31, 16, 0, 0, 0, time.UTC))
	n.HiredOn = clock.NewDate(2024, 6, 1)
	_, later := c.hire(t, n)
	c.leave(t, id, later, time.Date(2024, 7, 31, 16, 0, 0, 0, time.UTC))
	must(t, databasetest.Exec(t, c.Facts, "UPDATE employments SET hired_on = '2015-01-01', basis_entry_id = @entry WHERE id = ?", later))
	latest, err := archive.LatestEmployment(c.Facts.Read(t.Context()), id)
	must(t, err)
	people, _, err := archive.List(t.Context(), c.Facts, archive.Filter{Actor: c.hr})
	must(t, err)
	if latest.ID != later || len(people) != 1 || people[0].EmploymentID != later {
		t.Errorf("the latest is %v, listed is %+v, want %v", latest.ID, people, later)
	}
}

// TestAValueIsKeptInItsForm: what is written in many ways is kept in one; what a file had before there were types
// stays, whatever it is, until somebody writes it anew.
func TestAValueIsKeptInItsForm(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	n.Fields = map[string]string{
		"id_document_type": "resident_identity_card", "id_number": "110105 19491231 002x", "date_of_birth": "1949-12-31",
		"emergency_contact_5_phone": "+86 (10) 1234-5678", "bank_account": "de89 3704 0044 0532 0130 00", "base_salary": "12,000 cny",
	}
	id, employment := c.hire(t, n)
	want := map[string]string{
		"id_document_type": "resident_identity_card", "id_number": "11010519491231002X", "date_of_birth": "1949-12-31",
		"emergency_contact_5_phone": "+861012345678", "bank_account": "DE89370400440532013000", "base_salary": "12000 CNY",
	}
	if diff := cmp.Diff(want, c.stored(t, employment)); diff != "" {
		t.Error(diff)
	}
	must(t, c.Facts.Read(t.Context()).Exec("UPDATE field_definitions SET type = 'text' WHERE key = 'contract_type'").Error)
	must(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"contract_type": ptr("无固定期限")}}))
	c.run(t, archive.InstallCatalogue)
	must(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"tax_no": ptr("T-1")}}))
	if got := c.stored(t, employment)["contract_type"]; got != "无固定期限" {
		t.Errorf("what was there is %q", got)
	}
	wantInvalid(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"contract_type": ptr("无固定期限")}}),
		invalid.Value{Location: "fields.contract_type", Code: "not_allowed"})
}

// TestI25_SeveralEmergencyContacts: five have room, each is masked by itself, and the purge of their category leaves none.
func TestI25_SeveralEmergencyContacts(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	n.Fields = map[string]string{
		"emergency_contact_name": "王芳", "emergency_contact_phone": "13800000000", "emergency_contact_4_name": "李雷",
		"emergency_contact_4_relation": "friend", "emergency_contact_4_phone": "13900000000", "emergency_contact_4_informed": "yes", "emergency_contact_4_informed_on": "2024-05-01",
	}
	id, employment := c.hire(t, n)
	masked := func(key string) (there, masked bool) {
		view, err := archive.Get(t.Context(), c.Facts, c.hr, id, "zh")
		must(t, err)
		for _, f := range view.Fields {
			if f.Key == key {
				return true, f.Masked != nil
			}
		}
		return false, false
	}
	for key, want := range map[string][2]bool{
		"emergency_contact_name": {true, true}, "emergency_contact_relation": {true, false}, "emergency_contact_2_name": {},
		"emergency_contact_4_phone": {true, true}, "emergency_contact_4_informed": {true, true},
	} {
		if there, is := masked(key); [2]bool{there, is} != want {
			t.Errorf("%s is there: %v, masked: %v", key, there, is)
		}
	}
	var look []archive.LookField
	c.run(t, func(tx *database.Tx) (err error) {
		if look, err = archive.LookFields(tx, employment, []string{"emergency_contact_4_phone", "emergency_contact_4_relation"}); err != nil {
			return err
		}
		for i, want := range []string{"朋友", "13900000000"} {
			value, ok, err := archive.OpenField(tx, c.vault, look[i])
			if err != nil || !ok || look[i].ValueText("zh", value) != want || look[i].Group() != access.GroupEmergencyContact {
				t.Errorf("%s: %q, %v, %v", look[i].Key, value, ok, err)
			}
		}
		cleared, err := archive.ClearFields(tx, look[0].CategoryID)
		if cleared != int64(len(n.Fields)) {
			t.Errorf("%d of %d are cleared", cleared, len(n.Fields))
		}
		return err
	})
	if left := c.stored(t, employment); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	wantInvalid(t, c.update(t, id, archive.Patch{Fields: map[string]*string{"emergency_contact_6_name": ptr("x")}}),
		invalid.Value{Location: "fields[0]", Code: "unknown_field"})
}
