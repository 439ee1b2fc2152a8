package account

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/models"
)

// CaseFilter selects support cases; zero values select everything.
type CaseFilter struct {
	State       models.CaseState
	DepartureID *uuid.UUID
	OperationID *uuid.UUID
	EmployeeID  *uuid.UUID // whose account it is
	System      string
	Reason      string    // one of Reasons, or ReasonOther
	NotOf       uuid.UUID // leaves out those of somebody's accounts
	After       uuid.UUID // the last id of the page before
	Limit       int       // default 50, at most 200
}

// CaseView is a support case with whom it concerns.
type CaseView struct {
	models.SupportCase
	EmploymentID uuid.UUID
	EmployeeID   uuid.UUID
	Action       models.OperationKind // of the step
	Kind         string               // of the account
	Operation    models.OperationKind // of the operation
	CutID        *uuid.UUID           // the emergency cut that the operation is of
}

// casesWith are support cases with whom and what they concern.
func casesWith(q *gorm.DB) *gorm.DB {
	return q.Table("support_cases c").
		Select("c.*, o.employment_id, m.employee_id, s.action, a.kind, o.kind AS operation, o.cut_id").
		Joins("JOIN account_operations o ON o.id = c.operation_id").
		Joins("JOIN account_steps s ON s.id = c.step_id").
		Joins("JOIN linked_accounts a ON a.id = c.account_id").
		Joins("JOIN employments m ON m.id = o.employment_id")
}

// Cases lists support cases, oldest first, and says whether there are more.
func Cases(ctx context.Context, db *database.DB, f CaseFilter) (items []CaseView, more bool, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	q := casesWith(db.Read(ctx)).
		Where("c.id > ? AND m.employee_id <> ?", f.After, f.NotOf)
	if f.State != "" {
		q = q.Where("c.state = ?", f.State)
	}
	if f.DepartureID != nil {
		q = q.Where("c.departure_id = ?", *f.DepartureID)
	}
	if f.OperationID != nil {
		q = q.Where("c.operation_id = ?", *f.OperationID)
	}
	if f.EmployeeID != nil {
		q = q.Where("m.employee_id = ?", *f.EmployeeID)
	}
	if f.System != "" {
		q = q.Where("c.system = ?", f.System)
	}
	switch f.Reason {
	case "":
	case ReasonOther:
		q = q.Where("c.reason NOT IN ?", Reasons)
	default:
		q = q.Where("c.reason = ?", f.Reason)
	}
	oldest := clause.OrderByColumn{Column: clause.Column{Table: "c", Name: "id"}}
	if err := q.Order(oldest).Limit(limit + 1).Scan(&items).Error; err != nil {
		return nil, false, database.Wrap("reading support cases", err)
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}

// Case reads one support case; an unknown id is database.ErrNotFound.
func Case(ctx context.Context, db *database.DB, id uuid.UUID) (CaseView, error) {
	var v []CaseView
	if err := casesWith(db.Read(ctx)).Where("c.id = ?", id).Scan(&v).Error; err != nil {
		return CaseView{}, database.Wrap("reading a support case", err)
	}
	if len(v) == 0 {
		return CaseView{}, fmt.Errorf("reading a support case: %w", database.ErrNotFound)
	}
	return v[0], nil
}

// Tried is what was tried in the step of a support case, so often with the same end.
type Tried struct {
	CaseID           uuid.UUID
	Substep, Outcome string
	Detail           string
	Times            int
	FirstAt, LastAt  time.Time
	// Earlier: before the step was stuck this time; another case was about it then.
	Earlier bool
}

// Failure is the code of what failed and the HTTP status of the answer, 0 if there was none; empty of what did
// not fail.
func (t Tried) Failure() (code string, status int) {
	if t.Outcome != outFailed {
		return "", 0
	}
	code, text, _ := strings.Cut(t.Detail, ":")
	status, _ = strconv.Atoi(text)
	return code, status
}

// TriedIn reads what was tried in the steps of support cases until each was closed, in the order in which it was
// first tried; what an earlier case of the step was about comes after it.
func TriedIn(ctx context.Context, db *database.DB, cases []uuid.UUID) (map[uuid.UUID][]Tried, error) {
	var rows []Tried
	err := db.Read(ctx).Raw(`SELECT c.id AS case_id, e.substep, e.outcome, e.detail, count(*) AS times, min(e.at) AS first_at, max(e.at) AS last_at, e.at <= coalesce(p.closed_at, '-infinity') AS earlier
		FROM support_cases c JOIN account_evidence e ON e.step_id = c.step_id
		LEFT JOIN LATERAL (SELECT max(b.closed_at) AS closed_at FROM support_cases b WHERE b.step_id = c.step_id AND b.id <> c.id AND b.opened_at < c.opened_at) p ON true
		WHERE c.id IN ? AND e.outcome <> ? AND (c.closed_at IS NULL OR e.at <= c.closed_at)
		GROUP BY c.id, e.substep, e.outcome, e.detail, earlier ORDER BY earlier, min(e.id)`, cases, outBegun).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading what was tried", err)
	}
	tried := make(map[uuid.UUID][]Tried, len(cases))
	for _, t := range rows {
		tried[t.CaseID] = append(tried[t.CaseID], t)
	}
	return tried, nil
}

// Notes opens what people wrote about support cases, in their order. What ended with the log is empty.
func Notes(ctx context.Context, db *database.DB, cases []CaseView) ([]string, error) {
	texts := make([]reasons.Text, len(cases))
	for i, c := range cases {
		texts[i] = reasons.Text{Cell: notePlace(c.ID), Sealed: c.NoteSealed}
	}
	return reasons.Open(ctx, db, texts...)
}
