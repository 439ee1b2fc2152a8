package api

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/models"
)

// TestI8_TheAccountsOfEveryEmploymentAreListed: what a former employment left open does not vanish from
// the list because its owner came back.
func TestI8_TheAccountsOfEveryEmploymentAreListed(t *testing.T) {
	f := newFixture(t)
	id := f.hire("E1", f.a)
	former := f.employment(id)
	f.hireAgain(id, "E1")
	var page Page[AccountView]
	f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefEmployee, id)+"/accounts", "").into(t, &page)
	if len(page.Items) != 2 || (page.Items[0].Employment == former) == (page.Items[1].Employment == former) {
		t.Errorf("listed are %+v", page.Items)
	}
}

// hireAgain ends the employment of a person and gives them another one, with an account of its own.
func (f *fixture) hireAgain(id uuid.UUID, no string) {
	f.t.Helper()
	f.exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", id)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		f.exec("UPDATE employees SET status = ? WHERE id = ?", status, id)
	}
	if again := f.hire(no, f.b); again != id {
		f.t.Fatal("it is another person")
	}
}

func (f *fixture) orders(employment uuid.UUID) (n int64) {
	f.t.Helper()
	if err := f.env.Facts.Read(f.t.Context()).Raw("SELECT count(*) FROM account_operations WHERE employment_id = ?", employment).Scan(&n).Error; err != nil {
		f.t.Fatal(err)
	}
	return n
}

// TestI8_IsUnlinkedOfTheEmploymentThatIsNamed: the accounts of a former employment are within reach of IT,
// by one person and by two, and those of the current one are left alone.
func TestI8_IsUnlinkedOfTheEmploymentThatIsNamed(t *testing.T) {
	f := newFixture(t)
	one, two := f.hire("E1", f.a), f.hire("E2", f.b)
	former, formerOfTwo := f.employment(one), f.employment(two)
	f.hireAgain(one, "E1")
	f.hireAgain(two, "E2")
	body := func(person, employment uuid.UUID, rest string) string {
		return `{"employee_id": "` + person.String() + `", "employment_id": "` + employment.String() + `"` + rest + `}`
	}
	var op OperationView
	got := f.ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", body(one, former, ""))
	got.into(t, &op)
	if got.status != http.StatusAccepted || op.EmploymentID != former || f.orders(former) != 1 {
		t.Errorf("by one: %d %s", got.status, got.body)
	}
	waits := f.session(models.RoleITOps).ask("POST", "/api/v1/account-unlinkings", body(two, formerOfTwo, `, "mode": "detach"`))
	if got := f.session(models.RoleReviewer).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`); got.status != http.StatusOK || f.orders(formerOfTwo) != 1 {
		t.Errorf("by two: %d %s after %d %s", got.status, got.body, waits.status, waits.body)
	}
	for _, mode := range []string{"", `, "mode": "detach"`} {
		got := f.ask(models.RoleITOps, "POST", "/api/v1/account-unlinkings", body(one, formerOfTwo, mode))
		if got.status != http.StatusNotFound || len(got.problem.Errors) != 1 || got.problem.Errors[0].Location != "body.employment_id" {
			t.Errorf("another person's employment%s: %d %s", mode, got.status, got.body)
		}
	}
	var all int64
	if err := f.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM account_operations").Scan(&all).Error; err != nil || all != 2 {
		t.Errorf("%d orders: %v", all, err)
	}
}

// TestI8_WhatWasAskedOfALeaverIsNotDoneToTheNextEmployment: a head left without a registered account, IT
// asked that every system is asked, and before a second person agreed the head was hired again.
func TestI8_WhatWasAskedOfALeaverIsNotDoneToTheNextEmployment(t *testing.T) {
	f := newFixture(t)
	head := f.hire("H1", f.b)
	former := f.employment(head)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.b)
	f.exec("DELETE FROM linked_accounts WHERE employment_id = ?", former)
	waits := f.session(models.RoleITOps).ask("POST", "/api/v1/account-unlinkings", `{"employee_id": "`+head.String()+`", "systems": ["finance"]}`)
	if waits.status != http.StatusAccepted {
		t.Fatalf("%d %s", waits.status, waits.body)
	}
	f.hireAgain(head, "H1")
	got := f.session(models.RoleReviewer).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`)
	if n, m := f.orders(former), f.orders(f.current(head)); n != 1 || m != 0 {
		t.Errorf("%d orders for the former employment, %d for the new one: %d %s", n, m, got.status, got.body)
	}
}

func (f *fixture) current(person uuid.UUID) (id uuid.UUID) {
	f.t.Helper()
	employment, err := archive.LatestEmployment(f.env.Facts.Read(f.t.Context()), person)
	if err != nil {
		f.t.Fatal(err)
	}
	return employment.ID
}
