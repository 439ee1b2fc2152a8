// Package payload encrypts everything that Lethe hands to Temporal: inputs, results, signals,
// queries, memos and failures. What Temporal stores can be read only with the codec's key.
package payload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// ErrKeyFile says that the codec's key file cannot be used.
var ErrKeyFile = errors.New("the codec key file cannot be used")

// CreateKeyFile writes a new AES-256-GCM keyset to path, mode 0600. An existing file is an error.
func CreateKeyFile(path string) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("making a codec key: %w", err)
	}
	return write(path, handle, os.O_EXCL)
}

// RotateKeyFile adds a new key and makes it the one that encrypts; the old ones still decrypt.
// An old key may be removed once nothing is left that it encrypted: 30 days (the longest run)
// plus the namespace's retention later.
func RotateKeyFile(path string) error {
	handle, err := read(path)
	if err != nil {
		return err
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("adding a codec key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return fmt.Errorf("making the codec key the primary one: %w", err)
	}
	if handle, err = manager.Handle(); err != nil {
		return fmt.Errorf("rotating the codec key: %w", err)
	}
	return write(path, handle, 0)
}

func write(path string, handle *keyset.Handle, flags int) error {
	if flags&os.O_EXCL != 0 {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%w: it exists already", ErrKeyFile)
		}
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".codec-*")
	if err != nil {
		return fmt.Errorf("writing the codec key: %w", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	err = errors.Join(
		insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(temporary)),
		temporary.Chmod(0o600), temporary.Sync(), temporary.Close(),
	)
	if err != nil {
		return fmt.Errorf("writing the codec key: %w", err)
	}
	return os.Rename(temporary.Name(), path)
}

func read(path string) (*keyset.Handle, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is none", ErrKeyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may read it, set its mode to 0600", ErrKeyFile)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer func() { _ = file.Close() }()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(file))
	if err != nil {
		return nil, fmt.Errorf("%w: it holds no keyset", ErrKeyFile)
	}
	return handle, nil
}
