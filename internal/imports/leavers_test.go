package imports

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/models"
)

// asIs is a calendar that says what it was asked.
type asIs struct{ endedAt, by time.Time }

func (c *asIs) Ruled(string) (bool, error) { return true, nil }

func (c *asIs) Due(_, _ string, endedAt, by time.Time) ([]models.Category, error) {
	c.endedAt, c.by = endedAt, by
	return nil, nil
}

// TestI7_WhoHasLeftHasLeftInTheirZone: a day of leaving is taken if it is no day before the first one and over where the
// person worked, and what is due counts from the first instant after it; whatever the zones, the hour and the way in
// which days are written.
func TestI7_WhoHasLeftHasLeftInTheirZone(t *testing.T) {
	zones := []string{"Asia/Shanghai", "Europe/Berlin", "Pacific/Apia", "America/Sao_Paulo", "Pacific/Kiritimati", "Africa/Cairo"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := clock.LoadZone(zone)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "now"), 0).UTC()
		// Near each other, so that the edges are met.
		left := clock.DateOf(now).AddDays(rapid.IntRange(-3, 3).Draw(t, "left"))
		hired := left.AddDays(rapid.IntRange(-2, 2).Draw(t, "hired"))
		text := left.String()
		if rapid.Bool().Draw(t, "written otherwise") {
			text = left.String()[:4] + left.String()[5:7] + left.String()[8:]
		}
		entity, department := uuid.New(), uuid.New()
		rules := &archive.Rules{
			Definitions: map[string]models.FieldDefinition{}, Departments: map[uuid.UUID]models.Department{department: {ID: department, LegalEntityID: entity}},
			Entities: map[uuid.UUID]models.LegalEntity{entity: {ID: entity, Jurisdiction: "CN", TimeZone: zone}},
		}
		rules.At(now)
		r := newReading(models.Batch{Mapping: models.Names{archive.FieldEmployeeNo, archive.FieldName, archive.FieldHiredOn, ColumnLeft, ColumnKind}}, rules)
		w := r.read(2, []string{"1", "张伟", hired.String(), text, "辞职"}, nil)
		w.person.DepartmentID, w.problems = department, w.problems[:0:0]
		// read is asked again for the end alone: the department is not what this is about.
		w.left, w.end = false, End{}
		r.end(w, text, "辞职")
		var calendar asIs
		if !w.faulty() {
			if err := r.judged(w, rules.Judge(&w.person)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.ended(w, &calendar); err != nil {
				t.Fatal(err)
			}
		}
		// Over: the local day of now is a later one.
		over := left.Before(clock.Today(now, loc))
		if good := !left.Before(hired) && over; good == w.faulty() {
			t.Fatalf("hired on %s, left on %s in %s, it is %s: %v", hired, left, zone, now.In(loc), w.problems)
		}
		if w.faulty() {
			return
		}
		if at := w.person.EndedAt; at == nil || !calendar.endedAt.Equal(*at) || !calendar.by.Equal(now) || at.After(now) ||
			clock.DateOf(at.In(loc)) == left || clock.DateOf(at.Add(-time.Nanosecond).In(loc)).After(left) {
			t.Fatalf("left on %s in %s: the employment ended at %v", left, zone, at)
		}
	})
}
