package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
)

// queue is how a sequencer looks at ledger_pending. The rows that were taken out of it lie around
// until they are vacuumed, and for as long as any transaction is open that began before: to step over
// them twenty times a second would cost more than all the rest. So most looks begin a little before
// now, and only some see the whole queue, for what was committed long after it was written.
type queue struct {
	oldest uuid.UUID // what the last look found first
	next   uuid.UUID // where the next page begins, Nil: at oldest
	now    time.Time // the database's clock at the last look

	wholly time.Time     // when the last look at all of it began
	rest   time.Duration // until the next one
	behind uuid.UUID     // the oldest that it found
}

const (
	// recent is how long before now most looks begin.
	recent = 30 * time.Second
	// whollyEvery is how often the whole queue is looked at, unless that takes more than a twentieth
	// of the time.
	whollyEvery = 500 * time.Millisecond
	restFactor  = 20
)

// begin says where a look begins.
func (q *queue) begin() (from uuid.UUID, whole bool) {
	if time.Since(q.wholly) >= q.rest {
		return uuid.Nil, true
	}
	binary.BigEndian.PutUint64(from[:8], uint64(max(q.now.Add(-recent).UnixMilli(), 0))<<16)
	return from, false
}

// look reads the head, and whether anything waits, without a lock.
func (s *Sequencer) look(ctx context.Context) (treeHead, bool, error) {
	from, whole := s.begin()
	began := time.Now()
	var row headRow
	var found *string
	err := s.db.Read(ctx).Statement.ConnPool.QueryRowContext(ctx, `SELECT epoch, size, root, frontier,
		(SELECT entry_id::text FROM ledger_pending WHERE entry_id >= $1 ORDER BY entry_id LIMIT 1), lethe_now() FROM ledger_head`, from).
		Scan(&row.epoch, &row.size, &row.root, &row.frontier, &found, &s.now)
	if err != nil {
		return treeHead{}, false, database.Wrap("looking at the ledger's queue", err)
	}
	h, err := row.head(s.o.Origin)
	if err != nil {
		return treeHead{}, false, err
	}
	s.oldest = uuid.Nil
	if found != nil {
		if s.oldest, err = uuid.Parse(*found); err != nil {
			return treeHead{}, false, fmt.Errorf("looking at the ledger's queue: %w", ErrMalformed)
		}
	}
	if whole {
		s.wholly, s.rest, s.behind = began, max(whollyEvery, restFactor*time.Since(began)), s.oldest
	} else if compareIDs(s.behind, from) >= 0 {
		s.behind = uuid.Nil // this look would have found it
	}
	s.report(h.epoch, whole)
	return h, found != nil, nil
}

// report brings the status up to what a look found.
func (s *Sequencer) report(epoch int, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Epoch, s.status.OldestPending = epoch, 0
	for _, id := range []uuid.UUID{s.oldest, s.behind} {
		if id != uuid.Nil {
			s.status.OldestPending = max(s.status.OldestPending, s.now.Sub(TimeOf(id)))
		}
	}
	if whole && s.oldest == uuid.Nil {
		clear(s.refused)
		s.status.Refused = 0
	}
}

// successor is the id after an id.
func successor(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
