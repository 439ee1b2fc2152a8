package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
)

// publish brings the folder to the committed head and signs it. Tiles are written of committed
// entries alone, and always the same for the same entries: what a dead or slow process left
// is written over. The signature comes last, over a tree that was computed from the one
// signed before; if it is not the database's, nothing is signed.
// It says whether everything up to head is signed: not while another process is at it.
func (s *Sequencer) publish(ctx context.Context, head treeHead) (done bool, err error) {
	log := s.storage.Log(head.epoch)
	unlock, err := log.lock("publishing", syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, errBusy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unlock()
	signed, ok, err := s.open(ctx, log)
	if err != nil {
		return false, err
	}
	if !ok {
		// The empty tree is signed before the first leaf: from then on a folder without a checkpoint
		// means that the folder was lost.
		signed = Head{Origin: head.Origin, Root: emptyRoot}
		if head.Size == 0 {
			return true, s.sign(ctx, log, signed)
		}
	}
	if signed.Size >= head.Size {
		s.note(signed, false)
		return true, nil
	}
	full, err := s.fill(ctx, log, signed, head)
	if err != nil {
		return false, err
	}
	if err := s.o.step("ledger.before_sign"); err != nil {
		return false, err
	}
	if err := s.sign(ctx, log, head.Head); err != nil {
		return false, err
	}
	if err := s.o.step("ledger.signed"); err != nil {
		return false, err
	}
	for _, path := range full { // whoever wants a part finds the whole
		_ = os.RemoveAll(filepath.Join(log.dir, path+".p"))
	}
	return true, nil
}

// emptyRoot is the root of a tree without leaves, SHA-256 of nothing (RFC 6962, section 2.1).
var emptyRoot, _ = tlog.TreeHash(0, nil)

func (s *Sequencer) sign(ctx context.Context, log *Log, head Head) error {
	if err := log.sign(ctx, s.o.Origin, s.keys, head); err != nil {
		return err
	}
	s.note(head, true)
	return nil
}

func (s *Sequencer) note(head Head, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now || head.Size != s.status.Size {
		s.status.SignedAt = time.Now()
	}
	s.status.Size = head.Size
}

// fillChunk is how many leaves are held in memory at once when a folder has to catch up.
const fillChunk = 1 << 16

// fill writes the tiles and bundles between two heads, and says which are complete now.
func (s *Sequencer) fill(ctx context.Context, log *Log, signed Head, head treeHead) (full []string, err error) {
	for at := signed; at.Size < head.Size; {
		to := min(head.Size, at.Size+fillChunk)
		leaves, err := s.leaves(ctx, head.epoch, at.Size, to)
		if err != nil {
			return nil, err
		}
		next, paths, err := s.fillChunk(ctx, log, at, head.epoch, leaves)
		if err != nil {
			return nil, err
		}
		at, full = next, append(full, paths...)
		if at.Size == head.Size && at.Root != head.Root {
			return nil, ErrInconsistent
		}
	}
	return full, nil
}

func (s *Sequencer) fillChunk(ctx context.Context, log *Log, at Head, epoch int, leaves [][]byte) (Head, []string, error) {
	base := log.Hashes(at.Size, at.Root)
	frontier, err := base.ReadHashes(frontierIndexes(at.Size))
	if err != nil {
		return Head{}, nil, fmt.Errorf("reading the signed tree: %w", errors.Join(ErrInconsistent, err))
	}
	tree, err := grow(at.Size, frontier, base)
	if err != nil {
		return Head{}, nil, err
	}
	for _, leaf := range leaves {
		if err := tree.add(LeafHash(leaf)); err != nil {
			return Head{}, nil, err
		}
	}
	files, full, err := s.tiles(ctx, log, at.Size, epoch, tree, leaves)
	if err != nil {
		return Head{}, nil, err
	}
	if err := s.o.step("ledger.before_tiles"); err != nil {
		return Head{}, nil, err
	}
	if err := writeAll(files); err != nil {
		return Head{}, nil, err
	}
	next := Head{Origin: at.Origin, Size: tree.size}
	next.Root, err = tree.root()
	return next, full, err
}

// tiles are the files that leaves, which begin at from, make new.
func (s *Sequencer) tiles(ctx context.Context, log *Log, from int64, epoch int, tree *growth, leaves [][]byte) (files []file, full []string, err error) {
	add := func(level int, n int64, width int, content []byte) {
		path := TilePath(level, n, width)
		if files = append(files, file{filepath.Join(log.dir, path), content}); width == tileWidth {
			full = append(full, path)
		}
	}
	start := from &^ (tileWidth - 1)
	earlier, err := s.earlier(ctx, log, epoch, start, from, tree)
	if err != nil {
		return nil, nil, err
	}
	all := slices.Concat(earlier, leaves)
	for i := 0; i < len(all); i += tileWidth {
		part := all[i:min(i+tileWidth, len(all))]
		add(EntriesLevel, start/tileWidth+int64(i/tileWidth), len(part), MarshalBundle(part))
	}
	for _, t := range tlog.NewTiles(tileHeight, from, tree.size) {
		data, err := tlog.ReadTileData(t, tree)
		if err != nil {
			return nil, nil, fmt.Errorf("making a tile: %w", err)
		}
		add(t.L, t.N, t.W, data)
	}
	return files, full, nil
}

// earlier are the leaves that the first bundle already has: from the folder if they are what the
// tree says, else from the database.
func (s *Sequencer) earlier(ctx context.Context, log *Log, epoch int, start, from int64, tree *growth) ([][]byte, error) {
	if start == from {
		return nil, nil
	}
	leaves, err := log.Leaves(start/tileWidth, int(from-start))
	if err == nil && matches(leaves, start, tree) {
		return leaves, nil
	}
	if leaves, err = s.stored(ctx, epoch, start, from); err != nil {
		return nil, err
	}
	if !matches(leaves, start, tree) {
		return nil, ErrInconsistent
	}
	return leaves, nil
}

func matches(leaves [][]byte, start int64, tree *growth) bool {
	indexes := make([]int64, len(leaves))
	for i := range leaves {
		indexes[i] = tlog.StoredHashIndex(0, start+int64(i))
	}
	hashes, err := tree.ReadHashes(indexes)
	if err != nil {
		return false
	}
	for i, leaf := range leaves {
		if LeafHash(leaf) != hashes[i] {
			return false
		}
	}
	return true
}

// leaves are those of committed entries, from memory if this process has just sequenced them.
func (s *Sequencer) leaves(ctx context.Context, epoch int, from, to int64) ([][]byte, error) {
	if b := s.last; b != nil && b.epoch == epoch && b.from <= from && to <= b.from+int64(len(b.leaves)) {
		return b.leaves[from-b.from : to-b.from], nil
	}
	return s.stored(ctx, epoch, from, to)
}

// stored reads leaves from the database, and checks again that they were written by us.
func (s *Sequencer) stored(ctx context.Context, epoch int, from, to int64) ([][]byte, error) {
	g := s.db.Read(ctx)
	var texts []string
	err := g.Raw("SELECT entry_id::text FROM ledger_sequence WHERE epoch = ? AND index >= ? AND index < ? ORDER BY index", epoch, from, to).Scan(&texts).Error
	if err != nil {
		return nil, database.Wrap("reading the sequence", err)
	}
	if int64(len(texts)) != to-from {
		return nil, ErrInconsistent
	}
	ids := make([]uuid.UUID, len(texts))
	for i, text := range texts {
		if ids[i], err = uuid.Parse(text); err != nil {
			return nil, fmt.Errorf("reading the sequence: %w", ErrMalformed)
		}
	}
	entries, err := fetch(ctx, g, ids)
	if err != nil {
		return nil, err
	}
	leaves := make([][]byte, len(entries))
	for i, e := range entries {
		if err := e.check(s.o.Origin, epoch, s.keys); err != nil {
			return nil, err
		}
		leaves[i] = e.leaf
	}
	return leaves, nil
}
