package retention

import (
	"errors"
	"fmt"
	"testing"

	"lethe/models"
)

// TestI2_ARefusedCategoryHoldsNothingElseUp: facts that the predicate does not let go, whatever brought
// them about, keep their category and no other one. It is tried again in a purge of its own.
func TestI2_ARefusedCategoryHoldsNothingElseUp(t *testing.T) {
	w := newWorld(t)
	p := w.departedNow(t, "DEMO")
	id := w.onePurge(t, p)
	odd := w.categoryID(t, p, models.CategoryContract)
	w.exec(t, "ALTER FUNCTION lethe_purgeable(uuid) RENAME TO lethe_purgeable_without_doubts")
	doubt := func(doubted bool) {
		t.Helper()
		w.exec(t, fmt.Sprintf(`CREATE OR REPLACE FUNCTION lethe_purgeable(the_category uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
			SELECT NOT (%t AND the_category = '%s') AND public.lethe_purgeable_without_doubts(the_category) $$`, doubted, odd))
	}
	doubt(true)
	if err := w.carryOut(id); err != nil {
		t.Fatal(err)
	}
	if err := w.carryOut(id); err != nil {
		t.Fatalf("again: %v", err)
	}
	for category, state := range w.states(t, p) {
		want := "purged/purged"
		if category == models.CategoryContract {
			want = "scheduled/open"
		}
		if state != want {
			t.Errorf("%s is %s, want %s", category, state, want)
		}
	}
	w.look(t, p)
	open := w.openPurges(t, p)
	if len(open) != 1 {
		t.Fatalf("%d purges wait for what was refused, want 1", len(open))
	}
	if err := w.carryOut(open[0]); !errors.Is(err, ErrNotPurgeable) {
		t.Errorf("refused alone: %v", err)
	}
	doubt(false)
	if err := w.carryOut(open[0]); err != nil {
		t.Fatal(err)
	}
	w.expectAll(t, p, "purged/purged")
}
