package api_test

import (
	"net/http"
	"strings"
	"testing"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/models"
)

// TestAnEmptyLimitOrCursorIsRefused: a client that lost its cursor must not read the first page for ever.
func TestAnEmptyLimitOrCursorIsRefused(t *testing.T) {
	f := apitest.New(t)
	for _, query := range []string{"limit=", "cursor=", "limit=5&cursor="} {
		got := f.Ask(models.RoleReviewer, "GET", "/api/v1/purges?"+query, "")
		if got.Status != http.StatusUnprocessableEntity || len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Code != httpkit.FieldEmpty || !strings.Contains(got.Problem.Errors[0].Message, "leave it out") {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	for _, query := range []string{
		"/api/v1/departures?employee_id=", "/api/v1/departures?stage=", "/api/v1/departures?q=", "/api/v1/departures?q=%20", "/api/v1/departures?q=%E2%80%8B", "/api/v1/departures?q=%CC%81",
		"/api/v1/departures?q=%ED%9F%BF", "/api/v1/departures?last_working_day_from=0000-01-01", "/api/v1/departures?due_before=0000-01-01T00:00:00Z", "/api/v1/departures?sort=",
		"/api/v1/departures?employee_id=00000000-0000-0000-0000-000000000000", "/api/v1/departures?due_before=0001-01-01T00:00:00Z",
		"/api/v1/retention/deadlines?category=", "/api/v1/retention/deadlines?before=0001-01-01T00:00:00Z", "/api/v1/support-cases?departure_id=",
	} {
		if got := f.Ask(models.RoleReviewer, "GET", query, ""); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	if got := f.Ask(models.RoleReviewer, "GET", "/api/v1/departures?last_working_day_from=2026-12-31&last_working_day_to=2026-12-01", ""); got.Problem.Code != "range_reversed" {
		t.Errorf("days the wrong way round: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleReviewer, "GET", "/api/v1/retention/deadlines?category=foo", ""); len(got.Problem.Errors) != 1 || len(got.Problem.Errors[0].Allowed) != len(models.Categories) {
		t.Errorf("a category that there is not: %s", got.Body)
	}
	for _, body := range []string{`"last_working_day": "0000-12-31"`, `"last_working_day": "2026-12-31", "notice_received_on": "0000-01-01"`} {
		got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+f.B.String()+`", "kind": "resignation", `+body+`}`)
		if got.Status != http.StatusUnprocessableEntity || got.Problem.Code != "validation_failed" {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	if got := f.Ask(models.RoleReviewer, "GET", "/api/v1/purges?limit=5", ""); got.Status != http.StatusOK {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
