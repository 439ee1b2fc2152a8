package verify

import (
	"context"
	"sync"
)

// queued is how many batches of each kind are read before they are asked for.
const queued = 2

// reading reads a source ahead in a goroutine of its own, so that Postgres and decoding work while
// hashes are computed. It reads on with whatever kind there is least of, so that no kind ever waits
// for another one to be taken.
type reading struct {
	source  source
	rest    small
	mu      sync.Mutex
	changed *sync.Cond
	ended   bool // nobody takes any more
	err     error
	// stopped is closed when the source is no longer used.
	stopped chan struct{}

	placeQueue   queue[placeRow]
	entryQueue   queue[entryRow]
	contentQueue queue[contentRow]
}

type queue[T any] struct {
	batches [][]T
	done    bool
}

func ahead(ctx context.Context, s source) (*reading, error) {
	rest, err := s.small(ctx)
	if err != nil {
		return nil, err
	}
	r := &reading{source: s, rest: rest, stopped: make(chan struct{})}
	r.changed = sync.NewCond(&r.mu)
	go r.run(ctx)
	return r, nil
}

// stop ends reading; when it returns the source is free.
func (r *reading) stop() {
	r.mu.Lock()
	r.ended = true
	r.changed.Broadcast()
	r.mu.Unlock()
	<-r.stopped
}

func (r *reading) run(ctx context.Context) {
	defer close(r.stopped)
	for {
		r.mu.Lock()
		for !r.ended && r.least() == nil && !r.finished() {
			r.changed.Wait()
		}
		read := r.least()
		end := r.ended || r.finished() || r.err != nil
		r.mu.Unlock()
		if end {
			return
		}
		read(ctx)
	}
}

func (r *reading) finished() bool {
	return r.placeQueue.done && r.entryQueue.done && r.contentQueue.done || r.err != nil
}

// least is how to read the kind of which there is least, nil if there is enough of all.
func (r *reading) least() func(context.Context) {
	best := queued
	var read func(context.Context)
	for _, kind := range []struct {
		length int
		done   bool
		read   func(context.Context)
	}{
		{len(r.placeQueue.batches), r.placeQueue.done, func(ctx context.Context) { fill(r, &r.placeQueue, r.source.places, ctx) }},
		{len(r.entryQueue.batches), r.entryQueue.done, func(ctx context.Context) { fill(r, &r.entryQueue, r.source.entries, ctx) }},
		{len(r.contentQueue.batches), r.contentQueue.done, func(ctx context.Context) { fill(r, &r.contentQueue, r.source.contents, ctx) }},
	} {
		if !kind.done && kind.length < best {
			best, read = kind.length, kind.read
		}
	}
	return read
}

func fill[T any](r *reading, q *queue[T], read func(context.Context) ([]T, error), ctx context.Context) { //nolint:revive // read comes with what it fills
	rows, err := read(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.err = err
	} else if q.done = len(rows) == 0; !q.done {
		q.batches = append(q.batches, rows)
	}
	r.changed.Broadcast()
}

func take[T any](r *reading, q *queue[T]) ([]T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(q.batches) == 0 && !q.done && r.err == nil {
		r.changed.Wait()
	}
	if r.err != nil || len(q.batches) == 0 {
		return nil, r.err
	}
	rows := q.batches[0]
	q.batches = q.batches[1:]
	r.changed.Broadcast()
	return rows, nil
}

func (r *reading) small(context.Context) (small, error)           { return r.rest, nil }
func (r *reading) places(context.Context) ([]placeRow, error)     { return take(r, &r.placeQueue) }
func (r *reading) entries(context.Context) ([]entryRow, error)    { return take(r, &r.entryQueue) }
func (r *reading) contents(context.Context) ([]contentRow, error) { return take(r, &r.contentQueue) }
