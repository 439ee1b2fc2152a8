package retention

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// TestI25_APurgeForgetsWhatRequestsAboutThePersonSaid: those that led to something of the person's
// employments, departures, accounts, holds and approvals, or that the person made. Those of somebody else
// stay, and so does what each was answered with.
func TestI25_APurgeForgetsWhatRequestsAboutThePersonSaid(t *testing.T) {
	w := newWorld(t)
	p, other := w.departedNow(t, "DEMO"), w.departedNow(t, "DEMO")
	if _, err := w.hold(HoldOrder{EmployeeID: other.employee, Matter: "A", By: w.hr}); err != nil {
		t.Fatal(err)
	}
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	w.release(t, hold.ID)
	row := func(by uuid.UUID, location string) {
		t.Helper()
		sum := sha256.Sum256([]byte(by.String() + location))
		w.exec(t, `INSERT INTO idempotency_keys (employee_id, key_hash, route, request_hash, status, location, expires_at)
			VALUES (?, ?, 'POST /x', ?, 202, ?, lethe_now() + interval '48 hours')`, by, sum[:], sum[:], location)
	}
	hr := w.hr.EmployeeID
	about := []string{"/api/v1/departures/" + p.departure.String(), "/api/v1/employees/" + p.employee.String(), "/api/v1/holds/" + hold.ID.String()}
	for _, location := range about {
		row(hr, location)
	}
	row(p.employee, "/api/v1/tokens/"+uuid.NewString())
	row(hr, "/api/v1/departures/"+other.departure.String())
	row(hr, "/api/v1/employees/"+other.employee.String())
	row(other.employee, "/api/v1/tokens/"+uuid.NewString())
	former, others := w.decided(t, p.employee), w.decided(t, other.employee)
	if err := w.carryOut(w.onePurge(t, p)); err != nil {
		t.Fatal(err)
	}
	if query[bool](t, w, "SELECT told_sealed IS NOT NULL FROM approval_records WHERE id = ?", former) {
		t.Error("what was decided about the person is kept")
	}
	if !query[bool](t, w, "SELECT told_sealed IS NOT NULL FROM approval_records WHERE id = ?", others) {
		t.Error("what was decided about somebody else is not")
	}
	forgotten := query[int](t, w, "SELECT count(*) FROM idempotency_keys WHERE request_hash IS NULL AND status = 202 AND location <> ''")
	kept := query[int](t, w, "SELECT count(*) FROM idempotency_keys WHERE request_hash IS NOT NULL")
	if forgotten != len(about)+1 || kept != 3 {
		t.Errorf("%d are forgotten, want %d; %d are kept, want 3", forgotten, len(about)+1, kept)
	}
	mine := query[int](t, w, "SELECT count(*) FROM idempotency_keys WHERE request_hash IS NOT NULL AND (location LIKE ? OR location LIKE ? OR employee_id = ?)",
		"%"+p.departure.String(), "%"+p.employee.String(), p.employee)
	if mine != 0 {
		t.Errorf("%d of the person's are kept", mine)
	}
}

// decided is a request about somebody that two people decided, with what they were shown.
func (w *world) decided(t *testing.T, subject uuid.UUID) (id uuid.UUID) {
	t.Helper()
	a := databasetest.Agreement{Operation: "test.decided", Subject: subject, Kind: "employee", Target: subject, Requester: w.hr.EmployeeID, Approver: w.reviewer.EmployeeID}
	err := databasetest.Agreed(t, w.env.Facts, a, func(tx *database.Tx) error {
		id = models.CallerOf(tx.Context()).ApprovalID
		return database.Hide(tx.DB().Exec("INSERT INTO approval_records (id, told_sealed) VALUES (?, decode('4c534c31' || repeat('00', 44), 'hex'))", id).Error)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestI25_ARequestUnderWayIsForgottenToo: it commits only when the fields are cleared already.
func TestI25_ARequestUnderWayIsForgottenToo(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	steps := w.steps(w.purger(), w.onePurge(t, p))
	const cleared = 4
	for _, step := range steps[:cleared-1] {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	inserted, goOn, done := make(chan error, 1), make(chan bool), make(chan error, 1)
	go func() {
		done <- database.Run(t.Context(), w.env.Facts, func(tx *database.Tx) error {
			err := tx.DB().Exec(`INSERT INTO idempotency_keys (employee_id, key_hash, route, request_hash, status, location, expires_at)
				VALUES (?, sha256('k'), 'POST /x', sha256('body'), 202, ?, lethe_now() + interval '48 hours')`,
				w.hr.EmployeeID, "/api/v1/departures/"+p.departure.String()).Error
			inserted <- err
			<-goOn
			return err
		})
	}()
	if err := <-inserted; err != nil {
		t.Fatal(err)
	}
	err := steps[cleared-1]()
	close(goOn)
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if !query[bool](t, w, "SELECT request_hash IS NOT NULL FROM idempotency_keys") {
		t.Fatal("the request was not under way when the fields were cleared")
	}
	for _, step := range steps[cleared:] {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if query[bool](t, w, "SELECT request_hash IS NOT NULL FROM idempotency_keys") {
		t.Error("its digest outlives the data")
	}
}
