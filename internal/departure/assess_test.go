package departure

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/models"
)

// Who may take a departure back alone follows from the row, the clock and who asks: nothing is written to find out.
func TestAWithdrawalIsAssessed(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	subject, hr := uuid.New(), models.Actor{EmployeeID: uuid.New()}
	row := func(stage models.Stage, accounts models.AccountsState, end time.Time) models.Departure {
		return models.Departure{EmployeeID: subject, Stage: stage, AccountsState: accounts, EmploymentEndedAt: end}
	}
	pending, later := models.StagePendingDeparture, now.Add(time.Second)
	for name, c := range map[string]struct {
		dep     models.Departure
		by      models.Actor
		consent bool
		refused error
		causes  []models.Cause
	}{
		"alone":                   {row(pending, models.AccountsLinked, later), hr, true, nil, nil},
		"access was taken":        {row(pending, models.AccountsUnlinking, later), hr, true, nil, []models.Cause{models.CauseGivesBack}},
		"access settled":          {row(pending, models.AccountsSettled, later), hr, true, nil, []models.Cause{models.CauseGivesBack}},
		"without consent":         {row(pending, models.AccountsLinked, later), hr, false, ErrConsentRequired, nil},
		"the end is this instant": {row(pending, models.AccountsLinked, now), hr, true, ErrEnded, nil},
		"departed":                {row(models.StageDeparted, models.AccountsSettled, later), hr, true, ErrEnded, nil},
		"purging":                 {row(models.StagePurging, models.AccountsSettled, later), hr, true, ErrEnded, nil},
		"purged":                  {row(models.StagePurged, models.AccountsSettled, later), hr, true, ErrEnded, nil},
		"annulled":                {row(models.StageAnnulled, models.AccountsLinked, later), hr, true, ErrStage, nil},
		"withdrawn":               {row(models.StageWithdrawn, models.AccountsLinked, later), hr, true, ErrStage, nil},
		"the own":                 {row(pending, models.AccountsLinked, later), models.Actor{EmployeeID: subject}, true, ErrSubject, nil},
	} {
		causes, err := withdrawable(c.dep, c.by, now, c.consent)
		if !errors.Is(err, c.refused) || c.refused == nil && err != nil || !slices.Equal(causes, c.causes) {
			t.Errorf("%s: %v %v, want %v %v", name, causes, err, c.causes, c.refused)
		}
	}
}

// A day is the warning that others have: a cutoff or an end within it is sudden.
func TestSuddenIsWithinADay(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	day, more := now.Add(24*time.Hour), now.Add(24*time.Hour+time.Nanosecond)
	for _, c := range []struct {
		cutoff, end time.Time
		sudden      bool
	}{{more, more, false}, {day, more, true}, {more, day, true}, {now, now, true}} {
		d := Dates{AccessCutoffAt: c.cutoff, EmploymentEndedAt: c.end}
		if d.tooSudden(now) != c.sudden {
			t.Errorf("cutoff %s, end %s: sudden is %v", c.cutoff, c.end, !c.sudden)
		}
	}
}
