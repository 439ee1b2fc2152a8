package verify

import (
	"context"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// placeRow is a row of ledger_sequence.
type placeRow struct {
	epoch int
	index int64
	entry uuid.UUID
	leaf  []byte
}

// entryRow is a row of ledger_entries.
type entryRow struct {
	id         uuid.UUID
	at         time.Time
	kind       string
	format     int
	epoch      int
	leaf       []byte
	mac        []byte
	generation int
	partition  uint32 // the table's oid
}

// contentRow is a row of ledger_content. values are those of ledger.FieldNames, in their canonical
// form; details are the text of the JSON.
type contentRow struct {
	id        uuid.UUID
	at        time.Time
	kind      string
	values    [fields][]byte
	salts     []byte
	malformed string // a column that holds what no writer writes
	partition uint32
}

// pendingRow is a row of ledger_pending.
type pendingRow struct {
	entry uuid.UUID
	at    time.Time
}

// epochRow is a row of ledger_epochs.
type epochRow struct {
	epoch        int
	entry        uuid.UUID // the one that begins it; none for the first
	previousSize *int64
	previousRoot []byte
	keptSize     *int64
}

// headRow is the row of ledger_head.
type headRow struct {
	epoch    int
	size     int64
	root     []byte
	frontier []byte
}

// small is what is read whole: everything but entries, contents and places.
type small struct {
	heads      []headRow
	epochs     []epochRow
	pending    []pendingRow
	dropped    []string // months "2026-01" whose content an entry says was dropped
	partitions map[uint32]string
}

// source gives the rows of one moment. The three long ones come in batches, in order: places by
// epoch and index, entries and contents by id; an empty batch is the end.
type source interface {
	small(ctx context.Context) (small, error)
	places(ctx context.Context) ([]placeRow, error)
	entries(ctx context.Context) ([]entryRow, error)
	contents(ctx context.Context) ([]contentRow, error)
}

func hashOf(b []byte) (tlog.Hash, bool) {
	if len(b) != tlog.HashSize {
		return tlog.Hash{}, false
	}
	return tlog.Hash(b), true
}
