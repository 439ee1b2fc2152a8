package dev

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/database"
	"lethe/models"
)

// Whoever tries the product lets people leave, those with the tokens too. The next start gives their
// names to colleagues, and everything can go on.
func TestItStartsAgainAfterThoseWithTheTokensLeft(t *testing.T) {
	i := newInstallation(t)
	p, r, _ := i.start(t)
	db, err := database.Open(t.Context(), r.DatabaseURL, database.Options{MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	hr, reviewer := r.logIn(t, db, "second_hr_admin", models.RoleHRAdmin), r.logIn(t, db, "reviewer", models.RoleReviewer)

	left := []string{"DEMO-0002", "DEMO-0001", "CN-0074", "CN-0001"} // employee, head, auditor, and HR itself
	departures := map[string]string{}
	for _, no := range left { // HR's own token last: the others are found by it
		departures[no] = r.letGo(t, hr, reviewer, no)
	}
	for no, id := range departures {
		err := harness.Eventually(t.Context(), time.Minute, func() error {
			d, err := hr.Departure(t.Context(), id)
			if err == nil && d.AccountsState != "settled" {
				err = fmt.Errorf("accounts %s", d.AccountsState)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s has not left: %v", no, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	i.stop(t, p)

	p, again, took := i.start(t)
	t.Logf("start after they left: %s", took)
	checkReport(t, i, again)
	for role, user := range again.Users {
		for _, no := range left {
			if strings.EqualFold(user.Login, no) {
				t.Errorf("%s is still %s, who has left", role, no)
			}
		}
	}
	// The one who stayed keeps the token.
	if again.Tokens["it_ops"] != r.Tokens["it_ops"] {
		t.Error("somebody who stayed got another token")
	}
	again.leave(t, "DEMO-0006")
	i.stop(t, p)

	// And once more: the colleagues keep what they were given.
	p, last, _ := i.start(t)
	for role, token := range again.Tokens {
		if last.Tokens[role] != token {
			t.Errorf("the token of %s changed although its holder is there", role)
		}
	}
	i.stop(t, p)
}

func (r report) logIn(t *testing.T, db *database.DB, name string, role models.Role) *harness.Client {
	t.Helper()
	user := r.Users[name]
	s := &harness.Stack{API: r.API, Facts: db}
	c, err := s.LogIn(t.Context(), harness.Login{Role: role, Login: user.Login, Password: user.Password, Secret: user.TOTPSecret})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// letGo begins an immediate departure on the word of two people where that is needed.
func (r report) letGo(t *testing.T, hr, reviewer *harness.Client, no string) string {
	t.Helper()
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	r.call(t, "hr_admin", http.MethodGet, "/api/v1/employees?q="+no, nil, &page)
	if len(page.Items) != 1 {
		t.Fatalf("looking for %s found %d people", no, len(page.Items))
	}
	a, err := hr.Do(t.Context(), http.MethodPost, "/api/v1/departures",
		map[string]any{"employee_id": page.Items[0].ID, "kind": "resignation", "immediate": true})
	if err != nil || a.Status != http.StatusAccepted {
		t.Fatalf("the departure of %s: %d %s %v", no, a.Status, a.Body, err)
	}
	if !strings.HasPrefix(a.Location, "/api/v1/approvals/") {
		return a.Location[strings.LastIndexByte(a.Location, '/')+1:]
	}
	if err := reviewer.Decide(t.Context(), a.Location, models.DecisionApproved); err != nil {
		t.Fatalf("agreeing to the departure of %s: %v", no, err)
	}
	var open struct {
		Items []harness.Departure `json:"items"`
	}
	a, err = hr.Do(t.Context(), http.MethodGet, "/api/v1/departures?q="+no, nil)
	if err != nil || json.Unmarshal(a.Body, &open) != nil || len(open.Items) != 1 {
		t.Fatalf("looking for the departure of %s: %d %s %v", no, a.Status, a.Body, err)
	}
	return open.Items[0].ID
}
