// Package querylog serves the query log, its exports and the ledger below.
package querylog

import (
	"lethe/api/approvals"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
)

type server struct {
	*approvals.Desk
	Deps
}

// Register serves the resources.
func Register(desk *approvals.Desk, d Deps) {
	s := &server{Desk: desk, Deps: d}
	s.registerQueryLog()
	s.registerExports()
	s.registerLedger()
}

// Deps are what the query log stands on.
type Deps struct {
	// Ledger is where checkpoints and tiles are.
	Ledger *ledger.Storage
	// Exports knows where finished evidence packs are.
	Exports *evidence.Maker
	// ExportLimit is how many entries of the query log one person may export alone.
	ExportLimit int64
}
