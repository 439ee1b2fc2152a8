package api

import (
	"net/http"
	"testing"

	"lethe/models"
)

// TestAnEmptyLimitOrCursorIsRefused: a client that lost its cursor must not read the first page for ever.
func TestAnEmptyLimitOrCursorIsRefused(t *testing.T) {
	f := newFixture(t)
	for _, query := range []string{"limit=", "cursor=", "limit=5&cursor="} {
		got := f.ask(models.RoleReviewer, "GET", "/api/v1/purges?"+query, "")
		if got.status != http.StatusUnprocessableEntity || len(got.problem.Errors) != 1 || got.problem.Errors[0].Code != fieldMalformed {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	if got := f.ask(models.RoleReviewer, "GET", "/api/v1/purges?limit=5", ""); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}
