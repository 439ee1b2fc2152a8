package departure_test

import (
	"context"
	"sync"
	"time"

	"lethe/internal/connector"
)

// shaky is an outside system in memory, whose next mutating call goes wrong in the way that is set.
type shaky struct {
	mu     sync.Mutex
	active map[string]bool
	mood   string // "", "busy", "refuses", "slow"
}

func (s *shaky) account(id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	active, ok := s.active[id]
	if !ok {
		return false, connector.ErrNotFound
	}
	return active, nil
}

func (s *shaky) set(id string, active bool) (connector.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mood := s.mood
	s.mood = ""
	switch mood {
	case "busy":
		return connector.Result{}, &connector.Error{Code: connector.CodeUnavailable, Temporary: true}
	case "refuses":
		return connector.Result{}, &connector.Error{Code: connector.CodeUnauthorized}
	case "slow":
		s.active[id] = active
		return connector.Result{Outcome: connector.Accepted, CheckAfter: time.Millisecond}, nil
	}
	s.active[id] = active
	return connector.Result{Outcome: connector.Confirmed}, nil
}

func (s *shaky) Find(context.Context, string) ([]string, error) { return nil, nil }
func (s *shaky) ReadBack(_ context.Context, id string) (connector.State, error) {
	active, err := s.account(id)
	return connector.State{Exists: err == nil, Active: active}, err
}
func (s *shaky) Residue(context.Context, string) ([]connector.Residue, error) { return nil, nil }
func (s *shaky) Snapshot(_ context.Context, id string, _ bool) (connector.Snapshot, error) {
	_, err := s.account(id)
	return connector.Snapshot{State: []byte("as it was")}, err
}
func (s *shaky) LeaveGroups(_ context.Context, id string) (connector.Result, error) {
	_, err := s.account(id)
	return connector.Result{Outcome: connector.AlreadyDone}, err
}
func (s *shaky) Disable(_ context.Context, id string) (connector.Result, error) {
	return s.set(id, false)
}
func (s *shaky) Detach(_ context.Context, id string) (connector.Result, error) {
	return s.set(id, false)
}
func (s *shaky) RevokeSessions(context.Context, string) (connector.Result, error) {
	return connector.Result{Outcome: connector.NotOffered}, nil
}
func (s *shaky) Restore(_ context.Context, id string, _ []byte) (connector.Result, error) {
	return s.set(id, true)
}
func (s *shaky) Health(context.Context) error { return nil }
func (s *shaky) Close()                       {}
