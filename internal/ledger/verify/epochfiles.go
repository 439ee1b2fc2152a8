package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
)

// largestBundle is how many bytes an entry bundle may have.
const largestBundle = tileWidth * (2 + 0xffff)

// epochFiles goes through the entry bundles of one epoch, up to its newest checkpoint, and compares the
// tiles of every level, and the checkpoints, with what the leaves hash to.
type epochFiles struct {
	report *Report
	origin string
	epoch  int
	dir    string
	head   policy.Checkpoint
	marks  []mark                             // beside the newest
	met    func(id uuid.UUID, leaf tlog.Hash) // is told of each leaf
	seen   map[uuid.UUID]bool                 // the entries so far; nil: whoever calls looks for double ones
	levels []level                            // of tiles
	tree   tree
}

// level is one level of tiles.
type level struct {
	tiles  int64
	hashes []tlog.Hash // of the tile that is not complete yet
}

func newEpochFiles(r *Report, origin string, epoch int, dir string, head policy.Checkpoint) *epochFiles {
	return &epochFiles{report: r, origin: origin, epoch: epoch, dir: dir, head: head}
}

func (f *epochFiles) name(path string) string { return fmt.Sprintf("%d/%s", f.epoch, path) }

// check says how many leaves there are; it stops at the first file that is wrong.
func (f *epochFiles) check() int64 {
	marks := sortedMarks(append([]mark{{f.head.Size, f.head.Root, f.name(newestName)}}, f.marks...))
	for _, m := range marks {
		if m.size > f.head.Size {
			f.report.add(Problem{Code: Truncated, Epoch: f.epoch, Size: &m.size, File: m.file})
		}
	}
	for n := int64(0); ; n++ {
		for len(marks) > 0 && marks[0].size <= f.tree.size {
			m := marks[0]
			if marks = marks[1:]; m.size == f.tree.size && m.root != f.tree.root() {
				f.report.add(Problem{Code: ForkedFrom, Epoch: f.epoch, Size: &m.size, File: m.file})
				return f.tree.size
			}
		}
		if f.tree.size >= f.head.Size {
			break
		}
		if !f.next(n, marks) {
			return f.tree.size
		}
	}
	for n := range f.levels {
		if len(f.levels[n].hashes) > 0 && !f.compare(n) {
			break
		}
	}
	return f.tree.size
}

// next reads one bundle, up to the next checkpoint in it first.
func (f *epochFiles) next(n int64, marks []mark) bool {
	from := n * tileWidth
	width := int(min(tileWidth, f.head.Size-from))
	name, data, whole := f.tile(ledger.EntriesLevel, n, width, largestBundle)
	if name == "" {
		return false
	}
	leaves := 0
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) || leaves == whole {
			return f.damaged(name)
		}
		raw := data[2 : 2+int(binary.BigEndian.Uint16(data))]
		data = data[2+len(raw):]
		if leaves++; leaves > width {
			continue // of the full bundle only what the checkpoint covers is of interest
		}
		if !f.leaf(raw, name) {
			return false
		}
		for len(marks) > 0 && marks[0].size < f.tree.size {
			marks = marks[1:]
		}
		for _, m := range marks {
			if m.size != f.tree.size {
				break
			}
			if m.root != f.tree.root() {
				f.report.add(Problem{Code: ForkedFrom, Epoch: f.epoch, Size: &m.size, File: m.file})
				return false
			}
		}
	}
	if leaves != whole {
		return f.damaged(name)
	}
	return true
}

func (f *epochFiles) damaged(name string) bool {
	f.report.add(Problem{Code: DamagedTiles, Epoch: f.epoch, File: name})
	return false
}

// leaf checks one leaf and puts it into the tree and its tiles.
func (f *epochFiles) leaf(raw []byte, file string) bool {
	index := f.tree.size
	l, ok := parseLeaf(raw)
	wrong := func(code Code, field string) bool {
		f.report.add(Problem{Code: code, Epoch: f.epoch, Index: &index, EntryID: &l.id, Field: field, File: file})
		return false
	}
	switch {
	case !ok || string(l.origin) != f.origin || l.epoch > f.epoch:
		return wrong(ChangedLeaf, "leaf")
	case f.seen[l.id]:
		return wrong(DuplicateIndex, "id")
	case index == 0 && f.epoch > 1 && (string(l.kind) != string(ledger.KindLedger) || l.epoch != f.epoch):
		return wrong(WrongEpoch, "kind")
	}
	if f.seen != nil {
		f.seen[l.id] = true
	}
	hash := tlog.RecordHash(raw)
	if f.met != nil {
		f.met(l.id, hash)
	}
	f.tree.add(hash)
	return f.grow(0, hash)
}

// grow adds a hash to a level of tiles; a complete one is compared, and its root is one of the next level.
func (f *epochFiles) grow(n int, hash tlog.Hash) bool {
	if n == len(f.levels) {
		f.levels = append(f.levels, level{})
	}
	l := &f.levels[n]
	if l.hashes = append(l.hashes, hash); len(l.hashes) < tileWidth {
		return true
	}
	if !f.compare(n) {
		return false
	}
	root := tree{}
	for _, h := range l.hashes {
		root.add(h)
	}
	l.tiles, l.hashes = l.tiles+1, l.hashes[:0]
	return f.grow(n+1, root.root())
}

// compare holds a tile against the hashes that should be in it.
func (f *epochFiles) compare(n int) bool {
	l := &f.levels[n]
	name, data, whole := f.tile(n, l.tiles, len(l.hashes), tileWidth*tlog.HashSize)
	if name == "" {
		return false
	}
	if len(data) != whole*tlog.HashSize {
		return f.damaged(name)
	}
	for i, h := range l.hashes {
		if tlog.Hash(data[i*tlog.HashSize:]) != h {
			return f.damaged(name)
		}
	}
	return true
}

// tile reads the tile with so many of 256: the partial one, or else the full one, which begins with it.
// No name means that it was told what is wrong.
func (f *epochFiles) tile(level int, n int64, width int, most int64) (name string, data []byte, whole int) {
	for _, whole = range []int{width, tileWidth} {
		path := ledger.TilePath(level, n, whole)
		data, err := readFile(filepath.Join(f.dir, filepath.FromSlash(path)), most)
		if err == nil {
			return f.name(path), data, whole
		}
		if !errors.Is(err, fs.ErrNotExist) {
			f.damaged(f.name(path))
			return "", nil, 0
		}
	}
	f.report.add(Problem{Code: MissingFile, Epoch: f.epoch, File: f.name(ledger.TilePath(level, n, width))})
	return "", nil, 0
}
