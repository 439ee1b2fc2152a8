package accounts_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/models"
)

// TestI8_TheAccountsOfEveryEmploymentAreListed: what a former employment left open does not vanish from
// the list because its owner came back.
func TestI8_TheAccountsOfEveryEmploymentAreListed(t *testing.T) {
	f := apitest.New(t)
	id := f.Hire("E1", f.A)
	former := f.Employment(id)
	hireAgain(f, id, "E1")
	var page httpkit.Page[accounts.AccountView]
	f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefEmployee, id)+"/accounts", "").Into(t, &page)
	if len(page.Items) != 2 || (page.Items[0].Employment == former) == (page.Items[1].Employment == former) {
		t.Errorf("listed are %+v", page.Items)
	}
}

// hireAgain ends the employment of a person and gives them another one, with an account of its own.
func hireAgain(f *apitest.Fixture, id uuid.UUID, no string) {
	f.T.Helper()
	f.Exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", id)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		f.Exec("UPDATE employees SET status = ? WHERE id = ?", status, id)
	}
	if again := f.Hire(no, f.B); again != id {
		f.T.Fatal("it is another person")
	}
}

func orders(f *apitest.Fixture, employment uuid.UUID) (n int64) {
	f.T.Helper()
	if err := f.Env.Facts.Read(f.T.Context()).Raw("SELECT count(*) FROM account_operations WHERE employment_id = ?", employment).Scan(&n).Error; err != nil {
		f.T.Fatal(err)
	}
	return n
}

// TestI8_IsUnlinkedOfTheEmploymentThatIsNamed: the accounts of a former employment are within reach of IT,
// by one person and by two, and those of the current one are left alone.
func TestI8_IsUnlinkedOfTheEmploymentThatIsNamed(t *testing.T) {
	f := apitest.New(t)
	one, two := f.Hire("E1", f.A), f.Hire("E2", f.B)
	former, formerOfTwo := f.Employment(one), f.Employment(two)
	hireAgain(f, one, "E1")
	hireAgain(f, two, "E2")
	body := func(person, employment uuid.UUID, rest string) string {
		return `{"employee_id": "` + person.String() + `", "employment_id": "` + employment.String() + `"` + rest + `}`
	}
	var op accounts.OperationView
	got := f.Ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", body(one, former, ""))
	got.Into(t, &op)
	if got.Status != http.StatusAccepted || op.EmploymentID != former || orders(f, former) != 1 {
		t.Errorf("by one: %d %s", got.Status, got.Body)
	}
	waits := f.Session(models.RoleITOps).Ask("POST", "/api/v1/account-unlinkings", body(two, formerOfTwo, `, "mode": "detach"`))
	if got := f.Session(models.RoleReviewer).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`); got.Status != http.StatusOK || orders(f, formerOfTwo) != 1 {
		t.Errorf("by two: %d %s after %d %s", got.Status, got.Body, waits.Status, waits.Body)
	}
	for _, mode := range []string{"", `, "mode": "detach"`} {
		got := f.Ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", body(one, formerOfTwo, mode))
		if got.Status != http.StatusNotFound || len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Location != "body.employment_id" {
			t.Errorf("another person's employment%s: %d %s", mode, got.Status, got.Body)
		}
	}
	var all int64
	if err := f.Env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM account_operations").Scan(&all).Error; err != nil || all != 2 {
		t.Errorf("%d orders: %v", all, err)
	}
}

// TestI8_WhatWasAskedOfALeaverIsNotDoneToTheNextEmployment: a head left without a registered account, IT
// asked that every system is asked, and before a second person agreed the head was hired again.
func TestI8_WhatWasAskedOfALeaverIsNotDoneToTheNextEmployment(t *testing.T) {
	f := apitest.New(t)
	head := f.Hire("H1", f.B)
	former := f.Employment(head)
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.B)
	f.Exec("DELETE FROM linked_accounts WHERE employment_id = ?", former)
	waits := f.Session(models.RoleITOps).Ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+head.String()+`", "systems": ["finance"]}`)
	if waits.Status != http.StatusAccepted {
		t.Fatalf("%d %s", waits.Status, waits.Body)
	}
	hireAgain(f, head, "H1")
	got := f.Session(models.RoleReviewer).Ask("POST", waits.Header.Get("Location")+"/decision", `{"decision": "approved"}`)
	if n, m := orders(f, former), orders(f, current(f, head)); n != 1 || m != 0 {
		t.Errorf("%d orders for the former employment, %d for the new one: %d %s", n, m, got.Status, got.Body)
	}
}

func current(f *apitest.Fixture, person uuid.UUID) (id uuid.UUID) {
	f.T.Helper()
	employment, err := archive.LatestEmployment(f.Env.Facts.Read(f.T.Context()), person)
	if err != nil {
		f.T.Fatal(err)
	}
	return employment.ID
}
