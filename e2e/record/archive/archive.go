// Package archive packs a stopped installation into one file and unpacks it again.
package archive

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Names within an archive.
const (
	Dump        = "databases.sql" // of the whole cluster, logins included
	description = "installation.json"
)

// Installation is what its files do not say of themselves.
type Installation struct {
	// RecordedAt is the databases' clock when everything stopped, in UTC: a restored installation
	// goes on from there, however old the recording is.
	RecordedAt    time.Time         `json:"recorded_at"`
	FactsDatabase string            `json:"facts_database"`
	KeysDatabase  string            `json:"keys_database"`
	Namespace     string            `json:"namespace"`
	QueuePrefix   string            `json:"queue_prefix"`
	Departures    map[string]string `json:"departures"` // ids by employee number
	HR            string            `json:"hr"`         // and the other tokens of the staff
	SecondHR      string            `json:"second_hr"`
	Reviewer      string            `json:"reviewer"`
	ITOps         string            `json:"it_ops"`
	Auditor       string            `json:"auditor"`
	HRPerson      uuid.UUID         `json:"hr_person"`
}

// left are the parts of a folder that are not packed: the dump has what the first holds.
var left = []string{"postgres", "logs"}

// passing are the endings of files that mean nothing once everything is stopped; so is SQLite's -shm.
var passing = []string{".lock", ".log"}

// Write packs a folder. It does not replace a file that is there: recordings are only added.
func Write(path, folder string, in Installation) (err error) {
	text, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the installation: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, description), text, 0o600); err != nil {
		return fmt.Errorf("describing the installation: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("creating the archive: %w", err)
	}
	packed, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(packed)
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(left, inside) {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() || slices.Contains(passing, filepath.Ext(name)) || strings.HasSuffix(name, "-shm") {
			return nil
		}
		return add(w, name, inside)
	})
	return errors.Join(err, w.Close(), packed.Close(), file.Close())
}

func add(w *tar.Writer, path, name string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading what is packed: %w", err)
	}
	if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(content))}); err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	_, err = w.Write(content)
	return err
}

// Read unpacks an archive into a folder, every file readable by its owner alone.
func Read(path, folder string) (in Installation, err error) {
	file, err := os.Open(path)
	if err != nil {
		return in, fmt.Errorf("opening the archive: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	packed, err := gzip.NewReader(file)
	if err != nil {
		return in, fmt.Errorf("opening the archive: %w", err)
	}
	for r := tar.NewReader(packed); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return in, fmt.Errorf("reading the archive: %w", err)
		}
		if !filepath.IsLocal(header.Name) {
			return in, errors.New("the archive leads out of its folder")
		}
		target := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return in, fmt.Errorf("unpacking: %w", err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return in, fmt.Errorf("reading the archive: %w", err)
		}
		if err := os.WriteFile(target, content, 0o600); err != nil {
			return in, fmt.Errorf("unpacking: %w", err)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, description))
	if err != nil {
		return in, fmt.Errorf("reading what the archive is of: %w", err)
	}
	return in, json.Unmarshal(text, &in)
}

// PostgresTool finds a program that comes with Postgres.
func PostgresTool(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join("/usr/lib/postgresql/*/bin", name))
	if err == nil && len(found) > 0 {
		return slices.Max(found), nil
	}
	return exec.LookPath(name)
}
