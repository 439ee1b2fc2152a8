package vault

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"lethe/models"
)

// A sealed value is: magic (4 bytes), data key id (16), nonce (12), ciphertext, tag (16). The
// domain "sealed" in the database checks the magic and the least length.
const (
	magic      = "LSL1"
	headerSize = len(magic) + 16
	leastSize  = headerSize + subtle.AESGCMIVSize + subtle.AESGCMTagSize
	keySize    = 32
)

// dataKey is an opened data key. It lives for one call: opened keys are never kept.
type dataKey struct {
	id  uuid.UUID
	raw []byte
}

// clear overwrites our copy of the key. The cipher's own schedule is left to the garbage collector:
// Go gives no way to it.
func (k *dataKey) clear() { clear(k.raw) }

func (k *dataKey) seal(plain, place []byte) ([]byte, error) {
	cipher, err := subtle.NewAESGCM(k.raw)
	if err != nil {
		return nil, fmt.Errorf("preparing the cipher: %w", err)
	}
	encrypted, err := cipher.Encrypt(plain, place)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	box := make([]byte, 0, headerSize+len(encrypted))
	box = append(box, magic...)
	box = append(box, k.id[:]...)
	return append(box, encrypted...), nil
}

func (k *dataKey) open(s models.Sealed, place []byte) ([]byte, error) {
	cipher, err := subtle.NewAESGCM(k.raw)
	if err != nil {
		return nil, fmt.Errorf("preparing the cipher: %w", err)
	}
	plain, err := cipher.Decrypt(s.Box()[headerSize:], place)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// keyOf reads which data key sealed s.
func keyOf(s models.Sealed) (uuid.UUID, error) {
	box := s.Box()
	if len(box) < leastSize || string(box[:len(magic)]) != magic {
		return uuid.Nil, ErrDamaged
	}
	return uuid.UUID(box[len(magic):headerSize]), nil
}

// sealedFor is the associated data of a sealed value.
func (v *Vault) sealedFor(p Cell, keyID uuid.UUID) []byte {
	return bind("lethe sealed value v1", v.installation[:], []byte(p.Table), p.Row[:], p.Employment[:],
		[]byte(p.Category), []byte(p.Field), keyID[:])
}

// wrappedFor is the associated data of a wrapped data key. The KEK's generation is not part of it:
// a rewrapped key is the same key.
func (v *Vault) wrappedFor(k models.EmploymentCategory, keyID uuid.UUID) []byte {
	return bind("lethe data key v1", v.installation[:], k.EmploymentID[:], []byte(k.Category), keyID[:])
}

// bind writes each part with its length before it, so that no two lists of parts look alike.
func bind(purpose string, parts ...[]byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(purpose)))
	out = append(out, purpose...)
	for _, part := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(out, part...)
	}
	return out
}
