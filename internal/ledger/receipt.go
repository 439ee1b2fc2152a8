package ledger

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
)

// AppendWithReceipt is [Append] with the receipt for the entry, without another look at the
// database. The receipt may leave only after tx has committed.
func AppendWithReceipt(tx *database.Tx, e Entry) (id uuid.UUID, receipt string, err error) {
	w, err := writerOf(tx)
	if err != nil {
		return uuid.Nil, "", err
	}
	leaf, data, err := w.append(tx, e, "", nil)
	if err != nil {
		return uuid.Nil, "", err
	}
	receipt, err = w.receipt(leaf.ID, LeafHash(data))
	return leaf.ID, receipt, err
}

// Receipt promises that the entry is in the ledger, or will be within a second: a signed note over
// its id and its leaf's hash, which proves a removal even before the entry was sequenced. An entry
// that was not written by us gets none: ErrBadMAC. One that is not there is database.ErrNotFound.
func Receipt(tx *database.Tx, id uuid.UUID) (string, error) {
	w, err := writerOf(tx)
	if err != nil {
		return "", err
	}
	entries, err := fetch(tx.Context(), tx.DB(), []uuid.UUID{id})
	if err != nil {
		return "", err
	}
	e := entries[0]
	if e.leaf == nil {
		return "", fmt.Errorf("making a receipt: %w", database.ErrNotFound)
	}
	if err := e.check(w.origin, int(w.epoch.Load()), w.key.all); err != nil {
		return "", fmt.Errorf("making a receipt: %w", err)
	}
	return w.receipt(id, LeafHash(e.leaf))
}

func (w *Writer) receipt(id uuid.UUID, leaf tlog.Hash) (string, error) {
	by, err := signer(ReceiptName(w.origin), w.key.receipt)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: receiptText(w.origin, id, leaf)}, by)
	if err != nil {
		return "", fmt.Errorf("signing a receipt: %w", err)
	}
	return string(signed), nil
}

func receiptText(origin string, id uuid.UUID, leaf tlog.Hash) string {
	return ReceiptName(origin) + "\n" + id.String() + "\n" + leaf.String() + "\n"
}

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

// SignManifest signs the digest (SHA-256) of the manifest of an evidence pack with the key that signs
// receipts, so that nobody else can say who asked for a pack, why, and by which filters.
func SignManifest(db *database.DB, export uuid.UUID, digest [32]byte) (string, error) {
	w, ok := db.Attached(attachment{}).(*Writer)
	if !ok {
		return "", ErrNoWriter
	}
	by, err := signer(ReceiptName(w.origin), w.key.receipt)
	if err != nil {
		return "", err
	}
	signed, err := note.Sign(&note.Note{Text: manifestText(w.origin, export, digest)}, by)
	if err != nil {
		return "", fmt.Errorf("signing a manifest: %w", err)
	}
	return string(signed), nil
}

func manifestText(origin string, export uuid.UUID, digest [32]byte) string {
	return origin + "/export\n" + export.String() + "\n" + base64.StdEncoding.EncodeToString(digest[:]) + "\n"
}
