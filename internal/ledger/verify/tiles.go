package verify

import (
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
)

const tileWidth = 256

// tiles are the leaf hashes in the folder of one epoch, read one after the other. They tell which
// entry differs where a checkpoint only tells that one does; and they still have what a restored
// database has lost.
type tiles struct {
	dir    string
	size   int64 // of the checkpoint beside them
	root   tlog.Hash
	loaded int64 // the tile in data, plus one
	data   []byte
	tree   tree
}

// next is the hash of the leaf that comes next; false if its tile cannot be read.
func (t *tiles) next() (tlog.Hash, bool) {
	n := t.tree.size / tileWidth
	if t.loaded != n+1 {
		width := int(min(tileWidth, t.size-n*tileWidth))
		data, err := os.ReadFile(filepath.Join(t.dir, ledger.TilePath(0, n, width)))
		if err != nil && width < tileWidth { // a partial tile may be gone when the full one is there
			data, err = os.ReadFile(filepath.Join(t.dir, ledger.TilePath(0, n, tileWidth)))
		}
		if err != nil || len(data) < width*tlog.HashSize {
			return tlog.Hash{}, false
		}
		t.data, t.loaded = data, n+1
	}
	i := t.tree.size % tileWidth
	h := tlog.Hash(t.data[i*tlog.HashSize:])
	t.tree.add(h)
	return h, true
}

// inTiles compares the leaf at a place with the one in the tiles.
func (c *checker) inTiles(p *placeRow, hash tlog.Hash) {
	t := c.tiles[p.epoch]
	if t == nil || p.index != t.tree.size || p.index >= t.size {
		return
	}
	stored, ok := t.next()
	if !ok {
		c.damaged(p.epoch)
		return
	}
	if stored != hash {
		index := p.index
		c.report.add(Problem{Code: ChangedPlace, Epoch: p.epoch, Index: &index, EntryID: &p.entry, Partition: "ledger_sequence"})
	}
}

func (c *checker) damaged(epoch int) {
	c.report.add(Problem{Code: DamagedTiles, Epoch: epoch})
	delete(c.tiles, epoch)
}

// restOfTiles reads on to the end of the tiles, which must lead to their own checkpoint. Checkpoints
// of entries that the database has lost are compared on the way, and their receipts are found.
func (c *checker) restOfTiles() {
	receipts := map[tlog.Hash]uuid.UUID{}
	for id, hash := range c.held {
		receipts[hash] = id
	}
	for epoch, t := range c.tiles {
		_, ended := c.begun[epoch+1]
		for t.tree.size < t.size {
			hash, ok := t.next()
			if !ok {
				c.damaged(epoch)
				break
			}
			if id, held := receipts[hash]; held && ended {
				delete(c.held, id)
			}
			for _, m := range c.marks[epoch] {
				if m.size == t.tree.size && m.root != t.tree.root() {
					c.report.add(Problem{Code: ForkedFrom, Epoch: epoch, Size: &m.size, File: m.file})
				}
			}
		}
		if t.tree.size == t.size && t.tree.root() != t.root {
			c.damaged(epoch)
		}
	}
}
