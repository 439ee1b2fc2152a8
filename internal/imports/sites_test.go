package imports

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/models"
)

// TestASiteIsReadByCodeOrName, by the code first, if one alone is meant; who is there already does not move.
func TestASiteIsReadByCodeOrName(t *testing.T) {
	one, two, three, four := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	rules := &archive.Rules{Definitions: map[string]models.FieldDefinition{}, Sites: []models.Site{
		{ID: one, Code: "S1", NameZh: "苏州工厂", NameEn: "Plant"}, {ID: two, Code: "S2", NameZh: "无锡工厂", NameEn: "Plant"},
		{ID: three, Code: "S3", NameZh: "S1", NameEn: "s2"}, {ID: four, Code: "s3", NameZh: "常州工厂", NameEn: "Four"},
	}}
	r := newReading(models.Batch{Mapping: guess(models.BatchImport, []string{"工号", "地点"}, rules.Definitions)}, rules)
	for text, want := range map[string]*uuid.UUID{"s1": &one, "苏州工厂": &one, " Ｓ2": &two, "Plant": nil, "S9": nil, "S3": &three, "s3": &four} {
		w := r.read(2, []string{"E1", text}, nil)
		if got := w.person.SiteID; want == nil && (got != nil || !w.wrongIn(r.columns, ColumnSite)) || want != nil && (got == nil || *got != *want || w.faulty()) {
			t.Errorf("%q: %v %v", text, got, w.problems)
		}
	}
	j := judgement{row: r.read(2, []string{"E1", "S1"}, nil), file: archive.File{Employee: models.Employee{ID: uuid.New()}}}
	if err := r.judgeChange(&j); err != nil || j.patch.SiteID == nil || j.faulty() {
		t.Errorf("who moves: %v %v %v", err, j.patch.SiteID, j.problems)
	}
	j = judgement{row: r.read(2, []string{"E1", "S2"}, nil), file: archive.File{Employee: models.Employee{ID: uuid.New(), SiteID: &two}}}
	if err := r.judgeChange(&j); err != nil || j.patch.SiteID != nil || j.faulty() {
		t.Errorf("who is there already: %v %v %v", err, j.patch.SiteID, j.problems)
	}
}

// TestADepartmentIsReadByCodeOrName within its legal entity: those of former versions whose codes differ by case only are told
// apart by their spelling, and neither is taken for the other.
func TestADepartmentIsReadByCodeOrName(t *testing.T) {
	de, fr, one, two, three := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
	rules := &archive.Rules{Definitions: map[string]models.FieldDefinition{}, Departments: map[uuid.UUID]models.Department{
		one: {ID: one, LegalEntityID: de, Code: "D1", NameZh: "研发", NameEn: "Research"}, two: {ID: two, LegalEntityID: de, Code: "d1", NameZh: "销售", NameEn: "Sales"},
		three: {ID: three, LegalEntityID: fr, Code: "D3", NameZh: "销售", NameEn: "D1"},
	}, Entities: map[uuid.UUID]models.LegalEntity{de: {ID: de, Code: "A1", NameZh: "德国", NameEn: "a1"}, fr: {ID: fr, Code: "a1", NameZh: "法国", NameEn: "A1"}}}
	r := newReading(models.Batch{Mapping: guess(models.BatchImport, []string{"工号", "部门", "公司"}, rules.Definitions)}, rules)
	for _, c := range []struct {
		name, entity string
		want         uuid.UUID
		code         Problem
	}{
		{"D1", "", one, ""}, {"d1", "", two, ""}, {"Ｄ1", "", uuid.Nil, AmbiguousDepartment}, {"d3", "", three, ""},
		{"销售", "", uuid.Nil, AmbiguousDepartment}, {"销售", "法国", three, ""}, {"销售", "A1", two, ""}, {"销售", "a1", three, ""},
		{"销售", "Ａ1", uuid.Nil, Unknown}, {"D9", "", uuid.Nil, Unknown}, {"D1", "法国", three, ""},
	} {
		w := r.read(2, []string{"E1", c.name, c.entity}, nil)
		var got Problem
		if w.faulty() {
			got = Problem(w.problems[0].Code)
		}
		if w.person.DepartmentID != c.want || got != c.code {
			t.Errorf("%+v: %s %q", c, w.person.DepartmentID, got)
		}
	}
}
