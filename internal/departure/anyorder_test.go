package departure_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/models"
)

// I11: whatever people do and whenever, the tracks keep to their machine.
func TestI11_AnyOrderOfCommandsKeepsTheRules(t *testing.T) {
	s := newStand(t)
	rapid.Check(t, func(rt *rapid.T) {
		employee := s.hire(t)
		dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{
			LastWorkingDay: s.inDays(t, 3), EmploymentEndDate: s.inDays(t, 6)}})
		if err != nil {
			rt.Fatal(err)
		}
		stage := models.StagePendingDeparture
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			var err error
			switch rapid.IntRange(0, 5).Draw(rt, "command") {
			case 0:
				s.Advance(t, time.Duration(rapid.IntRange(1, 72).Draw(rt, "hours"))*time.Hour)
			case 1:
				err = s.try(t, func(tx *database.Tx) error { _, err := departure.Advance(tx, dep.ID, s.connected); return err })
			case 2:
				err = s.try(t, func(tx *database.Tx) error { return departure.Withdraw(tx, s.vault, s.hr, dep.ID, "", true) })
			case 3:
				err = s.try(t, func(tx *database.Tx) error { return departure.AskAnnulment(tx, s.vault, s.hr, dep.ID, "") })
			case 4:
				err = s.try(t, func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, s.second, dep.ID) })
			case 5:
				later := s.inDays(t, rapid.IntRange(1, 9).Draw(rt, "days"))
				err = s.try(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, dep.ID, planned(later)) })
			}
			if err != nil && database.Code(err) != "" {
				rt.Fatalf("the database had to refuse: %v", err)
			}
			got, now := s.read(t, dep.ID), s.nowUTC(t)
			check(rt, s.status(t, employee), stage, got, now)
			stage = got.Stage
		}
	})
}

func (s *stand) nowUTC(t testing.TB) time.Time {
	t.Helper()
	now, err := s.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now
}

var legal = map[models.Stage][]models.Stage{
	models.StagePendingDeparture: {models.StagePendingDeparture, models.StageDeparted, models.StageWithdrawn, models.StageAnnulled},
	models.StageDeparted:         {models.StageDeparted, models.StageAnnulled},
	models.StageWithdrawn:        {models.StageWithdrawn},
	models.StageAnnulled:         {models.StageAnnulled},
}

var statusOf = map[models.Stage]models.EmployeeStatus{
	models.StagePendingDeparture: models.StatusPendingDeparture, models.StageDeparted: models.StatusDeparted,
	models.StageWithdrawn: models.StatusActive, models.StageAnnulled: models.StatusActive,
}

func check(rt *rapid.T, status models.EmployeeStatus, before models.Stage, got models.Departure, now time.Time) {
	ok := false
	for _, to := range legal[before] {
		ok = ok || to == got.Stage
	}
	switch {
	case !ok:
		rt.Fatalf("%s became %s", before, got.Stage)
	case status != statusOf[got.Stage]:
		rt.Fatalf("stage %s, status %s", got.Stage, status)
	case got.Stage == models.StageDeparted && got.EmploymentEndedAt.After(now):
		rt.Fatal("departed before the employment ended")
	case got.WithdrawnAt != nil && !got.EmploymentEndedAt.After(*got.WithdrawnAt):
		rt.Fatal("withdrawn after the employment ended")
	case got.AccountsState == models.AccountsUnlinking && got.AccessCutoffAt.After(now):
		rt.Fatal("unlinked before the cutoff")
	}
}
