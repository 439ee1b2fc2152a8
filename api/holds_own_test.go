package api

import (
	"errors"
	"net/http"
	"testing"

	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI21_AHoldByAFilterThatReachesItsPlacerTakesAnother: whoever places it decides with somebody else how
// long the own data is kept, and so does whoever releases it; one that does not reach them is one person's.
// It is judged again when it is carried out.
func TestI21_AHoldByAFilterThatReachesItsPlacerTakesAnother(t *testing.T) {
	f := newFixture(t)
	me := f.people[hr] // of department b
	body := func(department string) string {
		return `{"query": {"department_id": "` + department + `"}, "matter": "M-1"}`
	}
	holds := func() (n int64) {
		t.Helper()
		if err := f.env.Facts.Read(t.Context()).Table("holds").Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := f.session(hr).ask("POST", "/api/v1/holds", body(f.a.String())); got.status != http.StatusCreated {
		t.Errorf("of another department: %d %s", got.status, got.body)
	}
	first := f.session(hr).ask("POST", "/api/v1/holds", body(f.b.String()), "Idempotency-Key", "k")
	again := f.session(hr).ask("POST", "/api/v1/holds", body(f.b.String()), "Idempotency-Key", "k")
	waits := first.header.Get("Location")
	if first.status != http.StatusAccepted || again.status != http.StatusAccepted || again.header.Get("Location") != waits || holds() != 1 {
		t.Fatalf("of the own department: %d, then %d, %d holds %s", first.status, again.status, holds(), first.body)
	}
	if got := f.session(models.RoleReviewer).ask("POST", waits+"/decision", `{"decision": "approved"}`); got.status != http.StatusOK || holds() != 2 {
		t.Fatalf("agreed to: %d %s, %d holds", got.status, got.body, holds())
	}
	by, colleague := models.Actor{EmployeeID: me, Role: hr}, models.Actor{EmployeeID: f.people[models.RoleReviewer], Role: models.RoleReviewer}
	mine, err := f.ownHold(t)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		do   func(tx *database.Tx) error
		want error
	}{
		"placing it alone":                {func(tx *database.Tx) error { return f.place(tx, by, models.Actor{}) }, retention.ErrReachesOneself},
		"placing it as both":              {func(tx *database.Tx) error { return f.place(tx, by, by) }, retention.ErrReachesOneself},
		"placing it as two":               {func(tx *database.Tx) error { return f.place(tx, by, colleague) }, nil},
		"releasing it alone":              {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, models.Actor{}) }, retention.ErrReachesOneself},
		"releasing it as both":            {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, by) }, retention.ErrReachesOneself},
		"releasing it as two":             {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, colleague) }, nil},
		"releasing it, after it was left": {func(tx *database.Tx) error { return f.movedAndReleased(tx, mine, by) }, retention.ErrReachesOneself},
	} {
		undone := errors.New("undone")
		err := database.Run(t.Context(), f.env.Facts, func(tx *database.Tx) error {
			if err := c.do(tx); err != nil {
				return err
			}
			return undone
		})
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.Is(err, undone) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

func (f *fixture) place(tx *database.Tx, by, approver models.Actor) error {
	_, _, err := retention.PlaceHold(tx, retention.HoldOrder{
		Query: retention.HoldQuery{DepartmentID: &f.b}, Matter: "M-2", By: by, Approver: approver,
	})
	return err
}

// ownHold is the one on department b.
func (f *fixture) ownHold(t *testing.T) (retention.HoldView, error) {
	t.Helper()
	all, _, err := retention.Holds(t.Context(), f.env.Facts, retention.HoldFilter{EmployeeID: new(f.people[hr]), Active: true, Limit: 5})
	if err != nil || len(all) != 1 {
		return retention.HoldView{}, errors.Join(err, errors.New("not one hold"))
	}
	return all[0], nil
}

// movedAndReleased: who was covered once stays covered, also in another department.
func (f *fixture) movedAndReleased(tx *database.Tx, hold retention.HoldView, by models.Actor) error {
	if err := tx.DB().Exec("UPDATE employments SET department_id = ? WHERE employee_id = ?", f.a, by.EmployeeID).Error; err != nil {
		return database.Hide(err)
	}
	return retention.ReleaseHold(tx, hold.ID, by, models.Actor{})
}
