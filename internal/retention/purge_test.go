package retention

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

func TestDemoLifeHasThreePurgesAndEnds(t *testing.T) {
	w := newWorld(t)
	p, other := w.departedNow(t, "DEMO"), w.departedNow(t, "CN")
	for _, who := range []person{p, other} {
		w.exec(t, `INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, state, ledger_entry_id)
			VALUES (gen_random_uuid(), ?, 'mail', 'mail', 'x', 'disabled', @entry)`, who.employment)
	}
	for range 3 {
		f := w.look(t, p)
		if f.Done || f.WakeIn < time.Second || f.WakeIn > 26*time.Second {
			t.Fatalf("facts before a deadline: %+v", f)
		}
		if len(w.openPurges(t, p)) != 0 {
			t.Fatal("a purge was ordered before the deadline")
		}
		w.env.Advance(t, f.WakeIn)
		w.look(t, p)
		open := w.openPurges(t, p)
		if len(open) != 1 {
			t.Fatalf("%d purges are open, want 1", len(open))
		}
		if f := w.lookAtPurge(t, open[0]); !f.Run {
			t.Fatalf("a due purge does not run: %+v", f)
		}
		if err := w.carryOut(open[0]); err != nil {
			t.Fatal(err)
		}
		if f := w.lookAtPurge(t, open[0]); !f.Done {
			t.Fatalf("a certified purge is not done: %+v", f)
		}
	}
	w.expectAll(t, p, "purged/purged")
	if f := w.look(t, p); !f.Done {
		t.Fatalf("everything is purged: %+v", f)
	}
	if stage := query[string](t, w, "SELECT stage FROM departures WHERE id = ?", p.departure); stage != "purged" {
		t.Fatalf("the stage is %s", stage)
	}
	if left := query[string](t, w, "SELECT string_agg(employment_id::text, ' ') FROM linked_accounts WHERE external_id IS NOT NULL"); left != other.employment.String() {
		t.Errorf("identifiers of accounts are left of %s, want of %s", left, other.employment)
	}
	certificates, err := Certificates(context.Background(), w.env.Facts, p.departure)
	if err != nil || len(certificates) != 3 {
		t.Fatalf("%d certificates, %v", len(certificates), err)
	}
	for _, c := range certificates {
		if ok, err := Intact(c); err != nil || !ok {
			t.Errorf("certificate %d: intact %t, %v", c.Serial, ok, err)
		}
		c.Statement = c.Statement[:len(c.Statement)-1] + `,"added":1}`
		if ok, _ := Intact(c); ok {
			t.Error("a changed statement counts as intact")
		}
	}
}

func TestI2_WhatIsDueIsFoundWithoutAnyTimer(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	w.look(t, p)
	wake := query[time.Time](t, w, "SELECT wake_at FROM retentions WHERE id = ?", p.departure)
	first := query[time.Time](t, w, "SELECT min(deadline) FROM retention_deadlines WHERE departure_id = ?", p.departure)
	if !wake.Equal(first) {
		t.Fatalf("the relay wakes it at %s, the first deadline is %s", wake, first)
	}
	hold, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A-1", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	w.env.Advance(t, 365*24*time.Hour)
	w.look(t, p)
	if len(w.openPurges(t, p)) != 0 {
		t.Fatal("a purge was ordered under hold")
	}
	if query[bool](t, w, "SELECT wake_at IS NOT NULL FROM retentions WHERE id = ?", p.departure) {
		t.Fatal("a retention that only waits for holds is woken")
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, hold.ID, w.hr, models.Actor{}) })
	if !query[bool](t, w, "SELECT revision > seen_revision FROM retentions WHERE id = ?", p.departure) {
		t.Fatal("the relay does not see that the hold was released")
	}
	if err := w.carryOut(w.onePurge(t, p)); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}

func TestI3_ManyRunsOfOnePurgeHaveOneEffect(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	id := w.onePurge(t, p)
	var group sync.WaitGroup
	failed := make(chan error, 8)
	for range 8 {
		group.Go(func() { failed <- w.carryOut(id) })
	}
	group.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Error(err)
		}
	}
	w.expectAll(t, p, "purged/purged")
	if n := w.certified.Load(); n != 1 {
		t.Errorf("the departure was told %d times", n)
	}
	first, err := w.purger().Certify(context.Background(), id, w.purged)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.purger().Certify(context.Background(), id, w.purged)
	if err != nil || first.ID != again.ID || first.Serial != again.Serial {
		t.Errorf("the second try returned certificate %d, %v, want %d", again.Serial, err, first.Serial)
	}
	if n := query[int](t, w, "SELECT count(*) FROM destruction_certificates WHERE departure_id = ?", p.departure); n != 1 {
		t.Errorf("%d certificates", n)
	}
	if stones, err := w.tombstones.All(); err != nil || len(stones) != 1 {
		t.Errorf("%d tombstones, %v", len(stones), err)
	}
}

