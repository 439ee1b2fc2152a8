package ledger

import (
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
)

// AppendWithReceipt is [AppendWith] with the receipt for the entry, without another look at the
// database; insert may be empty. The receipt may leave only after tx has committed.
func AppendWithReceipt(tx *database.Tx, e Entry, insert string, args ...any) (id uuid.UUID, receipt string, err error) {
	w, err := writerOf(tx)
	if err != nil {
		return uuid.Nil, "", err
	}
	leaf, data, err := w.append(tx, e, insert, args)
	if err != nil {
		return uuid.Nil, "", err
	}
	receipt, err = w.receipt(leaf.ID, LeafHash(data))
	return leaf.ID, receipt, err
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
