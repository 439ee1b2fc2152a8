package journey

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/database/databasetest"
)

// purgeState is what a test reads of a purge.
type purgeState struct {
	ID, State, Decision string
	DepartureID         string `json:"departure_id"`
	ReviewRequired      bool   `json:"review_required"`
	Escalated           bool
}

// TestI1_I6_NobodysFileIsDestroyedByOnePersonsDates: one token of HR enters an active person as gone since
// the day of hiring. The person departs, the access is cut, and nothing is due. Even where a second
// person is talked into the dates, the reviewer's refusal holds: after 30 days, and after 400.
func TestI1_I6_NobodysFileIsDestroyedByOnePersonsDates(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{})
	alone, agreed := on(t, stack, harness.Hire{Jurisdiction: "CN"}), on(t, stack, harness.Hire{Jurisdiction: "CN"})
	hired := map[string]any{"last_working_day": "2020-03-01", "employment_end_date": "2020-03-01"}

	_, err := alone.hr.Depart(alone.ctx, alone.person.EmployeeID.String(), hired)
	var refused *harness.RefusedError
	if !errors.As(err, &refused) || refused.Code != "last_working_day_in_past" {
		t.Fatalf("unconfirmed: %v", err)
	}
	hired["confirm_past"] = true
	var ids []string
	for _, j := range []*journey{alone, agreed} {
		id := j.depart(hired)
		d := j.until(id, lifetime, "departed, its accounts off", func(d harness.Departure) bool {
			return d.Stage == "departed" && d.AccountsState == "settled"
		})
		j.wantActive(false)
		j.wantKept(d, 29*24*time.Hour)
		if !waitsFor(d, "earlier_dates") {
			t.Errorf("the request is not to be seen: %v", d.Waiting)
		}
		ids = append(ids, id)
	}

	reviewer, err := stack.Reviewer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := reviewer.Decide(t.Context(), requestOf(t, agreed, ids[1]), "approved"); err != nil {
		t.Fatal(err)
	}
	purge := agreed.untilPurge(ids[1], "in_review")
	if !purge.ReviewRequired {
		t.Error("what two people's dates brought forward wants no review")
	}
	if err := reviewer.Decide(t.Context(), "/api/v1/purges/"+purge.ID, "rejected"); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{31 * 24 * time.Hour, 370 * 24 * time.Hour} {
		if err := databasetest.MoveClock(t.Context(), stack.Facts, wait); err != nil {
			t.Fatal(err)
		}
		token, err := stack.Token(t.Context(), stack.Staff.HRPerson, "hr_admin")
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range []*journey{alone, agreed} {
			j.hr = stack.As(token)
		}
		if p := agreed.untilPurge(ids[1], "rejected"); !p.Escalated {
			agreed.untilEscalated(ids[1])
		}
		d, err := agreed.hr.Departure(agreed.ctx, ids[1])
		if err != nil {
			t.Fatal(err)
		}
		if d.Stage != "departed" || !waitsFor(d, "purge_rejected") {
			t.Errorf("rejected: stage %s, waiting %v", d.Stage, d.Waiting)
		}
		wantFields(t, agreed, 6)
		// Alone, only what a month keeps falls due a month after the entry.
		if d, err = alone.hr.Departure(alone.ctx, ids[0]); err != nil {
			t.Fatal(err)
		}
		for _, r := range d.Retention {
			if r.Category == "contract" && r.State != "scheduled" {
				t.Errorf("of one person's dates the contract is %s", r.State)
			}
		}
	}
}

// wantKept checks that no deadline is nearer.
func (j *journey) wantKept(d harness.Departure, atLeast time.Duration) {
	j.Helper()
	now, err := j.stack.Facts.Now(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	if len(d.Retention) == 0 {
		j.Error("no deadlines")
	}
	for _, r := range d.Retention {
		if r.Deadline.Before(now.Add(atLeast)) {
			j.Errorf("%s is due %s", r.Category, r.Deadline)
		}
	}
}

func waitsFor(d harness.Departure, what string) bool {
	for _, w := range d.Waiting {
		if w.What == what {
			return true
		}
	}
	return false
}

// requestOf is the address of the request that a departure waits for.
func requestOf(t *testing.T, j *journey, id string) string {
	t.Helper()
	a, err := j.hr.Do(j.ctx, http.MethodGet, "/api/v1/departures/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Waiting []struct {
			What       string
			ApprovalID string `json:"approval_id"`
		}
	}
	if err := json.Unmarshal(a.Body, &d); err != nil {
		t.Fatal(err)
	}
	for _, w := range d.Waiting {
		if w.What == "earlier_dates" {
			return "/api/v1/approvals/" + w.ApprovalID
		}
	}
	t.Fatalf("no request: %+v", d.Waiting)
	return ""
}

// untilPurge waits for a departure's purge to be in a state.
func (j *journey) untilPurge(id, state string) purgeState {
	j.Helper()
	return j.untilPurgeIs(id, state, func(p purgeState) bool { return p.State == state })
}

func (j *journey) untilEscalated(id string) {
	j.Helper()
	j.untilPurgeIs(id, "escalated", func(p purgeState) bool { return p.Escalated })
}

func (j *journey) untilPurgeIs(id, what string, is func(purgeState) bool) (found purgeState) {
	j.Helper()
	err := harness.Eventually(j.ctx, lifetime, func() error {
		a, err := j.hr.Do(j.ctx, http.MethodGet, "/api/v1/purges?limit=100", nil)
		if err != nil {
			return err
		}
		var page struct{ Items []purgeState }
		if err := json.Unmarshal(a.Body, &page); err != nil {
			return err
		}
		for _, p := range page.Items {
			if p.DepartureID == id && is(p) {
				found = p
				return nil
			}
		}
		return errors.New("not yet: " + string(a.Body))
	})
	if err != nil {
		j.Fatalf("waiting until a purge is %s: %v", what, err)
	}
	return found
}

// wantFields checks that all of a person's sealed fields are there.
func wantFields(t *testing.T, j *journey, want int64) {
	t.Helper()
	var there int64
	err := j.stack.Facts.Read(j.ctx).Raw(`SELECT count(*) FROM field_values f JOIN employment_categories c ON c.id = f.category_id
		WHERE c.employment_id = ? AND f.value_sealed IS NOT NULL AND c.state = 'open'`, j.person.EmploymentID).Scan(&there).Error
	if err != nil || there != want {
		t.Errorf("%d sealed fields are left, want %d: %v", there, want, err)
	}
}
