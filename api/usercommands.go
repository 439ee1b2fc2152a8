package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// NewUserBody asks for an account.
type NewUserBody struct {
	ApprovalFields
	EmployeeID uuid.UUID     `json:"employee_id"`
	Login      string        `json:"login" minLength:"1" maxLength:"100" doc:"Letters, digits and . _ - + @; case does not matter"`
	Roles      []models.Role `json:"roles" minItems:"1" maxItems:"6" uniqueItems:"true" enum:"hr_admin,department_head,employee,reviewer,auditor,it_ops"`
}

// RoleBody asks for a role.
type RoleBody struct {
	ApprovalFields
	Role models.Role `json:"role" enum:"hr_admin,department_head,employee,reviewer,auditor,it_ops"`
}

// ResetBody asks for a reset.
type ResetBody struct {
	ApprovalFields
}

// LoginLinkBody asks for a link with a login of the company's provider.
type LoginLinkBody struct {
	ApprovalFields
	Issuer  string `json:"issuer" minLength:"1" maxLength:"500" doc:"As the provider's discovery document writes it"`
	Subject string `json:"subject" minLength:"1" maxLength:"255" doc:"The provider's identifier of the login, never an e-mail address"`
}

// registerUserCommands registers what always needs two people: each call becomes a request for
// approval.
func (s *server) registerUserCommands() {
	r := s.resource("Users", "")
	handle(r, route{
		at: "POST /users", summary: "Ask for an account; a second person decides", to: roles{hr, it},
		more: "Once approved, both collect one half of the enrolment code each, at /users/{id}/enrolment-code, and hand it to the owner.", status: http.StatusAccepted,
	}, s.createUser)
	handle(r, route{at: "POST /users/{id}/roles", summary: "Ask for a role; a second person decides", to: roles{hr, it}, status: http.StatusAccepted}, s.grantRole)
	handle(r, route{
		at: "POST /users/{id}/reset", summary: "Ask to take credentials away; a second person decides", to: roles{hr, it},
		more: "Password, authenticator, sessions and tokens end, and the owner enrols anew. It brings a disabled account back, too.", status: http.StatusAccepted,
	}, s.resetUser)
	handle(r, route{
		at: "POST /users/{id}/logins", summary: "Ask to link a login of the company's provider; a second person decides", to: roles{hr, it},
		status: http.StatusAccepted,
	}, s.linkLogin)
}

func (s *server) createUser(ctx context.Context, in *struct {
	Idempotent
	Speaking
	Body NewUserBody
}) (*outcome[ApprovalView], error) {
	b := in.Body
	return s.ask(ctx, in.language(), step{
		operation: operations.CreateUser, command: identity.NewUser{EmployeeID: b.EmployeeID, Login: b.Login, Roles: b.Roles},
		reason: b.ApprovalReason, key: in.Key, route: "POST /users", body: b,
	})
}

func (s *server) grantRole(ctx context.Context, in *struct {
	UserID
	Idempotent
	Body RoleBody
}) (*outcome[ApprovalView], error) {
	return s.ask(ctx, in.language(), step{
		operation: operations.GrantRole, command: operations.RoleGrant{UserID: in.ID, Role: in.Body.Role},
		reason: in.Body.ApprovalReason, key: in.Key, route: "POST /users/" + in.ID.String() + "/roles", body: in.Body,
	})
}

func (s *server) resetUser(ctx context.Context, in *struct {
	UserID
	Idempotent
	Body ResetBody
}) (*outcome[ApprovalView], error) {
	return s.ask(ctx, in.language(), step{
		operation: operations.ResetUser, command: operations.UserReset{UserID: in.ID},
		reason: in.Body.ApprovalReason, key: in.Key, route: "POST /users/" + in.ID.String() + "/reset", body: in.Body,
	})
}

func (s *server) linkLogin(ctx context.Context, in *struct {
	UserID
	Idempotent
	Body LoginLinkBody
}) (*outcome[ApprovalView], error) {
	return s.ask(ctx, in.language(), step{
		operation: operations.LinkLogin, command: operations.LoginLink{UserID: in.ID, Issuer: in.Body.Issuer, Subject: in.Body.Subject},
		reason: in.Body.ApprovalReason, key: in.Key, route: "POST /users/" + in.ID.String() + "/logins", body: in.Body,
	})
}
