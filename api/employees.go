package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// NewEmployee is the body of a hire.
type NewEmployee struct {
	EmployeeNo    string            `json:"employee_no" minLength:"1" maxLength:"64" doc:"Letters, digits, dot, dash and underscore. That of somebody who left opens a new employment" example:"E00042"`
	Name          string            `json:"name" minLength:"1" maxLength:"200"`
	DepartmentID  uuid.UUID         `json:"department_id"`
	LegalEntityID *uuid.UUID        `json:"legal_entity_id,omitempty" doc:"Left out: the department's"`
	Post          string            `json:"post,omitempty" maxLength:"200"`
	HiredOn       clock.Date        `json:"hired_on"`
	TimeZone      string            `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name. Left out: the legal entity's" example:"Asia/Shanghai"`
	Fields        map[string]string `json:"fields,omitempty" doc:"Sensitive values by the keys of the field catalogue. They are sealed at once"`
	ApprovalFields
}

// EmployeePatch is the body of a change to a file; what is left out stays.
type EmployeePatch struct {
	Name          *string            `json:"name,omitempty" minLength:"1" maxLength:"200"`
	DepartmentID  *uuid.UUID         `json:"department_id,omitempty"`
	Post          *string            `json:"post,omitempty" maxLength:"200"`
	Fields        map[string]*string `json:"fields,omitempty" doc:"Sensitive values by the keys of the field catalogue; null removes one"`
	LegalEntityID *uuid.UUID         `json:"legal_entity_id,omitempty" doc:"A change needs an approval"`
	Jurisdiction  *string            `json:"jurisdiction,omitempty" maxLength:"16" doc:"A change needs an approval"`
	TimeZone      *string            `json:"time_zone,omitempty" maxLength:"64" doc:"A change needs an approval"`
	HiredOn       *clock.Date        `json:"hired_on,omitempty" doc:"A change needs an approval"`
	ApprovalFields
}

type newEmployeeInput struct {
	Idempotent
	Speaking
	Body NewEmployee
}

// ByID names a resource in the path.
type ByID struct {
	Speaking
	ID uuid.UUID `path:"id"`
}

type createdAnswer[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

func (s *server) registerEmployees() {
	r := s.resource("Employees", identity.ScopePeople)
	handle(r, route{at: "POST /employees", summary: "Hire somebody; a second person decides", to: roles{hr}, status: http.StatusAccepted}, s.createEmployee)
	handle(r, route{at: "GET /employees", summary: "List people", to: everyone}, s.listEmployees)
	handle(r, route{at: "GET /employees/{id}", summary: "Read a file; sensitive fields are masked", to: everyone}, s.getEmployee)
	handle(r, route{at: "PATCH /employees/{id}", summary: "Change a file", to: roles{hr}, orRequest: true}, s.patchEmployee)
}

func (s *server) createEmployee(ctx context.Context, in *newEmployeeInput) (*outcome[ApprovalView], error) {
	b := in.Body
	n := archive.NewEmployee{
		EmployeeNo: b.EmployeeNo, Name: b.Name, DepartmentID: b.DepartmentID, Post: b.Post,
		HiredOn: b.HiredOn, TimeZone: b.TimeZone, Fields: b.Fields,
	}
	if b.LegalEntityID != nil {
		n.LegalEntityID = *b.LegalEntityID
	}
	return s.ask(ctx, in.language(), step{
		operation: operations.CreateEmployee, command: n, reason: b.ApprovalReason,
		key: in.Key, route: "POST /employees", body: b,
	})
}

type listEmployeesInput struct {
	Paging
	Search       string    `query:"q" maxLength:"100" doc:"Part of a name or employee number"`
	Status       string    `query:"status" enum:"active,pending_departure,departed,purged"`
	DepartmentID uuid.UUID `query:"department_id"`
}

func (s *server) listEmployees(ctx context.Context, in *listEmployeesInput) (*answer[Page[archive.Employee]], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	people, more, err := archive.List(ctx, s.DB, archive.Filter{
		Actor: actorOf(ctx), Query: in.Search, Status: models.EmployeeStatus(in.Status),
		DepartmentID: in.DepartmentID, After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, located("query.", err)
	}
	return &answer[Page[archive.Employee]]{Page[archive.Employee]{
		Items: people, NextCursor: next(in.Paging, people, more, func(e archive.Employee) uuid.UUID { return e.ID }),
	}}, nil
}

func (s *server) getEmployee(ctx context.Context, in *ByID) (*answer[archive.EmployeeView], error) {
	return s.showEmployee(ctx, in.ID, in.language())
}

func (s *server) showEmployee(ctx context.Context, id uuid.UUID, language i18n.Language) (*answer[archive.EmployeeView], error) {
	view, err := archive.Get(ctx, s.DB, actorOf(ctx), id, language)
	if errors.Is(err, database.ErrNotFound) {
		return nil, problem(codeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	return &answer[archive.EmployeeView]{view}, nil
}

type patchEmployeeInput struct {
	ByID
	Body EmployeePatch
}

func (s *server) patchEmployee(ctx context.Context, in *patchEmployeeInput) (*outcome[archive.EmployeeView], error) {
	b := in.Body
	patch := archive.Patch{
		Name: b.Name, DepartmentID: b.DepartmentID, Post: b.Post, Fields: b.Fields,
		LegalEntityID: b.LegalEntityID, Jurisdiction: b.Jurisdiction, TimeZone: b.TimeZone, HiredOn: b.HiredOn,
	}
	out, err := take(ctx, s, in.language(), &step{
		operation: operations.ChangeBasis, command: operations.BasisChange{EmployeeID: in.ID, Patch: patch}, reason: b.ApprovalReason,
		assess: func(tx *database.Tx) ([]models.Cause, error) { return archive.Assess(tx, in.ID, patch) },
		alone: func(tx *database.Tx) (creation, error) {
			return done(models.Ref{Kind: models.RefEmployee, ID: in.ID}), archive.Update(tx, s.Vault, in.ID, patch)
		},
	}, func(id uuid.UUID) (archive.EmployeeView, error) {
		return archive.Get(ctx, s.DB, actorOf(ctx), id, in.language())
	})
	if errors.Is(err, database.ErrNotFound) {
		return nil, problem(codeEmployeeNotFound)
	}
	return out, err
}
