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
	"gorm.io/gorm"

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
	if err := g.Exec("CREATE TABLESPACE " + space + " LOCATION '" + folder + "'").Error; err != nil {
		return nil, errors.Join(err, unmount())
	}
	ballast := filepath.Join(folder, "ballast")
	// Nobody adds a page between the move and the ballast: the move's lock lasts until then.
	err = g.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("ALTER TABLE " + month + " SET TABLESPACE " + space).Error; err != nil {
			return err
		}
		return fill(ballast)
	})
	if err != nil {
		return nil, errors.Join(err, unmount())
	}
	end := func() error {
		if err := os.Remove(ballast); err != nil {
			return err
		}
		back := s.Facts.Read(context.Background())
		err := errors.Join(back.Exec("ALTER TABLE "+month+" SET TABLESPACE pg_default").Error, back.Exec("CHECKPOINT").Error,
			back.Exec("DROP TABLESPACE "+space).Error)
		return errors.Join(err, unmount())
	}
	if err := useUp(ctx, s); err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// useUp writes entries until no connection finds room for one any more. A connection of Postgres keeps
// to the page that it wrote to last, and looks at the table's last page only if it has none: each
// connection is new here, and several in a row have to fail.
func useUp(ctx context.Context, s *harness.Stack) error {
	const enough = 4
	s.Facts.SQL().SetMaxIdleConns(0)
	defer s.Facts.SQL().SetMaxIdleConns(harness.MaxConnections)
	failed := 0
	for range 1000 {
		switch err := probe(ctx, s); {
		case err == nil:
			failed = 0
		case database.Code(err) != "53100":
			return err
		default:
			failed++
		}
		if failed == enough {
			return nil
		}
	}
	return errors.New("the disk never became full")
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

// probe tries to write an entry, of the kind that takes the least room, and says why it could not.
func probe(ctx context.Context, s *harness.Stack) error {
	return database.Run(ctx, s.Facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindPurge, Action: "test.probed"})
		return err
	})
}
