package vault

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrUnknownKEK says that the KEK file no longer has the generation that wrapped a key.
var ErrUnknownKEK = errors.New("the key-encryption key of this generation is not in the file")

// KEK is the key-encryption key in its generations, oldest first. It follows its file: another
// process that adds or retires a generation is noticed at the next use.
type KEK struct {
	path string

	mu          sync.Mutex
	seen        os.FileInfo
	generations []generation
}

// generation is one key-encryption key.
type generation struct {
	number  int
	created time.Time
	aead    tink.AEAD
}

// LoadKEKFile reads a file that CreateKEKFile made. It refuses one that anybody but its owner may
// read or write.
func LoadKEKFile(path string) (*KEK, error) {
	k := &KEK{path: path}
	if _, err := k.current(); err != nil {
		return nil, err
	}
	return k, nil
}

// current is what the file holds now; it is read again only after it changed.
func (k *KEK) current() ([]generation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if err != nil {
		return nil, fmt.Errorf("looking at the KEK file: %w", err)
	}
	if k.seen != nil && os.SameFile(info, k.seen) && info.ModTime().Equal(k.seen.ModTime()) &&
		info.Size() == k.seen.Size() && info.Mode() == k.seen.Mode() {
		return k.generations, nil
	}
	file, info, err := readKEKFile(k.path)
	if err != nil {
		return nil, err
	}
	generations, err := file.open()
	if err != nil {
		return nil, err
	}
	k.seen, k.generations = info, generations
	return generations, nil
}

// wrap encrypts a data key under the newest generation.
func (k *KEK) wrap(raw, place []byte) (wrapped []byte, number int, err error) {
	generations, err := k.current()
	if err != nil {
		return nil, 0, err
	}
	newest := generations[len(generations)-1]
	wrapped, err = newest.aead.Encrypt(raw, place)
	if err != nil {
		return nil, 0, fmt.Errorf("wrapping a data key: %w", err)
	}
	return wrapped, newest.number, nil
}

// unwrap decrypts a data key. The caller clears it after use.
func (k *KEK) unwrap(wrapped []byte, number int, place []byte) ([]byte, error) {
	generations, err := k.current()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(generations, func(g generation) bool { return g.number == number })
	if i < 0 {
		return nil, ErrUnknownKEK
	}
	raw, err := generations[i].aead.Decrypt(wrapped, place)
	if err != nil {
		return nil, ErrDamaged
	}
	return raw, nil
}

// newest is the generation that wraps new keys.
func (k *KEK) newest() (generation, error) {
	generations, err := k.current()
	if err != nil {
		return generation{}, err
	}
	return generations[len(generations)-1], nil
}
