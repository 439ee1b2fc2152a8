package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the text of a C2SP tlog-checkpoint: the head of one log's tree at one size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// emptyRoot is the root of a tree without leaves (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

var errCheckpoint = errors.New("malformed checkpoint")

// ParseCheckpoint reads the text of a note, without its signatures. Extension lines are allowed and
// ignored, as c2sp.org/tlog-checkpoint wants.
func ParseCheckpoint(text string) (Checkpoint, error) {
	body, complete := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if !complete || len(lines) < 3 {
		return Checkpoint{}, errCheckpoint
	}
	for _, line := range lines {
		if line == "" {
			return Checkpoint{}, errCheckpoint
		}
	}
	size, ok := parseSize(lines[1])
	root, rootOK := parseHash(lines[2])
	if !ok || !rootOK {
		return Checkpoint{}, errCheckpoint
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: root}, nil
}

// Text is what is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// textOf reads the checkpoint of a signed note without checking its signatures.
func textOf(signed []byte) (Checkpoint, error) {
	text, ok := textOfNote(signed)
	if !ok {
		return Checkpoint{}, errCheckpoint
	}
	return ParseCheckpoint(text)
}

// textOfNote is what a note's signatures sign, with its final newline.
func textOfNote(signed []byte) (string, bool) {
	i := bytes.LastIndex(signed, []byte("\n\n"))
	if i < 0 {
		return "", false
	}
	return string(signed[:i+1]), true
}

// parseSize reads an ASCII decimal without leading zeroes.
func parseSize(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, false
	}
	return n, true
}

// parseHash reads standard base64, and only its one canonical form.
func parseHash(s string) (tlog.Hash, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize || base64.StdEncoding.EncodeToString(b) != s {
		return tlog.Hash{}, false
	}
	return tlog.Hash(b), true
}