func TestI4_WhicheverOfHoldAndPurgeComesSecondSeesTheFirst(t *testing.T) {
	w := newWorld(t)
	outcomes := map[bool]int{}
	for round := range 24 {
		p := w.departedNow(t, "DEMO")
		id := w.onePurge(t, p)
		start := make(chan struct{})
		var group sync.WaitGroup
		refused := make([]bool, len(models.Categories))
		for i, category := range models.Categories {
			group.Go(func() {
				<-start
				time.Sleep(time.Duration(round*i%7) * time.Millisecond)
				_, err := w.hold(HoldOrder{EmployeeID: p.employee, Categories: []models.Category{category}, Matter: "A-2", By: w.hr})
				var tooLate *TooLateError
				if refused[i] = errors.As(err, &tooLate); err != nil && !refused[i] {
					t.Errorf("placing a hold: %v", err)
				}
			})
		}
		for range 2 {
			group.Go(func() {
				<-start
				time.Sleep(time.Duration(round%5) * 2 * time.Millisecond)
				if _, err := w.intent(id); err != nil {
					t.Errorf("committing an intent: %v", err)
				}
			})
		}
		close(start)
		group.Wait()
		states := w.states(t, p)
		for i, category := range models.Categories {
			outcomes[refused[i]]++
			if want := "held/open"; !refused[i] && states[category] != want {
				t.Fatalf("a hold on %s was accepted, it is %s", category, states[category])
			}
			if want := "purging/purging"; refused[i] && states[category] != want {
				t.Fatalf("a hold on %s was too late, it is %s", category, states[category])
			}
		}
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Fatalf("the race always ends alike: %v", outcomes)
	}
}

// TestI4_AnIntentWaitsForAHoldOnEverybody: the purge is ordered while the hold is being placed, which therefore
// neither sees nor locks anything of it.
func TestI4_AnIntentWaitsForAHoldOnEverybody(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	placed, commit, done, began := make(chan error), make(chan bool), make(chan error), make(chan bool)
	go func() {
		done <- w.try(func(tx *database.Tx) error {
			_, _, err := PlaceHold(tx, HoldOrder{Everybody: true, Matter: "A-2", By: w.hr})
			placed <- err
			<-commit
			return err
		})
	}()
	if err := <-placed; err != nil {
		t.Fatal(err)
	}
	id := w.onePurge(t, p)
	go func() {
		intent, err := w.intent(id)
		if err != nil {
			t.Error(err)
		}
		began <- intent.Began
	}()
	select {
	case <-began:
		t.Fatal("the intent did not wait for the hold")
	case <-time.After(300 * time.Millisecond):
	}
	close(commit)
	if err := <-done; err != nil || <-began {
		t.Errorf("the hold came first, and the purge begins: %v", err)
	}
}

func TestI4_HoldAfterTheIntentIsTooLate(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	w.env.Advance(t, 6*time.Second)
	w.look(t, p)
	if _, err := w.intent(w.openPurges(t, p)[0]); err != nil {
		t.Fatal(err)
	}
	_, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr, Categories: []models.Category{models.CategoryEmergencyContact, models.CategoryIdentity}})
	var tooLate *TooLateError
	if !errors.As(err, &tooLate) || len(tooLate.Categories) != 1 || tooLate.Categories[0] != models.CategoryEmergencyContact {
		t.Fatalf("a hold on a category that is being purged: %v", err)
	}
	w.tx(t, func(tx *database.Tx) error {
		_, gone, err := PlaceHold(tx, HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
		if len(gone) != 1 || gone[0] != models.CategoryEmergencyContact {
			t.Errorf("a hold on everything says that %v is too late", gone)
		}
		return err
	})
	if !held(w.states(t, p), models.CategoryIdentity) {
		t.Error("what is left is not held")
	}
}

