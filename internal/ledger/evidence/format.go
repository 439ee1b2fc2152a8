// Package evidence makes evidence packs: one zip file with entries of the ledger, everything that
// is needed to check them against a signed checkpoint without us, and what people read.
//
// docs/ledger-format.md, "Export pack", is the format for whoever writes a verifier. In short:
//
//	README.txt      how to check the pack, and what it does not prove, in both languages
//	manifest.json   [Manifest]
//	manifest.sig    the log's signature over it
//	entries.jsonl   the evidence: one [Line] for each entry, in ascending index order
//	entries.csv     the same for people (if asked for)
//	entries.xlsx    the same for people (if asked for)
//	summary.pdf     one page or two about the pack
//	checkpoint.txt  the signed checkpoint of the tree, with the cosignatures of its witnesses
//	proof.txt       package batchproof's proof: a base64 hash on each line, from left to right
package evidence

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Format is the version of the layout.
const Format = "lethe-evidence-pack/1"

// The members of a pack.
const (
	readmeName     = "README.txt"
	manifestName   = "manifest.json"
	signatureName  = "manifest.sig"
	linesName      = "entries.jsonl"
	csvName        = "entries.csv"
	xlsxName       = "entries.xlsx"
	summaryName    = "summary.pdf"
	checkpointName = "checkpoint.txt"
	proofName      = "proof.txt"
)

// Manifest says what is in a pack, who asked for it and how it was chosen. Times are RFC 3339, UTC.
type Manifest struct {
	Format    string    `json:"format"`
	ExportID  uuid.UUID `json:"export_id"`
	Origin    string    `json:"origin"` // the ledger's name: part of every leaf
	Epoch     int       `json:"epoch"`  // which tree
	CreatedAt time.Time `json:"created_at"`
	// RequestEntry is the id of the entry that records the request; the entries before it were chosen from.
	RequestEntry uuid.UUID `json:"request_entry"`
	RequestedBy  Requester `json:"requested_by"`
	Reason       string    `json:"reason"`
	Selection    Selection `json:"selection"`
	TreeSize     int64     `json:"tree_size"` // of checkpoint.txt
	Root         []byte    `json:"root"`      // base64, of checkpoint.txt
	Count        int64     `json:"count"`     // lines of entries.jsonl
	FirstIndex   *int64    `json:"first_index"`
	LastIndex    *int64    `json:"last_index"`
	// Dropped is how many entries have lost their content after ten years: they have commitments only.
	Dropped int64 `json:"dropped"`
	// Tampered are the indexes of the entries whose content in the database does not fit their
	// commitments, the first thousand of them; TamperedCount counts all.
	Tampered      []int64 `json:"tampered"`
	TamperedCount int64   `json:"tampered_count"`
	// OtherEpochs is how many more entries fit the filters in other epochs. They are not in this pack.
	OtherEpochs int64  `json:"other_epochs"`
	Files       []File `json:"files"` // every other member but the signature
}

// Requester is who asked for a pack.
type Requester struct {
	EmployeeID    uuid.UUID `json:"employee_id"`
	Role          string    `json:"role"`
	Authenticated string    `json:"authenticated"`
}

// Selection is how the entries were chosen: by filters, which prove nothing about what is left out,
// or as all the entries of a range of indexes, which is complete.
type Selection struct {
	Kind       string          `json:"kind"` // "filtered" or "contiguous"
	Filters    json.RawMessage `json:"filters,omitempty"`
	FirstIndex *int64          `json:"first_index,omitempty"` // contiguous: from here
	EndIndex   *int64          `json:"end_index,omitempty"`   // contiguous: up to and without
}

// The kinds of selection.
const (
	Filtered   = "filtered"
	Contiguous = "contiguous"
)

// Line is one line of entries.jsonl. The leaf of the entry is computed from the manifest's origin and
// the line's epoch, id, kind and commitments; each commitment from salt and value. The members stand
// in this order, without blanks between them.
type Line struct {
	Index int64 `json:"index"`
	// Epoch is that of the leaf: lower than the tree's if the entry waited when the tree began.
	Epoch int       `json:"epoch"`
	ID    uuid.UUID `json:"id"`
	// At is the time in the id, to the millisecond.
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	// LeafHash is the hash of the leaf in the tree.
	LeafHash []byte `json:"leaf_hash"`
	// Commitments are those of the leaf, one after the other; null if the database has no leaf anymore.
	Commitments []byte `json:"commitments"`
	// Salts, one after the other, and Content are null when the content was dropped.
	Salts   []byte       `json:"salts"`
	Content *LineContent `json:"content"`
	// State is "intact", "dropped" or "tampered".
	State string `json:"state"`
}

// LineContent is what was committed to; the names are those of the fields.
type LineContent struct {
	Action        string            `json:"action"`
	ActorID       *uuid.UUID        `json:"actor_id"`
	ActorRole     string            `json:"actor_role"`
	Authenticated string            `json:"authenticated"`
	UserID        *uuid.UUID        `json:"user_id"`
	SubjectID     *uuid.UUID        `json:"subject_id"`
	Object        string            `json:"object"`
	RequestedBy   string            `json:"requested_by"`
	Purpose       string            `json:"purpose"`
	Reason        string            `json:"reason"`
	Result        string            `json:"result"`
	Rule          string            `json:"rule"`
	RequestID     string            `json:"request_id"`
	Details       map[string]string `json:"details"`
}

// The states of a line.
const (
	StateIntact   = "intact"
	StateDropped  = "dropped"
	StateTampered = "tampered"
)
