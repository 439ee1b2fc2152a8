package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Storage is the folder, outside of the database, that holds what the database is checked against:
// one folder for each epoch, named by its number, each a log in the layout of c2sp.org/tlog-tiles.
// Several processes may share it.
type Storage struct{ dir string }

// OpenStorage makes the folder if it is missing.
func OpenStorage(dir string) (*Storage, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the ledger's folder: %w", err)
	}
	return &Storage{dir: dir}, nil
}

// The files of an epoch beside its tiles.
const (
	checkpointFile = "checkpoint"           // the newest one that the log signed
	witnessedFile  = "checkpoint.witnessed" // the newest one with enough cosignatures
)

// Epochs are the epochs that have a folder, in order.
func (s *Storage) Epochs() ([]int, error) {
	entries, err := os.ReadDir(s.dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("listing the ledger's epochs: %w", err)
	}
	last := 0
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() && n > last {
			last = n
		}
	}
	var epochs []int
	for n := 1; n <= last; n++ {
		if _, err := os.Stat(filepath.Join(s.dir, strconv.Itoa(n))); err == nil {
			epochs = append(epochs, n)
		}
	}
	return epochs, nil
}

// Log is the part of one epoch.
func (s *Storage) Log(epoch int) *Log {
	return &Log{dir: filepath.Join(s.dir, strconv.Itoa(epoch)), Epoch: epoch}
}

// Log is the files of one epoch's tree: checkpoint, tiles and entry bundles.
type Log struct {
	dir   string
	Epoch int
}

// Dir is the folder, the prefix of c2sp.org/tlog-tiles.
func (l *Log) Dir() string { return l.dir }

// Signed is the newest checkpoint that the log signed, nil before the first.
func (l *Log) Signed(context.Context) ([]byte, error) { return l.optional(checkpointFile) }

// Witnessed is the newest checkpoint with enough cosignatures, nil before the first.
func (l *Log) Witnessed(context.Context) ([]byte, error) { return l.optional(witnessedFile) }

func (l *Log) optional(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(l.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's %s: %w", name, err)
	}
	return data, nil
}

// Publish keeps a checkpoint that has its cosignatures; one that is not newer than the one kept is
// dropped silently.
func (l *Log) Publish(ctx context.Context, signed []byte) error {
	return l.replace(ctx, witnessedFile, signed)
}

// replace writes a checkpoint if it is larger than the one that is there.
func (l *Log) replace(_ context.Context, name string, signed []byte) error {
	head, err := HeadOf(signed)
	if err != nil {
		return err
	}
	unlock, err := l.lock(name, syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	if old, err := l.optional(name); err != nil {
		return err
	} else if old != nil {
		// Equal sizes are replaced: there may be more signatures now.
		if kept, err := HeadOf(old); err != nil || kept.Size > head.Size || bytes.Equal(old, signed) {
			return err
		}
	}
	d := dirs{}
	if err := d.write(filepath.Join(l.dir, name), signed); err != nil {
		return err
	}
	return d.sync()
}

// Prove is the consistency proof from the tree of older leaves to that of newer ones, out of tiles
// that are checked against the newest signed checkpoint.
func (l *Log) Prove(ctx context.Context, older, newer int64) (tlog.TreeProof, error) {
	reader, head, err := l.reader(ctx)
	if err != nil {
		return nil, err
	}
	if older < 1 || older > newer || newer > head.Size {
		return nil, fmt.Errorf("proving consistency of %d and %d leaves of %d: %w", older, newer, head.Size, ErrNotSequenced)
	}
	proof, err := tlog.ProveTree(newer, older, reader)
	if err != nil {
		return nil, fmt.Errorf("proving consistency: %w", errors.Join(ErrInconsistent, err))
	}
	return proof, nil
}

// reader reads hashes of the tree of the newest signed checkpoint.
func (l *Log) reader(ctx context.Context) (tlog.HashReader, Head, error) {
	signed, err := l.Signed(ctx)
	if err != nil {
		return nil, Head{}, err
	}
	if signed == nil {
		return nil, Head{}, ErrNotSequenced
	}
	head, err := HeadOf(signed)
	if err != nil {
		return nil, Head{}, err
	}
	return l.Hashes(head.Size, head.Root), head, nil
}

// Hashes reads the tiles of the tree of that size, and believes them only as far as they lead to the root.
func (l *Log) Hashes(size int64, root tlog.Hash) tlog.HashReader {
	if size == 0 {
		return &growth{} // has no hashes
	}
	return tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tileReader{l})
}

// tileReader implements tlog.TileReader.
type tileReader struct{ log *Log }

func (r tileReader) Height() int { return tileHeight }

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := r.log.tile(t.L, t.N, t.W)
		if err != nil {
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("reading a tile: %w", ErrMalformed)
		}
		out[i] = data[:t.W*tlog.HashSize]
	}
	return out, nil
}

// tile is the content of a tile or bundle. A partial one may be gone when the full one is there.
func (l *Log) tile(level int, n int64, width int) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(l.dir, TilePath(level, n, width)))
	if errors.Is(err, fs.ErrNotExist) && width < tileWidth {
		data, err = os.ReadFile(filepath.Join(l.dir, TilePath(level, n, tileWidth)))
	}
	if err != nil {
		return nil, fmt.Errorf("reading a tile of the ledger: %w", err)
	}
	return data, nil
}

// Leaves are the leaves of one bundle: those from 256 n on, up to width of them.
func (l *Log) Leaves(n int64, width int) ([][]byte, error) {
	data, err := l.tile(EntriesLevel, n, width)
	if err != nil {
		return nil, err
	}
	leaves, err := ParseBundle(data)
	if err != nil {
		return nil, err
	}
	if len(leaves) < width {
		return nil, fmt.Errorf("reading an entry bundle: %w", ErrMalformed)
	}
	return leaves[:width], nil
}

// signedHead is the newest checkpoint with a signature by one of the log's keys; false before the first.
func (l *Log) signedHead(ctx context.Context, origin string, keys *Keys) (Head, bool, error) {
	signed, err := l.Signed(ctx)
	if err != nil || signed == nil {
		return Head{}, false, err
	}
	head, err := l.check(signed, origin, keys)
	return head, err == nil, err
}

// check opens a checkpoint of the log that one of its keys has signed.
func (l *Log) check(signed []byte, origin string, keys *Keys) (Head, error) {
	known, err := keys.logVerifiers(origin, l.Epoch)
	if err != nil {
		return Head{}, err
	}
	return OpenCheckpoint(signed, TreeName(origin, l.Epoch), known)
}

// sign signs a head and makes it the newest checkpoint.
func (l *Log) sign(ctx context.Context, origin string, keys *Keys, head Head) error {
	signers, err := keys.logSigners(origin, l.Epoch)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: head.Text()}, signers...)
	if err != nil {
		return fmt.Errorf("signing the checkpoint: %w", err)
	}
	return l.replace(ctx, checkpointFile, signed)
}

// errBusy says that another process has the lock.
var errBusy = errors.New("another process writes")

// lock takes an advisory lock on a file of the folder, which ends with the process at the latest.
func (l *Log) lock(name string, how int) (unlock func(), err error) {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of an epoch: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(l.dir, "."+name+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of an epoch: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errBusy
		}
		return nil, fmt.Errorf("locking an epoch: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
