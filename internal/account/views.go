package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// View is one linked account as people see it.
type View struct {
	ID          uuid.UUID
	Employment  uuid.UUID
	System      string
	Kind        string
	State       models.AccountState
	ConfirmedAt *time.Time
	OperationID *uuid.UUID
	// Registered: people linked it. LookUp: it is no account but the question for one.
	Registered, LookUp bool
	Finding            models.Finding
}

// Accounts lists an employment's accounts in the order in which they were linked, and the look-ups in
// systems where none was; not those that were called off before they were answered.
func Accounts(ctx context.Context, db *database.DB, employmentID uuid.UUID) ([]View, error) {
	return viewed(read[models.LinkedAccount](ctx, db, "accounts", "employment_id = ?", employmentID))
}

// OfPerson lists the accounts of all employments of a person, as [Accounts] does.
func OfPerson(ctx context.Context, db *database.DB, employeeID uuid.UUID) ([]View, error) {
	return viewed(read[models.LinkedAccount](ctx, db, "accounts", "employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", employeeID))
}

func viewed(rows []models.LinkedAccount, err error) ([]View, error) {
	if err != nil {
		return nil, err
	}
	views := make([]View, 0, len(rows))
	for _, a := range rows {
		if calledOff(a) {
			continue
		}
		views = append(views, View{
			ID: a.ID, Employment: a.EmploymentID, System: a.System, Kind: a.Kind, State: a.State, ConfirmedAt: a.ConfirmedAt, OperationID: a.OperationID,
			Registered: a.Registered, LookUp: a.LookUp(), Finding: a.Finding,
		})
	}
	return views, nil
}

// calledOff: a question that was called off before it was answered says nothing about any account.
func calledOff(a models.LinkedAccount) bool {
	return a.LookUp() && (a.State == models.AccountLinked || a.State == models.AccountRelinked)
}

// OperationView is an operation with its steps, in the order in which they are carried out.
type OperationView struct {
	models.AccountOperation
	EmployeeID uuid.UUID
	Steps      []StepView
}

// StepView is one account's part with its evidence, oldest first.
type StepView struct {
	models.AccountStep
	AccountState models.AccountState // empty: a question that was called off
	Evidence     []models.AccountEvidence
}

// Operation reads one operation; an unknown id is database.ErrNotFound.
func Operation(ctx context.Context, db *database.DB, id uuid.UUID) (OperationView, error) {
	var v OperationView
	op, err := database.First[models.AccountOperation](db.Read(ctx).Where("id = ?", id))
	if err != nil {
		return v, fmt.Errorf("reading an account operation: %w", err)
	}
	employment, err := database.First[models.Employment](db.Read(ctx).Select("id", "employee_id").Where("id = ?", op.EmploymentID))
	if err != nil {
		return v, fmt.Errorf("reading an employment: %w", err)
	}
	v.AccountOperation, v.EmployeeID = op, employment.EmployeeID
	steps, err := read[models.AccountStep](ctx, db, "steps", "operation_id = ?", id)
	if err != nil {
		return v, err
	}
	inOrder(op, steps)
	accounts, err := read[models.LinkedAccount](ctx, db, "accounts", "id IN (SELECT account_id FROM account_steps WHERE operation_id = ?)", id)
	if err != nil {
		return v, err
	}
	evidence, err := read[models.AccountEvidence](ctx, db, "evidence", "step_id IN (SELECT id FROM account_steps WHERE operation_id = ?)", id)
	if err != nil {
		return v, err
	}
	for _, s := range steps {
		sv := StepView{AccountStep: s}
		for _, a := range accounts {
			if a.ID == s.AccountID && !calledOff(a) {
				sv.AccountState = a.State
			}
		}
		for _, e := range evidence {
			if e.StepID == s.ID {
				sv.Evidence = append(sv.Evidence, e)
			}
		}
		v.Steps = append(v.Steps, sv)
	}
	return v, nil
}

// CaseFilter selects support cases; zero values select everything.
type CaseFilter struct {
	State       string // models.CaseOpen, CaseWaiverRequested or CaseClosed
	DepartureID *uuid.UUID
	OperationID *uuid.UUID
	After       uuid.UUID // the last id of the page before
	Limit       int       // default 50, at most 200
}

// CaseView is a support case with whom it concerns.
type CaseView struct {
	models.SupportCase
	EmploymentID uuid.UUID
	EmployeeID   uuid.UUID
}

