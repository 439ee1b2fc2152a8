package disclosures_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/internal/database"
	"lethe/models"
)

// unreliable has every third write of an entry, of a look, and every sixth commit of either fail, by chance.
const unreliable = `
	CREATE FUNCTION fail_by_chance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF random() < TG_ARGV[0]::float THEN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER chance BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION fail_by_chance('0.2');
	CREATE TRIGGER chance BEFORE INSERT OR UPDATE ON disclosures FOR EACH ROW EXECUTE FUNCTION fail_by_chance('0.15');
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_by_chance('0.2')`

// TestI18_NoValueWithoutItsCommittedEntry: 200 looks at once while the ledger fails at random, also when the transaction
// commits: whatever is shown has its entry and its row, and whatever is not is a problem.
func TestI18_NoValueWithoutItsCommittedEntry(t *testing.T) {
	w := newWorld(t)
	const lookers, each = 20, 10
	var people []string
	for i := range each {
		person := w.Hire(fmt.Sprintf("F%d", i), w.A)
		w.fill(person)
		people = append(people, w.path(person))
	}
	hr := make([]*apitest.Visitor, lookers)
	for i := range hr {
		hr[i] = w.FreshSession(w.Hire(fmt.Sprintf("HR%d", i), w.B), models.RoleHRAdmin)
	}
	ask := w.help().String()
	w.Exec(unreliable)

	fire := func(paths func(looker int) []string, body string) (shown []disclosures.LookAnswer) {
		var all sync.WaitGroup
		var mine sync.Mutex
		for i, v := range hr {
			for _, path := range paths(i) {
				all.Go(func() {
					got := v.Ask("POST", path, body)
					switch has := strings.Contains(string(got.Body), phone); {
					case has && got.Status == 200:
						var a disclosures.LookAnswer
						got.Into(t, &a)
						mine.Lock()
						defer mine.Unlock()
						shown = append(shown, a)
					case has, got.Status != 503 && got.Status != 500, got.Problem.Code == "":
						t.Errorf("%d %s", got.Status, got.Body)
					}
				})
			}
		}
		all.Wait()
		return shown
	}
	shown := fire(func(int) []string { return people }, ask)
	again := fire(func(looker int) (openings []string) {
		for _, a := range shown {
			if a.Judgement.Looker.EmployeeID == w.employee(hr[looker]) {
				openings = append(openings, "/api/v1/disclosures/"+a.ID.String()+"/opening")
			}
		}
		return openings
	}, "")
	w.Exec("DROP TRIGGER chance ON ledger_entries; DROP TRIGGER late ON ledger_entries; DROP TRIGGER chance ON disclosures")
	t.Logf("%d of %d were shown, %d of them again", len(shown), lookers*each, len(again))
	if len(shown) == 0 || len(shown) == lookers*each || len(again) == 0 || len(again) == len(shown) {
		t.Errorf("nothing failed, or everything")
	}

	entries := w.ids("SELECT entry_id FROM ledger_content WHERE action IN ('disclosure.shown', 'disclosure.shown_again')")
	promised := map[uuid.UUID]bool{}
	for _, a := range append(shown, again...) {
		if promised[*a.LedgerEntryID] = true; a.Receipt == "" {
			t.Errorf("%s was shown without a receipt", a.ID)
		}
	}
	if diff := cmp.Diff(promised, entries); diff != "" {
		t.Errorf("what was promised, and what the ledger has: %s", diff)
	}
	looks := map[uuid.UUID]bool{}
	for _, a := range shown {
		looks[a.ID] = true
	}
	if diff := cmp.Diff(looks, w.ids("SELECT id FROM disclosures WHERE shown_times > 0")); diff != "" {
		t.Errorf("what was shown, and what is kept: %s", diff)
	}
	var counted int
	w.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT sum(shown_times) FROM disclosures").Row().Scan(&counted))
	})
	if counted != len(shown)+len(again) || w.Count("disclosures") != int64(len(shown)) {
		t.Errorf("%d counted of %d, in %d rows", counted, len(shown)+len(again), w.Count("disclosures"))
	}
}

// ids are what a query finds.
func (w *world) ids(sql string) map[uuid.UUID]bool {
	w.T.Helper()
	var rows []uuid.UUID
	w.Run(func(tx *database.Tx) error { return database.Hide(tx.DB().Raw(sql).Scan(&rows).Error) })
	found := map[uuid.UUID]bool{}
	for _, id := range rows {
		found[id] = true
	}
	return found
}

// employee is who sits at a browser.
func (w *world) employee(v *apitest.Visitor) (id uuid.UUID) {
	w.T.Helper()
	w.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT employee_id FROM users WHERE id = ?", v.UserID).Row().Scan(&id))
	})
	return id
}
