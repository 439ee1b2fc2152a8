package verify

import (
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/strict"
)

// Proof verifies the proof of one entry (docs/ledger-format.md) against a policy.
func Proof(content []byte, p *policy.Policy) *Report {
	r := &Report{Origin: p.Origin, Problems: []Problem{}, Files: true}
	wrong := func(field string) *Report {
		r.add(Problem{Code: BadProof, Field: field})
		return r
	}
	text, signed, found := strings.Cut(string(content), "\n\n")
	lines := strings.Split(text, "\n")
	if !found || len(content) > strict.LargestNote || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
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
	r.Entries, r.Sequenced = 1, 1
	r.Trees = []Tree{{Epoch: head.Epoch, Size: head.Size, Root: head.Root.String(), Signed: head.Size, Witnessed: head.Size}}
	return r
}
