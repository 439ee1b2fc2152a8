// Package verify checks a ledger, in its database or in an evidence pack, against what does not lie
// in the hands of those who run the database: the public keys of a policy, witnessed checkpoints, and
// receipts that somebody kept. It changes nothing and trusts nothing that it reads.
package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Code names what is wrong; it never changes its meaning.
type Code string

// What can be wrong.
const (
	MissingEntry      Code = "missing_entry"      // a place in the tree without its entry: deleted
	MissingIndex      Code = "missing_index"      // a place in the tree is missing
	DuplicateIndex    Code = "duplicate_index"    // a place in the tree, or an entry, stands there twice
	Unsequenced       Code = "unsequenced"        // an entry that neither has a place nor waits for one: inserted, or its place was deleted
	WrongPending      Code = "wrong_pending"      // what waits for a place is no entry, or has one already
	ChangedLeaf       Code = "changed_leaf"       // an entry's leaf is not the one in the tree, or not one of this ledger
	ChangedRow        Code = "changed_row"        // time, kind or epoch of a row are not those of its leaf
	ChangedContent    Code = "changed_content"    // what an entry says is not what was committed to
	MissingContent    Code = "missing_content"    // what an entry says is gone, and no entry names that it was dropped
	UnknownContent    Code = "unknown_content"    // a content without an entry: inserted, or its entry was deleted
	WrongMAC          Code = "wrong_mac"          // not written by a process that has the writer key
	WrongHead         Code = "wrong_head"         // the tree's head in the database is not the tree's
	WrongEpoch        Code = "wrong_epoch"        // an epoch that its first entry does not account for
	BadCheckpoint     Code = "bad_checkpoint"     // a checkpoint that the policy does not accept: of another log, not signed, not witnessed
	Truncated         Code = "truncated"          // a checkpoint holds more than the ledger
	ForkedFrom        Code = "inconsistent"       // the ledger is not the one of a checkpoint: rewritten
	ChangedPlace      Code = "changed_place"      // the entry at this place is not the one in the tiles
	BadReceipt        Code = "bad_receipt"        // a receipt that no key of the policy signed
	ReceiptMissing    Code = "receipt_missing"    // an entry for which somebody holds a receipt is not there
	ReceiptDiffers    Code = "receipt_differs"    // an entry is not the one that a receipt was given for
	DamagedTiles      Code = "damaged_tiles"      // the files beside the database do not lead to their own checkpoint
	MissingCheckpoint Code = "missing_checkpoint" // nothing from outside the database was given to check against
	NotCompared       Code = "not_compared"       // a checkpoint of an epoch that ended, and nothing at hand to compare it with
	Malformed         Code = "malformed"          // a value that this program never writes
	BadPack           Code = "bad_pack"           // an evidence pack that is cut, changed or not one
	BadProof          Code = "bad_proof"          // the proof of an entry that is malformed, does not lead to its checkpoint, or is of another entry than was claimed
	MissingFile       Code = "missing_file"       // a file of the ledger's folder is not there
)

// Problem is one thing that is wrong, as exactly as it can be told.
type Problem struct {
	Code      Code       `json:"code"`
	Epoch     int        `json:"epoch,omitempty"`
	Index     *int64     `json:"index,omitempty"`
	EntryID   *uuid.UUID `json:"entry_id,omitempty"`
	Partition string     `json:"partition,omitempty"` // the table that holds it, or would
	Field     string     `json:"field,omitempty"`     // the field or column
	Size      *int64     `json:"size,omitempty"`      // of the checkpoint it was compared with
	File      string     `json:"file,omitempty"`      // of an evidence pack, or of a held checkpoint
}

// maxProblems are listed; the others are counted.
const maxProblems = 1000

// Report is the outcome.
type Report struct {
	Origin string `json:"origin"`
	// Entries, of which Sequenced have a place in a tree; the others wait for one.
	Entries   int64 `json:"entries"`
	Sequenced int64 `json:"sequenced"`
	// Contents were recomputed; Dropped months have none any more, as an entry of the ledger names.
	Contents int64    `json:"contents"`
	Dropped  []string `json:"dropped_months,omitempty"`
	Trees    []Tree   `json:"trees"`
	Receipts int      `json:"receipts"` // held ones that were compared
	// MACs says whether the writer key was there to check what is not yet in a tree.
	MACs bool `json:"macs_checked"`
	// Unprotected entries are under no witnessed checkpoint and no held receipt: whoever has the
	// ledger's keys could still change them unnoticed.
	Unprotected int64 `json:"unprotected"`
	// Files says that only files were verified, and no database: what entries say is not in them.
	Files bool `json:"files_only,omitempty"`
	// Proven is the one entry that a proof is of.
	Proven *Proven `json:"proven,omitempty"`
	// Pack is set for an evidence pack.
	Pack     *PackInfo `json:"pack,omitempty"`
	Count    int       `json:"problem_count"`
	Problems []Problem `json:"problems"`
}

// PackInfo is what an evidence pack holds.
type PackInfo struct {
	First int64 `json:"first_index"`
	Last  int64 `json:"last_index"`
	// Complete says that nothing between first and last is left out.
	Complete bool `json:"complete"`
	// Dropped entries have lost their content after its time: they prove that something was, not what.
	Dropped int64 `json:"dropped"`
}

// Proven is an entry by its place in a tree; At is when it was written, UTC.
type Proven struct {
	EntryID uuid.UUID `json:"entry_id"`
	Kind    string    `json:"kind"`
	At      time.Time `json:"at"`
	Epoch   int       `json:"epoch"`
	Index   int64     `json:"index"`
}

// Tree is one epoch.
type Tree struct {
	Epoch     int        `json:"epoch"`
	Size      int64      `json:"size"`
	Root      string     `json:"root"`
	Signed    int64      `json:"signed_size"`    // the largest checkpoint compared that the log signed
	Witnessed int64      `json:"witnessed_size"` // the largest one with enough cosignatures
	At        *time.Time `json:"witnessed_at,omitempty"`
	// Lost entries were signed, and lost with a restored backup, as the next epoch's first entry says.
	Lost int64 `json:"lost,omitempty"`
}

// OK says that nothing is wrong.
func (r *Report) OK() bool { return r.Count == 0 }

// Verdict is what docs/ledger-format.md calls an outcome.
type Verdict string

// The verdicts.
const (
	Verified Verdict = "verified" // everything is as the page says
	Wrong    Verdict = "wrong"    // something is not
	Unusable Verdict = "unusable" // nothing is wrong, and something that is needed to judge is missing
)

// Verdict is the outcome in one word.
func (r *Report) Verdict() Verdict {
	switch {
	case r.OK():
		return Verified
	case r.Count == len(r.Problems) && !slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Code != NotCompared }):
		return Unusable
	}
	return Wrong
}

func (r *Report) add(p Problem) {
	r.Count++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, p)
	}
}

// Has says whether something of this kind is wrong.
func (r *Report) Has(code Code) bool {
	for _, p := range r.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

func (p Problem) String() string {
	s := string(p.Code)
	if p.Epoch > 0 {
		s += fmt.Sprintf(" epoch %d", p.Epoch)
	}
	if p.Index != nil {
		s += fmt.Sprintf(" index %d", *p.Index)
	}
	if p.EntryID != nil {
		s += " entry " + p.EntryID.String()
	}
	for _, x := range []string{p.Field, p.Partition, p.File} {
		if x != "" {
			s += " " + x
		}
	}
	if p.Size != nil {
		s += fmt.Sprintf(" checkpoint of %d", *p.Size)
	}
	return s
}
