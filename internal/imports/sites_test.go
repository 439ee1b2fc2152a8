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
	r := newReading(models.Batch{Mapping: guess([]string{"工号", "地点"}, rules.Definitions)}, rules)
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
