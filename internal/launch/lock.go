package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrInUse is wrapped when another process that lives uses the same folder.
var ErrInUse = errors.New("in use by another run")

// folderLock keeps two runs off one data folder. The kernel drops it when its
// holder dies, however it dies.
type folderLock struct{ file *os.File }

func acquire(path string) (*folderLock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("%w: %s is locked; stop that run first, or choose another data folder", ErrInUse, path), file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return &folderLock{file}, nil
}

// acquireSoon gives a killed run a moment to be gone.
func acquireSoon(ctx context.Context, path string) (*folderLock, error) {
	deadline := time.After(takeoverGrace)
	for {
		lock, err := acquire(path)
		if !errors.Is(err, ErrInUse) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// LockFolder keeps a second run off a folder, which must exist, until release is
// called or this process dies, however it dies. It gives a killed run a moment to
// be gone; one that lives is [ErrInUse].
func LockFolder(ctx context.Context, folder string) (release func(), err error) {
	lock, err := acquireSoon(ctx, filepath.Join(folder, "lock"))
	if err != nil {
		return nil, err
	}
	return lock.release, nil
}

// release may be called more than once.
func (l *folderLock) release() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}
