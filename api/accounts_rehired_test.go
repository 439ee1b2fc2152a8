package api

import (
	"testing"

	"lethe/models"
)

// TestI8_TheAccountsOfEveryEmploymentAreListed: what a former employment left open does not vanish from
// the list because its owner came back.
func TestI8_TheAccountsOfEveryEmploymentAreListed(t *testing.T) {
	f := newFixture(t)
	id := f.hire("E1", f.a)
	former := f.employment(id)
	f.exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE id = ?", former)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		f.exec("UPDATE employees SET status = ? WHERE id = ?", status, id)
	}
	if again := f.hire("E1", f.b); again != id {
		t.Fatal("it is another person")
	}
	var page Page[AccountView]
	f.ask(models.RoleHRAdmin, "GET", employeeAddress(id)+"/accounts", "").into(t, &page)
	if len(page.Items) != 2 || (page.Items[0].Employment == former) == (page.Items[1].Employment == former) {
		t.Errorf("listed are %+v", page.Items)
	}
}
