package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"lethe/internal/durable"

	"golang.org/x/sync/errgroup"
)

// dirs are folders whose new names are not on the disk yet.
type dirs map[string]bool

// write puts a file, whole or not at all, on the disk; its name is there after sync. A file that is
// right already is only made durable: who wrote it may have died before that.
func (d dirs) write(path string, content []byte) error {
	folder := filepath.Dir(path)
	if err := d.mkdir(folder); err != nil {
		return err
	}
	d[folder] = true
	return writeDurable(path, content)
}

func writeDurable(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return durable.Sync(path)
	}
	if err := durable.Put(path, content); err != nil {
		return fmt.Errorf("writing a file of the ledger: %w", err)
	}
	return nil
}

// known are the folders whose own names this process has put on the disk. Another one may have made
// a folder and died before it did.
var known sync.Map

// mkdir makes a folder and what is missing above it.
func (d dirs) mkdir(folder string) error {
	_, durable := known.Load(folder)
	_, err := os.Stat(folder)
	if err == nil && durable {
		return nil
	}
	parent := filepath.Dir(folder)
	if err != nil {
		if err := d.mkdir(parent); err != nil {
			return err
		}
		if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("making a folder of the ledger: %w", err)
		}
	}
	d[parent] = true
	return nil
}

// sync makes the new names durable.
func (d dirs) sync() error {
	for folder := range d {
		if err := durable.Sync(folder); err != nil {
			return fmt.Errorf("writing a folder of the ledger to disk: %w", err)
		}
	}
	for folder := range d {
		if d[filepath.Dir(folder)] {
			known.Store(folder, true)
		}
	}
	return nil
}

// file is one to be written.
type file struct {
	path    string
	content []byte
}

// writers bounds how many files are flushed side by side: the disk takes several at once.
const writers = 8

// writeAll puts files on the disk, names and all.
func writeAll(files []file) error {
	d := dirs{}
	for _, f := range files {
		if err := d.mkdir(filepath.Dir(f.path)); err != nil {
			return err
		}
		d[filepath.Dir(f.path)] = true
	}
	var group errgroup.Group
	group.SetLimit(writers)
	for _, f := range files {
		group.Go(func() error { return writeDurable(f.path, f.content) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return d.sync()
}
