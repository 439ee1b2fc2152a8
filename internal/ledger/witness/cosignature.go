package witness

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// algCosignature is the signature type of timestamped Ed25519 cosignatures (c2sp.org/signed-note).
const algCosignature = 0x04

const cosignatureSize = 8 + ed25519.SignatureSize

var (
	// ErrKey says that a key is not in the form that c2sp.org/signed-note gives it, or of another kind.
	ErrKey = errors.New("malformed witness key, or one of another kind")
	errOld = errors.New("a clock before 1970")
)

// Signer makes cosignatures, c2sp.org/tlog-cosignature with Ed25519. It is a note.Signer.
type Signer struct {
	Verifier
	key ed25519.PrivateKey
	now func() time.Time
}

// NewSigner is a cosigner by its name and Ed25519 seed; now is the witness's clock, in whole seconds.
func NewSigner(name string, seed []byte, now func() time.Time) (*Signer, error) {
	if len(seed) != ed25519.SeedSize || !validName(name) {
		return nil, ErrKey
	}
	key := ed25519.NewKeyFromSeed(seed)
	return &Signer{Verifier: newVerifier(name, key.Public().(ed25519.PublicKey)), key: key, now: now}, nil
}

// Sign cosigns the text of a checkpoint as of now.
func (s *Signer) Sign(text []byte) ([]byte, error) {
	at := s.now().Unix()
	if at <= 0 {
		return nil, errOld
	}
	signature := binary.BigEndian.AppendUint64(nil, uint64(at))
	return append(signature, ed25519.Sign(s.key, message(uint64(at), text))...), nil
}

// message is what a cosignature signs.
func message(at uint64, text []byte) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(at, 10)+"\n"), text...)
}

// Verifier checks the cosignatures of one witness. It is a note.Verifier.
type Verifier struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func newVerifier(name string, key ed25519.PublicKey) Verifier {
	return Verifier{name: name, id: keyID(name, key), key: key}
}

func keyID(name string, key ed25519.PublicKey) uint32 {
	h := sha256.Sum256(append(append([]byte(name+"\n"), algCosignature), key...))
	return binary.BigEndian.Uint32(h[:])
}

// ParseVerifier reads a verifier key ("vkey") of signature type 0x04.
func ParseVerifier(vkey string) (Verifier, error) {
	parts := strings.Split(vkey, "+")
	if len(parts) < 3 {
		return Verifier{}, ErrKey
	}
	name, id16, key64 := parts[0], parts[1], strings.Join(parts[2:], "+")
	id, idErr := strconv.ParseUint(id16, 16, 32)
	key, keyErr := base64.StdEncoding.Strict().DecodeString(key64)
	if idErr != nil || keyErr != nil || len(id16) != 8 || !validName(name) ||
		len(key) != 1+ed25519.PublicKeySize || key[0] != algCosignature {
		return Verifier{}, ErrKey
	}
	v := newVerifier(name, key[1:])
	if uint64(v.id) != id {
		return Verifier{}, ErrKey
	}
	return v, nil
}

// String is the verifier key, as a policy file and other witnesses' software take it.
func (v Verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.id, base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, v.key...)))
}

// Name is the witness's key name.
func (v Verifier) Name() string { return v.name }

// KeyHash is the key's id.
func (v Verifier) KeyHash() uint32 { return v.id }

// Verify says whether signature is the witness's over text.
func (v Verifier) Verify(text, signature []byte) bool {
	at, ok := Timestamp(signature)
	return ok && ed25519.Verify(v.key, message(uint64(at.Unix()), text), signature[8:])
}

// Timestamp is when a cosignature says it was made, in whole seconds UTC; false if it has none.
func Timestamp(signature []byte) (time.Time, bool) {
	if len(signature) != cosignatureSize {
		return time.Time{}, false
	}
	at := binary.BigEndian.Uint64(signature)
	if at == 0 || at > math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(int64(at), 0).UTC(), true
}

func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsSpace) < 0 && !strings.Contains(name, "+")
}
