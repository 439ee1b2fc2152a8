package departures_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// TestI8_TheLibraryOfLeaversSaysWhatIsKeptOfThem: whoever is employed still is not in it; who works here again is, by the
// former employment.
func TestI8_TheLibraryOfLeaversSaysWhatIsKeptOfThem(t *testing.T) {
	f := apitest.New(t)
	staying, gone, again := f.Resign(f.Hire("E1", f.A)), f.Hire("E2", f.A), f.Hire("E3", f.A)
	left := f.LeftLongAgo(gone, -1, false)
	former := f.LeftLongAgo(again, -1, false)
	today, err := clock.ParseDate(f.Day(0))
	if err != nil {
		t.Fatal(err)
	}
	f.Run(func(tx *database.Tx) error {
		id, _, err := archive.Create(tx, f.Vault, archive.NewEmployee{EmployeeNo: "E3", Name: "Person E3", DepartmentID: f.B, HiredOn: today})
		if err == nil && id != again {
			t.Error("it is another person")
		}
		return err
	})
	newer := f.Resign(again)
	library := func() map[uuid.UUID]departures.DepartureView {
		var page struct {
			Items []departures.DepartureView `json:"items"`
		}
		f.Ask(models.RoleHRAdmin, "GET", "/api/v1/departures?left=true", "").Into(t, &page)
		found := map[uuid.UUID]departures.DepartureView{}
		for _, d := range page.Items {
			found[d.ID] = d
		}
		return found
	}
	found := library()
	if _, in := found[staying.ID]; in || len(found) != 2 {
		t.Errorf("%d are in it, who is staying: %v", len(found), in)
	}
	if _, in := found[newer.ID]; in {
		t.Error("the departure that is to come is in it")
	}
	if found[left.ID].EmployedAgain || !found[former.ID].EmployedAgain {
		t.Errorf("employed again: %v and %v", found[left.ID].EmployedAgain, found[former.ID].EmployedAgain)
	}
	days := map[models.Category]int{}
	for _, r := range found[left.ID].Retention {
		if r.DaysLeft == nil || r.DaysLeftText == "" {
			t.Fatalf("%s does not say how long it stays", r.Category)
		}
		days[r.Category] = *r.DaysLeft
	}
	if n := days[models.CategoryEmergencyContact]; n < 364 || n > 366 {
		t.Errorf("the emergency contacts stay %d days", n)
	}
	if err := databasetest.MoveClock(t.Context(), f.Env.Facts, 400*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	f.Tokens[models.RoleHRAdmin], _ = f.Token(f.People[models.RoleHRAdmin], models.RoleHRAdmin)
	for _, r := range library()[left.ID].Retention {
		if want := max(0, days[r.Category]-400); *r.DaysLeft != want {
			t.Errorf("400 days later %s has %d, want %d", r.Category, *r.DaysLeft, want)
		}
	}
}
