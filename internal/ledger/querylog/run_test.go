package querylog_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/ledger/querylog"
)

// TestFetchRun_ReadsWhatFetchReads: in one run, with strangers in between, over months, with a changed
// row, and with one that is not there.
func TestFetchRun_ReadsWhatFetchReads(t *testing.T) {
	l := newLogbook(t, 40)
	all := l.naive(t, querylog.Filter{})
	for id, change := range map[uuid.UUID]string{all[3]: "UPDATE %s SET reason = 'forged' WHERE entry_id = ?", all[5]: "DELETE FROM %s WHERE entry_id = ?"} {
		part := l.partition(t, "ledger_content", "entry_id", id)
		l.force(t, part, fmt.Sprintf(change, part), id)
	}
	for name, ids := range map[string][]uuid.UUID{
		"a run": all[:9], "with strangers": {all[0], all[8]}, "over months": {all[0], all[39]}, "everything": all, "nothing": nil,
		"one is missing": {all[0], uuid.Must(uuid.NewV7()), all[1]},
	} {
		var places []querylog.Leaf
		for i, id := range ids {
			places = append(places, querylog.Leaf{Index: int64(i), ID: id})
		}
		want, err := querylog.Fetch(t.Context(), l.env.Facts.SQL(), l.env.LedgerKeys.Wrote, ids)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := querylog.FetchRun(t.Context(), l.env.Facts.SQL(), l.env.LedgerKeys.Wrote, places)
		if err != nil {
			t.Fatal(err)
		}
		got := map[uuid.UUID]querylog.Row{}
		for id, row := range rows {
			row.Index = nil // Fetch looks it up, and nothing was sequenced
			got[id] = row
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Fetch +FetchRun):\n%s", name, diff)
		}
		if state := got[all[3]].State; len(ids) > 8 && state != querylog.Tampered {
			t.Errorf("%s: a forged row is %s", name, state)
		}
	}
}
