package departure_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
)

// A departure is found by what its person is called now, and by nobody's word but the person's own row.
func TestADepartureIsFoundByThePersonsNameOfToday(t *testing.T) {
	s := newStand(t)
	day := clock.Today(time.Now(), time.UTC).AddDays(60)
	person := s.hire(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: person, RequestedDates: departure.RequestedDates{LastWorkingDay: &day}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{LastWorkingDay: &day}})
	if err != nil {
		t.Fatal(err)
	}
	found := func(text string, want ...uuid.UUID) {
		t.Helper()
		rows, err := departure.List(t.Context(), s.Facts, departure.Filter{Search: text, Limit: 10})
		if err != nil || len(rows) != len(want) {
			t.Fatalf("%q finds %d departures, %v; want %d", text, len(rows), err, len(want))
		}
		for i, row := range rows {
			if row.ID != want[i] {
				t.Errorf("%q finds another one at %d", text, i)
			}
		}
	}
	set := func(sql string, args ...any) {
		t.Helper()
		s.run(t, func(tx *database.Tx) error { return tx.DB().Exec(sql, args...).Error })
	}
	found("st pers", other.ID, dep.ID)
	set(`UPDATE departures SET search_text = '李四' WHERE id = ?`, dep.ID)
	found("李四")
	set(`UPDATE employees SET name = '張偉' WHERE id = ?`, person)
	found("张伟", dep.ID)
	found("test", other.ID)
	found("zhangwei")
	if err := archive.HearNames(t.Context(), s.Facts); err != nil {
		t.Fatal(err)
	}
	found("zhangwei", dep.ID)
	found("zw", dep.ID)
	set(`UPDATE departures SET search_names = 'x' WHERE id = ?`, dep.ID)
	found("wei", dep.ID)
}
