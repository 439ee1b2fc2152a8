package departures_test

import (
	"net/http"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

func TestStreamTellsEachChangeAndEnds(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	address := httpkit.AddressOf(models.RefDeparture, d.ID)
	events := f.Follow(models.RoleHRAdmin, address, "")
	if e := f.Next(events); e.Kind != httpkit.EventSnapshot || e.ID == "" || e.View.ID != d.ID || e.View.Stage != models.StagePendingDeparture {
		t.Fatalf("first came %+v", e)
	}
	f.Ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.Day(40)+`"}`)
	changed := f.Next(events)
	if changed.Kind != departure.EventDatesChanged || changed.View.LastWorkingDay.String() != f.Day(40) {
		t.Fatalf("then came %+v", changed)
	}
	f.Ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays", "company_consent": true}`)
	last := f.Next(events)
	if last.Kind != departure.EventWithdrawn || last.View.Stage != models.StageWithdrawn {
		t.Fatalf("then came %+v", last)
	}
	f.Ended(events)

	resumed := f.Follow(models.RoleHRAdmin, address, changed.ID)
	if e := f.Next(resumed); e.Kind != departure.EventWithdrawn || e.ID != last.ID {
		t.Errorf("resumed with %s %s", e.Kind, e.ID)
	}
	f.Ended(resumed)
	if got := f.Ask(models.RoleHRAdmin, "GET", address+"/events", "", "Last-Event-ID", last.ID); got.Status != http.StatusNoContent {
		t.Errorf("after the end: %d", got.Status)
	}
	if got := f.Ask(models.RoleHRAdmin, "GET", address+"/events", "", "Last-Event-ID", "x"); got.Problem.Code != "validation_failed" {
		t.Errorf("a broken position: %d", got.Status)
	}
}

func TestStreamTellsWhatTheTimelineDoesNot(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	events := f.Follow(models.RoleHRAdmin, httpkit.AddressOf(models.RefDeparture, d.ID), "")
	f.Next(events)
	f.Exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", d.Accounts[0].ID)
	if e := f.Next(events); e.Kind != httpkit.EventChanged || e.View.Accounts[0].State != models.AccountUnlinking {
		t.Errorf("came %+v", e)
	}
}

func TestI23_StreamEndsWithItsToken(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	defer func(r httpkit.Rhythm) { httpkit.NormalRhythm = r }(httpkit.NormalRhythm)
	httpkit.NormalRhythm.Recheck = 100 * time.Millisecond
	events := f.Follow(models.RoleAuditor, httpkit.AddressOf(models.RefDeparture, d.ID), "")
	f.Next(events)
	f.Run(func(tx *database.Tx) error {
		_, err := identity.Revoke(tx, f.TokenIDs[models.RoleAuditor].String())
		return err
	})
	if e := f.Next(events); e.Kind != httpkit.EventProblem || e.Problem.Code != "token_revoked" {
		t.Errorf("came %+v", e)
	}
	f.Ended(events)
}
