package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"lethe/internal/durable"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// kekFile is the KEK file: each generation is a Tink keyset of one AES-256-GCM key, in cleartext.
// Whoever has it and the keys database can open everything, so it has mode 0600, is backed up
// apart from the databases, and its backups are destroyed with each retired generation.
type kekFile struct {
	Format      string          `json:"format"`
	Generations []kekGeneration `json:"generations"`
}

type kekGeneration struct {
	Generation int             `json:"generation"`
	CreatedAt  time.Time       `json:"created_at"`
	Keyset     json.RawMessage `json:"keyset"`
}

const kekFormat = "lethe-kek-v1"

// CreateKEKFile makes a file with a first generation at path, mode 0600. An existing file is never
// touched: that is os.ErrExist.
func CreateKEKFile(path string) error {
	file := kekFile{Format: kekFormat}
	// The file may be made before there is a database to ask for the time.
	if err := file.add(time.Now()); err != nil {
		return err
	}
	content, err := file.encode()
	if err != nil {
		return err
	}
	defer clear(content)
	if err := durable.Create(path, content); err != nil {
		return fmt.Errorf("creating the KEK file: %w", err)
	}
	return nil
}

// readKEKFile refuses a file that is open to others.
func readKEKFile(path string) (kekFile, os.FileInfo, error) {
	content, info, err := durable.ReadSecret(path, "the KEK file")
	if err != nil {
		return kekFile{}, nil, err
	}
	defer clear(content)
	var file kekFile
	// The decoder's own errors may quote the content.
	if json.Unmarshal(content, &file) != nil || file.Format != kekFormat || len(file.Generations) == 0 {
		return kekFile{}, nil, errors.New("the KEK file is not one that lethe wrote")
	}
	return file, info, nil
}

// open parses the generations.
func (f kekFile) open() ([]generation, error) {
	generations := make([]generation, 0, len(f.Generations))
	for i, g := range f.Generations {
		if g.Generation < 1 || i > 0 && g.Generation <= f.Generations[i-1].Generation {
			return nil, errors.New("the generations of the KEK file are out of order")
		}
		handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(g.Keyset)))
		if err != nil {
			return nil, fmt.Errorf("generation %d of the KEK file is damaged", g.Generation)
		}
		primitive, err := aead.New(handle)
		if err != nil {
			return nil, fmt.Errorf("generation %d of the KEK file cannot encrypt", g.Generation)
		}
		clear(g.Keyset)
		generations = append(generations, generation{number: g.Generation, created: g.CreatedAt, aead: primitive})
	}
	return generations, nil
}

// add makes a new generation, created at now.
func (f *kekFile) add(now time.Time) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("making a key-encryption key: %w", err)
	}
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		return fmt.Errorf("making a key-encryption key: %w", err)
	}
	number := 1
	if n := len(f.Generations); n > 0 {
		number = f.Generations[n-1].Generation + 1
	}
	f.Generations = append(f.Generations, kekGeneration{Generation: number, CreatedAt: now.UTC(), Keyset: out.Bytes()})
	return nil
}

func (f kekFile) encode() ([]byte, error) {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the KEK file: %w", err)
	}
	return content, nil
}

// replace puts f in the place of the file at path, whole or not at all.
func (f kekFile) replace(path string) error {
	content, err := f.encode()
	if err != nil {
		return err
	}
	defer clear(content)
	if err := durable.Replace(path, content); err != nil {
		return fmt.Errorf("replacing the KEK file: %w", err)
	}
	return nil
}
