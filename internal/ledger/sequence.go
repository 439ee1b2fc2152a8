package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"lethe/internal/database"
)

// batch is what one transaction sequenced.
type batch struct {
	epoch  int
	from   int64
	leaves [][]byte
}

// treeHead is the row of ledger_head.
type treeHead struct {
	Head
	epoch    int
	frontier []tlog.Hash
}

// readHead reads the row. With SKIP LOCKED, while another one has the lock, it is the zero head.
func readHead(ctx context.Context, g *gorm.DB, origin, lock string) (treeHead, error) {
	var h headRow
	err := g.Statement.ConnPool.QueryRowContext(ctx, "SELECT epoch, size, root, frontier FROM ledger_head "+lock).
		Scan(&h.epoch, &h.size, &h.root, &h.frontier)
	if errors.Is(err, sql.ErrNoRows) {
		return treeHead{}, nil
	}
	if err != nil {
		return treeHead{}, database.Wrap("reading the ledger's head", err)
	}
	return h.head(origin)
}

// headRow is the row of ledger_head.
type headRow struct {
	epoch          int
	size           int64
	root, frontier []byte
}

func (r headRow) head(origin string) (treeHead, error) {
	if len(r.root) != tlog.HashSize {
		return treeHead{}, fmt.Errorf("reading the ledger's head: %w", ErrMalformed)
	}
	return treeHead{
		Head: Head{Origin: TreeName(origin, r.epoch), Size: r.size, Root: tlog.Hash(r.root)}, epoch: r.epoch, frontier: splitHashes(r.frontier),
	}, nil
}

// sequence takes one batch out of the queue, in one transaction. The head it returns is committed;
// it is the zero head if there was nothing to do or another sequencer was at it.
func (s *Sequencer) sequence(ctx context.Context) (head treeHead, more bool, err error) {
	var taken *batch
	err = database.Run(ctx, s.db, func(tx *database.Tx) error {
		head, more, taken = treeHead{}, false, nil
		// The tables grow from nothing to millions of rows without the plans of this connection being
		// made anew: none of them may be to read a whole table.
		if err := tx.DB().Exec("SET LOCAL enable_seqscan = off").Error; err != nil {
			return database.Hide(err)
		}
		h, err := readHead(ctx, tx.DB(), s.o.Origin, "FOR UPDATE SKIP LOCKED")
		if err != nil || h.Origin == "" {
			return err
		}
		// The lock came after the last look, and while it is held nothing more is signed.
		signed, err := s.signed(ctx)
		if err != nil {
			return err
		}
		if err := s.admits(signed, h); err != nil {
			return err
		}
		if signed.epoch < h.epoch && !s.o.Rebuild {
			return nil // an epoch began in between: its empty tree is signed first
		}
		entries, ids, full, err := s.take(ctx, tx.DB(), h)
		if err != nil {
			return err
		}
		more = full
		if len(entries) == 0 {
			return nil
		}
		taken = &batch{epoch: h.epoch, from: h.Size, leaves: entries}
		head, err = s.extend(ctx, tx.DB(), h, taken, ids)
		if err != nil {
			return err
		}
		return s.o.step("ledger.before_commit")
	})
	if err != nil {
		return treeHead{}, false, fmt.Errorf("sequencing: %w", err)
	}
	s.last = taken
	return head, more, nil
}

// signedHead is the newest checkpoint of the newest epoch that the folder knows.
type signedHead struct {
	Head
	epoch int // 0: the folder is empty
	ok    bool
}

func (s *Sequencer) signed(ctx context.Context) (signedHead, error) {
	epochs, err := s.storage.Epochs()
	if err != nil || len(epochs) == 0 {
		return signedHead{}, err
	}
	h := signedHead{epoch: epochs[len(epochs)-1]}
	h.Head, h.ok, err = s.open(ctx, s.storage.Log(h.epoch))
	return h, err
}

// open is the newest checkpoint that the log signed; false before the first. One that was checked
// before is not checked again.
func (s *Sequencer) open(ctx context.Context, log *Log) (Head, bool, error) {
	signed, err := log.Signed(ctx)
	if err != nil || signed == nil {
		return Head{}, false, err
	}
	if bytes.Equal(signed, s.checked.signed) {
		return s.checked.head, true, nil
	}
	head, err := log.check(signed, s.o.Origin, s.keys)
	if err != nil {
		return Head{}, false, err
	}
	s.checked.signed, s.checked.head = signed, head
	return head, true, nil
}

// admits refuses a database that holds less than what was signed before it was read, or something
// else.
func (s *Sequencer) admits(signed signedHead, h treeHead) error {
	known := signed.ok && signed.epoch == h.epoch
	switch {
	case signed.epoch > h.epoch:
		return ErrRolledBack
	case !known && h.Size > 0 && !s.o.Rebuild:
		return ErrStorageLost
	case known && signed.Size > h.Size:
		return ErrRolledBack
	case known && signed.Size == h.Size && signed.Root != h.Root:
		return ErrInconsistent
	}
	return nil
}

