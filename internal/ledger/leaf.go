package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// Format is the version of the leaf that is written.
const Format = 1

// The sizes of the format, in bytes.
const (
	SaltSize       = 16
	CommitmentSize = sha256.Size
)

// The domains keep a hash of one thing from ever being one of another.
const (
	leafDomain  = "lethe/ledger/leaf\n"
	fieldDomain = "lethe/ledger/field\n"
	macDomain   = "lethe/ledger/mac\n"
)

// Leaf is what goes into the tree for an entry: nothing of it tells of a person.
type Leaf struct {
	Origin      string
	Epoch       int
	ID          uuid.UUID // version 7: holds the time of the entry
	Kind        Kind
	Commitments [fieldCount][CommitmentSize]byte
}

// ErrMalformed says that bytes are no leaf, bundle, tile or checkpoint of this format.
var ErrMalformed = errors.New("malformed")

// Marshal is the leaf's one form in bytes; docs/ledger-format.md draws it.
func (l Leaf) Marshal() []byte {
	out := make([]byte, 0, len(leafDomain)+8+len(l.Origin)+16+len(l.Kind)+fieldCount*CommitmentSize)
	out = append(out, leafDomain...)
	out = append(out, Format, byte(len(l.Origin)))
	out = append(out, l.Origin...)
	out = binary.BigEndian.AppendUint32(out, uint32(l.Epoch))
	out = append(out, l.ID[:]...)
	out = append(out, byte(len(l.Kind)))
	out = append(out, l.Kind...)
	out = append(out, byte(fieldCount))
	for _, c := range l.Commitments {
		out = append(out, c[:]...)
	}
	return out
}

// ParseLeaf reads what Marshal wrote, and nothing else.
func ParseLeaf(data []byte) (Leaf, error) {
	r := reader{data}
	var l Leaf
	if string(r.take(len(leafDomain))) != leafDomain || r.number(1) != Format {
		return Leaf{}, fmt.Errorf("reading a leaf: %w", ErrMalformed)
	}
	l.Origin = string(r.take(r.number(1)))
	l.Epoch = r.number(4)
	copy(l.ID[:], r.take(len(l.ID)))
	l.Kind = Kind(r.take(r.number(1)))
	if r.number(1) != fieldCount {
		return Leaf{}, fmt.Errorf("reading a leaf: %w", ErrMalformed)
	}
	for i := range l.Commitments {
		copy(l.Commitments[i][:], r.take(CommitmentSize))
	}
	if !bytes.Equal(l.Marshal(), data) || l.ID.Version() != 7 || l.Epoch < 1 || l.Origin == "" || l.Kind == "" {
		return Leaf{}, fmt.Errorf("reading a leaf: %w", ErrMalformed)
	}
	return l, nil
}

// At is the time of the entry, to the millisecond, in UTC.
func (l Leaf) At() time.Time { return TimeOf(l.ID) }

// TimeOf is the time in the id of an entry, to the millisecond, in UTC.
func TimeOf(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// LeafHash is a leaf's hash in the tree, SHA-256(0x00 || leaf) (RFC 6962, section 2.1).
func LeafHash(leaf []byte) tlog.Hash { return tlog.RecordHash(leaf) }

// commit is HMAC-SHA-256 (RFC 2104) with the salt as the key over domain, field number, and value.
// An entry has fourteen of them: written out, they cost a quarter of what crypto/hmac does.
func commit(field int, salt, value []byte) [CommitmentSize]byte {
	var inner [sha256.BlockSize]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], salt)
	for i, b := range inner {
		inner[i], outer[i] = b^0x36, b^0x5c
	}
	message := make([]byte, 0, 256)
	message = append(message, inner[:]...)
	message = append(message, fieldDomain...)
	message = append(message, byte(field))
	hash := sha256.Sum256(append(message, value...))
	copy(outer[sha256.BlockSize:], hash[:])
	return sha256.Sum256(outer[:])
}

// macOf is HMAC-SHA-256 under a writer key over the domain and the leaf.
func macOf(key, leaf []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(macDomain))
	h.Write(leaf)
	return h.Sum(nil)
}

// reader takes bytes from the front; what is missing reads as zeros, which the caller finds by
// comparing with what it would have written.
type reader struct{ rest []byte }

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest = nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) number(size int) int {
	n := 0
	for _, b := range r.take(size) {
		n = n<<8 | int(b)
	}
	return n
}
