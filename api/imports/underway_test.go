package imports_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/api/imports"
	"lethe/internal/database"
	"lethe/internal/departure"
	domain "lethe/internal/imports"
	"lethe/models"
)

// held walks an import while somebody else holds the employments of everybody, does what happens meanwhile, and lets go.
func held(t *testing.T, f *apitest.Fixture, v imports.ImportView, meanwhile func()) imports.ImportView {
	t.Helper()
	w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{}}
	walked := make(chan error, 1)
	f.Run(func(tx *database.Tx) error {
		if err := tx.DB().Exec("SELECT id FROM employments FOR UPDATE").Error; err != nil {
			return database.Hide(err)
		}
		go func() {
			_, err := w.Walk(t.Context(), v.ID, time.Now().Add(time.Minute))
			walked <- err
		}()
		for began := time.Now(); f.Count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatal("nobody waits")
			}
		}
		meanwhile()
		return nil
	})
	if err := <-walked; err != nil {
		t.Fatal(err)
	}
	f.Ask(models.RoleHRAdmin, "GET", address(v.ID), "").Into(t, &v)
	return v
}

// A part that is under way when its import is cancelled is not written: what is told of the import at its end is all there is.
func TestWhatIsUnderWayAtACancellationIsNotWritten(t *testing.T) {
	f := apitest.New(t)
	f.Hire("E-1", f.A)
	v := f.Upload("工号,岗位\nE-1,顾问\n")
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchImport, v.ID, domain.Agreement{}) })
	v = held(t, f, v, func() {
		if got := f.Ask(models.RoleHRAdmin, "POST", address(v.ID)+"/cancellation", `{}`); got.Status != http.StatusOK {
			t.Errorf("cancelling: %d %s", got.Status, got.Body)
		}
	})
	if n := f.Count("employments WHERE post = '顾问'"); v.State != models.BatchCancelled || v.Ran != 0 || n != 0 {
		t.Errorf("%s, %d rows, %d people changed", v.State, v.Ran, n)
	}
}

// Parts that are under way at once give everybody a turn of their own.
func TestPartsAtOnceAskAboutNobodyAtOnce(t *testing.T) {
	f := apitest.New(t)
	var b strings.Builder
	b.WriteString("工号,姓名,部门,入职日期,离职日期,离职类型\n")
	for i := range 2000 {
		end := ","
		if i%50 == 0 {
			end = "2015-06-30,辞职"
		}
		fmt.Fprintf(&b, "T%04d,张伟,A,2010-01-04,%s\n", i, end)
	}
	v := agree(t, f, f.Upload(b.String()).ID)
	if v.State != models.BatchDone || v.Result.Departed != 40 {
		t.Fatalf("%+v", v)
	}
	if n := f.Count("(SELECT DISTINCT wake_at FROM departures WHERE batch_id IS NOT NULL) turns"); n != 40 {
		t.Errorf("40 people have %d turns", n)
	}
}

// How fast an import goes is told while it does, by what is behind it, and not when nothing goes on.
func TestThePaceOfAnImport(t *testing.T) {
	f := apitest.New(t)
	var b strings.Builder
	b.WriteString("工号,姓名,部门,入职日期\n")
	for i := range 1200 {
		fmt.Fprintf(&b, "R%04d,张伟,A,2024-01-02\n", i)
	}
	v := f.Upload(b.String())
	if v.Pace != nil {
		t.Errorf("nothing goes on, at %+v", v.Pace)
	}
	f.Run(func(tx *database.Tx) error { return domain.Run(tx, models.BatchImport, v.ID, domain.Agreement{}) })
	f.Ask(models.RoleHRAdmin, "GET", address(v.ID), "").Into(t, &v)
	if v.Pace != nil {
		t.Errorf("it has not begun, and goes at %+v", v.Pace)
	}
	w := domain.Worker{DB: f.App, Vault: f.Vault, Leavers: departure.Leavers{}}
	if parts, err := w.Walk(t.Context(), v.ID, time.Now()); err != nil || parts != 2 {
		t.Fatalf("%d parts, %v", parts, err)
	}
	f.Exec("UPDATE batch_parts SET walked_at = lethe_now() - interval '30 seconds' WHERE ran")
	f.Ask(models.RoleHRAdmin, "GET", address(v.ID), "").Into(t, &v)
	if p := v.Pace; v.Ran != 1000 || p == nil || p.PerMinute < 1500 || p.PerMinute > 2000 || p.SecondsLeft < 6 || p.SecondsLeft > 8 {
		t.Errorf("%d rows at %+v", v.Ran, p)
	}
	f.Exec("UPDATE batch_parts SET walked_at = lethe_now() - interval '2 minutes' WHERE ran")
	var still imports.ImportView
	f.Ask(models.RoleHRAdmin, "GET", address(v.ID), "").Into(t, &still)
	if still.Pace != nil {
		t.Errorf("it stands still, at %+v", still.Pace)
	}
}
