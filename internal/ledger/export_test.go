package ledger

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// CommitForTest, MACForTest and ReceiptForTest let the worked example of the documentation choose
// what is random otherwise.
var (
	CommitForTest = commit
	MACForTest    = macOf
)

// ValuesForTest are the canonical values of a content.
func ValuesForTest(c Content) [fieldCount][]byte { return c.values() }

// KeysForTest are keys of chosen secrets.
func KeysForTest(writer, log, receipt []byte) *Keys {
	return &Keys{writers: []secret{{1, writer}}, logs: []secret{{1, log}}, receipts: []secret{{1, receipt}}}
}

// RotateForTest adds keys of the next generation.
func (k *Keys) RotateForTest() {
	k.writers = append(k.writers, newSecret(len(k.writers)+1))
	k.logs = append(k.logs, newSecret(len(k.logs)+1))
	k.receipts = append(k.receipts, newSecret(len(k.receipts)+1))
}

// ReceiptForTest signs a receipt.
func ReceiptForTest(origin string, key WriterKey, id uuid.UUID, leaf []byte) (string, error) {
	return NewWriter(origin, key).receipt(id, LeafHash(leaf))
}

// SignReceiptForTest signs any text with the key that signs receipts.
func SignReceiptForTest(origin string, key WriterKey, text string) (string, error) {
	by, err := signer(ReceiptName(origin), key.receipt)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: text}, by)
	return string(signed), err
}

// SignForTest signs a head as a sequencer does.
var SignForTest = (*Log).sign

// StepForTest makes a sequencer die at a step, as far as it can be told from outside.
func StepForTest(o *Options, step func(name string) error) { o.step = step }

// Add, Root and Edge are those of a growing tree.
func (g *growth) Add(leaf tlog.Hash) error   { return g.add(leaf) }
func (g *growth) Root() (tlog.Hash, error)   { return g.root() }
func (g *growth) Edge() ([]tlog.Hash, error) { return g.edge() }

// GrowForTest is a tree of which only the frontier is known.
func GrowForTest(size int64, frontier []tlog.Hash) (*growth, error) { return grow(size, frontier, nil) }

// OpenReceipt checks a receipt of the ledger and says what it promises.
func OpenReceipt(receipt, origin string, known note.Verifiers) (uuid.UUID, tlog.Hash, error) {
	malformed := fmt.Errorf("opening a receipt: %w", ErrMalformed)
	n, err := note.Open([]byte(receipt), known)
	if err != nil {
		return uuid.Nil, tlog.Hash{}, malformed
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 {
		return uuid.Nil, tlog.Hash{}, malformed
	}
	id, err := uuid.Parse(lines[1])
	hash, hashErr := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || hashErr != nil || len(hash) != tlog.HashSize || n.Text != receiptText(origin, id, tlog.Hash(hash)) {
		return uuid.Nil, tlog.Hash{}, malformed
	}
	return id, tlog.Hash(hash), nil
}
