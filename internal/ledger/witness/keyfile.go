package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
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
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Verifier{}, fmt.Errorf("writing the key file: %w", err)
	}
	_, err = f.Write(append(content, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path))); err != nil {
		return Verifier{}, fmt.Errorf("writing the key file: %w", err)
	}
	return signer.Verifier, nil
}

// LoadKeyFile reads what [CreateKeyFile] wrote.
func LoadKeyFile(path string, now func() time.Time) (*Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the witness's key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, ErrKeyFile
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the witness's key: %w", err)
	}
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
