package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
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
	if !first || own.action != ledger.ActionEpochBegun || own.details[ledger.DetailEpoch] != strconv.Itoa(e.epoch) {
		return beginning{}, false
	}
	size, err1 := strconv.ParseInt(own.details[ledger.DetailPreviousSize], 10, 64)
	kept, err2 := strconv.ParseInt(own.details[ledger.DetailKeptSize], 10, 64)
	root, err3 := base64.StdEncoding.DecodeString(own.details[ledger.DetailPreviousRoot])
	if err1 != nil || err2 != nil || err3 != nil || len(root) != tlog.HashSize || kept < 0 || size < kept {
		return beginning{}, false
	}
	return beginning{size, tlog.Hash(root), kept}, true
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
