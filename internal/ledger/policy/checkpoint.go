package policy

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/strict"
	"lethe/internal/ledger/witness"
)

// Why a checkpoint is not accepted.
var (
	ErrCheckpoint   = errors.New("malformed checkpoint")
	ErrOtherLog     = errors.New("a checkpoint of another log")
	ErrNotSigned    = errors.New("the checkpoint has no valid signature by a key that the policy names for it")
	ErrNotWitnessed = errors.New("the checkpoint does not have the cosignatures that the policy asks for")
)

// Checkpoint is one that the policy accepts.
type Checkpoint struct {
	Epoch int
	Size  int64
	Root  tlog.Hash
	// Cosigned is when each witness cosigned, by its name, in UTC.
	Cosigned map[string]time.Time
}

// Signed reads a checkpoint that the log signed; cosignatures are read if they are there. One wrong
// signature by any key of the policy makes the whole checkpoint [ErrNotSigned].
func (p *Policy) Signed(signed []byte) (Checkpoint, error) {
	text, ok := strict.NoteText(signed)
	head, headOK := strict.ParseCheckpoint(text)
	if !ok || !headOK {
		return Checkpoint{}, ErrCheckpoint
	}
	epoch, ok := p.epochOf(head.Origin)
	if !ok {
		return Checkpoint{}, ErrOtherLog
	}
	at := Position{epoch, head.Size}
	keys := append(named(p.LogKeys, head.Origin), p.cosigners...)
	n, ok := strict.ParseNote(signed)
	if !ok {
		return Checkpoint{}, ErrNotSigned
	}
	signers, ok := n.Signers(keys)
	c := Checkpoint{Epoch: epoch, Size: head.Size, Root: head.Root, Cosigned: map[string]time.Time{}}
	logged := false
	for i, when := range signers {
		switch w := i - len(p.LogKeys); {
		case w < 0:
			logged = logged || p.LogKeys[i].holds(at)
		case p.Witnesses[w].holds(at):
			c.Cosigned[keys[i].Name] = time.Unix(when, 0).UTC()
		}
	}
	if !ok || !logged {
		return Checkpoint{}, ErrNotSigned
	}
	return c, nil
}

// named are the keys under the name by which they sign.
func named(keys []Key, name string) []strict.Key {
	out := make([]strict.Key, 0, len(keys))
	for _, k := range keys {
		out = append(out, strict.Key{Name: name, Type: strict.LogKey, Public: k.PublicKey})
	}
	return out
}

// Witnessed reads a checkpoint that has a quorum of cosignatures as well.
func (p *Policy) Witnessed(signed []byte) (Checkpoint, error) {
	c, err := p.Signed(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if len(c.Cosigned) < p.Quorum {
		return Checkpoint{}, ErrNotWitnessed
	}
	return c, nil
}

// Members are the witnesses of the policy for checkpoints from now on, each with the way to it.
// A witness without an address is one that no longer cosigns.
func (p *Policy) Members(timeout time.Duration) []witness.Member {
	var out []witness.Member
	for i, w := range p.Witnesses {
		if w.URL != "" && w.Until == nil {
			out = append(out, witness.Member{Verifier: p.members[i], Cosigner: witness.NewClient(w.URL, timeout)})
		}
	}
	return out
}

// Receipt reads a receipt: the entry that it promises, and the hash of its leaf. It names no checkpoint,
// so that the ranges of the keys do not matter.
func (p *Policy) Receipt(signed []byte) (id uuid.UUID, leaf tlog.Hash, ok bool) {
	lines, ok := p.receiptNote(signed, ledger.ReceiptName(p.Origin), func(Key) bool { return true })
	if !ok {
		return id, leaf, false
	}
	id, ok = strict.UUID(lines[1])
	hash, hashOK := strict.Base64(lines[2])
	if !ok || !hashOK || !strict.IsEntryID(id) || len(hash) != tlog.HashSize {
		return uuid.Nil, leaf, false
	}
	return id, tlog.Hash(hash), true
}

// Manifest says whether signed is the ledger's signature of a manifest with that digest (SHA-256), of
// that export, by a key that counts at the checkpoint of its pack.
func (p *Policy) Manifest(signed []byte, at Position, export uuid.UUID, digest [sha256.Size]byte) bool {
	lines, ok := p.receiptNote(signed, p.Origin+"/export", func(k Key) bool { return k.holds(at) })
	return ok && lines[1] == export.String() && lines[2] == base64.StdEncoding.EncodeToString(digest[:])
}

// receiptNote are the three lines of a note that a receipt key signed which counts.
func (p *Policy) receiptNote(signed []byte, first string, counts func(Key) bool) ([]string, bool) {
	n, ok := strict.ParseNote(signed)
	if !ok {
		return nil, false
	}
	signers, ok := n.Signers(named(p.ReceiptKeys, ledger.ReceiptName(p.Origin)))
	counted := false
	for i := range signers {
		counted = counted || counts(p.ReceiptKeys[i])
	}
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	return lines, ok && counted && len(lines) == 3 && lines[0] == first
}

// epochOf reads the epoch from the origin line of a checkpoint.
func (p *Policy) epochOf(origin string) (int, bool) {
	digits, ok := strings.CutPrefix(origin, p.Origin+"/")
	epoch, decimal := strict.Decimal(digits)
	return int(epoch), ok && decimal && epoch >= 1 && epoch <= strict.LargestEpoch
}

// publicOf takes the raw public key out of a verifier key.
func publicOf(vkey string) ([]byte, error) {
	i := strings.Index(vkey, "+")
	if i < 0 || len(vkey) < i+10 {
		return nil, fmt.Errorf("%w: a key is malformed", ErrPolicy)
	}
	key, err := base64.StdEncoding.DecodeString(vkey[i+10:])
	if err != nil || len(key) < 1 {
		return nil, fmt.Errorf("%w: a key is malformed", ErrPolicy)
	}
	return key[1:], nil
}