// Cases lists support cases, oldest first, and says whether there are more.
func Cases(ctx context.Context, db *database.DB, f CaseFilter) (items []CaseView, more bool, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	q := db.Read(ctx).Table("support_cases c").
		Select("c.*, o.employment_id, m.employee_id").
		Joins("JOIN account_operations o ON o.id = c.operation_id").
		Joins("JOIN employments m ON m.id = o.employment_id").
		Where("c.id > ?", f.After)
	if f.State != "" {
		q = q.Where("c.state = ?", f.State)
	}
	if f.DepartureID != nil {
		q = q.Where("c.departure_id = ?", *f.DepartureID)
	}
	if f.OperationID != nil {
		q = q.Where("c.operation_id = ?", *f.OperationID)
	}
	oldest := clause.OrderByColumn{Column: clause.Column{Table: "c", Name: "id"}}
	if err := q.Order(oldest).Limit(limit + 1).Scan(&items).Error; err != nil {
		return nil, false, fmt.Errorf("reading support cases: %w", database.Hide(err))
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}

// Case reads one support case; an unknown id is database.ErrNotFound.
func Case(ctx context.Context, db *database.DB, id uuid.UUID) (CaseView, error) {
	var v CaseView
	c, err := database.First[models.SupportCase](db.Read(ctx).Where("id = ?", id))
	if err != nil {
		return v, fmt.Errorf("reading a support case: %w", err)
	}
	op, err := database.First[models.AccountOperation](db.Read(ctx).Where("id = ?", c.OperationID))
	if err != nil {
		return v, fmt.Errorf("reading an account operation: %w", err)
	}
	m, err := database.First[models.Employment](db.Read(ctx).Select("id", "employee_id").Where("id = ?", op.EmploymentID))
	if err != nil {
		return v, fmt.Errorf("reading an employment: %w", err)
	}
	return CaseView{SupportCase: c, EmploymentID: op.EmploymentID, EmployeeID: m.EmployeeID}, nil
}

// Waited is something that waits, and whose matter it is.
type Waited struct {
	What          string
	Role          models.Role
	Since         time.Time
	System        string
	SupportCaseID uuid.UUID // zero unless a support case waits
}

// What waits.
const (
	WaitsForSupport = "account_stuck"
	WaitsForWaiver  = "waiver_confirmation"
	WaitsForRetry   = "account_retry"    // a step has failed and is tried again
	WaitsForSystem  = "account_accepted" // the system took the order and has not carried it out
	// WaitsForConnection: no system is connected, so that nobody knows what is there.
	WaitsForConnection = "no_system_connected"
)

// Waiting lists what of a departure's accounts waits: first what people must decide, then what is
// tried again or left to a system, each oldest first.
func Waiting(ctx context.Context, db *database.DB, departureID uuid.UUID) ([]Waited, error) {
	cases, err := read[models.SupportCase](ctx, db, "support cases", "departure_id = ? AND state <> ?", departureID, models.CaseClosed)
	if err != nil {
		return nil, err
	}
	var waiting []Waited
	for _, c := range cases {
		w := Waited{What: WaitsForSupport, Role: models.RoleITOps, Since: c.OpenedAt, System: c.System, SupportCaseID: c.ID}
		if c.State == models.CaseWaiverRequested {
			w.What, w.Role, w.Since = WaitsForWaiver, models.RoleReviewer, *c.AskedAt
		}
		waiting = append(waiting, w)
	}
	slices.SortStableFunc(waiting, func(a, b Waited) int { return a.Since.Compare(b.Since) })
	delayed, err := delayedSteps(ctx, db, departureID)
	if err != nil {
		return nil, err
	}
	unasked, err := read[models.AccountOperation](ctx, db, "account operations",
		"departure_id = ? AND ended_at IS NULL AND asked = '{}'", departureID)
	for _, op := range unasked {
		waiting = append(waiting, Waited{What: WaitsForConnection, Role: models.RoleITOps, Since: op.CreatedAt})
	}
	return append(waiting, delayed...), err
}

// delayedSteps lists the open steps of a departure that failed and are tried again, and those that
// a system has accepted and not carried out yet.
func delayedSteps(ctx context.Context, db *database.DB, departureID uuid.UUID) ([]Waited, error) {
	steps, err := read[models.AccountStep](ctx, db, "steps",
		"operation_id IN (SELECT id FROM account_operations WHERE departure_id = ? AND ended_at IS NULL) AND started_at IS NOT NULL AND (state = ? OR (state IN ? AND tries > 0))",
		departureID, models.StepAccepted, []models.StepState{models.StepPending, models.StepRunning})
	if err != nil {
		return nil, err
	}
	delayed := make([]Waited, len(steps))
	for i, s := range steps {
		delayed[i] = Waited{What: WaitsForRetry, Role: models.RoleITOps, Since: *s.StartedAt, System: s.System}
		if s.State == models.StepAccepted {
			delayed[i].What = WaitsForSystem
		}
	}
	slices.SortStableFunc(delayed, func(a, b Waited) int { return a.Since.Compare(b.Since) })
	return delayed, nil
}

func read[T any](ctx context.Context, db *database.DB, what, where string, args ...any) ([]T, error) {
	var rows []T
	if err := db.Read(ctx).Where(where, args...).Order(byID).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, database.Hide(err))
	}
	return rows, nil
}