// take reads a page of the queue, and leaves out what was not written by us: that stays, and is
// looked at again with each pass.
func (s *Sequencer) take(ctx context.Context, g *gorm.DB, h treeHead) (leaves [][]byte, good []string, full bool, err error) {
	ids, placed, err := s.page(ctx, g, h)
	if err != nil {
		return nil, nil, false, err
	}
	first := h.Size == 0 && h.epoch > 1
	full = len(ids) == s.o.Batch || first
	entries, err := fetch(ctx, g, ids)
	if err != nil {
		return nil, nil, false, err
	}
	refused := map[uuid.UUID]bool{}
	for i, e := range entries {
		if placed[i] || e.check(s.o.Origin, h.epoch, s.keys) != nil {
			refused[e.id] = true
			continue
		}
		leaves, good = append(leaves, e.leaf), append(good, e.id.String())
	}
	if s.next = uuid.Nil; full && !first {
		s.next = successor(ids[len(ids)-1])
	}
	s.refuse(refused)
	return leaves, good, full, nil
}

// page reads the ids of the queue, oldest first, and which of them have a place already. A later
// epoch begins with the entry that says so, alone.
func (s *Sequencer) page(ctx context.Context, g *gorm.DB, h treeHead) (ids []uuid.UUID, placed []bool, err error) {
	from := s.oldest
	if s.next != uuid.Nil {
		from = s.next
	}
	rows, err := g.Statement.ConnPool.QueryContext(ctx, `
		SELECT entry_id::text, EXISTS (SELECT FROM ledger_sequence AS s WHERE s.entry_id = p.entry_id)
		FROM (SELECT entry_id FROM ledger_pending WHERE entry_id >= $1
			AND ($3 OR entry_id = (SELECT e.entry_id FROM ledger_epochs AS e WHERE e.epoch = $4)) ORDER BY entry_id LIMIT $2) AS p
		ORDER BY p.entry_id`, from, s.o.Batch, h.Size > 0 || h.epoch == 1, h.epoch)
	if err != nil {
		return nil, nil, database.Wrap("reading the ledger's queue", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		var has bool
		if err := rows.Scan(&text, &has); err != nil {
			return nil, nil, database.Wrap("reading the ledger's queue", err)
		}
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the ledger's queue: %w", ErrMalformed)
		}
		ids, placed = append(ids, id), append(placed, has)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, nil, database.Wrap("reading the ledger's queue", err)
	}
	return ids, placed, nil
}

// refuse raises the alarm for each entry once.
func (s *Sequencer) refuse(ids map[uuid.UUID]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range ids {
		if !s.refused[id] {
			s.o.Log.Error("an entry of the ledger is refused", "entry_id", id, "error", ErrBadMAC)
			s.refused[id] = true
		}
	}
	s.status.Refused = len(s.refused)
}

// extend gives a batch its places and moves the head.
func (s *Sequencer) extend(ctx context.Context, g *gorm.DB, h treeHead, b *batch, ids []string) (treeHead, error) {
	tree, err := grow(h.Size, h.frontier, nil)
	if err != nil {
		return treeHead{}, err
	}
	if root, err := tree.root(); err != nil || root != h.Root {
		return treeHead{}, errors.Join(ErrInconsistent, err)
	}
	hashes := make([][]byte, len(b.leaves))
	for i, leaf := range b.leaves {
		hash := LeafHash(leaf)
		hashes[i] = hash[:]
		if err := tree.add(hash); err != nil {
			return treeHead{}, err
		}
	}
	next := treeHead{Head: Head{Origin: h.Origin, Size: tree.size}, epoch: h.epoch}
	if next.Root, err = tree.root(); err != nil {
		return treeHead{}, err
	}
	if next.frontier, err = tree.edge(); err != nil {
		return treeHead{}, err
	}
	return next, store(ctx, g, h, next, ids, hashes)
}

func store(ctx context.Context, g *gorm.DB, h, next treeHead, ids []string, hashes [][]byte) error {
	for _, statement := range []struct {
		rows int
		sql  string
		args []any
	}{
		{len(ids), `INSERT INTO ledger_sequence (epoch, index, entry_id, leaf_hash)
			SELECT $1, $2::bigint + place - 1, id, hash FROM unnest($3::uuid[], $4::bytea[]) WITH ORDINALITY AS u (id, hash, place)`,
			[]any{h.epoch, h.Size, ids, hashes}},
		{len(ids), "DELETE FROM ledger_pending AS p USING unnest($1::uuid[]) AS u (id) WHERE p.entry_id = u.id", []any{ids}},
		{1, "UPDATE ledger_head SET size = $1, root = $2, frontier = $3, at = lethe_now() WHERE epoch = $4 AND size = $5",
			[]any{next.Size, next.Root[:], joinHashes(next.frontier), h.epoch, h.Size}},
	} {
		result, err := g.Statement.ConnPool.ExecContext(ctx, statement.sql, statement.args...)
		if err != nil {
			return database.Wrap("storing the sequence", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != int64(statement.rows) {
			return fmt.Errorf("storing the sequence: %w", database.ErrChanged)
		}
	}
	return nil
}

// MakePartitions makes the partitions of the coming months.
func MakePartitions(ctx context.Context, db *database.DB) error {
	// Each call makes those of one table in its own transaction, so that no reader of both can be in a
	// deadlock with it.
	for made := 1; made > 0; {
		err := database.Run(ctx, db, func(tx *database.Tx) error {
			// Whoever reads the default partition for long is not worth waiting for: everybody else would
			// queue up behind.
			if err := tx.DB().Exec("SET LOCAL lock_timeout = '1s'").Error; err != nil {
				return err
			}
			return tx.DB().Raw("SELECT ledger_make_partitions(?)", partitionsAhead).Scan(&made).Error
		})
		if err != nil {
			return database.Wrap("making partitions", err)
		}
	}
	return nil
}
