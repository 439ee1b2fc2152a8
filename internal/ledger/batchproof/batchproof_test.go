package batchproof_test

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"lethe/internal/ledger/batchproof"
)

// tree is a whole tree, hashed as tlog does it.
type tree struct {
	stored []tlog.Hash
	leaves []tlog.Hash
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.stored[index]
	}
	return found, nil
}

func grow(t *rapid.T, size int64) *tree {
	made := &tree{}
	for i := range size {
		leaf := tlog.RecordHash([]byte(strconv.FormatInt(i, 10)))
		hashes, err := tlog.StoredHashesForRecordHash(i, leaf, made)
		if err != nil {
			t.Fatal(err)
		}
		made.stored, made.leaves = append(made.stored, hashes...), append(made.leaves, leaf)
	}
	return made
}

func (t *tree) prove(leaves batchproof.Runs) (proof []tlog.Hash, err error) {
	size := int64(len(t.leaves))
	subtree := func(lo, hi int64) (tlog.Hash, error) {
		return batchproof.Subtree(lo, hi, func(level int, n int64) (tlog.Hash, error) {
			return t.stored[tlog.StoredHashIndex(level, n)], nil
		})
	}
	err = batchproof.Prove(size, leaves, subtree, func(h tlog.Hash) error {
		proof = append(proof, h)
		return nil
	})
	return proof, err
}

func pull[T any](all []T) func() (T, bool, error) {
	return func() (T, bool, error) {
		var none T
		if len(all) == 0 {
			return none, false, nil
		}
		first := all[0]
		all = all[1:]
		return first, true, nil
	}
}

type drawn struct {
	tree   *tree
	root   tlog.Hash
	chosen []batchproof.Leaf
	runs   batchproof.Runs
	proof  []tlog.Hash
}

func draw(t *rapid.T) drawn {
	size := rapid.Int64Range(1, 300).Draw(t, "size")
	d := drawn{tree: grow(t, size)}
	dense := rapid.IntRange(0, 100).Draw(t, "percent")
	for i := range size {
		if rapid.IntRange(0, 99).Draw(t, "in") >= dense {
			continue
		}
		d.chosen = append(d.chosen, batchproof.Leaf{Index: i, Hash: d.tree.leaves[i]})
		if err := d.runs.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if d.root, err = tlog.TreeHash(size, d.tree); err != nil {
		t.Fatal(err)
	}
	if d.proof, err = d.tree.prove(d.runs); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRoot_IsTheTreesForAnyChoiceOfLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		got, err := batchproof.Root(int64(len(d.tree.leaves)), pull(d.chosen), pull(d.proof))
		if err != nil || got != d.root {
			t.Fatalf("Root: %v, %v, want %v", got, err, d.root)
		}
	})
}

// Whatever is dropped, added, moved or changed, the root is another one or the walk fails. (The size
// is not proved: it is signed together with the root.)
func TestI19_RootChangesWithAnyMutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		size := int64(len(d.tree.leaves))
		if len(d.chosen) == 0 {
			return
		}
		at := rapid.IntRange(0, len(d.chosen)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "mutation") {
		case 0:
			d.chosen = append(d.chosen[:at:at], d.chosen[at+1:]...)
		case 1:
			d.chosen[at].Hash = sha256.Sum256([]byte("another"))
		case 2:
			d.chosen[at].Index++
		case 3:
			d.proof = append(d.proof, tlog.Hash{})
		}
		if got, err := batchproof.Root(size, pull(d.chosen), pull(d.proof)); err == nil && got == d.root {
			t.Fatal("the mutation was not seen")
		}
	})
}

func TestRuns_RefuseDisorder(t *testing.T) {
	var r batchproof.Runs
	for _, index := range []int64{3, 4, 9} {
		if err := r.Add(index); err != nil {
			t.Fatal(err)
		}
	}
	if len(r) != 2 {
		t.Errorf("neighbours were not joined: %v", r)
	}
	for _, index := range []int64{-1, 4, 9} {
		if err := r.Add(index); !errors.Is(err, batchproof.ErrOrder) {
			t.Errorf("Add(%d) after 9: %v", index, err)
		}
	}
}

// TestProve_RefusesLeavesBeyondTheTree: the leaves of a tree of ten are 0 to 9.
func TestProve_RefusesLeavesBeyondTheTree(t *testing.T) {
	hash := func(int64, int64) (tlog.Hash, error) { return tlog.Hash{}, nil }
	emit := func(tlog.Hash) error { return nil }
	for end, want := range map[int64]error{10: nil, 11: batchproof.ErrOrder, 30: batchproof.ErrOrder} {
		if err := batchproof.Prove(10, batchproof.Runs{{First: 2, End: 3}, {First: 9, End: end}}, hash, emit); !errors.Is(err, want) {
			t.Errorf("leaves up to %d of a tree of 10: %v, want %v", end, err, want)
		}
	}
}
