package verify

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
)

// checker walks through the rows of one moment. Places come in the order of the tree, entries and
// contents in that of their ids; what has met its other half is forgotten, so that memory holds only
// what was committed out of order.
type checker struct {
	origin string
	wrote  func(generation int, leaf, mac []byte) bool // nil: no writer keys are at hand
	report *Report
	small  small
	hash   hmac256

	contents []contentRow            // read, and not yet met by their entry
	lastID   uuid.UUID               // of the entries
	waiting  map[uuid.UUID]known     // entries whose place was not met yet
	placed   map[uuid.UUID]placeRow  // places whose entry was not met yet
	trees    map[int]*tree           // by epoch
	marks    map[int][]mark          // by epoch: the checkpoints to compare, by size
	held     map[uuid.UUID]tlog.Hash // leaf hashes of held receipts, until they are met
	covered  map[uuid.UUID]bool      // entries under a held receipt
	firsts   map[int]uuid.UUID       // by epoch: the entry at index 0
	own      map[uuid.UUID]ownEntry  // what the entries of kind "ledger" say
	seen     map[int]*Tree           // by epoch: what the evidence covers
	quorum   int
	tiles    map[int]*tiles       // by epoch: the leaf hashes in the ledger's folder
	files    map[int]*beside      // by epoch: the rest of the folder
	folders  bool                 // the ledger's folder is at hand
	filed    chan map[int]*Report // by epoch: what its files are wrong about, once they were read
	without  map[string]bool      // months of which an entry was without content
	begun    map[int]beginning    // by epoch: what its first entry says of the one before
}

// known is what is kept of an entry until its place comes.
type known struct {
	hash      tlog.Hash
	epoch     int
	partition uint32
}

// ownEntry is what the ledger says of itself.
type ownEntry struct {
	action  string
	details map[string]string
}

// mark is a checkpoint to be compared when the tree has its size.
type mark struct {
	size int64
	root tlog.Hash
	file string
}

// run reads everything and compares.
func (c *checker) run(ctx context.Context, s source) error {
	var err error
	if c.small, err = s.small(ctx); err != nil {
		return err
	}
	places, entries := true, true
	for places || entries {
		if places {
			rows, err := s.places(ctx)
			if err != nil {
				return err
			}
			for i := range rows {
				c.place(&rows[i])
			}
			places = len(rows) > 0
		}
		if entries {
			rows, err := s.entries(ctx)
			if err != nil {
				return err
			}
			if err := c.meet(ctx, s, rows); err != nil {
				return err
			}
			entries = len(rows) > 0
		}
	}
	c.finish()
	return nil
}

// place puts the leaf at the next place of its tree.
func (c *checker) place(p *placeRow) {
	index := p.index
	t := c.trees[p.epoch]
	if t == nil {
		t = &tree{}
		c.trees[p.epoch] = t
		c.compare(p.epoch, t)
	}
	switch {
	case index < t.size:
		c.report.add(Problem{Code: DuplicateIndex, Epoch: p.epoch, Index: &index, EntryID: &p.entry, Partition: "ledger_sequence"})
		return
	case index > t.size:
		missing := t.size
		c.report.add(Problem{Code: MissingIndex, Epoch: p.epoch, Index: &missing, Partition: "ledger_sequence"})
		t.size, t.edges = index, make([]tlog.Hash, bits.OnesCount64(uint64(index)))
	}
	hash, ok := hashOf(p.leaf)
	if !ok {
		c.report.add(Problem{Code: Malformed, Epoch: p.epoch, Index: &index, EntryID: &p.entry, Partition: "ledger_sequence", Field: "leaf_hash"})
	}
	c.inTiles(p, hash)
	t.add(hash)
	c.report.Sequenced++
	c.compare(p.epoch, t)
	if t.size > c.witnessed(p.epoch) {
		c.report.Unprotected++
	}
	if index == 0 && p.epoch > 1 {
		c.firsts[p.epoch] = p.entry
	}
	if e, met := c.waiting[p.entry]; met {
		delete(c.waiting, p.entry)
		c.join(p, e)
		return
	}
	if other, twice := c.placed[p.entry]; twice {
		c.report.add(Problem{Code: DuplicateIndex, Epoch: other.epoch, Index: &index, EntryID: &p.entry, Partition: "ledger_sequence"})
		return
	}
	c.placed[p.entry] = *p
}

// witnessed is how many entries of an epoch are under a witnessed checkpoint.
func (c *checker) witnessed(epoch int) int64 {
	if t := c.seen[epoch]; t != nil {
		return t.Witnessed
	}
	return 0
}

// compare holds the tree against the checkpoints of its size.
func (c *checker) compare(epoch int, t *tree) {
	marks := c.marks[epoch]
	for len(marks) > 0 && marks[0].size <= t.size {
		m := marks[0]
		marks = marks[1:]
		if m.size == t.size && t.root() != m.root {
			c.report.add(Problem{Code: ForkedFrom, Epoch: epoch, Size: &m.size, File: m.file})
		}
	}
	c.marks[epoch] = marks
}

