package api

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI8_PurgesOfOnePersonAreListedFromEveryEmployment, and those of nobody else.
func TestI8_PurgesOfOnePersonAreListedFromEveryEmployment(t *testing.T) {
	f := newFixture(t)
	due := func(dep models.Departure) (id uuid.UUID) {
		f.run(func(tx *database.Tx) error {
			if _, err := retention.Look(tx, dep.ID, retention.Spread{}); err != nil {
				return err
			}
			return database.Hide(tx.DB().Raw("SELECT id FROM purges WHERE departure_id = ?", dep.ID).Row().Scan(&id))
		})
		return id
	}
	person, other := f.hire("E1", f.a), f.hire("E2", f.b)
	former := due(f.leftLongAgo(person, -1300, true))
	f.run(func(tx *database.Tx) error {
		hired, err := clock.ParseDate(f.day(-1250))
		if err != nil {
			return err
		}
		_, _, err = archive.Create(tx, f.vault, archive.NewEmployee{EmployeeNo: "E1", Name: "Person E1", DepartmentID: f.b, HiredOn: hired})
		return err
	})
	theirs := due(f.leftLongAgo(other, -1300, true))
	present := due(f.leftLongAgo(person, -1200, true))
	for query, want := range map[string][]uuid.UUID{
		"":                                 {former, theirs, present},
		"?employee_id=" + person.String():  {former, present},
		"?employee_id=" + other.String():   {theirs},
		"?employee_id=" + uuid.NewString(): nil,
		"?limit=1&employee_id=" + person.String(): {former},
	} {
		var page Page[PurgeView]
		f.ask(models.RoleReviewer, "GET", "/api/v1/purges"+query, "").into(t, &page)
		var got []uuid.UUID
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}
