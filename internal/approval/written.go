package approval

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

// The sealed columns of what people write about a request: their names are part of what they are sealed for.
const (
	columnReason  = "reason_sealed"
	columnComment = "comment_sealed"
)

func written(column string, id uuid.UUID) string { return reasons.Cell("approvals."+column, id) }

// Written is what people wrote about a request.
type Written struct {
	// Reason is the requester's, Comment that of whoever decided.
	Reason, Comment string
}

// OpenWritten opens what people wrote about requests, in their order. What ended with the log is empty.
func OpenWritten(ctx context.Context, db *database.DB, rows ...models.Approval) ([]Written, error) {
	texts := make([]reasons.Text, 0, 2*len(rows))
	for _, row := range rows {
		texts = append(texts, reasons.Text{Cell: written(columnReason, row.ID), Sealed: row.ReasonSealed},
			reasons.Text{Cell: written(columnComment, row.ID), Sealed: row.CommentSealed})
	}
	opened, err := reasons.Open(ctx, db, texts...)
	if err != nil {
		return nil, err
	}
	all := make([]Written, len(rows))
	for i, row := range rows {
		all[i] = Written{Reason: opened[2*i] + row.PlainReason, Comment: opened[2*i+1] + row.PlainComment}
	}
	return all, nil
}

// SealPlain carries what people wrote about requests in version 0.2 over; see [database.SealFormer].
func SealPlain(ctx context.Context, db *database.DB, ready func() error) error {
	return database.SealFormer(ctx, db, database.Former{
		Table: "approvals", Mark: "approvals_reasons_sealed",
		Columns: []database.FormerColumn{{Name: "reason", Type: "text", Empty: "''"}, {Name: "comment", Type: "text", Empty: "''"}},
		Seal:    sealPlain,
	}, ready)
}

func sealPlain(tx *database.Tx, id uuid.UUID) error {
	row, err := lock(tx, id)
	if err != nil {
		return err
	}
	columns := map[string]any{"reason": "", "comment": ""}
	if row.PlainReason != "" {
		columns[columnReason], err = reasons.SealAt(tx.Context(), tx, row.RequestedAt, written(columnReason, id), row.PlainReason)
		if err != nil {
			return err
		}
	}
	if row.PlainComment != "" {
		at := row.RequestedAt
		if row.EndedAt != nil {
			at = *row.EndedAt
		}
		columns[columnComment], err = reasons.SealAt(tx.Context(), tx, at, written(columnComment, id), row.PlainComment)
		if err != nil {
			return err
		}
	}
	return database.UpdateOne(tx.DB().Table("approvals").Where("id = ?", id).Updates(columns))
}
