package launchtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"lethe/internal/launch"
)

// Scratch is a folder for one test run. The next run removes it when this one
// had no chance to.
type Scratch struct {
	Path string
	lock *os.File
}

// NewScratch makes a folder under parent and removes the folders there whose
// runs are dead.
func NewScratch(parent string) (*Scratch, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder for test data: %w", err)
	}
	guard, err := lock(parent, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer guard.Close()
	if err := removeDead(parent); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, "run-")
	if err != nil {
		return nil, fmt.Errorf("create the folder for test data: %w", err)
	}
	held, err := lock(path, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, err
	}
	return &Scratch{Path: path, lock: held}, nil
}

// lock takes the lock of a folder. The kernel drops it when its holder dies, however it dies.
func lock(folder string, how int) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", folder, err), file.Close())
	}
	return file, nil
}

// Remove deletes the folder; what ran in it must have been stopped.
func (s *Scratch) Remove() error {
	defer s.lock.Close()
	var err error
	for range 40 { // a server that was killed may still be ending, and writing
		if err = os.RemoveAll(s.Path); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("remove the test data: %w", err)
}

// removeDead removes the runs whose lock nobody holds, with the servers that
// may still be shutting down in them.
func removeDead(parent string) error {
	runs, err := filepath.Glob(filepath.Join(parent, "run-*"))
	if err != nil {
		return fmt.Errorf("list former runs: %w", err)
	}
	for _, run := range runs {
		former, err := lock(run, syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return err
		}
		err = errors.Join(launch.KillServersIn(run), os.RemoveAll(run), former.Close())
		if err != nil {
			return fmt.Errorf("remove a former run's data: %w", err)
		}
	}
	return nil
}