func TestI4_OverlappingHoldsEndWithTheLast(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	all, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "A", By: w.hr})
	if err != nil {
		t.Fatal(err)
	}
	one, err := w.hold(HoldOrder{EmployeeID: p.employee, Matter: "B", By: w.hr, Categories: []models.Category{models.CategoryPayBank}})
	if err != nil {
		t.Fatal(err)
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, all.ID, w.hr, models.Actor{}) })
	for category, state := range w.states(t, p) {
		if want := category == models.CategoryPayBank; (state == "held/open") != want {
			t.Errorf("%s is %s", category, state)
		}
	}
	w.tx(t, func(tx *database.Tx) error { return ReleaseHold(tx, one.ID, w.hr, models.Actor{}) })
	w.expectAll(t, p, "scheduled/open")
}

func TestI5_APurgeResumesAfterEveryStep(t *testing.T) {
	w := newWorld(t)
	columns := []string{"", "tombstoned_at", "keys_destroyed_at", "fields_cleared_at", "probed_at", ""}
	for stop := range columns {
		for _, recorded := range []bool{true, false} {
			p := w.departedNow(t, "DEMO")
			id := w.onePurge(t, p)
			for _, step := range w.steps(w.purger(), id)[:stop+1] {
				if err := step(); err != nil {
					t.Fatalf("before the stop at %d: %v", stop, err)
				}
			}
			if !recorded && columns[stop] != "" { // killed between the effect and its record
				w.exec(t, "UPDATE purges SET "+columns[stop]+" = NULL WHERE id = ?", id)
			}
			if err := w.carryOut(id); err != nil {
				t.Fatalf("resuming after step %d: %v", stop, err)
			}
			w.expectAll(t, p, "purged/purged")
			if n := query[int](t, w, "SELECT count(*) FROM destruction_certificates WHERE purge_id = ?", id); n != 1 {
				t.Fatalf("%d certificates after a stop at %d", n, stop)
			}
		}
	}
}

func TestStepsRefuseToRunOutOfOrder(t *testing.T) {
	w := newWorld(t)
	id := w.onePurge(t, w.departedNow(t, "DEMO"))
	steps := w.steps(w.purger(), id)
	for i := 1; i < len(steps); i++ {
		if err := steps[i](); !errors.Is(err, ErrOutOfOrder) {
			t.Errorf("step %d before the intent: %v", i, err)
		}
	}
	if err := steps[0](); err != nil {
		t.Fatal(err)
	}
	for i := 2; i < len(steps); i++ {
		if err := steps[i](); !errors.Is(err, ErrOutOfOrder) {
			t.Errorf("step %d before the tombstone: %v", i, err)
		}
	}
}

func TestI5_AProbeFindsWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	id := w.onePurge(t, p)
	value := query[string](t, w, "SELECT encode(value_sealed, 'hex') FROM field_values WHERE employment_id = ? LIMIT 1", p.employment)
	steps := w.steps(w.purger(), id)
	for _, step := range steps[:4] {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	w.exec(t, "ALTER TABLE departures DISABLE TRIGGER departures_codes_sealed") // version 0.2 kept codes in plain
	leftIn := func(column string) struct{ leave, clean string } {
		return struct{ leave, clean string }{
			"UPDATE departures SET " + column + "_sealed = decode(?, 'hex') WHERE id = '" + p.departure.String() + "'",
			"UPDATE departures SET " + column + "_sealed = NULL",
		}
	}
	for _, s := range []struct{ leave, clean string }{
		leftIn("reason_code"), leftIn("legal_ground"), leftIn("withdrawal_reason"), leftIn("annulment_reason"),
		{"UPDATE departures SET reason_code = left(?, 9) WHERE id = '" + p.departure.String() + "'", "UPDATE departures SET reason_code = ''"},
		{"UPDATE departures SET legal_ground = left(?, 9) WHERE id = '" + p.departure.String() + "'", "UPDATE departures SET legal_ground = ''"},
		{"UPDATE departures SET note_sealed = decode(?, 'hex') WHERE id = '" + p.departure.String() + "'", "UPDATE departures SET note_sealed = NULL"},
		{"UPDATE field_values SET value_sealed = decode(?, 'hex') WHERE employment_id = '" + p.employment.String() + "'", "UPDATE field_values SET value_sealed = NULL"},
	} {
		w.exec(t, s.leave, value)
		if err := steps[4](); !errors.Is(err, ErrNotDestroyed) {
			t.Errorf("%s: %v", s.leave, err)
		}
		w.exec(t, s.clean)
	}
	if err := steps[4](); err != nil {
		t.Fatal(err)
	}
}

