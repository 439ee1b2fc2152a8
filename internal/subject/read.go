package subject

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// Filter says which requests are listed.
type Filter struct {
	EmployeeID *uuid.UUID
	State      models.SubjectRequestState
	Kind       models.SubjectRequestKind
	// Overdue: only those whose answer should have been given.
	Overdue bool
	// NotOf leaves out one person's.
	NotOf uuid.UUID
	// Own leaves out what relatives asked for: it is theirs, and never in the list or the copy of the person.
	Own    bool
	Before uuid.UUID // newest first
	Limit  int
}

// List is a page of requests, newest first, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.SubjectRequest, err error) {
	q := db.Read(ctx).Where("employee_id <> ?", f.NotOf)
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.Own {
		q = q.Where("NOT by_relative")
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	if f.Overdue {
		q = q.Where("state = 'open' AND answer_due_at <= lethe_now()")
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing requests", err)
}

// Get is one request.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.SubjectRequest, error) {
	r, err := database.First[models.SubjectRequest](db.Read(ctx).Where("id = ?", id))
	return r, database.Found("reading a request", err, ErrNotFound)
}

// Written is what was written for a request.
type Written struct{ Text, KeptAt, Extension, Answer, Basis string }

// WrittenFor opens what was written for requests, in their order. What is cleared is empty.
func WrittenFor(ctx context.Context, c reasons.Carrier, rows ...models.SubjectRequest) ([]Written, error) {
	var texts []reasons.Text
	for _, r := range rows {
		texts = append(texts,
			reasons.Text{Cell: cell(columnText, r.ID), Sealed: r.TextSealed}, reasons.Text{Cell: cell(columnEvidence, r.ID), Sealed: r.EvidenceSealed},
			reasons.Text{Cell: cell(columnExtension, r.ID), Sealed: r.ExtensionSealed}, reasons.Text{Cell: cell(columnAnswer, r.ID), Sealed: r.AnswerSealed},
			reasons.Text{Cell: cell(columnBasis, r.ID), Sealed: r.BasisSealed})
	}
	opened, err := reasons.Open(ctx, c, texts...)
	if err != nil {
		return nil, err
	}
	written := make([]Written, len(rows))
	for i := range rows {
		o := opened[5*i:]
		written[i] = Written{o[0], o[1], o[2], o[3], o[4]}
	}
	return written, nil
}

// RecordRead records that somebody else than the person reads what was written, before it is shown (I18).
func RecordRead(tx *database.Tx, r models.SubjectRequest) error {
	_, err := ledger.Append(tx, entryOf(r, actionRead, nil))
	return err
}
