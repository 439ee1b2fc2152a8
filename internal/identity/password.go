package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Argon are the parameters of argon2id (RFC 9106). Zero is OWASP's recommendation: 19 MiB, two
// passes, one lane.
type Argon struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

func (a Argon) orDefault() Argon {
	if a == (Argon{}) {
		return Argon{Memory: 19 * 1024, Passes: 2, Lanes: 1}
	}
	return a
}

const (
	saltBytes = 16
	hashBytes = 32
	// maxMemory bounds what a stored string may ask for, in KiB.
	maxMemory = 1 << 20
)

var errPHC = errors.New("the stored password hash is not one of argon2id")

// hasher hashes passwords, a few at a time: each takes its memory and a processor.
type hasher struct {
	argon Argon
	slots chan struct{}
	// dummy is verified against where there is no user or no password, so that the answer takes
	// as long as to a wrong password.
	dummy string
}

func newHasher(argon Argon) *hasher {
	h := &hasher{argon: argon, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	h.dummy = h.phc(argon, randomBytes(saltBytes), randomBytes(hashBytes))
	return h
}

// hash makes the PHC string of a password, with a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := randomBytes(saltBytes)
	key, err := h.derive(ctx, h.argon, password, salt)
	if err != nil {
		return "", err
	}
	return h.phc(h.argon, salt, key), nil
}

// verify says whether a password is the one of a PHC string, and whether its parameters are weaker
// than those of new ones. A nil string takes as long, and is never right.
func (h *hasher) verify(ctx context.Context, stored *string, password string) (right, weaker bool, err error) {
	against := h.dummy
	if stored != nil {
		against = *stored
	}
	argon, salt, want, err := parsePHC(against)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, argon, password, salt)
	if err != nil {
		return false, false, err
	}
	right = subtle.ConstantTimeCompare(got, want) == 1 && stored != nil
	return right, argon.Memory < h.argon.Memory || argon.Passes < h.argon.Passes || argon.Lanes < h.argon.Lanes, nil
}

func (h *hasher) derive(ctx context.Context, a Argon, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(normalPassword(password)), salt, a.Passes, a.Memory, a.Lanes, hashBytes), nil
}

// normalPassword makes one text of those that look alike (NIST SP 800-63B, 5.1.1.2): the wide
// letters of an input method are the narrow ones.
func normalPassword(password string) string { return norm.NFKC.String(password) }

// phc writes the string format of the password hashing competition.
func (h *hasher) phc(a Argon, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.Memory, a.Passes, a.Lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func parsePHC(s string) (a Argon, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	var version int
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return a, nil, nil, errPHC
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return a, nil, nil, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.Memory, &a.Passes, &a.Lanes); err != nil {
		return a, nil, nil, errPHC
	}
	if a.Memory == 0 || a.Memory > maxMemory || a.Passes == 0 || a.Passes > 100 || a.Lanes == 0 {
		return a, nil, nil, errPHC
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(key) != hashBytes {
		return a, nil, nil, errPHC
	}
	return a, salt, key, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it crashes the program instead
	return b
}
