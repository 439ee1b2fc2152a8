package querylog_test

import (
	"testing"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
)

// The login of a process may have the words of new entries sorted in, and finds them before and after.
func TestSortIn_ByTheAppsLogin(t *testing.T) {
	l := newLogbook(t, 0)
	l.append(t, ledger.Entry{Kind: ledger.KindRetention, Action: "hold.placed", Reason: "劳动仲裁 arbitration"})
	_, app := l.env.Login(t, database.RoleApp)
	for range 2 {
		if got := l.walk(t, querylog.Filter{Query: "劳动仲裁 arbitration"}, 10); len(got) != 1 {
			t.Errorf("found %v", got)
		}
		if err := querylog.SortIn(t.Context(), app); err != nil {
			t.Fatal(err)
		}
	}
}
