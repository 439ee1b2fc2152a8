package harness

import (
	"context"
	"fmt"

	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/verify"
)

// VerifyLedger verifies the stack's ledger as its auditor would: the database and the folder against
// the policy, with what the witness has cosigned, and the writers' keys for what is in no tree yet.
func (s *Stack) VerifyLedger(ctx context.Context) (*verify.Report, error) {
	var e verify.Evidence
	var err error
	if e.Policy, err = policy.Load(s.PolicyFile()); err != nil {
		return nil, err
	}
	if e.Keys, err = s.LedgerKeys(); err != nil {
		return nil, err
	}
	storage, err := ledger.OpenStorage(s.LedgerDir())
	if err != nil {
		return nil, err
	}
	if err := e.Folder(ctx, storage); err != nil {
		return nil, fmt.Errorf("reading the ledger's folder: %w", err)
	}
	return verify.Open(ctx, s.factsURL, e)
}
