package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"lethe/internal/ledger"
	"lethe/internal/ledger/strict"
)

const (
	fields      = len(ledger.FieldNames)
	leafDomain  = "lethe/ledger/leaf\n"
	fieldDomain = "lethe/ledger/field\n"
	macDomain   = "lethe/ledger/mac\n"
)

// leaf is a leaf of format 1 without copies: its parts point into the bytes that were read. The
// layout is that of docs/ledger-format.md, read a second time on purpose: what writes the ledger
// and what checks it share no code here.
type leaf struct {
	origin, kind []byte
	epoch        int
	id           uuid.UUID
	commitments  []byte
}

// parseLeaf is false for what is not exactly a leaf.
func parseLeaf(b []byte) (l leaf, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(leafDomain+"\x01"))
	if !ok || len(rest) == 0 {
		return l, false
	}
	n := int(rest[0])
	if rest = rest[1:]; n == 0 || len(rest) < n+4+16+1 {
		return l, false
	}
	l.origin, rest = rest[:n], rest[n:]
	l.epoch = int(binary.BigEndian.Uint32(rest))
	l.id = uuid.UUID(rest[4:20])
	n = int(rest[20])
	if rest = rest[21:]; n == 0 || len(rest) != n+1+fields*sha256.Size || rest[n] != byte(fields) {
		return l, false
	}
	l.kind, l.commitments = rest[:n], rest[n+1:]
	return l, l.epoch > 0 && l.epoch <= strict.LargestEpoch && strict.IsEntryID(l.id) && utf8.Valid(l.kind)
}

// timeOf is the time in an entry's id, UTC, to the millisecond.
func timeOf(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// hmac256 is HMAC-SHA-256 (RFC 2104) for keys of at most 64 bytes. It hashes in two calls over one
// buffer, which is what makes verification as fast as it is: an entry has fourteen of them.
type hmac256 struct{ buffer []byte }

func (h *hmac256) sum(key []byte, domain string, number []byte, value []byte) [sha256.Size]byte {
	var block [64]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= 0x36
	}
	b := append(h.buffer[:0], block[:]...) //nolint:gocritic // one buffer, kept as long as it got
	b = append(b, domain...)
	b = append(b, number...)
	b = append(b, value...)
	h.buffer = b
	inner := sha256.Sum256(b)
	var outer [64 + sha256.Size]byte
	for i := range block {
		outer[i] = block[i] ^ 0x36 ^ 0x5c
	}
	copy(outer[64:], inner[:])
	return sha256.Sum256(outer[:])
}

var numbers = func() (out [fields][]byte) {
	for i := range out {
		out[i] = []byte{byte(i)}
	}
	return out
}()

// opens says whether a content is what a leaf commits to; if not, which field is the first that differs.
func (h *hmac256) opens(l leaf, c *contentRow) (field string, ok bool) {
	if len(c.salts) != fields*ledger.SaltSize {
		return "salts", false
	}
	for i := range fields {
		salt := c.salts[i*ledger.SaltSize : (i+1)*ledger.SaltSize]
		sum := h.sum(salt, fieldDomain, numbers[i], c.values[i])
		if !bytes.Equal(sum[:], l.commitments[i*sha256.Size:(i+1)*sha256.Size]) {
			return ledger.FieldNames[i], false
		}
	}
	return "", true
}
