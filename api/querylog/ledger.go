package querylog

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/ledger"
)

// ProofView shows that an entry is in the ledger.
type ProofView struct {
	EntryID    uuid.UUID `json:"entry_id"`
	State      string    `json:"state" enum:"proven,waiting" doc:"waiting: not in a signed checkpoint yet; ask again"`
	Epoch      int       `json:"epoch,omitempty"`
	Index      *int64    `json:"index,omitempty"`
	Leaf       []byte    `json:"leaf,omitempty" doc:"Base64: what is in the tree for the entry"`
	LeafHash   []byte    `json:"leaf_hash,omitempty" doc:"Base64"`
	Hashes     [][]byte  `json:"hashes,omitempty" doc:"Base64: the inclusion proof of RFC 6962, section 2.1.1"`
	Checkpoint string    `json:"checkpoint,omitempty" doc:"The signed checkpoint (c2sp.org/tlog-checkpoint) with its cosignatures"`
	Witnessed  bool      `json:"witnessed" doc:"The checkpoint has the cosignatures that are required"`
	Proof      string    `json:"proof,omitempty" doc:"All of it as one file (c2sp.org/tlog-proof)"`
}

// CheckpointView is what the ledger signs.
type CheckpointView struct {
	Checkpoint string `json:"checkpoint" doc:"The newest signed checkpoint (c2sp.org/tlog-checkpoint), with its cosignatures if it has them already"`
	Witnessed  string `json:"witnessed,omitempty" doc:"The newest checkpoint with the cosignatures that are required"`
	Origin     string `json:"origin"`
	Size       int64  `json:"size" doc:"Entries in the tree of checkpoint"`
	Root       string `json:"root" doc:"Base64: the tree's root hash"`
}

func (s *server) registerLedger() {
	r := s.Resource("Ledger", "")
	httpkit.Handle(r, httpkit.Route{
		At: "GET /ledger/entries/{id}/proof", Summary: "Prove that an entry is in the ledger", To: httpkit.Everyone,
		Also: map[int]string{http.StatusAccepted: "No signed checkpoint covers the entry yet, which takes less than a second: again after Retry-After"},
	}, s.proveEntry)
	httpkit.Handle(r, httpkit.Route{At: "GET /ledger/checkpoint", Summary: "Read the ledger's newest signed checkpoint", To: httpkit.Everyone}, s.getCheckpoint)
}

type proofAnswer struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       ProofView
}

func (s *server) proveEntry(ctx context.Context, in *httpkit.ByID) (*proofAnswer, error) {
	p, err := ledger.ProofOf(ctx, s.DB, s.Ledger, in.ID)
	if errors.Is(err, ledger.ErrNotSequenced) {
		return &proofAnswer{http.StatusAccepted, "1", ProofView{EntryID: in.ID, State: "waiting"}}, nil
	}
	if err != nil {
		return nil, err
	}
	leaf := ledger.LeafHash(p.Leaf)
	view := ProofView{
		EntryID: p.EntryID, State: "proven", Epoch: p.Epoch, Index: &p.Index, Leaf: p.Leaf, LeafHash: leaf[:],
		Hashes: make([][]byte, len(p.Hashes)), Checkpoint: string(p.Checkpoint), Witnessed: p.Witnessed, Proof: p.Text(),
	}
	for i := range p.Hashes {
		view.Hashes[i] = p.Hashes[i][:]
	}
	return &proofAnswer{Status: http.StatusOK, Body: view}, nil
}

func (s *server) getCheckpoint(ctx context.Context, _ *httpkit.Speaking) (*httpkit.Answer[CheckpointView], error) {
	signed, err := ledger.Checkpoint(ctx, s.Ledger)
	if err != nil {
		return nil, err
	}
	head, err := ledger.HeadOf(signed)
	if err != nil {
		return nil, err
	}
	view := CheckpointView{Checkpoint: string(signed), Origin: head.Origin, Size: head.Size, Root: head.Root.String()}
	witnessed, err := ledger.WitnessedCheckpoint(ctx, s.Ledger)
	if err != nil && !errors.Is(err, ledger.ErrNotSequenced) {
		return nil, err
	}
	view.Witnessed = string(witnessed)
	return &httpkit.Answer[CheckpointView]{Body: view}, nil
}
