package approval

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// canonical writes a value as JSON with sorted keys, numbers as they were given and nothing escaped
// that need not be, so that equal commands are equal bytes.
func canonical(v any) ([]byte, error) {
	first, err := plain(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(first))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, errors.New("sorting a command failed") // the cause could quote it
	}
	return plain(tree)
}

func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("writing a command: %T cannot be written", v)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// digest hashes parts so that no two different lists of parts are the same bytes.
func digest(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		var length [8]byte
		for i := range length {
			length[i] = byte(uint64(len(p)) >> (56 - 8*i))
		}
		_, _ = h.Write(length[:])
		_, _ = h.Write(p)
	}
	return h.Sum(nil)
}

// stored is what is sealed beside a request.
type stored struct {
	Salt    []byte          `json:"salt"`
	Command json.RawMessage `json:"command"`
	Changes []Change        `json:"changes"`
	Causes  []models.Cause  `json:"causes,omitempty"`
}

func newSalt() []byte {
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// binding is everything that a request is bound to.
type binding struct {
	operation string
	command   []byte // canonical
	salt      []byte
	shown     []Change
	targets   []Target
	fileHash  []byte
	rules     []string
	// state is what stood before, as judged: at the request or at the decision.
	state []byte
}

// stateOf hashes what was before. What comes after follows from the command, and may hang on the time.
// The digest outlives the request, and without the salt a name or a day could be guessed from it.
func stateOf(salt []byte, changes []Change) ([]byte, error) {
	before := make([]Change, len(changes))
	for i, c := range changes {
		before[i] = Change{Field: c.Field, Before: c.Before}
	}
	text, err := canonical(before)
	if err != nil {
		return nil, err
	}
	return digest([]byte("lethe approval state 1"), salt, text), nil
}

func (b binding) commandHash() []byte {
	return digest([]byte("lethe approval command 1"), b.salt, []byte(b.operation), b.command)
}

// hash is the one that covers everything.
func (b binding) hash() ([]byte, error) {
	shown, err := canonical(b.shown)
	if err != nil {
		return nil, err
	}
	targets, err := canonical(b.targets)
	if err != nil {
		return nil, err
	}
	return digest([]byte("lethe approval 1"), []byte(b.operation), b.commandHash(), b.salt, shown, targets, b.state, b.fileHash,
		[]byte(strings.Join(b.rules, "\n"))), nil
}

// fingerprints recognise the same request while it is open, by each key of digests that lives; the first
// one is kept. Without the key nobody can test what the command might be.
func fingerprints(tx *database.Tx, operation string, command []byte) ([][]byte, error) {
	return keyed.All(tx.Context(), tx, keyed.Approvals, operation, string(command))
}

// blind hides the hash of a file behind the request's salt: a short file could be guessed from it.
func blind(salt, fileHash []byte) []byte {
	if fileHash == nil {
		return nil
	}
	return digest([]byte("lethe approval file 1"), salt, fileHash)
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
