package ledger

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// Keys are the secrets of a ledger. None of them is ever in the database, so that who owns the
// database can neither write an entry nor sign a tree.
type Keys struct {
	writers  []secret // HMAC keys of 32 bytes; the last one writes, all are checked against
	logs     []secret // Ed25519 seeds; all sign, so that a rotation has an overlap
	receipts []secret // Ed25519 seeds; the last one signs
}

// secret is one generation of a key.
type secret struct {
	generation int
	key        []byte
}

// NewKeys makes fresh keys of generation 1.
func NewKeys() *Keys {
	k := &Keys{}
	for _, list := range []*[]secret{&k.writers, &k.logs, &k.receipts} {
		*list = []secret{newSecret(1)}
	}
	return k
}

func newSecret(generation int) secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return secret{generation, key}
}

// WriterKey is the part of the keys that a [Writer] needs.
type WriterKey struct {
	generation int
	mac        []byte
	receipt    []byte
	all        *Keys
}

// Writer is the newest writer key, with the newest receipt key if there is one.
func (k *Keys) Writer() WriterKey {
	newest := k.writers[len(k.writers)-1]
	w := WriterKey{generation: newest.generation, mac: newest.key, all: k}
	if n := len(k.receipts); n > 0 {
		w.receipt = k.receipts[n-1].key
	}
	return w
}

// SignCheckpoints says whether the keys that sign checkpoints are among them: they are left out of the
// parts of processes that order nothing.
func (k *Keys) SignCheckpoints() bool { return len(k.logs) > 0 }

// SignReceipts says whether the keys that sign receipts are among them: only what answers auditors has them.
func (k *Keys) SignReceipts() bool { return len(k.receipts) > 0 }

// mac is the writer key of a generation, nil if there is none.
func (k *Keys) mac(generation int) []byte {
	for _, w := range k.writers {
		if w.generation == generation {
			return w.key
		}
	}
	return nil
}

// TreeName is the origin line of the checkpoints of one epoch of a ledger, and the name of the keys
// that sign them: each epoch is a log of its own to a witness.
func TreeName(origin string, epoch int) string { return fmt.Sprintf("%s/%d", origin, epoch) }

// ReceiptName is the name of the key that signs the receipts of a ledger.
func ReceiptName(origin string) string { return origin + "/receipt" }

// LogVerifiers are the public keys of an epoch in the form of C2SP signed-note ("vkey"), the oldest first.
func (k *Keys) LogVerifiers(origin string, epoch int) []string {
	var out []string
	for _, l := range k.logs {
		out = append(out, verifierKey(TreeName(origin, epoch), l.key))
	}
	return out
}

// LogPublicKeys are the raw Ed25519 public keys that sign checkpoints, the oldest first.
func (k *Keys) LogPublicKeys() []ed25519.PublicKey {
	var out []ed25519.PublicKey
	for _, l := range k.logs {
		out = append(out, publicKey(l.key))
	}
	return out
}

// ReceiptVerifiers are the public keys of receipts as vkeys, the oldest first.
func (k *Keys) ReceiptVerifiers(origin string) []string {
	var out []string
	for _, r := range k.receipts {
		out = append(out, verifierKey(ReceiptName(origin), r.key))
	}
	return out
}

// logSigners sign the checkpoints of an epoch.
func (k *Keys) logSigners(origin string, epoch int) ([]note.Signer, error) {
	var out []note.Signer
	for _, l := range k.logs {
		s, err := signer(TreeName(origin, epoch), l.key)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// logVerifiers check the checkpoints of an epoch.
func (k *Keys) logVerifiers(origin string, epoch int) (note.Verifiers, error) {
	var out []note.Verifier
	for _, vkey := range k.LogVerifiers(origin, epoch) {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("reading a log key: %w", ErrMalformed)
		}
		out = append(out, v)
	}
	return note.VerifierList(out...), nil
}

// errNoKey says that a process has a part of the keys that lacks this one.
var errNoKey = errors.New("the ledger's key file of this process lacks the key: see lethe keys part")

// algEd25519 is signed-note's type of an Ed25519 key.
const algEd25519 = 1

func publicKey(seed []byte) ed25519.PublicKey {
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

func verifierKey(name string, seed []byte) string {
	return VerifierKey(name, publicKey(seed))
}

// VerifierKey is a public key under a name as signed-note writes it: name, key id in hex, and
// base64 of the type and the key, joined by "+".
func VerifierKey(name string, public ed25519.PublicKey) string {
	key := append([]byte{algEd25519}, public...)
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, key), base64.StdEncoding.EncodeToString(key))
}

// keyID is the first four bytes of SHA-256 over name, newline, type and key.
func keyID(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:4])
}

func signer(name string, seed []byte) (note.Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, errNoKey
	}
	id := keyID(name, append([]byte{algEd25519}, publicKey(seed)...))
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, id,
		base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))))
	if err != nil {
		return nil, fmt.Errorf("the name of the ledger cannot name a key: %w", ErrMalformed)
	}
	return s, nil
}
