package archive_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/invalid"
	"lethe/models"
)

func (c *company) head(t *testing.T, department, person uuid.UUID) {
	t.Helper()
	must(t, database.UpdateOne(c.Facts.Read(t.Context()).Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", person, department)))
}

func fieldOf(t *testing.T, view archive.EmployeeView, key string) archive.Field {
	t.Helper()
	for _, f := range view.Fields {
		if f.Key == key {
			return f
		}
	}
	t.Fatalf("the view has no field %s", key)
	return archive.Field{}
}

func TestGet_MasksAndNotices(t *testing.T) {
	c := newCompany(t)
	n := c.zhang()
	id, _ := c.hire(t, n)
	chinese, err := archive.Get(t.Context(), c.Facts, c.hr, id, i18n.Chinese)
	must(t, err)
	english, err := archive.Get(t.Context(), c.Facts, c.hr, id, i18n.English)
	must(t, err)
	for _, test := range []struct {
		view archive.EmployeeView
		want archive.Field
	}{
		{chinese, archive.Field{
			Key: "emergency_contact_phone", Section: "emergency_contact", SectionLabel: "紧急联系人", Label: "紧急联系人电话",
			Access: access.Masked, Masked: ptr("••••••"), Notice: "仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供", RequiresDisclosure: true,
			FieldKind: archive.FieldKind{Type: models.FieldPhone, TypeText: "电话号码"},
		}},
		{english, archive.Field{
			Key: "emergency_contact_phone", Section: "emergency_contact", SectionLabel: "Emergency contact", Label: "Emergency contact's phone",
			Access: access.Masked, Masked: ptr("••••••"), Notice: "Only for the employee's own emergencies; never to be given to anybody else without the employee's consent", RequiresDisclosure: true,
			FieldKind: archive.FieldKind{Type: models.FieldPhone, TypeText: "phone number"},
		}},
		{english, archive.Field{ // nothing stored: nothing to ask for
			Key: "bank_account", Section: "pay_bank", SectionLabel: "Pay and bank", Label: "Bank account",
			Access: access.Masked, Notice: "Only to calculate and pay wages", FieldKind: archive.FieldKind{Type: models.FieldBankAccount, TypeText: "bank account"},
		}},
		{english, archive.Field{
			Key: "department", Section: "basic", SectionLabel: "Basics", Label: "Department",
			Access: access.Value, Value: ptr("Department T"), Notice: "For work contacts and organisation only",
			FieldKind: archive.FieldKind{Type: models.FieldText, TypeText: "text"},
		}},
		{chinese, archive.Field{
			Key: "department", Section: "basic", SectionLabel: "基本信息", Label: "部门",
			Access: access.Value, Value: ptr("部门T"), Notice: "仅限工作联系与组织管理使用",
			FieldKind: archive.FieldKind{Type: models.FieldText, TypeText: "文本"},
		}},
		{english, archive.Field{
			Key: "hired_on", Section: "basic", SectionLabel: "Basics", Label: "Hired on",
			Access: access.Value, Value: ptr("2020-03-01"), Notice: "For work contacts and organisation only",
			FieldKind: archive.FieldKind{Type: models.FieldDate, TypeText: "date"},
		}},
	} {
		if diff := cmp.Diff(test.want, fieldOf(t, test.view, test.want.Key)); diff != "" {
			t.Error(diff)
		}
	}
	for _, view := range []archive.EmployeeView{chinese, english} {
		out, err := json.Marshal(view)
		must(t, err)
		for key, value := range n.Fields {
			if strings.Contains(string(out), value) {
				t.Errorf("the view shows the value of %s", key)
			}
		}
	}
}

func TestGet_PurgedCategoryHasNothingToAskFor(t *testing.T) {
	c := newCompany(t)
	id, _ := c.hire(t, c.zhang())
	must(t, c.Facts.Read(t.Context()).Exec("ALTER TABLE employment_categories DISABLE TRIGGER employment_categories_not_early").Error)
	must(t, c.Facts.Read(t.Context()).Exec("UPDATE employment_categories SET state = 'purging' WHERE category = 'identity'").Error)
	view, err := archive.Get(t.Context(), c.Facts, c.hr, id, i18n.English)
	must(t, err)
	for key, want := range map[string]bool{"id_number": true, "base_salary": false} {
		if f := fieldOf(t, view, key); f.Purged != want || f.RequiresDisclosure == want || (f.Masked == nil) != want {
			t.Errorf("%s: %+v", key, f)
		}
	}
}

// TestVisibility asks as every role for everybody: the one, a colleague of the department, and a
// stranger. It counts what is shown, and wants List to show whom Get shows.
func TestVisibility(t *testing.T) {
	c := newCompany(t)
	hire := func(no string, department uuid.UUID) uuid.UUID {
		id, _ := c.hire(t, archive.NewEmployee{EmployeeNo: no, Name: no, DepartmentID: department, HiredOn: clock.NewDate(2020, 1, 1),
			Fields: map[string]string{"id_number": "1"}})
		return id
	}
	self, colleague, stranger := hire("self", c.tech), hire("colleague", c.tech), hire("stranger", c.sales)
	c.head(t, c.tech, self)
	people := map[uuid.UUID]string{self: "self", colleague: "colleague", stranger: "stranger"}
	const basics = 5
	var all int64
	must(t, c.Facts.Read(t.Context()).Table("field_definitions").Where("key !~ '^emergency_contact_[2-5]'").Count(&all).Error)
	full := int(all)
	want := map[models.Role]map[string]int{
		models.RoleHRAdmin:        {"self": full, "colleague": full, "stranger": full},
		models.RoleDepartmentHead: {"self": full, "colleague": basics},
		models.RoleEmployee:       {"self": full},
		models.RoleReviewer:       {"self": full, "colleague": basics, "stranger": basics},
		models.RoleAuditor:        {"self": full, "colleague": basics, "stranger": basics},
		models.RoleITOps:          {"self": full, "colleague": basics, "stranger": basics},
		models.RoleSystem:         {},
	}
	got, listed := map[models.Role]map[string]int{}, map[models.Role]map[string]int{}
	for _, role := range append([]models.Role{models.RoleSystem}, models.Roles...) {
		actor := models.Actor{EmployeeID: self, Role: role}
		got[role], listed[role] = map[string]int{}, map[string]int{}
		for id, name := range people {
			view, err := archive.Get(t.Context(), c.Facts, actor, id, i18n.English)
			if err != nil {
				wantError(t, err, database.ErrNotFound)
				continue
			}
			got[role][name] = len(view.Fields)
		}
		seen, _, err := archive.List(t.Context(), c.Facts, archive.Filter{Actor: actor})
		must(t, err)
		for _, e := range seen {
			listed[role][people[e.ID]] = want[role][people[e.ID]]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Get: %s", diff)
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("List: %s", diff)
	}
}

func TestList_FiltersAndPages(t *testing.T) {
	c := newCompany(t)
	var all []string
	hire := func(no, name string, department uuid.UUID) {
		c.hire(t, archive.NewEmployee{EmployeeNo: no, Name: name, DepartmentID: department, HiredOn: clock.NewDate(2020, 1, 1)})
		all = append(all, no)
	}
	hire("A_1", "王小明", c.tech)
	hire("A1", "Ada 100%", c.tech)
	hire("AX1", `Back\slash`, c.sales)
	for i := range 4 {
		hire(fmt.Sprintf("N%d", i), "Nobody", c.abroad)
	}
	numbers := func(f archive.Filter) []string {
		t.Helper()
		f.Actor = c.hr
		found := []string{}
		for {
			people, more, err := archive.List(t.Context(), c.Facts, f)
			must(t, err)
			for _, e := range people {
				found = append(found, e.EmployeeNo)
			}
			if !more {
				return found
			}
			f.After = people[len(people)-1].ID
		}
	}
	for name, test := range map[string]struct {
		filter archive.Filter
		want   []string
	}{
		"all":               {archive.Filter{}, all},
		"by one":            {archive.Filter{Limit: 1}, all},
		"pages of three":    {archive.Filter{Limit: 3}, all},
		"one whole page":    {archive.Filter{Limit: 7}, all},
		"two characters":    {archive.Filter{Query: "小明"}, []string{"A_1"}},
		"in any case":       {archive.Filter{Query: "ada"}, []string{"A1"}},
		"underscore itself": {archive.Filter{Query: "A_"}, []string{"A_1"}},
		"percent itself":    {archive.Filter{Query: "0%"}, []string{"A1"}},
		"only percent":      {archive.Filter{Query: "%"}, []string{"A1"}},
		"backslash":         {archive.Filter{Query: `\s`}, []string{"AX1"}},
		"quote":             {archive.Filter{Query: `' OR 1=1 --`}, []string{}},
		"department":        {archive.Filter{DepartmentID: c.sales}, []string{"AX1"}},
		"status":            {archive.Filter{Status: models.StatusDeparted}, []string{}},
		"both":              {archive.Filter{Status: models.StatusActive, Query: "N", Limit: 2, DepartmentID: c.abroad}, []string{"N0", "N1", "N2", "N3"}},
	} {
		if diff := cmp.Diff(test.want, numbers(test.filter)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, test := range map[string]struct {
		filter archive.Filter
		want   invalid.Value
	}{
		"limit":     {archive.Filter{Limit: 201}, invalid.Value{Location: "limit", Code: "out_of_range"}},
		"negative":  {archive.Filter{Limit: -1}, invalid.Value{Location: "limit", Code: "out_of_range"}},
		"status":    {archive.Filter{Status: "gone"}, invalid.Value{Location: "status", Code: "unknown"}},
		"not UTF-8": {archive.Filter{Query: "\xff"}, invalid.Value{Location: "q", Code: "not_text"}},
		"too long":  {archive.Filter{Query: strings.Repeat("x", 101)}, invalid.Value{Location: "q", Code: "too_long"}},
	} {
		_, _, err := archive.List(t.Context(), c.Facts, test.filter)
		t.Run(name, func(t *testing.T) { wantInvalid(t, err, test.want) })
	}
}

func TestInstallCatalogue_TwiceAndComplete(t *testing.T) {
	c := newCompany(t)
	c.run(t, archive.InstallCatalogue)
	var rows []models.FieldDefinition
	must(t, c.Facts.Read(t.Context()).Find(&rows).Error)
	covered := map[models.Category]bool{}
	positions := map[int]bool{}
	for _, row := range rows {
		covered[row.Category] = true
		if positions[row.Position] {
			t.Errorf("two fields are at position %d", row.Position)
		}
		positions[row.Position] = true
		for _, text := range []string{row.LabelZh, row.LabelEn, row.NoticeZh, row.NoticeEn} {
			if text == "" {
				t.Errorf("%s lacks a text", row.Key)
			}
		}
		if (row.Category == "") != (row.Sensitivity == access.Basic) {
			t.Errorf("%s is %s in category %q", row.Key, row.Sensitivity, row.Category)
		}
	}
	for _, category := range models.Categories {
		if !covered[category] && category != models.CategoryAccountSnapshot {
			t.Errorf("no field is in category %s", category)
		}
	}
}
