package departure

import (
	"testing"
	"time"

	"lethe/models"
)

func TestUnattended(t *testing.T) {
	cutoff, end := at("2026-11-20T10:00:00Z"), at("2026-11-20T16:00:00Z")
	row := func(change func(*models.Departure)) models.Departure {
		dep := models.Departure{
			Stage: models.StagePendingDeparture, AccountsState: models.AccountsLinked, AccessCutoffAt: cutoff, EmploymentEndedAt: end,
			Driven: models.Driven{Revision: 1, SeenRevision: 1, WakeAt: &cutoff},
		}
		if change != nil {
			change(&dep)
		}
		return dep
	}
	unseen := func(d *models.Departure) { d.SeenRevision, d.WakeAt = 0, nil }
	began := at("2026-11-01T08:00:00Z")
	for name, c := range map[string]struct {
		dep       models.Departure
		lastEvent time.Time
		now, want string
	}{
		"before the cutoff":                 {row(nil), began, "2026-11-20T09:59:59Z", ""},
		"a new one before the cutoff":       {row(unseen), began, "2026-11-20T09:59:59Z", ""},
		"at the cutoff":                     {row(nil), began, "2026-11-20T10:00:05Z", ""},
		"the timer did not fire":            {row(nil), began, "2026-11-20T10:00:06Z", "2026-11-20T10:00:00Z"},
		"nobody ever looked":                {row(unseen), began, "2026-11-20T10:00:06Z", "2026-11-20T10:00:00Z"},
		"nobody ever looked, after the end": {row(unseen), began, "2026-11-20T16:00:06Z", "2026-11-20T16:00:00Z"},
		"the cutoff was carried out":        {row(func(d *models.Departure) { d.AccountsState, d.WakeAt = models.AccountsUnlinking, &end }), cutoff, "2026-11-20T11:00:00Z", ""},
		"the end was not":                   {row(func(d *models.Departure) { d.AccountsState, d.WakeAt = models.AccountsSettled, &end }), cutoff, "2026-11-20T16:01:00Z", "2026-11-20T16:00:00Z"},
		"a command just now":                {row(func(d *models.Departure) { d.Stage, d.Revision, d.WakeAt = models.StageAnnulled, 2, nil }), at("2026-11-25T00:00:00Z"), "2026-11-25T00:00:03Z", ""},
		"a command that is not taken up": {row(func(d *models.Departure) {
			d.Stage, d.Revision, d.WakeAt, d.AccountsState = models.StageAnnulled, 2, nil, models.AccountsSettled
		}), at("2026-11-25T00:00:00Z"), "2026-11-25T00:00:06Z", "2026-11-25T00:00:00Z"},
		"withdrawn with nothing to give back": {row(func(d *models.Departure) { d.Stage, d.Revision = models.StageWithdrawn, 2 }), began, "2026-11-25T00:00:00Z", ""},
		"departed and settled, waiting for nobody": {row(func(d *models.Departure) {
			d.Stage, d.AccountsState, d.WakeAt = models.StageDeparted, models.AccountsSettled, nil
		}), end, "2026-12-25T00:00:00Z", ""},
	} {
		got := ""
		if since := Unattended(c.dep, c.lastEvent, at(c.now)); !since.IsZero() {
			got = since.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s: since %q, want %q", name, got, c.want)
		}
	}
}
