package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Scratch is a folder for one test run. The next run removes it when this one
// had no chance to.
type Scratch struct {
	Path string
	lock *folderLock
}

// NewScratch makes a folder under parent and removes the folders there whose
// runs are dead.
func NewScratch(parent string) (*Scratch, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder for test data: %w", err)
	}
	guard, err := acquireWaiting(filepath.Join(parent, "lock"))
	if err != nil {
		return nil, err
	}
	defer guard.release()
	if err := removeDead(parent); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, "run-")
	if err != nil {
		return nil, fmt.Errorf("create the folder for test data: %w", err)
	}
	lock, err := acquire(filepath.Join(path, "lock"))
	if err != nil {
		return nil, err
	}
	return &Scratch{Path: path, lock: lock}, nil
}

// Remove deletes the folder; what ran in it must have been stopped.
func (s *Scratch) Remove() error {
	defer s.lock.release()
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
		lock, err := acquire(filepath.Join(run, "lock"))
		if errors.Is(err, ErrInUse) {
			continue
		}
		if err != nil {
			return err
		}
		err = errors.Join(killServersIn(run), os.RemoveAll(run))
		lock.release()
		if err != nil {
			return fmt.Errorf("remove a former run's data: %w", err)
		}
	}
	return nil
}

func killServersIn(run string) error {
	folders, err := filepath.Glob(filepath.Join(run, "*", dataFolder))
	for _, folder := range folders {
		err = errors.Join(err, killAll(folder))
	}
	return err
}
