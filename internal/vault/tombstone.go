package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"lethe/internal/durable"

	"github.com/google/uuid"
)

// Tombstone says that a purge passed its point of no return, or that an emergency contact was removed. It is kept outside both databases, so
// that a restored backup is purged again (I25). It holds opaque identifiers only.
type Tombstone struct {
	PurgeID      uuid.UUID   `json:"purge_id"`
	EmploymentID uuid.UUID   `json:"employment_id"`
	Categories   []uuid.UUID `json:"categories"` // ids of the rows of employment_categories
	// Contact is which emergency contact was taken out of the file on their own request; 0: none. PurgeID names the removal then.
	Contact int       `json:"contact,omitempty"`
	At      time.Time `json:"at"`
}

// ErrTombstonesDamaged says that a line of the tombstone file is not what was written. Restore the
// file from a copy: without it a restored backup would bring purged data back.
var ErrTombstonesDamaged = errors.New("the tombstone file is damaged")

// ErrTombstoneDiffers says that a purge was to be recorded twice with different categories.
var ErrTombstoneDiffers = errors.New("the purge has another tombstone")

// Tombstones is the append-only file of tombstones. Several processes on one machine may share it.
type Tombstones struct {
	mu   sync.Mutex
	file *os.File
	read int64 // the bytes taken in so far: whole, checked lines
	all  []Tombstone
	byID map[uuid.UUID]int
}

// OpenTombstones opens the file at path, mode 0600, and creates it at first. A last line that a
// crash tore is cut off: it was never acknowledged. Anything else unreadable is ErrTombstonesDamaged.
func OpenTombstones(path string) (*Tombstones, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the tombstone file: %w", err)
	}
	t := &Tombstones{file: f, byID: map[uuid.UUID]int{}}
	if err := errors.Join(t.locked(func() error { return nil }), durable.Sync(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

// Close closes the file.
func (t *Tombstones) Close() error { return t.file.Close() }

// Append records stone and returns once it is on the disk. A purge that is recorded already is
// left as it is.
func (t *Tombstones) Append(ctx context.Context, stone Tombstone) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locked(func() error {
		if i, ok := t.byID[stone.PurgeID]; ok {
			if !sameCategories(t.all[i], stone) {
				return ErrTombstoneDiffers
			}
			// Whoever wrote it may have died before it was on the disk.
			if err := t.file.Sync(); err != nil {
				return fmt.Errorf("writing a tombstone to disk: %w", err)
			}
			return nil
		}
		stone.At = stone.At.UTC()
		line, err := encode(stone)
		if err != nil {
			return err
		}
		if _, err := t.file.WriteAt(line, t.read); err != nil {
			return fmt.Errorf("writing a tombstone: %w", err)
		}
		if err := t.file.Sync(); err != nil {
			return fmt.Errorf("writing a tombstone to disk: %w", err)
		}
		t.take(stone, len(line))
		return nil
	})
}

// All is every tombstone, in the order of their purges.
func (t *Tombstones) All() ([]Tombstone, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.locked(func() error { return nil }); err != nil {
		return nil, err
	}
	return slices.Clone(t.all), nil
}

// locked runs fn while no other process uses the file, after taking in what others appended.
func (t *Tombstones) locked(fn func() error) (err error) {
	fd := int(t.file.Fd())
	if err := syscall.Flock(fd, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking the tombstone file: %w", err)
	}
	defer func() { err = errors.Join(err, syscall.Flock(fd, syscall.LOCK_UN)) }()
	if err := t.catchUp(); err != nil {
		return err
	}
	return fn()
}

// catchUp reads what was appended since and cuts a torn last line off.
func (t *Tombstones) catchUp() error {
	info, err := t.file.Stat()
	if err != nil {
		return fmt.Errorf("looking at the tombstone file: %w", err)
	}
	if info.Size() < t.read {
		return fmt.Errorf("it became shorter: %w", ErrTombstonesDamaged)
	}
	fresh, err := io.ReadAll(io.NewSectionReader(t.file, t.read, info.Size()-t.read))
	if err != nil {
		return fmt.Errorf("reading the tombstone file: %w", err)
	}
	for len(fresh) > 0 {
		end := bytes.IndexByte(fresh, '\n')
		if end < 0 {
			break
		}
		stone, err := decode(fresh[:end])
		if err != nil {
			return fmt.Errorf("line %d: %w", len(t.all)+1, err)
		}
		t.take(stone, end+1)
		fresh = fresh[end+1:]
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := errors.Join(t.file.Truncate(t.read), t.file.Sync()); err != nil {
		return fmt.Errorf("repairing the tombstone file: %w", err)
	}
	return nil
}

func (t *Tombstones) take(stone Tombstone, length int) {
	t.read += int64(length)
	t.byID[stone.PurgeID] = len(t.all)
	t.all = append(t.all, stone)
}

func sameCategories(a, b Tombstone) bool {
	order := func(x, y uuid.UUID) int { return bytes.Compare(x[:], y[:]) }
	return a.EmploymentID == b.EmploymentID && a.Contact == b.Contact && slices.Equal(
		slices.SortedFunc(slices.Values(a.Categories), order), slices.SortedFunc(slices.Values(b.Categories), order))
}

// A line is "T1", the tombstone as JSON, and the SHA-256 of both, with spaces between.
const tombstoneVersion = "T1 "

func encode(stone Tombstone) ([]byte, error) {
	content, err := json.Marshal(stone)
	if err != nil {
		return nil, fmt.Errorf("writing a tombstone: %w", err)
	}
	line := append([]byte(tombstoneVersion), content...)
	sum := sha256.Sum256(line)
	return fmt.Appendf(line, " %s\n", hex.EncodeToString(sum[:])), nil
}

func decode(line []byte) (Tombstone, error) {
	var stone Tombstone
	at := bytes.LastIndexByte(line, ' ')
	if at < 0 || !strings.HasPrefix(string(line), tombstoneVersion) {
		return stone, ErrTombstonesDamaged
	}
	sum := sha256.Sum256(line[:at])
	if string(line[at+1:]) != hex.EncodeToString(sum[:]) || json.Unmarshal(line[len(tombstoneVersion):at], &stone) != nil {
		return stone, ErrTombstonesDamaged
	}
	return stone, nil
}
