package verify

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/strict"
)

// The names of an epoch's checkpoints.
const (
	newestName    = "checkpoint"
	witnessedName = "checkpoint.witnessed"
)

// Folder verifies the ledger's folder by itself, against the policy, checkpoints and receipts of e, and
// packs that hold the first entries of later epochs, for how the epochs before them ended. An error means
// that there is no such folder.
func Folder(dir string, e Evidence, packs ...string) (*Report, error) {
	if e.Policy == nil {
		return nil, errors.New("a folder is verified against a policy")
	}
	c := &folder{
		dir: dir, policy: e.Policy, report: &Report{Origin: e.Policy.Origin, Problems: []Problem{}, Files: true},
		marks: map[int][]mark{}, ends: map[int]beginning{}, held: map[receipt]string{},
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's folder: %w", err)
	}
	if err := c.told(e, packs); err != nil {
		return nil, err
	}
	c.count(names)
	for epoch := 1; epoch <= c.epochs; epoch++ {
		c.epoch(epoch)
	}
	for r, file := range c.held {
		c.report.add(Problem{Code: ReceiptMissing, EntryID: &r.id, File: file})
	}
	return c.report, nil
}

// folder is one that is being verified.
type folder struct {
	dir    string
	policy *policy.Policy
	report *Report
	epochs int
	marks  map[int][]mark     // by epoch: checkpoints that were held
	ends   map[int]beginning  // by epoch: how it ended, as a pack's first entry of the next one says
	held   map[receipt]string // the files of receipts whose entries were not met yet
}

// receipt is what one promises.
type receipt struct {
	id   uuid.UUID
	leaf tlog.Hash
}

// told takes over what is known from elsewhere.
func (c *folder) told(e Evidence, packs []string) error {
	for _, h := range e.Checkpoints {
		head, err := c.policy.Witnessed(h.Content)
		if err != nil {
			c.report.add(Problem{Code: BadCheckpoint, File: h.File, Field: reason(err)})
			continue
		}
		c.marks[head.Epoch] = append(c.marks[head.Epoch], mark{head.Size, head.Root, h.File})
	}
	for _, h := range e.Receipts {
		id, leaf, ok := c.policy.Receipt(h.Content)
		if !ok {
			c.report.add(Problem{Code: BadReceipt, File: h.File})
			continue
		}
		c.held[receipt{id, leaf}] = h.File
		c.report.Receipts++
	}
	for _, path := range packs {
		p, err := openPack(path, Evidence{Policy: c.policy})
		if err != nil {
			return err
		}
		if !p.report.OK() {
			c.report.add(Problem{Code: BadPack, File: path})
			for _, problem := range p.report.Problems {
				c.report.add(problem)
			}
			continue
		}
		c.marks[p.head.Epoch] = append(c.marks[p.head.Epoch], mark{p.head.Size, p.head.Root, path})
		if p.begun != nil {
			c.ends[p.head.Epoch-1] = *p.begun
		}
	}
	return nil
}

// count counts the epochs of the folder, from 1 on without a gap.
func (c *folder) count(names []fs.DirEntry) {
	there := map[int]bool{}
	for _, name := range names {
		if n, ok := strict.Decimal(name.Name()); ok && n >= 1 && n <= strict.LargestEpoch {
			there[int(n)] = true
		}
	}
	for c.epochs = 1; there[c.epochs]; c.epochs++ {
	}
	if c.epochs--; c.epochs < len(there) || c.epochs == 0 {
		c.report.add(Problem{Code: MissingFile, File: strconv.Itoa(c.epochs + 1)})
	}
	for epoch, marks := range c.marks {
		if epoch > c.epochs {
			c.report.add(Problem{Code: Truncated, Epoch: epoch, Size: &marks[0].size, File: marks[0].file})
		}
	}
}