// join compares an entry with its place.
func (c *checker) join(p *placeRow, e known) {
	if c.covered[p.entry] && p.index >= c.witnessed(p.epoch) {
		c.report.Unprotected--
	}
	if p.epoch < e.epoch { // what waited when a new epoch began got its place there
		c.report.add(Problem{Code: ChangedRow, Epoch: p.epoch, Index: &p.index, EntryID: &p.entry, Field: "epoch", Partition: "ledger_sequence"})
	}
	if !bytes.Equal(p.leaf, e.hash[:]) {
		c.report.add(Problem{Code: ChangedLeaf, Epoch: p.epoch, Index: &p.index, EntryID: &p.entry, Partition: c.table(e.partition)})
	}
}

// meet brings entries together with their contents and their places.
func (c *checker) meet(ctx context.Context, s source, rows []entryRow) error {
	for i := range rows {
		e := &rows[i]
		if err := c.contentsUpTo(ctx, s, e.id); err != nil {
			return err
		}
		l, ok := c.entry(e)
		c.content(e, l, ok)
	}
	if len(rows) > 0 {
		return nil
	}
	for { // whatever contents are left have no entry
		for i := range c.contents {
			c.stray(&c.contents[i])
		}
		var err error
		if c.contents, err = s.contents(ctx); err != nil || len(c.contents) == 0 {
			return err
		}
	}
}

// contentsUpTo reads on until the contents held reach the id, or their end.
func (c *checker) contentsUpTo(ctx context.Context, s source, id uuid.UUID) error {
	for {
		for len(c.contents) > 0 && bytes.Compare(c.contents[0].id[:], id[:]) < 0 {
			c.stray(&c.contents[0])
			c.contents = c.contents[1:]
		}
		if len(c.contents) > 0 {
			return nil
		}
		rows, err := s.contents(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		c.contents = rows
	}
}

func (c *checker) stray(row *contentRow) {
	c.report.add(Problem{Code: UnknownContent, EntryID: &row.id, Partition: c.table(row.partition)})
}

// entry checks one entry by itself and then against its place.
func (c *checker) entry(e *entryRow) (leaf, bool) {
	c.report.Entries++
	wrong := func(code Code, field string) {
		id := e.id
		c.report.add(Problem{Code: code, Epoch: e.epoch, EntryID: &id, Field: field, Partition: c.table(e.partition)})
	}
	if e.id == c.lastID {
		wrong(DuplicateIndex, "id")
		return leaf{}, false
	}
	c.lastID = e.id
	hash := tlog.RecordHash(e.leaf)
	l, ok := parseLeaf(e.leaf)
	if !ok || string(l.origin) != c.origin || l.id != e.id {
		wrong(ChangedLeaf, "leaf")
		ok = false
	} else {
		for field, differs := range map[string]bool{
			"epoch": l.epoch != e.epoch, "kind": string(l.kind) != e.kind, "at": !e.at.Equal(timeOf(e.id)), "format": e.format != 1,
		} {
			if differs {
				wrong(ChangedRow, field)
			}
		}
	}
	if c.wrote != nil && !c.wrote(e.generation, e.leaf, e.mac) {
		wrong(WrongMAC, "mac")
	}
	if receipt, has := c.held[e.id]; has {
		delete(c.held, e.id)
		if receipt != hash {
			wrong(ReceiptDiffers, "leaf")
		} else {
			c.covered[e.id] = true
		}
	}
	k := known{hash: hash, epoch: e.epoch, partition: e.partition}
	if p, met := c.placed[e.id]; met {
		delete(c.placed, e.id)
		c.join(&p, k)
	} else {
		c.waiting[e.id] = k
	}
	return l, ok
}

// content checks what an entry says; l is its leaf, if there is one to compare with.
func (c *checker) content(e *entryRow, l leaf, ok bool) {
	id := e.id
	if len(c.contents) == 0 || c.contents[0].id != e.id {
		if month := timeOf(e.id).Format("2006-01"); slices.Contains(c.small.dropped, month) {
			c.without[month] = true
		} else {
			c.report.add(Problem{Code: MissingContent, Epoch: e.epoch, EntryID: &id, Partition: c.expected("ledger_content", timeOf(e.id))})
		}
		return
	}
	row := c.contents[0]
	c.contents = c.contents[1:]
	c.report.Contents++
	wrong := func(code Code, field string) {
		c.report.add(Problem{Code: code, Epoch: e.epoch, EntryID: &id, Field: field, Partition: c.table(row.partition)})
	}
	if row.malformed != "" {
		wrong(Malformed, row.malformed)
	}
	if !row.at.Equal(timeOf(e.id)) {
		wrong(ChangedRow, "at")
	}
	if !ok {
		return
	}
	if row.kind != string(l.kind) {
		wrong(ChangedRow, "kind")
	}
	if field, opens := c.hash.opens(l, &row); !opens {
		wrong(ChangedContent, field)
	} else if row.kind == string(ledger.KindLedger) {
		c.own[e.id] = ownEntry{string(row.values[fieldAction]), parseDetails(row.values[fieldDetails])}
	}
}

// table names a partition.
func (c *checker) table(oid uint32) string { return c.small.partitions[oid] }

// expected is the partition in which the rows of a moment lie, if it is a monthly one.
func (c *checker) expected(parent string, at time.Time) string {
	name := fmt.Sprintf("%s_%s", parent, at.Format("2006_01"))
	if slices.Contains(slices.Collect(maps.Values(c.small.partitions)), name) {
		return name
	}
	return parent
}
