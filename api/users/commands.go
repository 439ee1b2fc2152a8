package users

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// NewUserBody asks for an account.
type NewUserBody struct {
	approvals.ApprovalFields
	EmployeeID uuid.UUID     `json:"employee_id"`
	Login      string        `json:"login" minLength:"1" maxLength:"100" doc:"Letters, digits and . _ - + @; case does not matter"`
	Roles      []models.Role `json:"roles" minItems:"1" maxItems:"6" uniqueItems:"true"`
}

// RoleBody asks for a role.
type RoleBody struct {
	approvals.ApprovalFields
	Role models.Role `json:"role"`
}

// ResetBody asks for a reset.
type ResetBody struct {
	approvals.ApprovalFields
}

// LoginLinkBody asks for a link with a login of the company's provider.
type LoginLinkBody struct {
	approvals.ApprovalFields
	Issuer  string `json:"issuer" minLength:"1" maxLength:"500" doc:"As the provider's discovery document writes it"`
	Subject string `json:"subject" minLength:"1" maxLength:"255" doc:"The provider's identifier of the login, never an e-mail address"`
}

// registerUserCommands registers what always needs two people: each call becomes a request for
// approval.
func (s *server) registerUserCommands() {
	r := s.Resource("Users", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /users", Summary: "Ask for an account; a second person decides", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "Once approved, both collect one half of the enrolment code each, at /users/{id}/enrolment-code, and hand it to the owner.", Status: http.StatusAccepted,
	}, s.createUser)
	httpkit.Handle(r, httpkit.Route{At: "POST /users/{id}/roles", Summary: "Ask for a role; a second person decides", To: httpkit.Roles{httpkit.HR, httpkit.IT}, Status: http.StatusAccepted}, s.grantRole)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /users/{id}/reset", Summary: "Ask to take credentials away; a second person decides", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "Password, authenticator, sessions and tokens end, and the owner enrols anew. It brings a disabled account back, too.", Status: http.StatusAccepted,
	}, s.resetUser)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /users/{id}/logins", Summary: "Ask to link a login of the company's provider; a second person decides", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		Status: http.StatusAccepted,
	}, s.linkLogin)
}

func (s *server) createUser(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewUserBody
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	b := in.Body
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.CreateUser, Command: identity.NewUser{EmployeeID: b.EmployeeID, Login: b.Login, Roles: b.Roles},
		Reason: b.ApprovalReason, Key: in.Key, Route: "POST /users", Body: b,
	})
}

func (s *server) grantRole(ctx context.Context, in *struct {
	UserID
	httpkit.Idempotent
	Body RoleBody
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.GrantRole, Command: operations.RoleGrant{UserID: in.ID, Role: in.Body.Role},
		Reason: in.Body.ApprovalReason, Key: in.Key, Route: "POST /users/" + in.ID.String() + "/roles", Body: in.Body,
	})
}

func (s *server) resetUser(ctx context.Context, in *struct {
	UserID
	httpkit.Idempotent
	Body ResetBody
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.ResetUser, Command: operations.UserReset{UserID: in.ID},
		Reason: in.Body.ApprovalReason, Key: in.Key, Route: "POST /users/" + in.ID.String() + "/reset", Body: in.Body,
	})
}

func (s *server) linkLogin(ctx context.Context, in *struct {
	UserID
	httpkit.Idempotent
	Body LoginLinkBody
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.LinkLogin, Command: operations.LoginLink{UserID: in.ID, Issuer: in.Body.Issuer, Subject: in.Body.Subject},
		Reason: in.Body.ApprovalReason, Key: in.Key, Route: "POST /users/" + in.ID.String() + "/logins", Body: in.Body,
	})
}
