package holds_test

import (
	"errors"
	"net/http"
	"testing"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestI21_AHoldByAFilterThatReachesItsPlacerTakesAnother: whoever places it decides with somebody else how
// long the own data is kept, and so does whoever releases it; one that does not reach them is one person's.
// It is judged again when it is carried out.
func TestI21_AHoldByAFilterThatReachesItsPlacerTakesAnother(t *testing.T) {
	f := apitest.New(t)
	me := f.People[httpkit.HR] // of department b
	body := func(department string) string {
		return `{"query": {"department_id": "` + department + `"}, "matter": "M-1"}`
	}
	holds := func() (n int64) {
		t.Helper()
		if err := f.Env.Facts.Read(t.Context()).Table("holds").Count(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", body(f.A.String())); got.Status != http.StatusCreated {
		t.Errorf("of another department: %d %s", got.Status, got.Body)
	}
	first := f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", body(f.B.String()), "Idempotency-Key", "k")
	again := f.Session(httpkit.HR).Ask("POST", "/api/v1/holds", body(f.B.String()), "Idempotency-Key", "k")
	waits := first.Header.Get("Location")
	if first.Status != http.StatusAccepted || again.Status != http.StatusAccepted || again.Header.Get("Location") != waits || holds() != 1 {
		t.Fatalf("of the own department: %d, then %d, %d holds %s", first.Status, again.Status, holds(), first.Body)
	}
	if got := f.Session(models.RoleReviewer).Ask("POST", waits+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK || holds() != 2 {
		t.Fatalf("agreed to: %d %s, %d holds", got.Status, got.Body, holds())
	}
	by, colleague := models.Actor{EmployeeID: me, Role: httpkit.HR}, models.Actor{EmployeeID: f.People[models.RoleReviewer], Role: models.RoleReviewer}
	mine, err := ownHold(t, f)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		do   func(tx *database.Tx) error
		want error
	}{
		"placing it alone":                {func(tx *database.Tx) error { return place(f, tx, by, models.Actor{}) }, retention.ErrReachesOneself},
		"placing it as both":              {func(tx *database.Tx) error { return place(f, tx, by, by) }, retention.ErrReachesOneself},
		"placing it as two":               {func(tx *database.Tx) error { return place(f, tx, by, colleague) }, nil},
		"releasing it alone":              {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, models.Actor{}) }, retention.ErrReachesOneself},
		"releasing it as both":            {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, by) }, retention.ErrReachesOneself},
		"releasing it as two":             {func(tx *database.Tx) error { return retention.ReleaseHold(tx, mine.ID, by, colleague) }, nil},
		"releasing it, after it was left": {func(tx *database.Tx) error { return movedAndReleased(f, tx, mine, by) }, retention.ErrReachesOneself},
	} {
		undone := errors.New("undone")
		err := database.Run(t.Context(), f.Env.Facts, func(tx *database.Tx) error {
			if err := c.do(tx); err != nil {
				return err
			}
			return undone
		})
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.Is(err, undone) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	release := f.Session(httpkit.HR).Ask("POST", httpkit.AddressOf(models.RefHold, mine.ID)+"/release", `{}`)
	if release.Status != http.StatusAccepted {
		t.Fatalf("asking for the release: %d %s", release.Status, release.Body)
	}
	got := f.Session(models.RoleReviewer).Ask("POST", release.Header.Get("Location")+"/decision", `{"decision": "approved"}`)
	if left := f.Count("holds WHERE released_at IS NULL"); got.Status != http.StatusOK || left != 1 {
		t.Errorf("released by two: %d %s, %d holds are left", got.Status, got.Body, left)
	}
}

func place(f *apitest.Fixture, tx *database.Tx, by, approver models.Actor) error {
	_, _, err := retention.PlaceHold(tx, retention.HoldOrder{
		Query: retention.HoldQuery{DepartmentID: &f.B}, Matter: "M-2", By: by, Approver: approver,
	})
	return err
}

// ownHold is the one on department b.
func ownHold(t *testing.T, f *apitest.Fixture) (retention.HoldView, error) {
	t.Helper()
	all, _, err := retention.Holds(t.Context(), f.Env.Facts, retention.HoldFilter{EmployeeID: new(f.People[httpkit.HR]), Active: new(true), Limit: 5})
	if err != nil || len(all) != 1 {
		return retention.HoldView{}, errors.Join(err, errors.New("not one hold"))
	}
	return all[0], nil
}

// movedAndReleased: who was covered once stays covered, also in another department.
func movedAndReleased(f *apitest.Fixture, tx *database.Tx, hold retention.HoldView, by models.Actor) error {
	if err := tx.DB().Exec("UPDATE employments SET department_id = ? WHERE employee_id = ?", f.A, by.EmployeeID).Error; err != nil {
		return database.Hide(err)
	}
	return retention.ReleaseHold(tx, hold.ID, by, models.Actor{})
}
