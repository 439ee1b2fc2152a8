package verify

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/strict"
)

// The places of two fields among ledger.FieldNames.
const (
	fieldAction  = 0
	fieldDetails = fields - 1
)

// beginning is what the first entry of an epoch says of the epoch before.
type beginning struct {
	previousSize int64
	previousRoot tlog.Hash
	kept         int64
}

// epochs holds each epoch against its first entry, and the rows against both.
func (c *checker) epochs() {
	wrong := func(epoch int, field string) {
		c.report.add(Problem{Code: WrongEpoch, Epoch: epoch, Field: field, Partition: "ledger_epochs"})
	}
	for i, e := range c.small.epochs {
		if e.epoch != i+1 {
			wrong(e.epoch, "epoch")
			continue
		}
		if e.epoch == 1 {
			if e.previousSize != nil || e.previousRoot != nil || e.keptSize != nil || e.entry != uuid.Nil {
				wrong(1, "previous_size")
			}
			continue
		}
		b, ok := c.beginning(e)
		if !ok {
			wrong(e.epoch, "")
			continue
		}
		c.begun[e.epoch] = b
		before := c.trees[e.epoch-1]
		switch {
		case e.previousSize == nil || *e.previousSize != b.previousSize:
			wrong(e.epoch, "previous_size")
		case !bytes.Equal(e.previousRoot, b.previousRoot[:]):
			wrong(e.epoch, "previous_root")
		case e.keptSize == nil || *e.keptSize != b.kept:
			wrong(e.epoch, "kept_size")
		case before == nil && b.kept > 0 || before != nil && before.size != b.kept:
			c.report.add(Problem{Code: Truncated, Epoch: e.epoch - 1, Size: &b.kept})
		}
	}
	for epoch := range c.trees {
		if epoch < 1 || epoch > len(c.small.epochs) {
			wrong(epoch, "epoch")
		}
	}
}

// beginning reads the entry that begins an epoch: the first one in its tree, or one that still waits
// for its place there.
func (c *checker) beginning(e epochRow) (beginning, bool) {
	own := c.own[e.entry]
	first := c.firsts[e.epoch] == e.entry
	if c.trees[e.epoch] == nil {
		first = slices.ContainsFunc(c.small.pending, func(p pendingRow) bool { return p.entry == e.entry })
	}
	if !first {
		return beginning{}, false
	}
	return own.begins(e.epoch)
}

// begins reads the beginning of an epoch out of the entry that is its first.
func (own ownEntry) begins(epoch int) (beginning, bool) {
	if own.action != ledger.ActionEpochBegun || own.details[ledger.DetailEpoch] != strconv.Itoa(epoch) {
		return beginning{}, false
	}
	size, sizeOK := strict.Decimal(own.details[ledger.DetailPreviousSize])
	kept, keptOK := strict.Decimal(own.details[ledger.DetailKeptSize])
	root, rootOK := strict.Base64(own.details[ledger.DetailPreviousRoot])
	if !sizeOK || !keptOK || !rootOK || len(root) != tlog.HashSize || size < kept {
		return beginning{}, false
	}
	return beginning{size, tlog.Hash(root), kept}, true
}

// ended compares a checkpoint of an epoch with what the next one's first entry says of its end.
func (r *Report) ended(b beginning, head policy.Checkpoint, file string) {
	switch {
	case head.Size > b.previousSize:
		r.add(Problem{Code: Truncated, Epoch: head.Epoch, Size: &head.Size, File: file})
	case head.Size == b.previousSize && head.Root != b.previousRoot:
		r.add(Problem{Code: ForkedFrom, Epoch: head.Epoch, Size: &head.Size, File: file})
	}
}

// begins keeps what the first line of a pack says of the epoch before, if its content is still there.
func (p *pack) begins(l *packLine) (Code, string) {
	if l.Kind != string(ledger.KindLedger) || l.Epoch != p.head.Epoch {
		return WrongEpoch, "kind"
	}
	if l.Content == nil {
		return "", ""
	}
	b, ok := ownEntry{string(l.Content[fieldAction]), parseDetails(l.Content[fieldDetails])}.begins(p.head.Epoch)
	if !ok {
		return WrongEpoch, "details"
	}
	p.begun = &b
	return "", ""
}

// parseDetails reads the canonical form of details; what is malformed reads as nothing.
func parseDetails(b []byte) map[string]string {
	out := map[string]string{}
	for len(b) > 0 {
		var pair [2]string
		for i := range pair {
			if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
				return nil
			}
			n := 4 + int(binary.BigEndian.Uint32(b))
			pair[i], b = string(b[4:n]), b[n:]
		}
		out[pair[0]] = pair[1]
	}
	return out
}
