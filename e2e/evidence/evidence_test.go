package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/database"
	"lethe/models"
)

// patience is how long an answer may take while the ledger cannot be written.
const patience = 10 * time.Second

var numbers atomic.Int64

// TestI18_NothingHappensUnrecorded takes each way in which the ledger cannot be written. Before it, a
// departure is under way to its purge; during it, nothing that must be recorded happens, and the
// answers say so soon; after it, everything goes on by itself.
func TestI18_NothingHappensUnrecorded(t *testing.T) {
	s := harness.Start(t, harness.Options{OwnPostgres: true, BeforeMidnight: 6 * time.Hour})
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			w := &witnessed{T: t, Stack: s}
			leaving := w.hire()
			departure := w.untilDeparted(leaving)
			staying := w.hire()
			login := w.credentials(staying)
			end, err := f.begin(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			w.refusesDeparture(staying)
			w.refusesLogin(login)
			w.showsNothing()
			w.purgesNothing(departure)
			if err := end(); err != nil {
				t.Fatal(err)
			}
			w.goesOn(departure, staying, login)
		})
	}
}

// witnessed is one fault's story.
type witnessed struct {
	*testing.T
	*harness.Stack
}

func (w *witnessed) hire() harness.Person {
	w.Helper()
	person, err := w.Stack.Hire(w.Context(), harness.Hire{No: fmt.Sprintf("EV%04d", numbers.Add(1)), KnownIDs: true})
	if err != nil {
		w.Fatal(err)
	}
	return person
}

// untilDeparted lets somebody leave, up to the time when only the purge is still to come.
func (w *witnessed) untilDeparted(person harness.Person) string {
	w.Helper()
	hr := w.As(w.Staff.HR)
	id, err := hr.Depart(w.Context(), person.EmployeeID.String(), map[string]any{"immediate": true})
	if err != nil {
		w.Fatal(err)
	}
	err = harness.Eventually(w.Context(), time.Minute, func() error {
		d, err := hr.Departure(w.Context(), id)
		if err == nil && (d.AccountsState != "settled" || len(d.Retention) == 0) {
			return fmt.Errorf("the departure is %s, its accounts %s", d.Stage, d.AccountsState)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// unavailable wants a call to be refused soon, in the one form that says it is not the caller's fault.
func (w *witnessed) unavailable(method, path string, call func() (harness.Answer, error)) {
	w.Helper()
	began := time.Now()
	a, err := call()
	if err != nil {
		w.Errorf("%s %s: %v", method, path, err)
		return
	}
	if took := time.Since(began); took > patience {
		w.Errorf("%s %s: answered after %s", method, path, took)
	}
	var told map[string]any
	if err := json.Unmarshal(a.Body, &told); err != nil {
		w.Errorf("%s %s: %v", method, path, err)
	}
	if a.Status != http.StatusServiceUnavailable || told["code"] != "unavailable" || a.Header.Get("Retry-After") == "" {
		w.Errorf("%s %s: %d %v, want 503 unavailable", method, path, a.Status, told["code"])
	}
	for _, shown := range []string{"items", "data", "token", "session"} {
		if told[shown] != nil {
			w.Errorf("%s %s: shows %s", method, path, shown)
		}
	}
	if a.Header.Get("Set-Cookie") != "" {
		w.Errorf("%s %s: sets a cookie", method, path)
	}
}

func (w *witnessed) count(sql string, args ...any) (n int) {
	w.Helper()
	if err := w.Facts.Read(context.Background()).Raw(sql, args...).Scan(&n).Error; err != nil {
		w.Fatal(database.Hide(err))
	}
	return n
}

func (w *witnessed) refusesDeparture(person harness.Person) {
	w.Helper()
	w.unavailable(http.MethodPost, "/api/v1/departures", func() (harness.Answer, error) {
		return w.As(w.Staff.HR).Do(w.Context(), http.MethodPost, "/api/v1/departures",
			map[string]any{"employee_id": person.EmployeeID.String(), "kind": "resignation", "immediate": true})
	})
	if n := w.count("SELECT count(*) FROM departures WHERE employee_id = ?", person.EmployeeID); n != 0 {
		w.Error("a departure began that the ledger does not know")
	}
}

func (w *witnessed) credentials(person harness.Person) harness.Login {
	w.Helper()
	login, err := w.Credentials(w.Context(), person.EmployeeID, models.RoleEmployee)
	if err != nil {
		w.Fatal(err)
	}
	return login
}

// refusesLogin tries the right password and a wrong one: a failure must be recorded as well.
func (w *witnessed) refusesLogin(right harness.Login) {
	w.Helper()
	wrong := right
	wrong.Password = "not it, and long enough"
	for _, l := range []harness.Login{right, wrong} {
		w.unavailable(http.MethodPost, "/api/v1/sessions", func() (harness.Answer, error) {
			_, a, err := w.Try(w.Context(), l)
			return a, err
		})
	}
	if n := w.count("SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.login = ?", right.Login); n != 0 {
		w.Error("somebody is logged in whom the ledger does not know")
	}
}

// showsNothing looks into the query log, whose every search is recorded before its result is shown.
func (w *witnessed) showsNothing() {
	w.Helper()
	w.unavailable(http.MethodGet, "/api/v1/query-log", func() (harness.Answer, error) {
		return w.As(w.Staff.Auditor).Do(w.Context(), http.MethodGet, "/api/v1/query-log?q=departure", nil)
	})
}

// purgesNothing waits beyond every deadline of the departure.
func (w *witnessed) purgesNothing(departure string) {
	w.Helper()
	const due = "SELECT count(*) FROM retention_deadlines WHERE departure_id = ? AND deadline < lethe_now() - interval '3 seconds'"
	const all = "SELECT count(*) FROM retention_deadlines WHERE departure_id = ?"
	err := harness.Eventually(w.Context(), time.Minute, func() error {
		if due, all := w.count(due, departure), w.count(all, departure); due < all {
			return fmt.Errorf("%d of %d categories are due", due, all)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	before := w.purged(departure)
	time.Sleep(lockedFor)
	if after := w.purged(departure); after != before {
		w.Errorf("%d categories were purged that the ledger does not know", after-before)
	}
	if before == w.count(all, departure) {
		w.Error("everything was purged before the fault began: the check checks nothing")
	}
}

// lockedFor is longer than a statement waits for a lock.
const lockedFor = 7 * time.Second

func (w *witnessed) purged(departure string) int {
	return w.count(`SELECT count(*) FROM employment_categories c JOIN departures d USING (employment_id)
		WHERE d.id = ? AND c.state IN ('purging', 'purged')`, departure)
}

// goesOn wants the purge to end without help, and the refused departure to be accepted now.
func (w *witnessed) goesOn(departure string, staying harness.Person, login harness.Login) {
	w.Helper()
	hr := w.As(w.Staff.HR)
	err := harness.Eventually(w.Context(), 90*time.Second, func() error {
		d, err := hr.Departure(w.Context(), departure)
		if err == nil && d.Stage != "purged" {
			return fmt.Errorf("the departure is %s", d.Stage)
		}
		return err
	})
	if err != nil {
		w.Error(err)
	}
	if _, err := w.LogIn(w.Context(), login); err != nil {
		w.Errorf("after the fault: %v", err)
	}
	if _, err := hr.Depart(w.Context(), staying.EmployeeID.String(), map[string]any{"immediate": true}); err != nil {
		w.Errorf("after the fault: %v", err)
	}
}
