package disclosure

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Filter says which looks are listed.
type Filter struct {
	EmployeeID *uuid.UUID
	ActorID    *uuid.UUID
	State      models.DisclosureState
	// ReviewDue: only those whose review is still to come.
	ReviewDue bool
	// Unanswered: only those to which the subject objected and nobody answered.
	Unanswered bool
	// NotOf leaves out the looks at one person's file: nobody sees in a list of all who looked at the own one.
	NotOf  uuid.UUID
	Before uuid.UUID // newest first
	Limit  int
}

// List is a page of looks, newest first, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.Disclosure, err error) {
	q := db.Read(ctx).Where("employee_id <> ?", f.NotOf)
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.ActorID != nil {
		q = q.Where("actor_id = ?", *f.ActorID)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.ReviewDue {
		q = q.Where("review_due_at IS NOT NULL AND reviewed_at IS NULL")
	}
	if f.Unanswered {
		q = q.Where("answer_due_at IS NOT NULL AND answered_at IS NULL")
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order("id DESC").Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing looks", err)
}

// Get is one look.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Disclosure, error) {
	row, err := database.First[models.Disclosure](db.Read(ctx).Where("id = ?", id))
	return row, database.Found("reading a look", err, ErrNotFound)
}
