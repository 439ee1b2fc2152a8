package purges_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI8_PurgesOfOnePersonAreListedFromEveryEmployment, and those of nobody else.
func TestI8_PurgesOfOnePersonAreListedFromEveryEmployment(t *testing.T) {
	f := apitest.New(t)
	due := func(dep models.Departure) (id uuid.UUID) {
		f.Run(func(tx *database.Tx) error {
			if _, err := retention.Look(tx, dep.ID, retention.Spread{}); err != nil {
				return err
			}
			return database.Hide(tx.DB().Raw("SELECT id FROM purges WHERE departure_id = ?", dep.ID).Row().Scan(&id))
		})
		return id
	}
	person, other := f.Hire("E1", f.A), f.Hire("E2", f.B)
	former := due(f.LeftLongAgo(person, -1300, true))
	f.Run(func(tx *database.Tx) error {
		hired, err := clock.ParseDate(f.Day(-1250))
		if err != nil {
			return err
		}
		_, _, err = archive.Create(tx, f.Vault, archive.NewEmployee{EmployeeNo: "E1", Name: "Person E1", DepartmentID: f.B, HiredOn: hired})
		return err
	})
	theirs := due(f.LeftLongAgo(other, -1300, true))
	present := due(f.LeftLongAgo(person, -1200, true))
	for query, want := range map[string][]uuid.UUID{
		"":                                 {former, theirs, present},
		"?employee_id=" + person.String():  {former, present},
		"?employee_id=" + other.String():   {theirs},
		"?employee_id=" + uuid.NewString(): nil,
		"?limit=1&employee_id=" + person.String(): {former},
	} {
		var page httpkit.Page[purges.PurgeView]
		f.Ask(models.RoleReviewer, "GET", "/api/v1/purges"+query, "").Into(t, &page)
		var got []uuid.UUID
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}