// epoch checks the tree of one epoch against all its checkpoints.
func (c *folder) epoch(epoch int) {
	dir := filepath.Join(c.dir, strconv.Itoa(epoch))
	newest, witnessed, ok := c.heads(epoch, dir)
	if !ok {
		return
	}
	c.ended(epoch, newest)
	f := newEpochFiles(c.report, c.policy.Origin, epoch, dir, newest)
	f.seen = map[uuid.UUID]bool{}
	if witnessed != nil {
		f.marks = append(f.marks, mark{witnessed.Size, witnessed.Root, f.name(witnessedName)})
	}
	f.marks = append(f.marks, c.marks[epoch]...)
	f.met = func(id uuid.UUID, leaf tlog.Hash) { delete(c.held, receipt{id, leaf}) }
	t := Tree{Epoch: epoch, Size: newest.Size, Root: newest.Root.String(), Signed: newest.Size}
	for _, m := range f.marks {
		t.Witnessed = max(t.Witnessed, m.size)
	}
	if len(newest.Cosigned) > 0 && len(newest.Cosigned) >= c.policy.Quorum {
		t.Witnessed = newest.Size
	}
	c.report.Trees = append(c.report.Trees, t)
	c.report.Unprotected += max(0, newest.Size-t.Witnessed)
	n := f.check()
	c.report.Entries += n
	c.report.Sequenced += n
}

// heads reads the two checkpoints of an epoch. The witnessed one comes first: the other may grow.
func (c *folder) heads(epoch int, dir string) (newest policy.Checkpoint, witnessed *policy.Checkpoint, ok bool) {
	ok = true
	read := func(name string, accept func([]byte) (policy.Checkpoint, error)) *policy.Checkpoint {
		file := fmt.Sprintf("%d/%s", epoch, name)
		raw, err := readFile(filepath.Join(dir, name), strict.LargestNote)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		head, accepted := policy.Checkpoint{}, policy.ErrCheckpoint
		if err == nil {
			head, accepted = accept(raw)
		}
		if accepted == nil && head.Epoch != epoch {
			accepted = policy.ErrOtherLog
		}
		if accepted != nil {
			c.report.add(Problem{Code: BadCheckpoint, Epoch: epoch, File: file, Field: reason(accepted)})
			ok = false
			return nil
		}
		return &head
	}
	witnessed = read(witnessedName, c.policy.Witnessed)
	signed := read(newestName, c.policy.Signed)
	if !ok {
		return newest, nil, false
	}
	if signed == nil {
		c.report.add(Problem{Code: MissingFile, Epoch: epoch, File: fmt.Sprintf("%d/%s", epoch, newestName)})
		return newest, nil, false
	}
	if witnessed == nil && c.policy.Quorum > 0 && signed.Size > 0 {
		c.report.add(Problem{Code: MissingFile, Epoch: epoch, File: fmt.Sprintf("%d/%s", epoch, witnessedName)})
	}
	return *signed, witnessed, true
}

// ended compares the checkpoints of an epoch that ended with what the next one's first entry says of it.
func (c *folder) ended(epoch int, newest policy.Checkpoint) {
	if epoch == c.epochs {
		return
	}
	b, known := c.ends[epoch]
	if !known {
		c.report.add(Problem{Code: NotCompared, Epoch: epoch, Size: &newest.Size, File: fmt.Sprintf("%d/%s", epoch, newestName)})
		return
	}
	file := fmt.Sprintf("%d/%s", epoch, newestName)
	if c.report.ended(b, newest, file); newest.Size < b.previousSize {
		c.report.add(Problem{Code: Truncated, Epoch: epoch, Size: &b.previousSize, File: file})
	}
}

// notRegular says that something stands where a file should.
var errNotRegular = errors.New("no regular file")

// readFile reads a file that has at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // told apart by the caller, and not shown
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, errNotRegular
	}
	return os.ReadFile(path) //nolint:wrapcheck // as above
}

// sortedMarks are checkpoints in the order of their sizes.
func sortedMarks(marks []mark) []mark {
	return slices.SortedStableFunc(slices.Values(marks), func(a, b mark) int { return cmp.Compare(a.size, b.size) })
}
