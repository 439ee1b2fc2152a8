package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/batchproof"
)

const tileHeight = 8

// tiles reads the hashes of complete subtrees from the files of a log. A batch proof asks from left
// to right, so the last tile of each level is all that is kept. Nothing of what it reads is believed:
// the finished proof is checked against the checkpoint.
type tiles struct {
	folder string
	size   int64 // of the tree
	last   map[int]tile
}

type tile struct {
	n      int64
	hashes []byte
}

func newTiles(log *ledger.Log, size int64) *tiles {
	return &tiles{folder: log.Dir(), size: size, last: map[int]tile{}}
}

// subtree is the hash of the leaves from lo up to hi.
func (t *tiles) subtree(lo, hi int64) (tlog.Hash, error) {
	return batchproof.Subtree(lo, hi, t.complete)
}

// complete is the hash of the n-th node of 2^level leaves.
func (t *tiles) complete(level int, n int64) (tlog.Hash, error) {
	above := level % tileHeight
	first := n << above // among the hashes of the level of tiles
	hashes, err := t.read(level/tileHeight, first>>tileHeight)
	if err != nil {
		return tlog.Hash{}, err
	}
	at := int(first&(1<<tileHeight-1)) * tlog.HashSize
	end := at + tlog.HashSize<<above
	if end > len(hashes) {
		return tlog.Hash{}, fmt.Errorf("reading a tile: %w", ledger.ErrMalformed)
	}
	return fold(hashes[at:end]), nil
}

// fold hashes neighbours together until one is left.
func fold(hashes []byte) tlog.Hash {
	if len(hashes) == tlog.HashSize {
		return tlog.Hash(hashes)
	}
	half := len(hashes) / 2
	return tlog.NodeHash(fold(hashes[:half]), fold(hashes[half:]))
}

func (t *tiles) read(level int, n int64) ([]byte, error) {
	if last, ok := t.last[level]; ok && last.n == n {
		return last.hashes, nil
	}
	width := min(t.size>>(level*tileHeight)-n<<tileHeight, 1<<tileHeight)
	if width <= 0 {
		return nil, fmt.Errorf("reading a tile: %w", ledger.ErrMalformed)
	}
	data, err := os.ReadFile(filepath.Join(t.folder, ledger.TilePath(level, n, int(width))))
	if errors.Is(err, fs.ErrNotExist) {
		// A partial tile may go once the full one is there.
		data, err = os.ReadFile(filepath.Join(t.folder, ledger.TilePath(level, n, 1<<tileHeight)))
	}
	if err != nil {
		return nil, fmt.Errorf("reading a tile: %w", err)
	}
	t.last[level] = tile{n, data}
	return data, nil
}
