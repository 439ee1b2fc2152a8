package successions_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/reasons"
	"lethe/models"
)

// TestI28_WhoTellsWhatCameOfALookDoesNotReviewIt, though somebody else looked.
func TestI28_WhoTellsWhatCameOfALookDoesNotReviewIt(t *testing.T) {
	w := newWorld(t)
	successor, about := w.employ("S-9", httpkit.HR, httpkit.Reviewer), w.Hire("E-9", w.A)
	w.look = uuid.New()
	w.Run(func(tx *database.Tx) error {
		statement, err := reasons.Seal(tx, reasons.Cell("disclosures.statement_sealed", w.look), "{}")
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec(`INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, statement_sealed, shown_at, shown_times, open_until, review_due_at, ledger_entry_id)
			SELECT ?, e.employee_id, e.id, ?, 'hr_admin', '{mobile}', 'medical_emergency', 'active', 'shown', 'granted', ?, lethe_now(), 1, lethe_now(), lethe_now() + interval '1 day', ? FROM employments e WHERE e.employee_id = ?`,
			w.look, w.leaver, statement, w.Entry(tx), about).Error)
	})
	w.name(w.leaver, 0, &successor, nil)
	w.disable(w.leaver)
	w.sweep()
	at := "/api/v1/disclosures/" + w.look.String()
	if got := w.FreshSession(successor, httpkit.HR).Ask("POST", at+"/outcome", `{"outcome": "not_passed_on", "pressed": false}`); got.Status != 200 {
		t.Fatalf("telling: %d %s", got.Status, got.Body)
	}
	for _, role := range []models.Role{httpkit.HR, httpkit.Reviewer} {
		if got := w.FreshSession(successor, role).Ask("POST", at+"/review", `{"review": "proper"}`); got.Status != 403 {
			t.Errorf("reviewed as %s by who told the outcome: %d %s", role, got.Status, got.Body)
		}
	}
	if got := w.Session(httpkit.Reviewer).Ask("POST", at+"/review", `{"review": "proper"}`); got.Status != 200 {
		t.Errorf("by another: %d %s", got.Status, got.Body)
	}
}

// TestI27_ARequestAboutSeveralIsNotReadByAnyOfThem among what its requester looks after.
func TestI27_ARequestAboutSeveralIsNotReadByAnyOfThem(t *testing.T) {
	w := newWorld(t)
	subjects := []uuid.UUID{w.employ("A-1", httpkit.HR), w.employ("B-2", httpkit.HR)}
	third := w.employ("C-3", httpkit.HR)
	v := w.SendDepartures("工号,离职类型,最后工作日\nA-1,单位解除," + w.Day(20) + "\nB-2,单位解除," + w.Day(20) + "\n")
	if got := w.Session(httpkit.HR).Ask("POST", "/api/v1/departure-batches/"+v.ID.String()+"/run", `{"approval_reason": "x"}`); got.Status != 202 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	reads := func(who uuid.UUID) bool {
		got := w.FreshSession(who, httpkit.HR).Ask("GET", "/api/v1/employees/"+w.People[models.RoleHRAdmin].String()+"/holdings", "")
		return strings.Contains(string(got.Body), `"kind":"request"`)
	}
	for _, who := range subjects {
		if reads(who) {
			t.Error("read by whom it is about")
		}
	}
	if !reads(third) {
		t.Error("not read by another of HR: the test shows nothing")
	}
}

// TestI25_HoldingsNameNobodyWhoseDataIsDeleted.
func TestI25_HoldingsNameNobodyWhoseDataIsDeleted(t *testing.T) {
	w := newWorld(t)
	var row models.Disclosure
	w.Run(func(tx *database.Tx) (err error) {
		row, err = database.First[models.Disclosure](tx.DB().Where("id = ?", w.look))
		return err
	})
	named, err := database.First[models.Employee](w.Env.Facts.Read(t.Context()).Where("id = ?", row.EmployeeID))
	if err != nil {
		t.Fatal(err)
	}
	texts := func() (all string) {
		for _, k := range w.holdings(w.leaver).Kinds {
			for _, thing := range k.Things {
				all += thing.Text + "\n"
			}
		}
		return all
	}
	if !strings.Contains(texts(), named.EmployeeNo) {
		t.Fatalf("not named while it is there: %s", texts())
	}
	if err := databasetest.Unguarded(w.Env.Facts, "employees", "employees_status", "UPDATE employees SET status = 'purged' WHERE id = '"+row.EmployeeID.String()+"'"); err != nil {
		t.Fatal(err)
	}
	if got := texts(); strings.Contains(got, named.EmployeeNo) || strings.Contains(got, named.Name) {
		t.Errorf("named: %s", got)
	}
}