func TestI5_EverySealedColumnIsProbed(t *testing.T) {
	w := newWorld(t)
	type column struct{ Table, Column string }
	found := query[[]column](t, w, `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
		WHERE table_schema = current_schema() AND domain_name = 'sealed'
		AND table_name NOT IN ('users', 'approvals', 'approval_records', 'support_cases', 'holds', 'query_log_exports', 'disclosures', 'consents', 'contact_removals', 'messages', 'feedback', 'access_cuts', 'emergency_calls', 'subject_requests', 'access_links', 'batches', 'batch_parts', 'reminders')`) // sealed, but not by keys of an employment
	known := map[column]bool{}
	for _, s := range sealedColumns {
		known[column{s.table, s.column}] = true
	}
	for _, c := range found {
		if !known[c] {
			t.Errorf("no purge probes %s.%s", c.Table, c.Column)
		}
	}
	if len(found) != len(known) {
		t.Errorf("%d sealed columns, %d are probed", len(found), len(known))
	}
}

func TestI8_PurgingAnOldEmploymentTouchesNothingOfTheNewOne(t *testing.T) {
	w := newWorld(t)
	old := w.departedNow(t, "DEMO")
	w.exec(t, "UPDATE employees SET status = 'active' WHERE id = ?", old.employee)
	rehired := w.hireAs(t, "DEMO", old.number, clock.DateOf(w.now(t)).AddDays(2))
	if rehired.employee != old.employee || rehired.employment == old.employment {
		t.Fatalf("the rehire is %+v, before %+v", rehired, old)
	}
	sealed := func() []string {
		return query[[]string](t, w, "SELECT encode(value_sealed, 'hex') FROM field_values WHERE employment_id = ? ORDER BY field_key", rehired.employment)
	}
	before := sealed()
	if err := w.carryOut(w.onePurge(t, old)); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, old, "purged/purged")
	after := sealed()
	if len(before) != len(fields) || len(after) != len(before) {
		t.Fatalf("the new employment had %d values and has %d", len(before), len(after))
	}
	w.tx(t, func(tx *database.Tx) error {
		row, err := database.First[models.FieldValue](tx.DB().Where("employment_id = ? AND field_key = 'bank_account'", rehired.employment))
		if err != nil {
			return err
		}
		plain, err := w.vault.Open(tx, vault.Cell{
			Table: "field_values", Row: row.ID, Employment: rehired.employment, Category: models.CategoryPayBank, Field: "bank_account",
		}, row.ValueSealed)
		if string(plain) != fields["bank_account"] {
			t.Errorf("the new employment's account cannot be read any more: %v", err)
		}
		return err
	})
	if n := query[int](t, w, "SELECT count(*) FROM employment_categories WHERE employment_id = ? AND state = 'open'", rehired.employment); n != len(models.Categories) {
		t.Errorf("%d categories of the new employment are open", n)
	}
}

func TestCancelTakesEverythingBackUntilTheFirstIntent(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	id := w.onePurge(t, p)
	w.tx(t, func(tx *database.Tx) error { return Cancel(tx, p.departure, w.hr) })
	w.expectAll(t, p, "cancelled/open")
	if intent, err := w.intent(id); err != nil || intent.Began {
		t.Fatalf("a cancelled purge begins: %+v, %v", intent, err)
	}
	if f := w.lookAtPurge(t, id); !f.Done {
		t.Errorf("a cancelled purge is not done: %+v", f)
	}
	if f := w.look(t, p); !f.Done {
		t.Errorf("a cancelled retention is not done: %+v", f)
	}
	other := w.departedNow(t, "DEMO")
	if _, err := w.intent(w.onePurge(t, other)); err != nil {
		t.Fatal(err)
	}
	if err := w.try(func(tx *database.Tx) error { return Cancel(tx, other.departure, w.hr) }); !errors.Is(err, ErrPurgeBegan) {
		t.Errorf("cancelling after an intent: %v", err)
	}
	pending := uuid.New()
	if err := w.try(func(tx *database.Tx) error { return Cancel(tx, pending, w.hr) }); !errors.Is(err, database.ErrNotFound) {
		t.Errorf("cancelling an unknown departure: %v", err)
	}
}
