package verify

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is a growing RFC 6962 tree, kept as the roots of its complete subtrees from the left.
type tree struct {
	size  int64
	edges []tlog.Hash
}

func (t *tree) add(leaf tlog.Hash) {
	t.edges = append(t.edges, leaf)
	for range bits.TrailingZeros64(^uint64(t.size)) {
		n := len(t.edges)
		t.edges[n-2] = tlog.NodeHash(t.edges[n-2], t.edges[n-1])
		t.edges = t.edges[:n-1]
	}
	t.size++
}

func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	root := t.edges[len(t.edges)-1]
	for i := len(t.edges) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edges[i], root)
	}
	return root
}

// joined is the frontier as the database stores it.
func (t *tree) joined() []byte {
	out := []byte{}
	for _, h := range t.edges {
		out = append(out, h[:]...)
	}
	return out
}
