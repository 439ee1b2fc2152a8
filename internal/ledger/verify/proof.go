package verify

import (
	"bytes"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/strict"
)

// Claim is which entry a proof is said to be of, as the answer of the API says it beside the proof; what
// is nil is not said.
type Claim struct {
	EntryID *uuid.UUID `json:"entry_id"`
	Epoch   *int       `json:"epoch"`
	Index   *int64     `json:"index"`
}

// header is the first line of a proof.
const header = "c2sp.org/tlog-proof@v1"

// IsProof says whether content begins as a proof does, whatever follows.
func IsProof(content []byte) bool {
	first, _, _ := bytes.Cut(content, []byte("\n"))
	return string(first) == header
}

// Proof verifies the proof of one entry (docs/ledger-format.md) against a policy, and
// that the entry is the one that was claimed.
func Proof(content []byte, c Claim, p *policy.Policy) *Report {
	r := &Report{Origin: p.Origin, Problems: []Problem{}, Files: true}
	wrong := func(field string) *Report {
		r.add(Problem{Code: BadProof, Field: field})
		return r
	}
	text, signed, found := strings.Cut(string(content), "\n\n")
	lines := strings.Split(text, "\n")
	if !found || len(content) > strict.LargestNote || len(lines) < 3 || lines[0] != header {
		return wrong("form")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	number, isIndex := strings.CutPrefix(lines[2], "index ")
	raw, decoded := strict.Base64(extra)
	index, decimal := strict.Decimal(number)
	if !isExtra || !isIndex || !decoded || !decimal {
		return wrong("form")
	}
	var steps tlog.RecordProof
	for _, line := range lines[3:] {
		h, ok := strict.Base64(line)
		if !ok || len(h) != tlog.HashSize {
			return wrong("hash")
		}
		steps = append(steps, tlog.Hash(h))
	}
	head, err := p.Witnessed([]byte(signed))
	if err != nil {
		r.add(Problem{Code: BadCheckpoint, Field: reason(err)})
		return r
	}
	l, ok := parseLeaf(raw)
	if !ok || string(l.origin) != p.Origin || l.epoch > head.Epoch {
		return wrong("extra")
	}
	if index >= head.Size || tlog.CheckRecord(steps, head.Size, head.Root, index, tlog.RecordHash(raw)) != nil {
		return wrong("root")
	}
	switch {
	case c.EntryID != nil && *c.EntryID != l.id:
		return wrong("entry_id")
	case c.Epoch != nil && *c.Epoch != head.Epoch:
		return wrong("epoch")
	case c.Index != nil && *c.Index != index:
		return wrong("index")
	}
	r.Entries, r.Sequenced = 1, 1
	r.Proven = &Proven{EntryID: l.id, Kind: string(l.kind), At: timeOf(l.id), Epoch: head.Epoch, Index: index}
	r.Trees = []Tree{{Epoch: head.Epoch, Size: head.Size, Root: head.Root.String(), Signed: head.Size, Witnessed: head.Size}}
	return r
}
