package api

import (
	"net/http"
	"testing"

	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// TestAFieldUnderHoldIsNotChanged: the answer says why, points at the fields, and nothing is changed.
func TestAFieldUnderHoldIsNotChanged(t *testing.T) {
	f := newFixture(t)
	person := f.people[models.RoleEmployee]
	f.run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{
			EmployeeID: person, Categories: []models.Category{models.CategoryContract}, Matter: "case 1", By: models.System,
		})
		return err
	})
	address := employeeAddress(person)
	got := f.ask(models.RoleHRAdmin, "PATCH", address, `{"post": "X", "fields": {"contract_no": "C-2", "tax_no": "T-2"}}`)
	if got.status != http.StatusConflict || got.problem.Code != codeUnderHold {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := f.ask(models.RoleHRAdmin, "PATCH", address, `{"fields": {"tax_no": "T-2"}}`); got.status != http.StatusOK {
		t.Errorf("what is not held: %d %s", got.status, got.body)
	}
}
