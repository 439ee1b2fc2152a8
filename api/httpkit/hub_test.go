package httpkit

import (
	"errors"
	"log/slog"
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
				r, err := h.Admit(k.next(i))
				if err != nil {
					t.Fatalf("stream %d: %v", i, err)
				}
				release = append(release, r)
			}
			var refused *Problem
			if _, err := h.Admit(k.next(0)); !errors.As(err, &refused) || refused.Code != "too_many_streams" || refused.RetryAfter == 0 {
				t.Fatalf("one more: %v", err)
			}
			release[0]()
			release[0]() // twice counts once
			if _, err := h.Admit(k.next(0)); err != nil {
				t.Errorf("after one has ended: %v", err)
			}
			if _, err := h.Admit(k.next(0)); err == nil {
				t.Error("one that was released twice made room for two")
			}
		})
	}
}
