package strict

import (
	"bytes"
	"strings"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the text of a checkpoint (c2sp.org/tlog-checkpoint): one tree at one size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text is what is signed.
func (c Checkpoint) Text() string {
	return string(log.Checkpoint{Origin: c.Origin, Size: uint64(c.Size), Hash: c.Root[:]}.Marshal())
}

// ParseCheckpoint reads the text of a checkpoint. Lines of extensions are allowed and ignored.
// The library also takes leading zeros, line ends and stray bits within the root, roots of any
// length, and empty lines of extensions; two readers could differ about such a text.
func ParseCheckpoint(text string) (Checkpoint, bool) {
	var c log.Checkpoint
	rest, err := c.Unmarshal([]byte(text))
	if err != nil || !strings.HasPrefix(text, string(c.Marshal())) || !strings.HasSuffix(text, "\n") ||
		len(c.Hash) != tlog.HashSize || c.Size > Largest || bytes.HasPrefix(rest, []byte("\n")) || bytes.Contains(rest, []byte("\n\n")) {
		return Checkpoint{}, false
	}
	return Checkpoint{Origin: c.Origin, Size: int64(c.Size), Root: tlog.Hash(c.Hash)}, true
}

// CheckpointOf reads the checkpoint of a note whose signatures are not of interest.
func CheckpointOf(signed []byte) (Checkpoint, bool) {
	end := bytes.LastIndex(signed, []byte("\n\n")) // where [note.Open] ends the text
	return ParseCheckpoint(string(signed[:end+1]))
}
