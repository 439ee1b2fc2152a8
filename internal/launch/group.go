package launch

import (
	"context"
	"errors"
	"sync"
)

// Group is a set of processes that live together: when one ends unasked the
// owner hears of it, and all are stopped in the reverse order of their start.
type Group struct {
	mu      sync.Mutex
	members []*Process
	ended   chan *Process
}

// NewGroup makes an empty group.
func NewGroup() *Group {
	return &Group{ended: make(chan *Process)}
}

// Add puts a running process into the group.
func (g *Group) Add(p *Process) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = append(g.members, p)
}

// Wait returns nil when ctx ends and the [*ExitError] of the first process that
// ends before. It watches the processes that were added before the call.
func (g *Group) Wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, p := range g.snapshot() {
		go func() {
			select {
			case <-p.Done():
				select {
				case g.ended <- p:
				case <-ctx.Done():
				}
			case <-ctx.Done():
			}
		}()
	}
	select {
	case p := <-g.ended:
		return p.Err()
	case <-ctx.Done():
		return nil
	}
}

// Stop stops every process, the last started first, and goes on past failures.
func (g *Group) Stop(ctx context.Context) error {
	members := g.snapshot()
	var failures []error
	for i := len(members) - 1; i >= 0; i-- {
		failures = append(failures, members[i].Stop(ctx))
	}
	return errors.Join(failures...)
}

func (g *Group) snapshot() []*Process {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Process(nil), g.members...)
}
