package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// View is one linked account as people see it.
type View struct {
	ID          uuid.UUID
	Employment  uuid.UUID
	System      string
	Kind        string
	ExternalID  *string // the system's own id
	State       models.AccountState
	ConfirmedAt *time.Time
	OperationID *uuid.UUID
	Operation   models.OperationKind // of OperationID
	// Registered: people linked it. LookUp: it is no account but the question for one.
	Registered, LookUp bool
	Finding            models.Finding
	// CalledOff: it is a question that was called off before it was answered, which says nothing about any account.
	CalledOff bool
	// KeptOff: an emergency cut keeps it closed.
	KeptOff bool
	// Before is how those see it who know of no emergency cut before the person was told; nil: as it is.
	Before *View
}

// Accounts lists the accounts of employments, by employment, in the order in which they were linked, and
// the look-ups in systems where none was, also those that were called off before they were answered.
func Accounts(ctx context.Context, db *database.DB, employments []uuid.UUID) (map[uuid.UUID][]View, error) {
	views, err := viewed(db.Read(ctx))(database.Find[models.LinkedAccount](db.Read(ctx), "accounts", "employment_id = ANY (?)", models.IDs(employments)))
	byEmployment := make(map[uuid.UUID][]View, len(employments))
	for _, v := range views {
		byEmployment[v.Employment] = append(byEmployment[v.Employment], v)
	}
	return byEmployment, err
}

// OfPerson lists the accounts of all employments of a person, as [Accounts] does.
func OfPerson(ctx context.Context, db *database.DB, employeeID uuid.UUID) ([]View, error) {
	return viewed(db.Read(ctx))(database.Find[models.LinkedAccount](db.Read(ctx), "accounts", "employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", employeeID))
}

func viewed(db *gorm.DB) func(rows []models.LinkedAccount, err error) ([]View, error) {
	return func(rows []models.LinkedAccount, err error) ([]View, error) {
		if err != nil {
			return nil, err
		}
		var taken models.IDs // by an operation; nothing needs to be known of others
		for _, a := range rows {
			if a.OperationID != nil {
				taken = append(taken, a.ID)
			}
		}
		ops, cut, err := orderedBy(db, taken)
		if err != nil {
			return nil, err
		}
		steps := cutSteps{}
		if cut {
			if steps, err = stepsOfCuts(db, taken); err != nil {
				return nil, err
			}
		}
		return viewsOf(rows, ops, steps)
	}
}

// ordered is what an operation does; Cut: for an emergency cut; TakenBack: the departure that ordered it was taken back.
type ordered struct {
	ID             uuid.UUID
	Kind           models.OperationKind
	Cut, TakenBack bool
}

// orderedBy are the operations that ever took accounts over, and whether an emergency cut is among them.
func orderedBy(db *gorm.DB, accounts models.IDs) (kinds map[uuid.UUID]ordered, cut bool, err error) {
	if len(accounts) == 0 {
		return nil, false, nil
	}
	var operations []ordered
	err = db.Raw(`SELECT o.id, o.kind, o.cut_id IS NOT NULL AS cut, coalesce(d.stage IN ('withdrawn', 'annulled'), false) AS taken_back
		FROM account_operations o LEFT JOIN departures d ON d.id = o.departure_id
		WHERE o.id IN (SELECT operation_id FROM account_steps WHERE account_id = ANY (?))`, accounts).Scan(&operations).Error
	kinds = make(map[uuid.UUID]ordered, len(operations))
	for _, o := range operations {
		kinds[o.ID], cut = o, cut || o.Cut
	}
	return kinds, cut, database.Wrap("reading the kinds of operations", err)
}

