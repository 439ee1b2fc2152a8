// Package evidence tests on the real processes that nothing happens unrecorded (I18): while the ledger
// cannot be written, a login, a departure and a purge do not happen, and nothing is shown.
package evidence

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"lethe/e2e/harness"
	"lethe/internal/database"
	"lethe/internal/ledger"
)

// fault stops the ledger from being written until the returned function is called.
type fault struct {
	name  string
	begin func(ctx context.Context, s *harness.Stack) (end func() error, err error)
}

var faults = []fault{
	{"the table is locked", lockEntries},
	{"the disk is full", fillDisk},
	{"the database is read-only", readOnly},
}

// lockEntries takes the strongest lock there is, as a stuck maintenance job would.
func lockEntries(ctx context.Context, s *harness.Stack) (func() error, error) {
	conn, err := pgx.Connect(ctx, s.FactsURL())
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE"); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return func() error { return conn.Close(context.Background()) }, nil
}

// readOnly makes every new transaction of the cluster one that may not write, as an operator does
// before a switch-over.
func readOnly(ctx context.Context, s *harness.Stack) (func() error, error) {
	set := func(ctx context.Context, value string) error {
		conn, err := pgx.Connect(ctx, s.FactsURL())
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ALTER SYSTEM SET default_transaction_read_only = "+value)
		if err == nil {
			_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
		}
		return errors.Join(err, conn.Close(ctx))
	}
	if err := set(ctx, "on"); err != nil {
		return nil, err
	}
	end := func() error { return set(context.Background(), "off") }
	err := harness.Eventually(ctx, 10*time.Second, func() error {
		err := probe(ctx, s)
		if database.Code(err) == "25006" {
			return nil
		}
		return fmt.Errorf("the database still writes: %w", err)
	})
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// smallDisk is the size of the file system that the entries are moved to.
const smallDisk = "size=12m"

// fillDisk moves the entries of this month to a file system of a few megabytes (a tablespace on a
// tmpfs: mounting takes root), fills the rest of it with a file, and uses up the room that is left
// inside the table's pages. The disk is full then as a disk is: write(2) fails with ENOSPC.
func fillDisk(ctx context.Context, s *harness.Stack) (func() error, error) {
	folder, unmount, err := mountFor(filepath.Join(s.Folder, "postgres", "data"))
	if err != nil {
		return nil, err
	}
	g := s.Facts.Read(ctx)
	var month string
	err = g.Raw("SELECT tableoid::regclass::text FROM ledger_entries ORDER BY at DESC LIMIT 1").Scan(&month).Error
	if err != nil {
		return nil, errors.Join(err, unmount())
	}
	space := "small_" + strings.ToLower(rand.Text()[:10])
	for _, sql := range []string{
		"CREATE TABLESPACE " + space + " LOCATION '" + folder + "'",
		"ALTER TABLE " + month + " SET TABLESPACE " + space,
	} {
		if err := g.Exec(sql).Error; err != nil {
			return nil, errors.Join(err, unmount())
		}
	}
	ballast := filepath.Join(folder, "ballast")
	end := func() error {
		if err := os.Remove(ballast); err != nil {
			return err
		}
		back := s.Facts.Read(context.Background())
		err := errors.Join(back.Exec("ALTER TABLE "+month+" SET TABLESPACE pg_default").Error, back.Exec("CHECKPOINT").Error,
			back.Exec("DROP TABLESPACE "+space).Error)
		return errors.Join(err, unmount())
	}
	if err := fill(ballast); err != nil {
		return nil, errors.Join(err, end())
	}
	for range 1000 {
		if err := probe(ctx, s); database.Code(err) == "53100" {
			return end, nil
		} else if err != nil {
			return nil, errors.Join(err, end())
		}
	}
	return nil, errors.Join(errors.New("the disk never became full"), end())
}

// mountFor mounts a small file system that belongs to whoever owns the server's data.
func mountFor(data string) (folder string, unmount func() error, err error) {
	info, err := os.Stat(data)
	if err != nil {
		return "", nil, err
	}
	owner := info.Sys().(*syscall.Stat_t)
	if folder, err = os.MkdirTemp("", "lethe-small-disk-"); err != nil {
		return "", nil, err
	}
	options := fmt.Sprintf("%s,mode=0700,uid=%d,gid=%d", smallDisk, owner.Uid, owner.Gid)
	if err := syscall.Mount("lethe-test", folder, "tmpfs", 0, options); err != nil {
		return "", nil, errors.Join(fmt.Errorf("mounting a small file system (run the test as root): %w", err), os.Remove(folder))
	}
	return folder, func() error {
		return errors.Join(syscall.Unmount(folder, syscall.MNT_DETACH), os.Remove(folder))
	}, nil
}

// fill writes until the disk is full.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	page := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(fmt.Errorf("filling the disk: %w", err), f.Close())
	}
	return f.Close()
}

// probe tries to write an entry, as anybody would, and says why it could not.
func probe(ctx context.Context, s *harness.Stack) error {
	return database.Run(ctx, s.Facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindLedger, Action: "test.probed"})
		return err
	})
}
