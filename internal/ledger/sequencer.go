package ledger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/failpoint"
)

// Options of a [Sequencer]. Zero values mean the defaults, but for the origin.
type Options struct {
	Origin   string
	Batch    int           // entries in one transaction at most; default 16384
	Interval time.Duration // between looks at the queue; default 50 ms
	Log      *slog.Logger  // default slog.Default
	// Rebuild makes an empty folder from the database's word alone. Only for an operator who has lost
	// the folder and has compared the result with a witness.
	Rebuild bool

	// step is called where a process may die; an error aborts there. Tests set it.
	step func(name string) error
}

// Sequencer gives each entry its place, extends the tree, and signs it. Any number may run, in any
// number of processes: the lock on the row of ledger_head lets one at a time work, and a crash at
// any point leaves what the next one goes on from.
type Sequencer struct {
	db      *database.DB
	storage *Storage
	keys    *Keys
	o       Options

	queue
	last    *batch // what this process sequenced last: its leaves need not be read again
	checked struct {
		signed []byte // a checkpoint whose signature was checked
		head   Head
	}

	mu      sync.Mutex
	status  Status
	refused map[uuid.UUID]bool
}

// Status is what a sequencer knows, for metrics and alarms.
type Status struct {
	Epoch int
	// Size and SignedAt are of the newest checkpoint that this process saw or signed.
	Size     int64
	SignedAt time.Time
	// OldestPending is the age of the oldest entry that waits for its place, refused ones included.
	OldestPending time.Duration
	// Refused is how many entries in the queue were not written by us.
	Refused int
	// Problem is why the last round failed, nil if it did not: ErrRolledBack and ErrInconsistent
	// stay until somebody acts.
	Problem error
}

// NewSequencer works on the ledger of db, which may be another role's than the writers'.
func NewSequencer(db *database.DB, storage *Storage, keys *Keys, o Options) *Sequencer {
	if o.Batch == 0 {
		o.Batch = 16384
	}
	if o.Interval == 0 {
		o.Interval = 50 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.step == nil {
		o.step = func(name string) error { failpoint.Hit(name); return nil }
	}
	return &Sequencer{db: db, storage: storage, keys: keys, o: o, refused: map[uuid.UUID]bool{}}
}

// Status is what the sequencer knows now.
func (s *Sequencer) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

const (
	// partitionsAhead is how many months have their partitions before they begin.
	partitionsAhead = 3
	// partitionsEvery is how often that is seen to.
	partitionsEvery = time.Hour
	// slowest is the pause after failures in a row.
	slowest = 2 * time.Second
)

// Run sequences until ctx ends. What fails is logged, shown in Status, and tried again.
func (s *Sequencer) Run(ctx context.Context) {
	var partitions time.Time
	wait := s.o.Interval
	for ctx.Err() == nil {
		if time.Since(partitions) > partitionsEvery {
			partitions = time.Now()
			if err := MakePartitions(ctx, s.db); err != nil && ctx.Err() == nil {
				s.o.Log.Error("the ledger's next partitions are missing", "error", err)
			}
		}
		more, err := s.Round(ctx)
		switch {
		case err != nil:
			wait = min(2*wait, slowest)
		case more:
			wait = 0
		default:
			wait = s.o.Interval
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = max(wait, s.o.Interval)
	}
}

// Round signs what was committed, sequences one batch, and signs that. It says whether more waits.
func (s *Sequencer) Round(ctx context.Context) (more bool, err error) {
	more, err = s.round(ctx)
	s.mu.Lock()
	before := s.status.Problem
	s.status.Problem = err
	s.mu.Unlock()
	if err != nil && ctx.Err() == nil && (before == nil || before.Error() != err.Error()) {
		s.o.Log.Error("the ledger is not sequenced", "error", err)
	}
	return more, err
}

func (s *Sequencer) round(ctx context.Context) (more bool, err error) {
	signed, err := s.signed(ctx) // before the head, which is never behind it
	if err != nil {
		return false, err
	}
	head, waits, err := s.look(ctx)
	if err != nil {
		return false, err
	}
	if err := s.admits(signed, head); errors.Is(err, ErrStorageLost) && s.begun(ctx, head) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	if done, err := s.publish(ctx, head); err != nil || !done || !waits {
		return false, err
	}
	head, more, err = s.sequence(ctx)
	if err != nil || head.Origin == "" {
		return false, err
	}
	if err := s.o.step("ledger.sequenced"); err != nil {
		return false, err
	}
	_, err = s.publish(ctx, head)
	return more, err
}

// begun says whether another sequencer began the tree between two looks.
func (s *Sequencer) begun(ctx context.Context, head treeHead) bool {
	signed, err := s.signed(ctx)
	return err == nil && signed.ok && signed.epoch == head.epoch
}

// Drain sequences and signs everything that is committed, for tests and commands.
func (s *Sequencer) Drain(ctx context.Context) error {
	for {
		s.wholly = time.Time{}
		more, err := s.Round(ctx)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		s.wholly = time.Time{}
		signed, err := s.signed(ctx)
		if err != nil {
			return err
		}
		head, waits, err := s.look(ctx)
		if err != nil {
			return err
		}
		if status := s.Status(); signed.ok && signed.epoch == head.epoch && signed.Size >= head.Size && (!waits || status.Refused > 0) {
			return nil
		}
		select { // another sequencer is at it
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.o.Interval / 10):
		}
	}
}