func viewsOf(rows []models.LinkedAccount, ops map[uuid.UUID]ordered, steps cutSteps) ([]View, error) {
	views := make([]View, 0, len(rows))
	for _, a := range rows {
		v := View{
			ID: a.ID, Employment: a.EmploymentID, System: a.System, Kind: a.Kind, ExternalID: a.ExternalID, State: a.State, ConfirmedAt: a.ConfirmedAt, OperationID: a.OperationID,
			Registered: a.Registered, LookUp: a.LookUp(), Finding: a.Finding, CalledOff: calledOff(a),
		}
		if a.OperationID != nil {
			v.Operation = ops[*a.OperationID].Kind
		}
		step, ok := steps.of(a.ID, a.OperationID)
		v.KeptOff = ok && step.Closes
		var err error
		if v.Before, err = v.asBefore(a, steps, ops); err != nil {
			return nil, err
		}
		if v.Before == nil && askedBecause(a, rows, steps) {
			v.Before = &View{CalledOff: true}
		}
		views = append(views, v)
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
	Kind         string              // of the account
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
	steps, err := database.Find[models.AccountStep](db.Read(ctx), "steps", "operation_id = ?", id)
	if err != nil {
		return v, err
	}
	inOrder(op, steps)
	accounts, err := database.Find[models.LinkedAccount](db.Read(ctx), "accounts", "id IN (SELECT account_id FROM account_steps WHERE operation_id = ?)", id)
	if err != nil {
		return v, err
	}
	evidence, err := database.Find[models.AccountEvidence](db.Read(ctx), "evidence", "step_id IN (SELECT id FROM account_steps WHERE operation_id = ?)", id)
	if err != nil {
		return v, err
	}
	for _, s := range steps {
		sv := StepView{AccountStep: s}
		for _, a := range accounts {
			if a.ID != s.AccountID {
				continue
			}
			if sv.Kind = a.Kind; !calledOff(a) {
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

// Waiting lists what of the accounts of departures waits, by departure: first what people must decide,
// then what is tried again or left to a system, each oldest first.
func Waiting(ctx context.Context, db *database.DB, departures []uuid.UUID) (map[uuid.UUID][]Waited, error) {
	cases, err := database.Find[models.SupportCase](db.Read(ctx), "support cases", "departure_id = ANY (?) AND state <> ?", models.IDs(departures), models.CaseClosed)
	if err != nil {
		return nil, err
	}
	waiting := make(map[uuid.UUID][]Waited, len(departures))
	for _, c := range cases {
		w := Waited{What: WaitsForSupport, Role: models.RoleITOps, Since: c.OpenedAt, System: c.System, SupportCaseID: c.ID}
		if c.State == models.CaseWaiverRequested {
			w.What, w.Role, w.Since = WaitsForWaiver, models.RoleReviewer, *c.AskedAt
		}
		waiting[*c.DepartureID] = append(waiting[*c.DepartureID], w)
	}
	for _, of := range waiting {
		slices.SortStableFunc(of, func(a, b Waited) int { return a.Since.Compare(b.Since) })
	}
	open, err := database.Find[models.AccountOperation](db.Read(ctx), "account operations", "departure_id = ANY (?) AND ended_at IS NULL", models.IDs(departures))
	if err != nil || len(open) == 0 {
		return waiting, err
	}
	departureOf, operations := make(map[uuid.UUID]uuid.UUID, len(open)), make([]uuid.UUID, len(open))
	for i, op := range open {
		departureOf[op.ID], operations[i] = *op.DepartureID, op.ID
		if op.Asked != nil && len(op.Asked) == 0 {
			waiting[*op.DepartureID] = append(waiting[*op.DepartureID], Waited{What: WaitsForConnection, Role: models.RoleITOps, Since: op.CreatedAt})
		}
	}
	delayed, err := delayedSteps(ctx, db, operations)
	for _, s := range delayed {
		w := Waited{What: WaitsForRetry, Role: models.RoleITOps, Since: *s.StartedAt, System: s.System}
		if s.State == models.StepAccepted {
			w.What = WaitsForSystem
		}
		of := departureOf[s.OperationID]
		waiting[of] = append(waiting[of], w)
	}
	return waiting, err
}

// delayedSteps lists the steps of operations that failed and are tried again, and those that a system has
// accepted and not carried out yet, oldest first.
func delayedSteps(ctx context.Context, db *database.DB, operations []uuid.UUID) ([]models.AccountStep, error) {
	steps, err := database.Find[models.AccountStep](db.Read(ctx), "steps",
		"operation_id = ANY (?) AND started_at IS NOT NULL AND (state = ? OR (state IN ? AND tries > 0))",
		models.IDs(operations), models.StepAccepted, []models.StepState{models.StepPending, models.StepRunning})
	slices.SortStableFunc(steps, func(a, b models.AccountStep) int { return a.StartedAt.Compare(*b.StartedAt) })
	return steps, err
}
