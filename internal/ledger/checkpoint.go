package ledger

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Head is the text of a checkpoint (c2sp.org/tlog-checkpoint): one tree at one size.
type Head struct {
	Tree string // the origin line, see TreeName
	Size int64
	Root tlog.Hash
}

// Text is what is signed.
func (h Head) Text() string { return fmt.Sprintf("%s\n%d\n%s\n", h.Tree, h.Size, h.Root) }

// ParseHead reads the text of a checkpoint. Lines of extensions are allowed and ignored.
func ParseHead(text string) (Head, error) {
	malformed := fmt.Errorf("reading a checkpoint: %w", ErrMalformed)
	body, complete := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if !complete || len(lines) < 3 {
		return Head{}, malformed
	}
	for _, line := range lines {
		if line == "" {
			return Head{}, malformed
		}
	}
	h := Head{Tree: lines[0]}
	var err error
	if h.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || h.Size < 0 || strconv.FormatInt(h.Size, 10) != lines[1] {
		return Head{}, malformed
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Head{}, malformed
	}
	h.Root = tlog.Hash(root)
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
	if h.Tree != tree {
		return Head{}, fmt.Errorf("opening a checkpoint: it is of another log: %w", ErrMalformed)
	}
	return h, nil
}

// HeadOf is the text of a checkpoint whose signatures are not of interest.
func HeadOf(signed []byte) (Head, error) {
	text, _, found := strings.Cut(string(signed), "\n\n")
	if !found {
		return Head{}, fmt.Errorf("reading a checkpoint: %w", ErrMalformed)
	}
	return ParseHead(text + "\n")
}
