package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Filter selects requests. The zero value is all of them.
type Filter struct {
	State models.ApprovalState
	// VisibleTo, if not nil, leaves out what somebody may not see.
	VisibleTo *Visibility
	Before    *uuid.UUID
	Limit     int
}

// Visibility is which requests somebody sees: the own ones, and those of some operations or of all;
// none whose subject they are. Who is to lose access at once is not told before.
type Visibility struct {
	Person     uuid.UUID
	Operations []string
	All        bool
}

// Sees says whether a request is among them.
func (v Visibility) Sees(row models.Approval) bool {
	return !slices.Contains(row.SubjectIDs, v.Person) && (v.All || row.RequesterID == v.Person || slices.Contains(v.Operations, row.Operation))
}

// List reads one request more than the limit, newest first, so that the caller sees whether there are more.
func List(ctx context.Context, db *database.DB, f Filter) ([]models.Approval, error) {
	q := db.Read(ctx).Order(database.Newest).Limit(f.Limit + 1)
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if v := f.VisibleTo; v != nil {
		q = q.Where("NOT ? = ANY (subject_ids) AND (? OR requester_id = ? OR operation IN ?)", v.Person, v.All, v.Person, append([]string{""}, v.Operations...))
	}
	if f.Before != nil {
		q = q.Where("id < ?", *f.Before)
	}
	var rows []models.Approval
	err := q.Find(&rows).Error
	return rows, database.Wrap("listing requests for approval", err)
}

// Get reads a request.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Approval, error) {
	row, err := database.First[models.Approval](db.Read(ctx).Where("id = ?", id))
	return row, database.Wrap("reading a request for approval", err)
}

// Pending finds the open request of an operation about a row; without one it is database.ErrNotFound.
func Pending(ctx context.Context, db *database.DB, operation, kind string, id uuid.UUID) (models.Approval, error) {
	row, err := database.First[models.Approval](pendingAbout(ctx, db, kind, id).Where("operation = ?", operation).Order(database.Newest))
	return row, database.Wrap("looking for a request for approval", err)
}

// Approved lists the approved requests of an operation about rows of a kind, by row, newest first.
func Approved(ctx context.Context, db *database.DB, operation, kind string, ids []uuid.UUID) (map[uuid.UUID][]models.Approval, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return listAbout(db.Read(ctx).Where("operation = ? AND state = ?", operation, models.ApprovalApproved), kind, ids)
}

// PendingAbout lists the open requests about rows of a kind, by row, newest first.
func PendingAbout(ctx context.Context, db *database.DB, kind string, ids []uuid.UUID) (map[uuid.UUID][]models.Approval, error) {
	return listAbout(db.Read(ctx).Where("state = ? AND expires_at > lethe_now()", models.ApprovalPending), kind, ids)
}

func listAbout(q *gorm.DB, kind string, ids []uuid.UUID) (map[uuid.UUID][]models.Approval, error) {
	var rows []models.Approval
	err := q.Where("EXISTS (SELECT FROM jsonb_to_recordset(targets) AS t (kind text, id uuid) WHERE t.kind = ? AND t.id = ANY (?))", kind, models.IDs(ids)).
		Order(database.Newest).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for requests for approval: %w", database.Hide(err))
	}
	about := make(map[uuid.UUID][]models.Approval, len(rows))
	for _, row := range rows {
		targets, err := Targets(row)
		if err != nil {
			return nil, err
		}
		for _, t := range targets {
			if t.Kind == kind {
				about[t.ID] = append(about[t.ID], row)
			}
		}
	}
	return about, nil
}

func pendingAbout(ctx context.Context, db *database.DB, kind string, id uuid.UUID) *gorm.DB {
	return db.Read(ctx).Where("state = ? AND expires_at > lethe_now()", models.ApprovalPending).
		Where("targets @> jsonb_build_array(jsonb_build_object('kind', ?::text, 'id', ?::text))", kind, id.String())
}

// Targets are the rows that a request is about.
func Targets(row models.Approval) ([]Target, error) {
	var targets []Target
	if err := json.Unmarshal([]byte(row.Targets), &targets); err != nil {
		return nil, fmt.Errorf("reading the targets of a request: %w", err)
	}
	return targets, nil
}

// Decides says whether a role agrees to an operation.
func (r *Registry) Decides(role models.Role, operation string) bool {
	op, known := r.Operation(operation)
	return known && slices.Contains(op.Approvers, role)
}

// DecidedBy lists the operations that a role agrees to.
func (r *Registry) DecidedBy(role models.Role) []string {
	names := []string{}
	for _, op := range r.operations {
		if slices.Contains(op.Approvers, role) {
			names = append(names, op.Name)
		}
	}
	return names
}
