package verify_test

import (
	"bytes"
	"fmt"
	"os"

	"github.com/google/uuid"

	"lethe/internal/ledger/corpus"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/verify"
)

// published is the content of a proof of docs/ledger-corpus, and the policy that it is held against.
func published(name string) (proof []byte, p *policy.Policy, err error) {
	cases, err := os.ReadFile("../../../docs/ledger-corpus/cases.jsonl")
	if err != nil {
		return nil, nil, err
	}
	blobs, err := os.ReadFile("../../../docs/ledger-corpus/blobs.jsonl")
	if err != nil {
		return nil, nil, err
	}
	all, err := corpus.Read(cases, blobs)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range all.Cases {
		if c.Name == name {
			p, err = policy.Parse(all.Blobs[c.Policy])
			return all.Blobs[*c.File], p, err
		}
	}
	return nil, nil, fmt.Errorf("no case %q", name)
}

// Whoever was given the proof of an entry holds it against the public keys of a policy, and needs nothing else.
func ExampleProof() {
	proof, keys, err := published("proof: entry 127 of 300")
	if err != nil {
		fmt.Println(err)
		return
	}
	report := verify.Proof(proof, verify.Claim{}, keys)
	fmt.Println(report.Verdict(), report.Origin, "of", report.Trees[0].Witnessed, "witnessed entries")
	fmt.Println("entry", report.Proven.Index, "of epoch", report.Proven.Epoch, "and kind", report.Proven.Kind)
	other := uuid.Nil // what was saved beside the proof is held against it
	fmt.Println(verify.Proof(proof, verify.Claim{EntryID: &other}, keys).Problems)
	report = verify.Proof(bytes.Replace(proof, []byte("index 127"), []byte("index 128"), 1), verify.Claim{}, keys)
	fmt.Println(report.Verdict(), report.Problems)
	// Output:
	// verified ledger.example/corpus of 300 witnessed entries
	// entry 127 of epoch 1 and kind departure
	// [bad_proof entry_id]
	// wrong [bad_proof root]
}
