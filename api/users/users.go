package users

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
)

// UserView is an account of a person.
type UserView struct {
	ID         uuid.UUID        `json:"id"`
	EmployeeID uuid.UUID        `json:"employee_id"`
	EmployeeNo string           `json:"employee_no"`
	Name       string           `json:"name"`
	Login      string           `json:"login"`
	State      models.UserState `json:"state" doc:"enrolling: its owner has yet to set the credentials"`
	StateText  string           `json:"state_text"`
	Roles      []models.Role    `json:"roles"`
	RolesText  []string         `json:"roles_text"`
	Password   bool             `json:"password" doc:"Whether it has a password"`
	TOTP       bool             `json:"totp" doc:"Whether it has an authenticator"`
	Confirmed  bool             `json:"owner_confirmed" doc:"Whether its owner is confirmed towards everybody who was given a half of the enrolment code"`
	CreatedBy  *uuid.UUID       `json:"created_by" nullable:"true" doc:"The person who asked for it"`
	CreatedAt  time.Time        `json:"created_at"`
}

func userView(v identity.UserView, language i18n.Language) UserView {
	return UserView{
		ID: v.ID, EmployeeID: v.EmployeeID, EmployeeNo: v.EmployeeNo, Name: v.Name, Login: v.Login, State: v.State, StateText: closed.Text(language, v.State),
		Roles: append([]models.Role{}, v.Roles...), RolesText: closed.Texts(language, v.Roles), Password: v.PasswordHash != nil, TOTP: !v.TOTPSealed.IsNull(),
		Confirmed: v.OwnerConfirmed, CreatedBy: v.CreatedBy, CreatedAt: v.CreatedAt,
	}
}

// UserID names an account.
type UserID struct {
	httpkit.Speaking
	ID uuid.UUID `path:"id" doc:"The account's id"`
}

func (s *server) registerUsers() {
	r := s.Resource("Users", "")
	httpkit.Handle(r, httpkit.Route{At: "GET /users", Summary: "The accounts of people here", To: httpkit.Roles{httpkit.HR, httpkit.IT, httpkit.Auditor}}, s.users)
	httpkit.Handle(r, httpkit.Route{At: "GET /users/{id}", Summary: "One account", To: httpkit.Roles{httpkit.HR, httpkit.IT, httpkit.Auditor}}, s.user)
	httpkit.Handle(r, httpkit.Route{
		At: "DELETE /users/{id}/roles/{role}", Summary: "Take a role away; its sessions and tokens end", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "Needs a step-up.", Status: http.StatusNoContent, Session: true, OrRequest: true,
	}, s.revokeRole)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /users/{id}/disabling", Summary: "End an account's access", To: httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "Needs a step-up.", Status: http.StatusNoContent, Session: true, OrRequest: true,
	}, s.disableUser)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /users/{id}/enrolment-code", Summary: "Collect the own half of an enrolment code, once", To: httpkit.Roles{httpkit.HR, httpkit.IT, httpkit.Reviewer},
		More: "Whoever asked for the user or its reset, and whoever approved that, each collect one half and hand it to the owner, who needs both. " +
			"A second call answers 409 already_delivered.",
	}, s.enrolmentCode)
}

func (s *server) users(ctx context.Context, in *struct {
	httpkit.Paging
	httpkit.Speaking
	Search string `query:"q" maxLength:"100" doc:"Part of a name, employee number or login"`
}) (*httpkit.Answer[httpkit.Page[UserView]], error) {
	f := identity.UserFilter{Search: in.Search, Limit: in.Limit}
	if in.Search != "" {
		named, err := archive.Named(ctx, s.DB, in.Search)
		if err != nil {
			return nil, err
		}
		f.Named = named.Row
	}
	return httpkit.List(in.Paging, func(v UserView) uuid.UUID { return v.ID }, func(after uuid.UUID) ([]UserView, bool, error) {
		f.After = after
		found, more, err := identity.Users(ctx, s.DB, f)
		return httpkit.Each(found, func(v identity.UserView) UserView { return userView(v, in.Language()) }), more, err
	})
}

func (s *server) user(ctx context.Context, in *UserID) (*httpkit.Answer[UserView], error) {
	v, err := identity.GetUser(ctx, s.DB, in.ID)
	return httpkit.AnswerOf(userView(v, in.Language()), err)
}

func (s *server) revokeRole(ctx context.Context, in *struct {
	UserID
	Role models.Role `path:"role" doc:"The role to take away"`
}) (*approvals.Outcome[struct{}], error) {
	return s.ending(ctx, in.UserID, approvals.Step{Operation: operations.RevokeRole, Command: operations.RoleGrant{UserID: in.ID, Role: in.Role}},
		func(tx *database.Tx) error { return identity.RevokeRole(tx, in.ID, in.Role, httpkit.ActorOf(ctx)) })
}

func (s *server) disableUser(ctx context.Context, in *UserID) (*approvals.Outcome[struct{}], error) {
	return s.ending(ctx, *in, approvals.Step{Operation: operations.DisableUser, Command: operations.UserReset{UserID: in.ID}},
		func(tx *database.Tx) error { return identity.Disable(tx, in.ID, httpkit.ActorOf(ctx)) })
}

// ending takes somebody's access away, on the word of a person who is there and has just shown it, and ends
// what they had asked for. If the latter fails, the sweep does it. That of a head or an administrator takes two
// people; the own one anybody may give up.
func (s *server) ending(ctx context.Context, in UserID, st approvals.Step, end func(tx *database.Tx) error) (*approvals.Outcome[struct{}], error) {
	st.Assess = func(tx *database.Tx) ([]models.Cause, error) {
		by, err := identity.Dangerous(tx, httpkit.BearerOf(ctx))
		if err != nil {
			return nil, err
		}
		user, _, err := identity.LockUser(tx, in.ID)
		if err != nil || user.EmployeeID == by.Actor.EmployeeID || user.State == models.UserDisabled {
			return nil, err
		}
		return departure.AssessAccess(tx, by.Actor, user.EmployeeID)
	}
	st.Alone = func(tx *database.Tx) (httpkit.Creation, error) {
		return httpkit.Creation{ID: in.ID, Status: http.StatusNoContent}, end(tx)
	}
	return approvals.Take(ctx, s.Desk, in.Language(), &st, func(uuid.UUID) (struct{}, error) {
		if _, err := s.Approvals.EndLeft(ctx, s.DB); err != nil {
			s.Log.WarnContext(ctx, "requests of somebody who is gone are left open for now", "request_id", httpkit.RequestIDOf(ctx), "error", err.Error())
		}
		s.PassOn(ctx)
		return struct{}{}, nil
	})
}

// EnrolmentCode is a half of the code that an owner enrols with, or the whole.
type EnrolmentCode struct {
	Code string `json:"code" doc:"Shown once, stored nowhere"`
}

func (s *server) enrolmentCode(ctx context.Context, in *UserID) (*httpkit.Answer[EnrolmentCode], error) {
	var code string
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		code, err = identity.EnrolmentCode(tx, httpkit.BearerOf(ctx), in.ID)
		return err
	})
	return &httpkit.Answer[EnrolmentCode]{Body: EnrolmentCode{code}}, err
}
