package approval

import (
	"context"
	"encoding/hex"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the ledger says about a request.
const (
	ActionRequested = "approval.requested"
	ActionApproved  = "approval.approved"
	ActionRejected  = "approval.rejected"
	ActionWithdrawn = "approval.withdrawn"
	ActionExpired   = "approval.expired"
	ActionVoided    = "approval.voided"
	ActionRead      = "approval.read"
)

// record appends what happened to a request. The entry carries its hash, so that the ledger proves
// what was agreed to; the reason is the requester's or, at a decision, the approver's comment.
func record(tx *database.Tx, row models.Approval, action, reason string) (*uuid.UUID, error) {
	e := ledger.Entry{
		Kind: ledger.KindApproval, Action: action, Object: "approval/" + row.ID.String(), Reason: reason,
		Details: map[string]string{
			"operation": row.Operation, "hash": hex.EncodeToString(row.Hash), "requester": row.RequesterID.String(),
		},
	}
	if len(row.SubjectIDs) == 1 {
		e.Subject = &row.SubjectIDs[0]
	}
	if row.VoidReason != "" {
		e.Details["why"] = string(row.VoidReason)
	}
	id, err := ledger.Append(tx, e)
	return &id, err
}

// RecordRead records that the caller reads the sealed texts of a request. They are shown after it has
// committed, or not at all (I18).
func RecordRead(ctx context.Context, db *database.DB, row models.Approval) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		_, err := record(tx, row, ActionRead, "")
		return err
	})
}
