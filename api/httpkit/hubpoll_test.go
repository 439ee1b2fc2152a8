package httpkit_test

import (
	"testing"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/api/httpkit"
)

// However many streams there are, the database is asked once for all; and what any table that a view
// shows says makes them look.
func TestStreamsPollTogether(t *testing.T) {
	f := apitest.New(t)
	a, b := f.Resign(f.Hire("E1", f.A)), f.Resign(f.Hire("E2", f.A))
	h := httpkit.NewHub(f.API.DB)
	changesOfA, stopA := h.Watch(departures.StreamsOfDepartures, a.ID)
	again, stopAgain := h.Watch(departures.StreamsOfDepartures, a.ID)
	changesOfB, stopB := h.Watch(departures.StreamsOfDepartures, b.ID)
	defer stopB()
	look := func() (ofA, ofAgain, ofB bool) {
		t.Helper()
		byKind, err := h.Look()
		if err != nil || len(byKind) != 1 || len(byKind[departures.StreamsOfDepartures]) != 2 {
			t.Fatalf("three streams of two departures look at %v: %v", byKind, err)
		}
		return took(changesOfA), took(again), took(changesOfB)
	}
	look()
	if a, again, b := look(); a || again || b {
		t.Error("nothing happened, and it counts as a change")
	}
	f.Exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", a.Accounts[0].ID)
	if a, again, b := look(); !a || !again || b {
		t.Errorf("an account of the first departure: %v %v %v", a, again, b)
	}
	f.Exec("UPDATE departures SET revision = revision + 1 WHERE id = ?", b.ID)
	if a, again, b := look(); a || again || !b {
		t.Errorf("the second departure: %v %v %v", a, again, b)
	}
	stopA()
	stopAgain()
	if byKind, _ := h.Look(); len(byKind[departures.StreamsOfDepartures]) != 1 {
		t.Errorf("what nobody follows is still looked at: %v", byKind)
	}
}

func took(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
