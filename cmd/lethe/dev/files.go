package dev

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"lethe/internal/config"
	"lethe/internal/durable"
)

// files knows where everything lies in the data folder. Folders have mode 0700, files 0600.
type files struct {
	root string // absolute
}

// newFiles makes the data folder at the first start. One that others can read is closed to them.
func newFiles(folder string) (files, error) {
	root, err := filepath.Abs(folder)
	if err != nil {
		return files{}, fmt.Errorf("finding the data folder (LETHE_DATA_DIR): %w", err)
	}
	f := files{root: root}
	for _, path := range []string{root, f.path("secrets"), f.path("logs")} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return files{}, fmt.Errorf("making the data folder (LETHE_DATA_DIR): %w", err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			return files{}, fmt.Errorf("closing the data folder (LETHE_DATA_DIR) to others: %w", err)
		}
	}
	return f, nil
}

func (f files) path(parts ...string) string {
	return filepath.Join(append([]string{f.root}, parts...)...)
}

func (f files) postgres() string           { return f.path("postgres") }
func (f files) temporal() string           { return f.path("temporal", "temporal.db") }
func (f files) codecKey() string           { return f.path("secrets", "codec.json") }
func (f files) codecPath() string          { return f.path("secrets", "codec-path") }
func (f files) token(system string) string { return f.path("secrets", "sandbox-"+system+".token") }
func (f files) control(system string) string {
	return f.path("secrets", "sandbox-"+system+".control")
}
func (f files) systems() string           { return f.path("systems.json") }
func (f files) log(service string) string { return f.path("logs", service+".log") }
func (f files) reportFile() string        { return f.path("dev.json") }

// What belongs to one pair of databases lies in a folder named after their installation, so that
// another DATABASE_URL meets neither foreign keys nor foreign accounts.

func (f files) installation(id uuid.UUID) string { return f.path("installation-" + id.String()) }
func (f files) kek(id uuid.UUID) string          { return filepath.Join(f.installation(id), "kek.json") }
func (f files) tombstones(id uuid.UUID) string {
	return filepath.Join(f.installation(id), "tombstones")
}
func (f files) tokens(id uuid.UUID) string {
	return filepath.Join(f.installation(id), "tokens.json")
}
func (f files) password(id uuid.UUID, login string) string {
	return filepath.Join(f.installation(id), "database-"+login+".password")
}
func (f files) ledgerKeys(id uuid.UUID) string {
	return filepath.Join(f.installation(id), "ledger.json")
}
func (f files) ledger(id uuid.UUID) string { return filepath.Join(f.installation(id), "ledger") }
func (f files) witness(id uuid.UUID) string {
	return filepath.Join(f.installation(id), "witness.json")
}
func (f files) policy(id uuid.UUID) string {
	return filepath.Join(f.installation(id), "ledger-policy.json")
}
func (f files) users(id uuid.UUID) string { return filepath.Join(f.installation(id), "users.json") }
func (f files) state(id uuid.UUID, system string) string {
	return filepath.Join(f.installation(id), "sandbox-"+system+".json")
}

// postgresLeft says whether the Postgres of a killed run still lives. Only its launcher may judge
// what to do about it; all that matters here is that it may hold its port.
func (f files) postgresLeft() bool {
	content, err := os.ReadFile(filepath.Join(f.postgres(), "data", "postmaster.pid"))
	if err != nil {
		return false // ended in order, or never started
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	return err == nil && pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// writeReport puts dev.json there, whole or not at all.
func (f files) writeReport(r Report) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding dev.json: %w", err)
	}
	return durable.Replace(f.reportFile(), append(content, '\n'))
}

// ReadReport reads the dev.json of what runs here, for the command line.
func ReadReport() (r Report, found bool) {
	folder := cmp.Or(os.Getenv(config.Prefix+"DATA_DIR"), ".data")
	content, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	return r, err == nil && json.Unmarshal(content, &r) == nil
}

// removeReport takes dev.json away: it is there only while everything runs.
func (f files) removeReport() error {
	if err := os.Remove(f.reportFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing dev.json: %w", err)
	}
	return nil
}
