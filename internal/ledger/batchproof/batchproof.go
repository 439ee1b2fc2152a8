// Package batchproof proves that many leaves at once are in one Merkle tree of RFC 6962. Where an
// inclusion proof tells the way from one leaf to the root, a batch proof is what is missing to
// compute the root from all the leaves: the hashes of the largest subtrees that hold none of them,
// from left to right. A million neighbouring leaves need some forty hashes.
//
// Both sides walk the tree in the same order and keep one path of it in memory.
package batchproof

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Leaf is one of the proved leaves.
type Leaf struct {
	Index int64
	Hash  tlog.Hash
}

// The ways in which a proof fails.
var (
	ErrOrder    = errors.New("the leaves are not in ascending order within the tree")
	ErrTooShort = errors.New("the proof ends too early")
	ErrTooLong  = errors.New("the proof goes on after its end")
)

// Run is the leaves from First up to, and without, End.
type Run struct{ First, End int64 }

// Runs are ascending, apart from each other and not empty.
type Runs []Run

// Add appends an index that is above all earlier ones.
func (r *Runs) Add(index int64) error {
	last := len(*r) - 1
	switch {
	case index < 0 || last >= 0 && index < (*r)[last].End:
		return fmt.Errorf("leaf %d: %w", index, ErrOrder)
	case last >= 0 && index == (*r)[last].End:
		(*r)[last].End++
	default:
		*r = append(*r, Run{index, index + 1})
	}
	return nil
}

// Prove gives the proof for the leaves of a tree of a size, hash by hash. subtree is the hash of
// the leaves from lo up to hi, a node of the tree.
func Prove(size int64, leaves Runs, subtree func(lo, hi int64) (tlog.Hash, error), emit func(tlog.Hash) error) error {
	if n := len(leaves); n > 0 && leaves[n-1].End > size {
		return ErrOrder
	}
	rest := leaves
	var walk func(lo, hi int64) error
	walk = func(lo, hi int64) error {
		for len(rest) > 0 && rest[0].End <= lo {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0].First >= hi {
			h, err := subtree(lo, hi)
			if err != nil {
				return fmt.Errorf("reading a subtree: %w", err)
			}
			return emit(h)
		}
		if rest[0].First <= lo && rest[0].End >= hi {
			return nil // every leaf below is there
		}
		mid := lo + split(hi-lo)
		if err := walk(lo, mid); err != nil {
			return err
		}
		return walk(mid, hi)
	}
	if size == 0 {
		return nil
	}
	return walk(0, size)
}

// Root computes the root of a tree of a size from its proved leaves, in ascending order, and the
// proof. Both are pulled: next gives false at the end.
func Root(size int64, leaf func() (Leaf, bool, error), hash func() (tlog.Hash, bool, error)) (tlog.Hash, error) {
	if size <= 0 {
		return tlog.Hash{}, ErrOrder
	}
	w := &walker{leaf: leaf, hash: hash}
	if err := w.advance(-1); err != nil {
		return tlog.Hash{}, err
	}
	root, err := w.node(0, size)
	if err != nil {
		return tlog.Hash{}, err
	}
	if w.more {
		return tlog.Hash{}, fmt.Errorf("leaf %d: %w", w.next.Index, ErrOrder)
	}
	if _, more, err := hash(); err != nil {
		return tlog.Hash{}, err
	} else if more {
		return tlog.Hash{}, ErrTooLong
	}
	return root, nil
}

type walker struct {
	leaf func() (Leaf, bool, error)
	hash func() (tlog.Hash, bool, error)
	next Leaf
	more bool
}

// advance pulls the next leaf, which must be above the index before it.
func (w *walker) advance(before int64) (err error) {
	w.next, w.more, err = w.leaf()
	if err == nil && w.more && w.next.Index <= before {
		return fmt.Errorf("leaf %d: %w", w.next.Index, ErrOrder)
	}
	return err
}

func (w *walker) node(lo, hi int64) (tlog.Hash, error) {
	if !w.more || w.next.Index >= hi {
		h, ok, err := w.hash()
		if err == nil && !ok {
			err = ErrTooShort
		}
		return h, err
	}
	if hi-lo == 1 {
		h := w.next.Hash
		return h, w.advance(lo)
	}
	mid := lo + split(hi-lo)
	left, err := w.node(lo, mid)
	if err != nil {
		return tlog.Hash{}, err
	}
	right, err := w.node(mid, hi)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.NodeHash(left, right), nil
}

// split is how many of n leaves are left of a node: the largest power of two below n.
func split(n int64) int64 { return 1 << (bits.Len64(uint64(n-1)) - 1) } // n is above 1

// Subtree computes the hash of any node from those of its complete subtrees: complete(level, n) is
// the n-th node of 2^level leaves. hi is the end of the tree, or the node is complete.
func Subtree(lo, hi int64, complete func(level int, n int64) (tlog.Hash, error)) (tlog.Hash, error) {
	n := hi - lo
	if n&(n-1) == 0 {
		level := bits.TrailingZeros64(uint64(n)) // n is positive
		return complete(level, lo>>level)
	}
	mid := lo + split(n)
	left, err := Subtree(lo, mid, complete)
	if err != nil {
		return tlog.Hash{}, err
	}
	right, err := Subtree(mid, hi, complete)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.NodeHash(left, right), nil
}
