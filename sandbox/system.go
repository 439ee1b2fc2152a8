// Package sandbox is a stand-in for the systems that hold people's accounts:
// mail, finance, attendance. It speaks SCIM 2.0 (RFC 7643, RFC 7644) over HTTP,
// keeps its state in a file that survives kill -9, shows itself on a small page,
// and misbehaves on request in the ways that real systems do.
//
// It is meant for development and tests and gives no protection beyond its two
// bearer tokens.
package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"lethe/sandbox/control"
)

// Options of a system. Name, Kind, Token and ControlToken are required.
type Options struct {
	Name string
	Kind string // mail, finance or attendance
	// StatePath is the state file; a journal is kept beside it. Empty keeps the
	// state in memory only.
	StatePath string
	// Durable waits for the disk before each answer. Without it answers still
	// wait until the operating system has the record, so kill -9 loses nothing,
	// but a power cut may.
	Durable      bool
	Token        string // bearer token of SCIM
	ControlToken string // bearer token of the control calls
	// Clock is where times and the ends of faults come from; nil is the wall clock.
	Clock func() time.Time
	// MaxPage limits the entries of a list page; 0 means 100.
	MaxPage int
	// Dialect limits the forms of PATCH that are understood, as providers do.
	Dialect Dialect
}

// Dialect is the form in which a provider wants PATCH operations.
type Dialect string

// The dialects.
const (
	DialectBoth     Dialect = ""         // with and without path, as RFC 7644 has it
	DialectPath     Dialect = "path"     // refuses operations without a path
	DialectPathless Dialect = "pathless" // refuses operations on users with a path
)

// System is one running stand-in. It is safe for concurrent use.
type System struct {
	opts    Options
	journal *journal // nil: in memory

	mu      sync.Mutex
	st      *state
	counter faultCounter
	calls   callLog
	closed  bool
}

var errClosed = errors.New("the sandbox system is closed")

// New loads the state and returns the system. A state file that another process
// uses is refused.
func New(o Options) (*System, error) {
	switch {
	case o.Name == "" || o.Token == "" || o.ControlToken == "":
		return nil, errors.New("sandbox: name, token and control token are required")
	case o.Kind != "mail" && o.Kind != "finance" && o.Kind != "attendance":
		return nil, fmt.Errorf("sandbox %s: kind must be mail, finance or attendance", o.Name)
	case o.Dialect != DialectBoth && o.Dialect != DialectPath && o.Dialect != DialectPathless:
		return nil, fmt.Errorf("sandbox %s: unknown dialect", o.Name)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.MaxPage <= 0 {
		o.MaxPage = 100
	}
	s := &System{opts: o, st: newState(), counter: make(faultCounter), calls: newCallLog()}
	if o.StatePath == "" {
		return s, nil
	}
	j, err := openJournal(o.StatePath, o.Durable, s.st.decode, s.st.replay)
	if err != nil {
		return nil, fmt.Errorf("sandbox %s: %w", o.Name, err)
	}
	s.journal = j
	j.start(func() ([]byte, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.st.encode()
	})
	return s, nil
}

// Name is the system's name.
func (s *System) Name() string { return s.opts.Name }

// Close writes the state and releases its file. Requests that come later get 503.
func (s *System) Close() error {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if already || s.journal == nil {
		return nil
	}
	if err := s.journal.close(); err != nil {
		return fmt.Errorf("sandbox %s: closing: %w", s.opts.Name, err)
	}
	return nil
}

// commit numbers a record, applies it and queues it for the disk. s.mu is held.
func (s *System) commit(r record) {
	r.Seq = s.st.seq + 1
	if r.Effect != nil {
		r.Effect.Seq = r.Seq
	}
	if s.journal != nil {
		line, err := json.Marshal(r)
		if err != nil {
			panic(fmt.Sprintf("sandbox: a record that cannot be encoded: %v", err)) // plain data: cannot happen
		}
		s.journal.append(line)
	}
	s.st.apply(r)
}

// locked runs f on the state and waits until everything it saw or did is on its
// way to the disk: nobody is told of something that a kill could undo.
func (s *System) locked(f func(now time.Time)) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	now := s.opts.Clock()
	s.settle(now)
	f(now)
	var b *batch
	if s.journal != nil {
		b = s.journal.pending()
	}
	s.mu.Unlock()
	return b.wait()
}

// settle carries out what was accepted for later and is due. s.mu is held.
func (s *System) settle(now time.Time) {
	var due, waiting []deferred
	for _, d := range s.st.deferred {
		if d.Due.After(now) {
			waiting = append(waiting, d)
		} else {
			due = append(due, d)
		}
	}
	if len(due) == 0 {
		return
	}
	slices.SortStableFunc(due, func(a, b deferred) int { return a.Due.Compare(b.Due) })
	for _, d := range due {
		if a := s.st.accounts[d.Target.AccountID]; a != nil {
			s.effect(a, d.Target, d.Key, now, false)
		}
	}
	s.commit(record{Deferred: &waiting})
}

// effect carries out a target on its account and notes it. s.mu is held.
func (s *System) effect(a *account, t target, key string, now time.Time, residue bool) {
	b, changed := t.Change.applied(a, residue)
	if changed {
		b.Modified = now
	}
	r := record{Account: b, Effect: &control.Effect{
		At: now, AccountID: a.ID, EmployeeNo: a.EmployeeNo, Op: t.Op, IdempotencyKey: key,
		Changed: changed, Active: b.Active,
	}}
	if t.Change.Delete {
		r.Account, r.DropAccount, r.Effect.Active = nil, a.ID, false
	}
	s.commit(r)
}

// deferAll keeps the targets until they are due. s.mu is held.
func (s *System) deferAll(targets []target, key string, due time.Time) {
	waiting := append([]deferred(nil), s.st.deferred...)
	for _, t := range targets {
		waiting = append(waiting, deferred{Due: due, Key: key, Target: t})
	}
	s.commit(record{Deferred: &waiting})
}

// pick asks the faults about a call. s.mu is held.
func (s *System) pick(c call, now time.Time) hit {
	if len(s.st.faults.Faults.Rules) == 0 {
		return hit{}
	}
	h, used := s.st.faults.pick(s.counter, c, now)
	if used {
		f := s.st.faults
		s.commit(record{Faults: &f})
	}
	return h
}

// stats copies the counters. s.mu is held.
func (s *System) stats() control.Stats {
	return control.Stats{Calls: maps.Clone(s.calls.byOp), Deletes: s.st.deletes}
}

// Handler serves SCIM under /scim/v2, the control calls under /control and the
// page at /.
func (s *System) Handler() http.Handler {
	mux := http.NewServeMux()
	s.routeSCIM(mux)
	s.routeControl(mux)
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}
