package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"lethe/internal/durable"
)

// ErrState says that what the witness remembers is not what it wrote.
var ErrState = errors.New("the witness's memory is damaged: it cosigns nothing until somebody has looked")

// Store is a folder with the latest cosigned checkpoint of each log. Several processes may share it
// (the development witness lives in every sequencer's process): a lock in the kernel makes reading
// the last size and writing the next one a single step.
type Store struct {
	dir string
	// written is called between remembering and answering; tests die there.
	written func()
}

// OpenStore uses dir, and makes it if it is missing.
//
// A folder that is restored from a backup, or lost, forgets what was signed since: then the witness
// no longer protects that span. Keep it on a disk of its own and treat its loss as an incident.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the witness's folder: %w", err)
	}
	return &Store{dir: dir}, nil
}

// OriginHash is how c2sp.org/tlog-witness names a log in addresses.
func OriginHash(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(h[:])
}

func (s *Store) path(hash string) string { return filepath.Join(s.dir, hash) }

// Latest is the note last cosigned for an origin line, nil if there is none.
func (s *Store) Latest(origin string) ([]byte, error) { return s.latest(OriginHash(origin)) }

// latest is nil for a log that was never cosigned.
func (s *Store) latest(hash string) ([]byte, error) {
	b, err := os.ReadFile(s.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the witness's memory: %w", err)
	}
	return b, nil
}

// update replaces the latest note of a log by what next makes of it; nobody else can do so
// meanwhile. The new one is durable when it returns.
func (s *Store) update(origin string, next func(last []byte) ([]byte, error)) error {
	path := s.path(OriginHash(origin))
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the witness's lock: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking the witness's memory: %w", err)
	}
	last, err := s.latest(OriginHash(origin))
	if err != nil {
		return err
	}
	signed, err := next(last)
	if err != nil {
		return err
	}
	if err := durable.Replace(path, signed); err != nil {
		return fmt.Errorf("writing the witness's memory: %w", err)
	}
	if s.written != nil {
		s.written()
	}
	return nil
}
