package evidence

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/ledger"
	"lethe/models"
)

// Options of a [Maker]. Zero values of the durations mean the defaults.
type Options struct {
	DB      *database.DB
	Storage *ledger.Storage
	Origin  string
	// Dir is where packs are kept, outside the database: readable by this user alone (0700 and 0600).
	// Processes that share a database share it. It wants an encrypted disk; the packs themselves are
	// not encrypted, since whoever downloads one must be able to read it.
	Dir  string
	Keep time.Duration // how long a pack stays; default 7 days
	Poll time.Duration // between looks for work; default 1 s
	// Patience is how long to wait for a witnessed checkpoint before one that is only signed will do;
	// default 10 s.
	Patience time.Duration
	Log      *slog.Logger
}

// Maker makes packs in the background. Any number may run: a row is worked on by one at a time, and
// what a dying process leaves is begun again by another.
type Maker struct{ o Options }

// NewMaker makes the folder if it is missing.
func NewMaker(o Options) (*Maker, error) {
	for d, standard := range map[*time.Duration]time.Duration{&o.Keep: 7 * 24 * time.Hour, &o.Poll: time.Second, &o.Patience: 10 * time.Second} {
		if *d == 0 {
			*d = standard
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of exports: %w", err)
	}
	return &Maker{o: o}, nil
}

// Path is where the file of a finished export is.
func (m *Maker) Path(e Export) string { return filepath.Join(m.o.Dir, filepath.Base(e.File)) }

// Run makes what is asked for until ctx ends.
func (m *Maker) Run(ctx context.Context) {
	swept := time.Time{}
	for {
		made, err := m.Once(ctx)
		if err != nil && ctx.Err() == nil {
			m.o.Log.ErrorContext(ctx, "an evidence pack was not made", "error", err.Error())
		}
		if err := m.EndPurged(ctx); err != nil && ctx.Err() == nil {
			m.o.Log.ErrorContext(ctx, "evidence packs that show purged people were not ended", "error", err.Error())
		}
		if time.Since(swept) > time.Minute && ctx.Err() == nil {
			swept = time.Now()
			if err := m.Sweep(ctx); err != nil {
				m.o.Log.ErrorContext(ctx, "old evidence packs were not removed", "error", err.Error())
			}
		}
		if made && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.o.Poll):
		}
	}
}

// Once makes one pack; false: nothing is asked for.
func (m *Maker) Once(ctx context.Context) (bool, error) {
	e, found, err := m.claim(ctx)
	if err != nil || !found {
		return false, err
	}
	if e.Attempt > maxAttempts {
		return true, m.fail(ctx, e, FailureGivenUp)
	}
	p := &pack{maker: m, export: e, folder: filepath.Join(m.o.Dir, fmt.Sprintf("%s-%d", e.ID, e.Attempt))}
	defer p.clean()
	err = p.make(ctx)
	var broken *brokenError
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errFenced):
		return true, nil
	case errors.As(err, &broken):
		m.o.Log.ErrorContext(ctx, "the ledger does not prove an export", "export", e.ID.String(), "failure", string(broken.code), "error", err.Error())
		return true, m.fail(ctx, e, broken.code)
	}
	return true, fmt.Errorf("making export %s: %w", e.ID, err)
}

// brokenError is what no further attempt will mend.
type brokenError struct {
	code  Failure
	cause error
}

func (e *brokenError) Error() string { return string(e.code) + ": " + e.cause.Error() }

func (e *brokenError) Unwrap() error { return e.cause }

func (m *Maker) fail(ctx context.Context, e Export, code Failure) error {
	now, err := m.o.DB.Now(ctx)
	if err != nil {
		return err
	}
	return m.settle(ctx, e, ledger.Failed, ActionFailed, map[string]any{"state": Failed, "failure": code, "finished_at": now}, map[string]string{"failure": string(code)})
}

// finish moves the pack to its place and says that it is there.
func (m *Maker) finish(ctx context.Context, e Export, made madePack, people models.IDs) error {
	name := fmt.Sprintf("%s-%d.zip", e.ID, e.Attempt)
	if err := os.Rename(made.path, filepath.Join(m.o.Dir, name)); err != nil {
		return fmt.Errorf("keeping a pack: %w", err)
	}
	failpoint.Hit("export/kept")
	now, err := m.o.DB.Now(ctx)
	if err != nil {
		return err
	}
	err = m.settle(ctx, e, ledger.Done, ActionMade, map[string]any{
		"state": Done, "file": name, "bytes": made.bytes, "sha256": made.sha256, "tampered": made.manifest.TamperedCount,
		"written": made.manifest.Count, "total": made.manifest.Count, "finished_at": now, "expires_at": now.Add(m.o.Keep),
		"people": people,
	}, map[string]string{
		"sha256": hex.EncodeToString(made.sha256), "count": strconv.FormatInt(made.manifest.Count, 10),
		"tampered": strconv.FormatInt(made.manifest.TamperedCount, 10), "tree_size": strconv.FormatInt(made.manifest.TreeSize, 10),
	})
	if err != nil {
		_ = os.Remove(filepath.Join(m.o.Dir, name))
	}
	return err
}

// leftFor is how long an unknown file is left alone: its maker may be about to say that it is there.
const leftFor = time.Hour

// Sweep removes the files of packs whose time is over, and what processes left that died.
func (m *Maker) Sweep(ctx context.Context) error {
	files, err := m.expired(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Remove(filepath.Join(m.o.Dir, filepath.Base(f))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing a pack: %w", err)
		}
	}
	var known []string
	if err := m.o.DB.Read(ctx).Raw("SELECT file FROM query_log_exports WHERE state = 'done'").Scan(&known).Error; err != nil {
		return database.Wrap("listing packs", err)
	}
	entries, err := os.ReadDir(m.o.Dir)
	if err != nil {
		return fmt.Errorf("listing the folder of exports: %w", err)
	}
	all := strings.Join(known, "\n")
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || strings.Contains(all, entry.Name()) || time.Since(info.ModTime()) < leftFor {
			continue
		}
		if err := os.RemoveAll(filepath.Join(m.o.Dir, entry.Name())); err != nil {
			return fmt.Errorf("removing what was left of a pack: %w", err)
		}
	}
	return nil
}
