package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/account"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// OperationView is an order to unlink or relink accounts, with its evidence.
type OperationView struct {
	ID           uuid.UUID              `json:"id"`
	EmployeeID   uuid.UUID              `json:"employee_id"`
	Person       render.PersonView      `json:"person"`
	EmploymentID uuid.UUID              `json:"employment_id" doc:"Which employment of the person the accounts are of"`
	DepartureID  *uuid.UUID             `json:"departure_id,omitempty"`
	UndoesID     *uuid.UUID             `json:"unlinking_id,omitempty" doc:"The unlinking that a relinking undoes"`
	Kind         models.OperationKind   `json:"kind"`
	KindText     string                 `json:"kind_text"`
	ModeText     string                 `json:"mode_text"`
	OriginText   string                 `json:"origin_text"`
	StateText    string                 `json:"state_text"`
	Mode         models.OperationMode   `json:"mode"`
	Origin       models.OperationOrigin `json:"origin"`
	AllOrNothing bool                   `json:"all_or_nothing"`
	State        models.OperationState  `json:"state"`
	CreatedAt    time.Time              `json:"created_at"`
	EndedAt      *time.Time             `json:"ended_at,omitempty"`
	Asked        []string               `json:"asked,omitempty" doc:"The systems that are asked by employee number, whether an account is registered there or not"`
	Steps        []StepView             `json:"steps" doc:"In the order in which they are carried out"`
	Workflow     *render.WorkflowView   `json:"workflow,omitempty" doc:"For it_ops"`
}

// StepView is one account's part in an operation.
type StepView struct {
	ID           uuid.UUID            `json:"id"`
	AccountID    uuid.UUID            `json:"account_id"`
	System       string               `json:"system"`
	SystemText   string               `json:"system_text"`
	Action       models.OperationKind `json:"action"`
	ActionText   string               `json:"action_text"`
	StateText    string               `json:"state_text"`
	AccountText  string               `json:"account_state_text,omitempty"`
	State        models.StepState     `json:"state"`
	AccountState models.AccountState  `json:"account_state,omitempty" doc:"Absent of a question by employee number that was called off before it was answered"`
	Tries        int                  `json:"tries" doc:"Failed tries of this round"`
	CheckAt      *time.Time           `json:"check_at,omitempty" doc:"When it is looked at next"`
	StuckReason  string               `json:"stuck_reason,omitempty"`
	StuckText    string               `json:"stuck_reason_text,omitempty"`
	EndedAt      *time.Time           `json:"ended_at,omitempty"`
	Evidence     []EvidenceView       `json:"evidence" doc:"Oldest first"`
}

// EvidenceView is one sub-step that was tried, with what came of it.
type EvidenceView struct {
	At          time.Time `json:"at"`
	Attempt     int64     `json:"attempt"`
	Substep     string    `json:"substep"`
	SubstepText string    `json:"substep_text"`
	Outcome     string    `json:"outcome"`
	OutcomeText string    `json:"outcome_text"`
	Detail      string    `json:"detail,omitempty"`
}

// operationView reads one operation; one of another kind than was asked for does not exist there.
func (s *server) operationView(ctx context.Context, language i18n.Language, id uuid.UUID, kind models.OperationKind) (OperationView, error) {
	op, err := account.Operation(ctx, s.DB, id)
	if err != nil {
		return OperationView{}, err
	}
	if kind != "" && op.Kind != kind {
		return OperationView{}, database.ErrNotFound
	}
	people, err := s.People(ctx, language, []uuid.UUID{op.EmployeeID})
	if err != nil {
		return OperationView{}, err
	}
	v := OperationView{
		ID: op.ID, EmployeeID: op.EmployeeID, Person: people[op.EmployeeID], EmploymentID: op.EmploymentID, DepartureID: op.DepartureID, UndoesID: op.UndoesID, Kind: op.Kind, Mode: op.Mode,
		Origin: op.Origin, AllOrNothing: op.AllOrNothing, State: op.State, CreatedAt: op.CreatedAt.UTC(), EndedAt: render.UTC(op.EndedAt),
		KindText: closed.Text(language, op.Kind), ModeText: closed.Text(language, op.Mode),
		OriginText: closed.Text(language, op.Origin), StateText: closed.Text(language, op.State),
		Asked: op.Asked, Steps: make([]StepView, len(op.Steps)),
	}
	for i, step := range op.Steps {
		v.Steps[i] = stepView(step, language)
	}
	if httpkit.ActorOf(ctx).Role == models.RoleITOps {
		v.Workflow = s.Workflow("unlinking/" + op.ID.String())
		v.Workflow.RunID = s.RunOf(ctx, v.Workflow.ID)
	}
	return v, nil
}

func stepView(step account.StepView, language i18n.Language) StepView {
	v := StepView{
		ID: step.ID, AccountID: step.AccountID, System: step.System, SystemText: SystemText(language, step.System, step.Kind), Action: step.Action, State: step.State,
		AccountState: step.AccountState, Tries: step.Tries, CheckAt: render.UTC(step.CheckAt), StuckReason: step.StuckReason,
		ActionText: closed.Text(language, step.Action), StateText: closed.Text(language, step.State),
		EndedAt: render.UTC(step.EndedAt), Evidence: make([]EvidenceView, len(step.Evidence)),
	}
	if step.StuckReason != "" {
		v.StuckText = i18n.Text(language, "case_reason."+account.ReasonOf(step.StuckReason))
	}
	if step.AccountState != "" {
		v.AccountText = closed.Text(language, step.AccountState)
	}
	for i, e := range step.Evidence {
		v.Evidence[i] = EvidenceView{
			At: e.At.UTC(), Attempt: e.Attempt, Substep: e.Substep, SubstepText: i18n.Text(language, "tried."+e.Substep),
			Outcome: e.Outcome, OutcomeText: i18n.Text(language, "tried_outcome."+e.Outcome), Detail: e.Detail,
		}
	}
	return v
}
