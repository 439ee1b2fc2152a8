package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lethe/internal/durable"
)

// keyFile is the file of the keys, mode 0600. Whoever has it and the database can rewrite what no
// witness has seen; it is backed up apart from the database.
type keyFile struct {
	Format   string       `json:"format"`
	Writers  []fileSecret `json:"writer_keys"`
	Logs     []fileSecret `json:"log_keys,omitempty"`     // left out of the parts of processes that sign no checkpoints
	Receipts []fileSecret `json:"receipt_keys,omitempty"` // left out of the parts of processes that give no receipts
}

// fileSecret is one key: 32 bytes, in base64.
type fileSecret struct {
	Generation int       `json:"generation"`
	CreatedAt  time.Time `json:"created_at"`
	Key        []byte    `json:"key"`
}

const keyFormat = "lethe-ledger-keys-v1"

// CreateKeyFile makes a file of fresh keys at path, mode 0600. An existing file is never touched:
// that is os.ErrExist.
func CreateKeyFile(path string) error {
	// The file may be made before there is a database to ask for the time.
	now := time.Now().UTC().Truncate(time.Second)
	fresh := []fileSecret{}
	for range 3 {
		s := newSecret(1)
		fresh = append(fresh, fileSecret{s.generation, now, s.key})
	}
	content, err := keyFile{Format: keyFormat, Writers: fresh[:1], Logs: fresh[1:2], Receipts: fresh[2:]}.encode()
	if err != nil {
		return err
	}
	defer clear(content)
	if err := durable.Create(path, content); err != nil {
		return fmt.Errorf("creating the ledger's key file: %w", err)
	}
	return nil
}

// Part is who needs which of a ledger's keys.
type Part string

// The parts. All have the writers' keys, with which entries are written and checked.
const (
	PartServe  Part = "serve"  // signs receipts, no checkpoints: the log does not trust what faces the network
	PartWorker Part = "worker" // signs checkpoints, no receipts
	PartHost   Part = "host"   // for commands that only write entries
)

// PartKeyFile writes the part of the key file at from into the file at to, mode 0600, and replaces what
// was there, so that it is also how a rotation reaches the parts.
func PartKeyFile(from, to string, part Part) error {
	file, err := readKeyFile(from)
	if err != nil {
		return err
	}
	if len(file.Logs) == 0 || len(file.Receipts) == 0 {
		return errPart
	}
	if part != PartWorker {
		file.Logs = nil
	}
	if part != PartServe {
		file.Receipts = nil
	}
	return file.replace(to)
}

// errPart says that a file is one process's part where all keys are needed.
var errPart = errors.New("the ledger's key file is a part that `lethe keys part` made: this takes the whole one")

// LoadKeys reads a key file, or a part of one. One that others can read is refused.
func LoadKeys(path string) (*Keys, error) {
	file, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	k := &Keys{}
	for list, from := range map[*[]secret][]fileSecret{&k.writers: file.Writers, &k.logs: file.Logs, &k.receipts: file.Receipts} {
		for _, s := range from {
			*list = append(*list, secret{s.Generation, s.Key})
		}
	}
	return k, nil
}

func readKeyFile(path string) (keyFile, error) {
	content, _, err := durable.ReadSecret(path, "the ledger's key file")
	if err != nil {
		return keyFile{}, err
	}
	defer clear(content)
	var file keyFile
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&file) != nil || file.Format != keyFormat {
		return keyFile{}, fmt.Errorf("the ledger's key file is not one of %s", keyFormat)
	}
	for i, list := range [][]fileSecret{file.Writers, file.Logs, file.Receipts} {
		if !increasing(list) && (i == 0 || len(list) > 0) {
			return keyFile{}, errors.New("the ledger's key file lacks a key, or its generations are out of order")
		}
	}
	return file, nil
}

func increasing(list []fileSecret) bool {
	last := 0
	for _, s := range list {
		if s.Generation <= last || len(s.Key) != 32 {
			return false
		}
		last = s.Generation
	}
	return last > 0
}

func (k keyFile) encode() ([]byte, error) {
	content, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the ledger's key file: %w", err)
	}
	return content, nil
}

func (k keyFile) replace(path string) error {
	content, err := k.encode()
	if err != nil {
		return err
	}
	defer clear(content)
	if err := durable.Replace(path, content); err != nil {
		return fmt.Errorf("replacing the ledger's key file: %w", err)
	}
	return nil
}
