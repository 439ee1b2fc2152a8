// Package durable keeps files that must not be lost, torn or read by others: keys, checkpoints, reports.
// What it has written is on the disk, name and all, when it returns, and whoever reads at any moment finds
// the old content or the new one. Files have mode 0600.
package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxSecret is how much of a file of keys is read.
const maxSecret = 1 << 20

// Create makes a file. An existing one is never touched: that is os.ErrExist.
func Create(path string, content []byte) error {
	draft, err := write(path, content)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft) }()
	// A link, unlike a rename, never replaces: of two that create at once, one wins.
	if err := os.Link(draft, path); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten: %w", path, os.ErrExist)
	} else if err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}

// Replace makes a file, or takes the place of what is there.
func Replace(path string, content []byte) error {
	if err := Put(path, content); err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}

// Put is [Replace] for one file of many in a folder: the name is on the disk after [Sync].
func Put(path string, content []byte) error {
	draft, err := write(path, content)
	if err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return nil
}

// write puts a draft on the disk, in the folder of path.
func write(path string, content []byte) (draft string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".draft-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// Sync makes the content of a file, or the new names in a folder, survive a power cut.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// ReadSecret reads a file of keys, called what in errors, and refuses one that anybody but its owner may
// use. The caller clears the content.
func ReadSecret(path, what string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", what, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("looking at %s: %w", what, err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s has mode %s: it must be readable by its owner only (chmod 600)", what, info.Mode())
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", what, err)
	}
	return content, info, nil
}
