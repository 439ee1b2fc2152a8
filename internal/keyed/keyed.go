// Package keyed makes digests by which something is found or compared again and from which nobody can
// guess it: a telephone number, an address or a name has so few possible values that an unkeyed hash
// gives it back to whoever reads the database.
//
// Each purpose has keys of its own, which the vault keeps outside the facts. A key makes digests for
// the purpose's life and is then followed by the next one; when that one is a life old, it is destroyed,
// and what it had made tells nothing any more, not even to who holds everything else.
package keyed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"lethe/internal/database"
)

// Purpose is what digests are made for.
type Purpose struct {
	// Name is the purpose's for good: the place of its keys holds it.
	Name string
	// Life is how long a digest is recognised at least; twice as long at most.
	Life time.Duration
}

// The purposes. What is kept by such a digest ends before its life does.
var (
	// Requests: Idempotency-Keys and the bodies that came with them.
	Requests = Purpose{"requests", 7 * 24 * time.Hour}
	// Approvals: the commands of open requests for approval.
	Approvals = Purpose{"approvals", 31 * 24 * time.Hour}
	// Tries: the logins and addresses by which failed tries are counted.
	Tries = Purpose{"tries", 24 * time.Hour}
	// Places: the browsers and addresses from which an account was used.
	Places = Purpose{"places", 180 * 24 * time.Hour}
	// Words: what was searched for in the log. That the same was searched for again can be told.
	Words = Purpose{"words", 365 * 24 * time.Hour}
	// Imports: files, headers and rows that were imported. That the same comes again can be told.
	Imports = Purpose{"imports", 180 * 24 * time.Hour}
	// Subjects: the logins of an OpenID provider, in entries.
	Subjects = Purpose{"subjects", 365 * 24 * time.Hour}
)

// Purposes are all of them.
var Purposes = []Purpose{Requests, Approvals, Tries, Places, Words, Imports, Subjects}

// Keys hands out the keys of a purpose that live, 32 bytes each; the first one makes new digests.
type Keys interface {
	DigestKeys(ctx context.Context, p Purpose) ([][]byte, error)
}

// ErrNoKeys says that the database of a transaction has no keys attached: its process can neither make
// nor compare digests.
var ErrNoKeys = errors.New("no keys of digests are attached to the database")

// Carrier is a database or a transaction on it.
type Carrier interface{ Attached(key any) any }

type attachment struct{}

// Attach gives the transactions on db their keys. It is called once at start-up.
func Attach(db *database.DB, keys Keys) { db.Attach(attachment{}, keys) }

// Of is the digest of some parts, 32 bytes, as it is made now.
func Of(ctx context.Context, c Carrier, p Purpose, parts ...string) ([]byte, error) {
	all, err := All(ctx, c, p, parts...)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Text is [Of] shortened to 16 bytes, in hex, for the details of an entry.
func Text(ctx context.Context, c Carrier, p Purpose, parts ...string) (string, error) {
	mac, err := Of(ctx, c, p, parts...)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(mac[:16]), nil
}

// All is the digest of some parts by each key that lives: what was kept under one of them is the same.
// The first one is that of [Of].
func All(ctx context.Context, c Carrier, p Purpose, parts ...string) ([][]byte, error) {
	set, err := Living(ctx, c, p)
	if err != nil {
		return nil, err
	}
	return set.All(parts...), nil
}

// Set are the keys of a purpose at one moment, for several digests that belong together.
type Set struct{ keys [][]byte }

// All is the digest of some parts by each key, the one that makes new digests first.
func (s Set) All(parts ...string) [][]byte {
	all := make([][]byte, len(s.keys))
	for i, key := range s.keys {
		all[i] = mac(key, parts)
	}
	return all
}

// Living reads the keys of a purpose.
func Living(ctx context.Context, c Carrier, p Purpose) (Set, error) {
	keys, ok := c.Attached(attachment{}).(Keys)
	if !ok {
		return Set{}, ErrNoKeys
	}
	living, err := keys.DigestKeys(ctx, p)
	if err == nil && len(living) == 0 {
		err = ErrNoKeys
	}
	return Set{living}, err
}

// Lock keeps two transactions that look for the same thing, of which each may know another newest key,
// apart to their ends: they share one of its digests. Locks live in memory; nothing of them is stored.
func Lock(tx *database.Tx, digests [][]byte) error {
	for _, d := range slices.SortedFunc(slices.Values(digests), bytes.Compare) { // one order for everybody
		if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(?)", int64(binary.BigEndian.Uint64(d))).Error; err != nil {
			return database.Wrap("locking a digest", err)
		}
	}
	return nil
}

// mac is HMAC-SHA256 over the parts, each with its length before it: no two lists of parts look alike.
func mac(key []byte, parts []string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		_, _ = h.Write([]byte(part))
	}
	return h.Sum(nil)
}
