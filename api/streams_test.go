package api

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/identity"
	"lethe/models"
)

// One token, one person and one process have a bounded number of streams, and what ends makes room.
func TestStreamsAreBounded(t *testing.T) {
	person, other := uuid.New(), uuid.New()
	bearer := func(person, token uuid.UUID) identity.Bearer {
		return identity.Bearer{Actor: models.Actor{EmployeeID: person}, TokenID: token}
	}
	for _, k := range []struct {
		name  string
		next  func(i int) identity.Bearer
		limit int
	}{
		{"a token", func() func(int) identity.Bearer {
			token := uuid.New()
			return func(int) identity.Bearer { return bearer(person, token) }
		}(), 10},
		{"a session", func() func(int) identity.Bearer {
			session := uuid.New()
			return func(int) identity.Bearer {
				return identity.Bearer{Actor: models.Actor{EmployeeID: other}, SessionID: session}
			}
		}(), 10},
		{"a person with many tokens", func(int) identity.Bearer { return bearer(person, uuid.New()) }, 20},
		{"many people", func(int) identity.Bearer { return bearer(uuid.New(), uuid.New()) }, 1000},
	} {
		t.Run(k.name, func(t *testing.T) {
			h := newStreamHub(nil, slog.New(slog.DiscardHandler))
			var release []func()
			for i := range k.limit {
				r, err := h.admit(k.next(i))
				if err != nil {
					t.Fatalf("stream %d: %v", i, err)
				}
				release = append(release, r)
			}
			var refused *Problem
			if _, err := h.admit(k.next(0)); !errors.As(err, &refused) || refused.Code != codeTooManyStreams || refused.RetryAfter == 0 {
				t.Fatalf("one more: %v", err)
			}
			release[0]()
			release[0]() // twice counts once
			if _, err := h.admit(k.next(0)); err != nil {
				t.Errorf("after one has ended: %v", err)
			}
			if _, err := h.admit(k.next(0)); err == nil {
				t.Error("one that was released twice made room for two")
			}
		})
	}
}

func TestAStreamTooManyIsRefused(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	for range streamsPerCredential {
		f.next(f.follow(models.RoleAuditor, addressOf(models.RefDeparture, d.ID), ""))
	}
	got := f.ask(models.RoleAuditor, "GET", addressOf(models.RefDeparture, d.ID)+"/events", "")
	if got.status != http.StatusTooManyRequests || got.problem.Code != codeTooManyStreams {
		t.Errorf("one more: %d %s", got.status, got.problem.Code)
	}
	f.next(f.follow(models.RoleHRAdmin, addressOf(models.RefDeparture, d.ID), "")) // somebody else's is let in
}

// However many streams there are, the database is asked once for all; and what any table that a view
// shows says makes them look.
func TestStreamsPollTogether(t *testing.T) {
	f := newFixture(t)
	a, b := f.resign(f.hire("E1", f.a)), f.resign(f.hire("E2", f.a))
	h := newStreamHub(f.server.DB, slog.New(slog.DiscardHandler))
	h.polling = true // the test looks by itself
	changesOfA, stopA := h.watch(streamsOfDepartures, a.ID)
	again, stopAgain := h.watch(streamsOfDepartures, a.ID)
	changesOfB, stopB := h.watch(streamsOfDepartures, b.ID)
	defer stopB()
	look := func() (ofA, ofAgain, ofB bool) {
		t.Helper()
		byKind := h.toLookAt()
		if len(byKind) != 1 || len(byKind[streamsOfDepartures]) != 2 {
			t.Fatalf("three streams of two departures look at %v", byKind)
		}
		if err := h.look(streamsOfDepartures, byKind[streamsOfDepartures]); err != nil {
			t.Fatal(err)
		}
		return took(changesOfA), took(again), took(changesOfB)
	}
	look()
	if a, again, b := look(); a || again || b {
		t.Error("nothing happened, and it counts as a change")
	}
	f.exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", a.Accounts[0].ID)
	if a, again, b := look(); !a || !again || b {
		t.Errorf("an account of the first departure: %v %v %v", a, again, b)
	}
	f.exec("UPDATE departures SET revision = revision + 1 WHERE id = ?", b.ID)
	if a, again, b := look(); a || again || !b {
		t.Errorf("the second departure: %v %v %v", a, again, b)
	}
	stopA()
	stopAgain()
	if byKind := h.toLookAt(); len(byKind[streamsOfDepartures]) != 1 {
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
