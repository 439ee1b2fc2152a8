// Package payload encrypts everything that Lethe hands to Temporal: inputs, results, signals,
// queries, memos and failures. What Temporal stores can be read only with the codec's key.
package payload

import (
	"bytes"
	"errors"
	"fmt"

	"lethe/internal/durable"

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
	return write(path, handle, durable.Create)
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
	return write(path, handle, durable.Replace)
}

func write(path string, handle *keyset.Handle, put func(path string, content []byte) error) error {
	var content bytes.Buffer
	err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&content))
	defer func() { clear(content.Bytes()) }()
	if err == nil {
		err = put(path, content.Bytes())
	}
	if err != nil {
		return fmt.Errorf("%w: writing it: %w", ErrKeyFile, err)
	}
	return nil
}

func read(path string) (*keyset.Handle, error) {
	content, _, err := durable.ReadSecret(path, "the codec key file")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer clear(content)
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
	if err != nil {
		return nil, fmt.Errorf("%w: it holds no keyset", ErrKeyFile)
	}
	return handle, nil
}
