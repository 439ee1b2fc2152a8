package retention

import (
	"testing"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// TestI5_OwnFieldsAreDestroyedWithTheirCategory, values and documents, also of a field that was retired, and those of a
// later employment stay.
func TestI5_OwnFieldsAreDestroyedWithTheirCategory(t *testing.T) {
	w := newWorld(t)
	own := func(key string, of models.FieldType) archive.OwnField {
		return archive.OwnField{
			Key: key, Section: "custom_housing", Category: models.CategoryContract, Type: of, LabelZh: key, LabelEn: key,
			NoticeZh: "仅限后勤使用", NoticeEn: "housing", BasisZh: "合同", BasisEn: "contract", Purposes: []access.Purpose{access.OwnRequest},
		}
	}
	c := archive.OwnCatalogue{
		Sections: []archive.OwnSection{{Key: "custom_housing", LabelZh: "住宿", LabelEn: "Housing"}},
		Fields:   []archive.OwnField{own("custom_room", models.FieldText), own("custom_lease", models.FieldAttachment)},
	}
	set := func() {
		w.tx(t, func(tx *database.Tx) error { return archive.SetOwn(tx, w.hr, w.reviewer, c) })
		c.Version++
	}
	set()
	value := "3栋501"
	fill := func(p person) {
		w.tx(t, func(tx *database.Tx) error {
			return archive.Update(tx, w.vault, p.employee, archive.Patch{Fields: map[string]*string{"custom_room": &value}})
		})
		lease, err := w.attach(t, p, "custom_lease", "%PDF-1.7 lease")
		if err != nil {
			t.Fatal(err)
		}
		if err := database.Run(w.byHR(), w.env.Facts, func(tx *database.Tx) error { return lease.Keep(tx, w.vault) }); err != nil {
			t.Fatal(err)
		}
	}
	p := w.hireAs(t, "DEMO", "E-again", clock.NewDate(2020, 1, 1))
	fill(p)
	p = w.depart(t, p, w.now(t))
	later := w.hireAs(t, "DEMO", "E-again", clock.DateOf(w.now(t)).AddDays(1))
	fill(later)
	c.Fields[0].Retired, c.Fields[1].Retired = true, true
	set()
	if err := w.carryOut(w.onePurge(t, p)); err != nil {
		t.Fatal(err)
	}
	left := func(of person) int {
		return query[int](t, w, `SELECT (SELECT count(*) FROM field_values WHERE employment_id = ? AND field_key LIKE 'custom%' AND value_sealed IS NOT NULL)
			+ (SELECT count(*) FROM attachments WHERE employment_id = ? AND name_sealed IS NOT NULL)`, of.employment, of.employment)
	}
	if left(p) != 0 || left(later) != 2 {
		t.Errorf("left: %d of the former employment, %d of the later one", left(p), left(later))
	}
	counted := query[string](t, w, `SELECT (c -> 'destroyed' ->> 'field_values') || ' ' || (c -> 'destroyed' ->> 'attachments') FROM destruction_certificates,
		jsonb_array_elements(statement -> 'categories') c WHERE c ->> 'category' = 'contract'`)
	if counted != "2 1" { // contract_no and custom_room
		t.Errorf("the certificate counts %q", counted)
	}
}
