package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"lethe/internal/durable"
)

// journal is the append-only file behind a system's state. Records that arrive
// while one write is under way are written together by the next one (group
// commit), so that the cost of fsync is shared. Once the file has grown well past
// the size of the state it is folded into a snapshot and emptied.
type journal struct {
	statePath string
	file      *os.File
	durable   bool
	snapshot  func() ([]byte, error) // the whole state, including all records handed to append

	mu      sync.Mutex
	queued  *batch // not yet taken by the writer
	writing *batch // being written
	failed  error  // the first write error; nothing is accepted afterwards
	wake    chan struct{}
	stopped chan struct{}

	// Touched by the writer only, once it runs: the file's size, the size at which
	// it is folded, and the least such size.
	size, foldAt, minFold int64
}

// batch is a group of records that reach the disk together.
type batch struct {
	buf  []byte
	done chan struct{}
	err  error
}

func (b *batch) wait() error {
	if b == nil {
		return nil
	}
	<-b.done
	return b.err
}

const defaultMinFold = 16 << 20

// openJournal locks the state against other processes, and hands the last
// snapshot (nil if there is none) and then each later record to the callbacks. A
// torn last record, the mark of a kill in the middle of a write, is dropped:
// nobody was told that it happened.
func openJournal(statePath string, durable bool, loadSnapshot, replay func([]byte) error) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(statePath), 0o700); err != nil {
		return nil, fmt.Errorf("creating the folder of the state: %w", err)
	}
	file, err := os.OpenFile(statePath+".journal", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	j := &journal{
		statePath: statePath, file: file, durable: durable, foldAt: defaultMinFold, minFold: defaultMinFold,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	if err := j.load(loadSnapshot, replay); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func (j *journal) load(loadSnapshot, replay func([]byte) error) error {
	if err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("the state %s is in use by another process", j.statePath)
	}
	raw, err := os.ReadFile(j.statePath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the state: %w", err)
	}
	if err == nil {
		if err := loadSnapshot(raw); err != nil {
			return fmt.Errorf("reading the state %s: %w", j.statePath, err)
		}
	}
	r := bufio.NewReaderSize(j.file, 1<<20)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // what is left has no end mark: torn
		}
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if err := replay(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return fmt.Errorf("journal of %s at byte %d: %w", j.statePath, j.size, err)
		}
		j.size += int64(len(line))
	}
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("dropping a torn record: %w", err)
	}
	return durable.Sync(filepath.Dir(j.statePath))
}

// start begins writing; snapshot is asked for the state whenever the journal is folded.
func (j *journal) start(snapshot func() ([]byte, error)) {
	j.snapshot = snapshot
	go j.run()
}

// append queues one record, in the order of the calls.
func (j *journal) append(record []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.queued == nil {
		j.queued = &batch{done: make(chan struct{})}
	}
	j.queued.buf = append(append(j.queued.buf, record...), '\n')
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// pending returns the last batch that is not yet written, nil if all are.
func (j *journal) pending() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.queued != nil {
		return j.queued
	}
	if j.writing == nil && j.failed != nil {
		failed := &batch{err: j.failed, done: make(chan struct{})}
		close(failed.done)
		return failed
	}
	return j.writing
}

func (j *journal) run() {
	defer close(j.stopped)
	for range j.wake {
		j.flush()
		if j.size > j.foldAt && j.failed == nil {
			j.fail(j.fold())
		}
	}
	j.flush()
	if j.failed == nil {
		j.fail(j.fold())
	}
}

func (j *journal) flush() {
	j.mu.Lock()
	b, err := j.queued, j.failed
	j.writing, j.queued = b, nil
	j.mu.Unlock()
	if b == nil {
		return
	}
	if err == nil {
		err = j.write(b.buf)
	}
	j.mu.Lock()
	b.err, j.writing = err, nil
	j.mu.Unlock()
	j.fail(err)
	close(b.done)
}

func (j *journal) write(buf []byte) error {
	n, err := j.file.Write(buf)
	j.size += int64(n)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	if j.durable {
		if err := j.file.Sync(); err != nil {
			return fmt.Errorf("syncing the journal: %w", err)
		}
	}
	return nil
}

func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = err
	}
}

// fold writes the whole state beside the old one, renames it into place and only
// then empties the journal. A kill in between leaves records that the snapshot
// already has; their sequence numbers tell.
func (j *journal) fold() error {
	raw, err := j.snapshot()
	if err != nil {
		return fmt.Errorf("encoding the state: %w", err)
	}
	if err := durable.Replace(j.statePath, raw); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := j.file.Truncate(0); err != nil {
		return fmt.Errorf("emptying the journal: %w", err)
	}
	j.size, j.foldAt = 0, max(j.minFold, 2*int64(len(raw)))
	return nil
}

// close writes what is queued, folds, and unlocks the state. Nothing may be
// appended afterwards.
func (j *journal) close() error {
	close(j.wake)
	<-j.stopped
	return errors.Join(j.failed, j.file.Close())
}
