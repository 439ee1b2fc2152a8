package ledger

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
)

// BeginEpoch gives up what a restore has lost for good: the tree of the current epoch ends with what
// was signed, and a new one begins, whose first entry says so. e is that entry's reason and actor;
// kind, action and details are set here. Two people have approved it before. It needs the rights of
// the owner of the tables, and a database that holds a beginning of what was signed: anything else
// is no restore but tampering, ErrInconsistent.
func BeginEpoch(tx *database.Tx, storage *Storage, e Entry) (epoch int, id uuid.UUID, err error) {
	w, err := writerOf(tx)
	if err != nil {
		return 0, uuid.Nil, err
	}
	head, err := readHead(tx.Context(), tx.DB(), w.origin, "FOR UPDATE")
	if err != nil {
		return 0, uuid.Nil, err
	}
	signed, err := lost(tx, storage, w, head)
	if err != nil {
		return 0, uuid.Nil, fmt.Errorf("beginning an epoch: %w", err)
	}
	epoch = head.epoch + 1
	r := tx.DB().Exec("UPDATE ledger_head SET epoch = ?, size = 0, root = ?, frontier = '', at = lethe_now()", epoch, emptyRoot[:])
	if err := database.UpdateOne(r); err != nil {
		return 0, uuid.Nil, fmt.Errorf("beginning an epoch: %w", err)
	}
	e.Kind, e.Action = KindLedger, ActionEpochBegun
	e.Details = map[string]string{
		DetailEpoch: strconv.Itoa(epoch), DetailPreviousSize: strconv.FormatInt(signed.Size, 10),
		DetailPreviousRoot: signed.Root.String(), DetailKeptSize: strconv.FormatInt(head.Size, 10),
	}
	if id, err = Append(tx, e); err != nil {
		return 0, uuid.Nil, err
	}
	err = tx.DB().Exec("INSERT INTO ledger_epochs (epoch, entry_id, previous_size, previous_root, kept_size) VALUES (?, ?, ?, ?, ?)",
		epoch, id, signed.Size, signed.Root[:], head.Size).Error
	if err != nil {
		return 0, uuid.Nil, database.Wrap("beginning an epoch", err)
	}
	return epoch, id, nil
}

// lost is what was signed of the current epoch, of which the database must be a beginning.
func lost(tx *database.Tx, storage *Storage, w *Writer, head treeHead) (Head, error) {
	log := storage.Log(head.epoch)
	signed, ok, err := log.signedHead(tx.Context(), w.origin, w.key.all)
	if err != nil {
		return Head{}, err
	}
	if !ok {
		return Head{}, ErrStorageLost
	}
	switch {
	case head.Size > signed.Size:
		return Head{}, ErrInconsistent
	case head.Size == signed.Size && head.Root == signed.Root:
		return Head{}, ErrNothingLost
	}
	root, err := tlog.TreeHash(head.Size, log.Hashes(signed.Size, signed.Root))
	if err != nil || root != head.Root {
		return Head{}, ErrInconsistent
	}
	return signed, nil
}
