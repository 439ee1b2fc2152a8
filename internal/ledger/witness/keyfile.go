package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lethe/internal/durable"
)

const keyFormat = "lethe-witness-key/1"

// ErrKeyFile says that a witness's key file cannot be used.
var ErrKeyFile = errors.New("not a witness's key file, or readable by others (want mode 0600)")

type keyFile struct {
	Format string `json:"format"`
	Name   string `json:"name"`
	Seed   []byte `json:"seed"`
	Public string `json:"public"` // the verifier key, for whoever writes the policy file
}

// CreateKeyFile draws a witness's key and writes it to path, mode 0600; an existing file is left
// alone and is an error. name is a schema-less address that identifies the witness,
// "witness.example/lethe". It returns the verifier key for the policy file.
func CreateKeyFile(path, name string) (Verifier, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return Verifier{}, fmt.Errorf("drawing a key: %w", err)
	}
	signer, err := NewSigner(name, seed, nil)
	if err != nil {
		return Verifier{}, err
	}
	content, err := json.MarshalIndent(keyFile{Format: keyFormat, Name: name, Seed: seed, Public: signer.String()}, "", "  ")
	if err != nil {
		return Verifier{}, fmt.Errorf("writing the key file: %w", err)
	}
	if err := durable.Create(path, append(content, '\n')); err != nil {
		return Verifier{}, fmt.Errorf("writing the key file: %w", err)
	}
	return signer.Verifier, nil
}

// LoadKeyFile reads what [CreateKeyFile] wrote.
func LoadKeyFile(path string, now func() time.Time) (*Signer, error) {
	content, _, err := durable.ReadSecret(path, "the witness's key file")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer clear(content)
	var k keyFile
	if err := json.Unmarshal(content, &k); err != nil || k.Format != keyFormat {
		return nil, ErrKeyFile
	}
	signer, err := NewSigner(k.Name, k.Seed, now)
	if err != nil || signer.String() != k.Public {
		return nil, ErrKeyFile
	}
	return signer, nil
}
