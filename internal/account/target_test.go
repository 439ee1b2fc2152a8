package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"lethe/internal/connector"
)

// target is an outside system in memory that misbehaves on request.
type target struct {
	mu       sync.Mutex
	name     string
	accounts map[string]*holder
	// journal has every change that really happened, "disable id" and so on.
	journal []string
	keys    []string
	// faults are taken one by one by the calls with their name ("disable", "read_back", …).
	faults map[string][]fault
	// landings are accepted orders that were not carried out yet.
	landings []func()
	// inside runs within a mutating call, between the fence and the effect.
	inside func(call string)
	shared *[]string
}

type holder struct {
	no       string
	active   bool
	groups   []string
	sessions int
}

// fault is what goes wrong with one call.
type fault struct {
	before *connector.Error // answered instead of doing anything
	after  *connector.Error // answered although it was done
	lie    bool             // answered as done although nothing was
	accept bool             // accepted; done when land is called
	// unclear answers a read back that does not say whether the account is active.
	unclear bool
}

func newTarget(name string, shared *[]string) *target {
	return &target{name: name, accounts: map[string]*holder{}, faults: map[string][]fault{}, shared: shared}
}

func temporary(code connector.Code) *connector.Error {
	return &connector.Error{Code: code, Temporary: true}
}

func (t *target) fail(call string, faults ...fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[call] = append(t.faults[call], faults...)
}

func times(n int, f fault) []fault { return slices.Repeat([]fault{f}, n) }

func (t *target) heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = map[string][]fault{}
}

// land carries out everything that was accepted.
func (t *target) land() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, effect := range t.landings {
		effect()
	}
	t.landings = nil
}

func (t *target) changes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.journal)
}

func (t *target) holder(id string) holder {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.accounts[id]
	if h == nil {
		return holder{}
	}
	return *h
}

func (t *target) set(id string, change func(*holder)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t.accounts[id])
}

func (t *target) take(call string) fault {
	if q := t.faults[call]; len(q) > 0 {
		t.faults[call] = q[1:]
		return q[0]
	}
	return fault{}
}

func (t *target) look(call, id string) (*holder, error) {
	if f := t.take(call); f.before != nil {
		return nil, f.before
	}
	h, ok := t.accounts[id]
	if !ok {
		return nil, connector.ErrNotFound
	}
	return h, nil
}

func (t *target) Find(_ context.Context, no string) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.take("find"); f.before != nil {
		return nil, f.before
	}
	var ids []string
	for id, h := range t.accounts {
		if connector.SameNumber(h.no, no) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (t *target) ReadBack(_ context.Context, id string) (connector.State, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	unclear := len(t.faults["read_back"]) > 0 && t.faults["read_back"][0].unclear
	h, err := t.look("read_back", id)
	if err != nil {
		return connector.State{}, err
	}
	if unclear {
		return connector.State{Exists: true, EmployeeNo: h.no}, &connector.Error{Code: connector.CodeBadAnswer}
	}
	return connector.State{Exists: true, Active: h.active, EmployeeNo: h.no}, nil
}

func (t *target) Residue(_ context.Context, id string) ([]connector.Residue, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.look("residue", id)
	if err != nil {
		return nil, err
	}
	var left []connector.Residue
	if len(h.groups) > 0 {
		left = append(left, connector.Residue{Kind: connector.ResidueGroups, Count: len(h.groups)})
	}
	if h.sessions > 0 {
		left = append(left, connector.Residue{Kind: connector.ResidueSessions, Count: h.sessions})
	}
	return left, nil
}

type rawSnapshot struct {
	Active bool
	Groups []string
}

func (t *target) Snapshot(_ context.Context, id string, active bool) (connector.Snapshot, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.look("snapshot", id)
	if err != nil {
		return connector.Snapshot{}, err
	}
	p, s := rawSnapshot{Active: active, Groups: h.groups}, connector.Snapshot{}
	if f := t.take("snapshot_groups"); f.before != nil {
		p.Groups, s.Lacks = nil, []string{connector.ResidueGroups}
	}
	s.State, err = json.Marshal(p)
	return s, err
}

// change makes one mutating call whose effect is change; it says whether anything was left to do.
func (t *target) change(ctx context.Context, call, id string, needed func(*holder) bool, effect func(*holder)) (connector.Result, error) {
	if err := connector.CheckFence(ctx); err != nil {
		return connector.Result{}, err
	}
	if t.inside != nil {
		t.inside(call)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = append(t.keys, connector.IdempotencyKey(ctx))
	f := t.take(call)
	if f.before != nil {
		return connector.Result{}, f.before
	}
	h, ok := t.accounts[id]
	if !ok {
		return connector.Result{Outcome: connector.NotFound}, nil
	}
	if f.lie {
		return connector.Result{Outcome: connector.Confirmed}, nil
	}
	if !needed(h) {
		return connector.Result{Outcome: connector.AlreadyDone}, nil
	}
	do := func() {
		effect(h)
		t.journal = append(t.journal, call+" "+id)
		if t.shared != nil {
			*t.shared = append(*t.shared, call+" "+t.name)
		}
	}
	if f.accept {
		t.landings = append(t.landings, do)
		return connector.Result{Outcome: connector.Accepted, CheckAfter: time.Second}, nil
	}
	do()
	if f.after != nil {
		return connector.Result{}, f.after
	}
	return connector.Result{Outcome: connector.Confirmed}, nil
}

func (t *target) Disable(ctx context.Context, id string) (connector.Result, error) {
	return t.change(ctx, "disable", id,
		func(h *holder) bool { return h.active }, func(h *holder) { h.active = false })
}

func (t *target) LeaveGroups(ctx context.Context, id string) (connector.Result, error) {
	return t.change(ctx, "leave_groups", id,
		func(h *holder) bool { return len(h.groups) > 0 }, func(h *holder) { h.groups = nil })
}

func (t *target) Detach(context.Context, string) (connector.Result, error) {
	return connector.Result{Outcome: connector.AlreadyDone}, nil
}

func (t *target) RevokeSessions(ctx context.Context, id string) (connector.Result, error) {
	return t.change(ctx, "revoke_sessions", id,
		func(h *holder) bool { return h.sessions > 0 }, func(h *holder) { h.sessions = 0 })
}

func (t *target) Restore(ctx context.Context, id string, snapshot []byte) (connector.Result, error) {
	var p rawSnapshot
	if err := json.Unmarshal(snapshot, &p); err != nil {
		return connector.Result{}, &connector.Error{Code: connector.CodeBadSnapshot}
	}
	return t.change(ctx, "restore", id,
		func(h *holder) bool { return (p.Active && !h.active) || len(h.groups) < len(p.Groups) },
		func(h *holder) { h.active, h.groups = h.active || p.Active, slices.Clone(p.Groups) })
}

func (t *target) Health(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.take("health"); f.before != nil {
		return f.before
	}
	return nil
}

func (h holder) String() string {
	return fmt.Sprintf("active=%v groups=%d sessions=%d", h.active, len(h.groups), h.sessions)
}
