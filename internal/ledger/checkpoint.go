package ledger

import (
	"fmt"

	"lethe/internal/ledger/strict"

	"golang.org/x/mod/sumdb/note"
)

// Head is the text of a checkpoint; its origin is a [TreeName].
type Head = strict.Checkpoint

// ParseHead reads the text of a checkpoint. Lines of extensions are allowed and ignored.
func ParseHead(text string) (Head, error) { return orMalformed(strict.ParseCheckpoint(text)) }

// HeadOf is the text of a checkpoint whose signatures are not of interest.
func HeadOf(signed []byte) (Head, error) { return orMalformed(strict.CheckpointOf(signed)) }

func orMalformed(h Head, ok bool) (Head, error) {
	if !ok {
		return Head{}, fmt.Errorf("reading a checkpoint: %w", ErrMalformed)
	}
	return h, nil
}

// OpenCheckpoint reads a signed checkpoint of the tree, with at least one signature by one of the
// verifiers, and returns what was signed.
func OpenCheckpoint(signed []byte, tree string, known note.Verifiers) (Head, error) {
	n, err := note.Open(signed, known)
	if err != nil {
		return Head{}, fmt.Errorf("opening a checkpoint: %w", ErrMalformed)
	}
	h, err := ParseHead(n.Text)
	if err != nil {
		return Head{}, err
	}
	if h.Origin != tree {
		return Head{}, fmt.Errorf("opening a checkpoint: it is of another log: %w", ErrMalformed)
	}
	return h, nil
}
