package verify

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/ledger"
)

// finish looks at what found no other half, and at the database's own idea of its head and epochs.
func (c *checker) finish() {
	for _, p := range sorted(c.placed, func(p placeRow) uuid.UUID { return p.entry }) {
		index := p.index
		c.report.add(Problem{Code: MissingEntry, Epoch: p.epoch, Index: &index, EntryID: &p.entry, Partition: c.expected("ledger_entries", timeOf(p.entry))})
	}
	c.pending()
	for id, e := range c.waiting {
		c.report.add(Problem{Code: Unsequenced, Epoch: e.epoch, EntryID: &id, Partition: c.table(e.partition)})
	}
	c.epochs()
	c.restOfTiles()
	c.missingFiles()
	for id := range c.held {
		c.report.add(Problem{Code: ReceiptMissing, EntryID: &id, Partition: c.expected("ledger_entries", timeOf(id))})
	}
	c.head()
	c.dropped()
	for epoch, marks := range c.marks {
		c.beyond(epoch, marks)
	}
	c.sum()
}

// tenYears is how long content is kept at least, counted from the end of its month.
const tenYears = 10

// keptUntil is until when the content of an entry of an instant must be there: ten years from the end
// of its month, UTC.
func keptUntil(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(tenYears, 1, 0)
}

// dropped accepts months without content only if an entry of the ledger names them, written when
// their time had come.
func (c *checker) dropped() {
	for month := range c.without {
		first, err := time.Parse("2006-01", month)
		named := false
		for id, own := range c.own {
			due := !timeOf(id).Before(keptUntil(first))
			named = named || own.action == ledger.ActionContentDropped && own.details[ledger.DetailMonth] == month && due
		}
		if err != nil || !named {
			c.report.add(Problem{Code: MissingContent, Field: month, Partition: "ledger_content_" + strings.ReplaceAll(month, "-", "_")})
			continue
		}
		c.report.Dropped = append(c.report.Dropped, month)
	}
	slices.Sort(c.report.Dropped)
}

// sum is what the report says of each tree.
func (c *checker) sum() {
	for _, epoch := range slices.Sorted(maps.Keys(c.trees)) {
		t := Tree{Epoch: epoch, Size: c.trees[epoch].size, Root: c.trees[epoch].root().String()}
		if seen := c.seen[epoch]; seen != nil {
			t.Signed, t.Witnessed, t.At = seen.Signed, seen.Witnessed, seen.At
		}
		if next, ended := c.begun[epoch+1]; ended {
			t.Lost = next.previousSize - next.kept
		}
		c.report.Trees = append(c.report.Trees, t)
	}
}

// pending takes the entries that wait for a place out of those without one.
func (c *checker) pending() {
	seen := map[uuid.UUID]bool{}
	for _, p := range c.small.pending {
		_, waits := c.waiting[p.entry]
		switch {
		case !waits || seen[p.entry]:
			c.report.add(Problem{Code: WrongPending, EntryID: &p.entry, Partition: "ledger_pending"})
		case !p.at.Equal(timeOf(p.entry)):
			c.report.add(Problem{Code: ChangedRow, EntryID: &p.entry, Partition: "ledger_pending", Field: "at"})
		}
		seen[p.entry] = true
		if !c.covered[p.entry] {
			c.report.Unprotected++
		}
	}
	for id := range seen {
		delete(c.waiting, id)
	}
}

// head compares the row that the sequencer goes on from.
func (c *checker) head() {
	wrong := func(field string) { c.report.add(Problem{Code: WrongHead, Field: field, Partition: "ledger_head"}) }
	if len(c.small.heads) != 1 {
		wrong("singleton")
		return
	}
	h := c.small.heads[0]
	last := 0
	for _, e := range c.small.epochs {
		last = max(last, e.epoch)
	}
	t := c.trees[h.epoch]
	if t == nil {
		t = &tree{}
	}
	root := t.root()
	switch {
	case h.epoch != last:
		wrong("epoch")
	case h.size != t.size:
		wrong("size")
	case !bytes.Equal(h.root, root[:]):
		wrong("root")
	case !bytes.Equal(h.frontier, t.joined()):
		wrong("frontier")
	}
}

// beyond is left over: checkpoints of more entries than there are. An epoch that ended with a loss
// accounts for them up to what its successor's first entry names. Those of a part of what was lost can
// be compared only with tiles that lead to what that entry names; whatever was not compared is said.
func (c *checker) beyond(epoch int, marks []mark) {
	next, ended := c.begun[epoch+1]
	t := c.tiles[epoch]
	compared := t != nil && t.size == next.previousSize && t.root == next.previousRoot
	for _, m := range marks {
		size := m.size
		switch {
		case !ended || size > next.previousSize:
			c.report.add(Problem{Code: Truncated, Epoch: epoch, Size: &size, File: m.file})
		case size == next.previousSize && m.root != next.previousRoot:
			c.report.add(Problem{Code: ForkedFrom, Epoch: epoch, Size: &size, File: m.file})
		case size < next.previousSize && size > next.kept && !compared:
			c.report.add(Problem{Code: NotCompared, Epoch: epoch, Size: &size, File: m.file})
		}
	}
}

func sorted[T any](m map[uuid.UUID]T, id func(T) uuid.UUID) []T {
	return slices.SortedFunc(maps.Values(m), func(a, b T) int {
		x, y := id(a), id(b)
		return bytes.Compare(x[:], y[:])
	})
}
