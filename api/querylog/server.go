// Package querylog serves the query log, its exports and the ledger below.
package querylog

import (
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
)

type server struct {
	*approvals.Desk
	Deps
}

// Register serves the resources.
func Register(desk *approvals.Desk, d Deps) {
	s := &server{Desk: desk, Deps: d}
	httpkit.Describe[ledger.Kind](desk.API)
	httpkit.Describe[ledger.Result](desk.API)
	httpkit.Describe[querylog.State](desk.API)
	httpkit.Describe[evidence.ExportState](desk.API)
	httpkit.Describe[evidence.Failure](desk.API)
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
