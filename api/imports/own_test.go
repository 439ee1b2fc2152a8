package imports_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/internal/database"
	domain "lethe/internal/imports"
	"lethe/models"
)

// TestI27_NobodyTurnsAFileThatLetsThemLeave, nor reads in it that they are to, before or after it was asked for.
func TestI27_NobodyTurnsAFileThatLetsThemLeave(t *testing.T) {
	f := apitest.New(t)
	me := f.Hire("X-1", f.B)
	subject, other := f.FreshSession(me, models.RoleHRAdmin), f.FreshSession(f.Hire("X-2", f.B), models.RoleHRAdmin)
	v := f.SendDepartures("工号,离职类型,最后工作日,立即离职\nX-1,单位解除,,是\n")
	asked := f.Session(models.RoleHRAdmin).Ask("POST", batch(v.ID)+"/run", `{"approval_reason": "x"}`)
	if asked.Status != 202 {
		t.Fatalf("%d %s", asked.Status, asked.Body)
	}
	if got := subject.Ask("GET", batch(v.ID)+"/rows", ""); strings.Contains(string(got.Body), "X-1") {
		t.Errorf("read by whom it is about: %s", got.Body)
	}
	if got := other.Ask("GET", batch(v.ID)+"/rows", ""); !strings.Contains(string(got.Body), "X-1") {
		t.Errorf("read by another of HR: %d %s", got.Status, got.Body)
	}
	for _, turn := range []string{"pause", "resumption", "cancellation"} {
		if got := subject.Ask("POST", batch(v.ID)+"/"+turn, "", "Idempotency-Key", turn); got.Status != 403 {
			t.Errorf("%s by whom it is about: %d %s", turn, got.Status, got.Body)
		}
	}
	if got := f.Session(models.RoleReviewer).Ask("GET", asked.Header.Get("Location"), ""); !strings.Contains(string(got.Body), `"state":"pending"`) {
		t.Errorf("the request is %s", got.Body)
	}
	if got := other.Ask("POST", batch(v.ID)+"/cancellation", "", "Idempotency-Key", "other"); got.Status != 200 {
		t.Errorf("by another of HR: %d %s", got.Status, got.Body)
	}
}

// TestI31_TwoFilesOfOnePersonCountEachOther, though each is assessed before the other runs.
func TestI31_TwoFilesOfOnePersonCountEachOther(t *testing.T) {
	f := apitest.New(t)
	file := func(from, to int) string {
		var b strings.Builder
		b.WriteString("工号,离职类型,最后工作日\n")
		for i := from; i < to; i++ {
			f.Hire(fmt.Sprintf("R-%02d", i), f.B)
			fmt.Fprintf(&b, "R-%02d,协商解除,%s\n", i, f.Day(20))
		}
		return b.String()
	}
	one, two := f.SendDepartures(file(0, 4)), f.SendDepartures(file(4, 8))
	limits := domain.Limits{People: 5, CompanyShare: 100, DepartmentShare: 100}
	ctx := models.WithCaller(t.Context(), models.Caller{Actor: models.Actor{EmployeeID: f.People[models.RoleHRAdmin], Role: models.RoleHRAdmin}})
	second := make(chan []models.Cause, 1)
	err := database.Run(ctx, f.App, func(tx *database.Tx) error {
		if causes, err := domain.AssessLeaves(tx, one.ID, limits); err != nil || len(causes) > 0 {
			return fmt.Errorf("the first file: %v %w", causes, err)
		}
		if err := domain.Run(tx, models.BatchDepartures, one.ID, domain.Agreement{}); err != nil {
			return err
		}
		go func() {
			var causes []models.Cause
			_ = database.Run(ctx, f.App, func(tx *database.Tx) (err error) {
				causes, err = domain.AssessLeaves(tx, two.ID, limits)
				return err
			})
			second <- causes
		}()
		select {
		case causes := <-second:
			second <- causes
			return fmt.Errorf("the second file did not wait: %v", causes)
		case <-time.After(time.Second):
			return nil
		}
	})
	if err != nil {
		t.Error(err)
	}
	if causes := <-second; len(causes) != 1 || causes[0] != models.CauseManyLeave {
		t.Errorf("the second file: %v", causes)
	}
}
