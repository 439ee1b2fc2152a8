package ledger

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// growth is a tree that leaves are added to. It keeps the roots of the complete subtrees to the left
// of what is new, and every hash that is new; older ones are read from base, if at all.
type growth struct {
	size     int64
	frontier map[int64]tlog.Hash // by stored index
	first    int64               // the stored index of added[0]
	added    []tlog.Hash
	base     tlog.HashReader
}

// grow begins with a tree of the given size whose frontier is known.
func grow(size int64, frontier []tlog.Hash, base tlog.HashReader) (*growth, error) {
	indexes := frontierIndexes(size)
	if len(indexes) != len(frontier) {
		return nil, fmt.Errorf("a tree of %d leaves has a frontier of %d hashes, not %d: %w", size, len(indexes), len(frontier), ErrInconsistent)
	}
	g := &growth{size: size, frontier: map[int64]tlog.Hash{}, first: tlog.StoredHashCount(size), base: base}
	for i, index := range indexes {
		g.frontier[index] = frontier[i]
	}
	return g, nil
}

// frontierIndexes are the stored indexes of the roots of the complete subtrees that make up a tree,
// from the left.
func frontierIndexes(size int64) []int64 {
	var out []int64
	for lo := int64(0); lo < size; {
		level := bits.Len64(uint64(size-lo)) - 1
		out = append(out, tlog.StoredHashIndex(level, lo>>level))
		lo += 1 << level
	}
	return out
}

// add appends one leaf.
func (g *growth) add(leaf tlog.Hash) error {
	hashes, err := tlog.StoredHashesForRecordHash(g.size, leaf, g)
	if err != nil {
		return fmt.Errorf("adding a leaf: %w", err)
	}
	g.added = append(g.added, hashes...)
	g.size++
	return nil
}

// root is the hash of the tree as it is now.
func (g *growth) root() (tlog.Hash, error) {
	root, err := tlog.TreeHash(g.size, g)
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("hashing the tree: %w", err)
	}
	return root, nil
}

// edge is the frontier of the tree as it is now.
func (g *growth) edge() ([]tlog.Hash, error) { return g.ReadHashes(frontierIndexes(g.size)) }

// ReadHashes implements tlog.HashReader.
func (g *growth) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var missing, places []int64
	for i, index := range indexes {
		if offset := index - g.first; offset >= 0 {
			if offset >= int64(len(g.added)) {
				return nil, fmt.Errorf("a hash beyond the tree was asked for: %w", ErrInconsistent)
			}
			out[i] = g.added[offset]
			continue
		}
		if hash, ok := g.frontier[index]; ok {
			out[i] = hash
			continue
		}
		missing, places = append(missing, index), append(places, int64(i))
	}
	if len(missing) == 0 {
		return out, nil
	}
	if g.base == nil {
		return nil, fmt.Errorf("a hash left of the frontier was asked for: %w", ErrInconsistent)
	}
	found, err := g.base.ReadHashes(missing)
	if err != nil {
		return nil, err
	}
	for i, place := range places {
		out[place] = found[i]
	}
	return out, nil
}

// joinHashes and splitHashes are the frontier as the database stores it.
func joinHashes(hashes []tlog.Hash) []byte {
	out := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

func splitHashes(data []byte) []tlog.Hash {
	hashes, _ := parseTile(data, len(data)/tlog.HashSize)
	return hashes
}
