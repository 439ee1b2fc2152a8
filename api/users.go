package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

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
	State      models.UserState `json:"state" enum:"enrolling,active,disabled" doc:"enrolling: its owner has yet to set the credentials"`
	StateText  string           `json:"state_text"`
	Roles      []models.Role    `json:"roles"`
	Password   bool             `json:"password" doc:"Whether it has a password"`
	TOTP       bool             `json:"totp" doc:"Whether it has an authenticator"`
	Confirmed  bool             `json:"owner_confirmed" doc:"Whether its owner is confirmed towards everybody who was given a half of the enrolment code"`
	CreatedBy  *uuid.UUID       `json:"created_by" nullable:"true" doc:"The person who asked for it"`
	CreatedAt  time.Time        `json:"created_at"`
}

func userView(v identity.UserView, language i18n.Language) UserView {
	return UserView{
		ID: v.ID, EmployeeID: v.EmployeeID, EmployeeNo: v.EmployeeNo, Name: v.Name, Login: v.Login, State: v.State, StateText: i18n.Text(language, "user_state."+string(v.State)),
		Roles: append([]models.Role{}, v.Roles...), Password: v.PasswordHash != nil, TOTP: !v.TOTPSealed.IsNull(),
		Confirmed: v.OwnerConfirmed, CreatedBy: v.CreatedBy, CreatedAt: v.CreatedAt,
	}
}

// UserID names an account.
type UserID struct {
	Speaking
	ID uuid.UUID `path:"id"`
}

func (s *server) registerUsers() {
	r := s.resource("Users", "")
	handle(r, route{at: "GET /users", summary: "The accounts of people here", to: roles{hr, it, auditor}}, s.users)
	handle(r, route{at: "GET /users/{id}", summary: "One account", to: roles{hr, it, auditor}}, s.user)
	handle(r, route{
		at: "DELETE /users/{id}/roles/{role}", summary: "Take a role away; its sessions and tokens end", to: roles{hr, it},
		more: "Needs a step-up.", status: http.StatusNoContent, session: true, orRequest: true,
	}, s.revokeRole)
	handle(r, route{
		at: "POST /users/{id}/disabling", summary: "End an account's access", to: roles{hr, it},
		more: "Needs a step-up.", status: http.StatusNoContent, session: true, orRequest: true,
	}, s.disableUser)
	handle(r, route{
		at: "POST /users/{id}/enrolment-code", summary: "Collect the own half of an enrolment code, once", to: roles{hr, it, reviewer},
		more: "Whoever asked for the user or its reset, and whoever approved that, each collect one half and hand it to the owner, who needs both. " +
			"A second call answers 409 already_delivered.",
	}, s.enrolmentCode)
}

func (s *server) users(ctx context.Context, in *struct {
	Paging
	Speaking
}) (*answer[Page[UserView]], error) {
	from, err := in.after()
	if err != nil {
		return nil, err
	}
	found, more, err := identity.Users(ctx, s.DB, from, in.Limit)
	if err != nil {
		return nil, err
	}
	page := Page[UserView]{Items: make([]UserView, len(found))}
	for i, v := range found {
		page.Items[i] = userView(v, in.language())
	}
	page.NextCursor = next(in.Paging, found, more, func(v identity.UserView) uuid.UUID { return v.ID })
	return &answer[Page[UserView]]{page}, nil
}

func (s *server) user(ctx context.Context, in *UserID) (*answer[UserView], error) {
	v, err := identity.GetUser(ctx, s.DB, in.ID)
	return &answer[UserView]{userView(v, in.language())}, err
}

func (s *server) revokeRole(ctx context.Context, in *struct {
	UserID
	Role models.Role `path:"role" enum:"hr_admin,department_head,employee,reviewer,auditor,it_ops"`
}) (*outcome[struct{}], error) {
	return s.ending(ctx, in.UserID, step{operation: operations.RevokeRole, command: operations.RoleGrant{UserID: in.ID, Role: in.Role}},
		func(tx *database.Tx) error { return identity.RevokeRole(tx, in.ID, in.Role, actorOf(ctx)) })
}

func (s *server) disableUser(ctx context.Context, in *UserID) (*outcome[struct{}], error) {
	return s.ending(ctx, *in, step{operation: operations.DisableUser, command: operations.UserReset{UserID: in.ID}},
		func(tx *database.Tx) error { return identity.Disable(tx, in.ID, actorOf(ctx)) })
}

// ending takes somebody's access away, on the word of a person who is there and has just shown it, and ends
// what they had asked for. If the latter fails, the sweep does it. That of a head or an administrator takes two
// people; the own one anybody may give up.
func (s *server) ending(ctx context.Context, in UserID, st step, end func(tx *database.Tx) error) (*outcome[struct{}], error) {
	st.assess = func(tx *database.Tx) ([]models.Cause, error) {
		by, err := identity.Dangerous(tx, bearerOf(ctx))
		if err != nil {
			return nil, err
		}
		user, _, err := identity.LockUser(tx, in.ID)
		if err != nil || user.EmployeeID == by.Actor.EmployeeID || user.State == models.UserDisabled {
			return nil, err
		}
		return departure.AssessAccess(tx, by.Actor, user.EmployeeID)
	}
	st.alone = func(tx *database.Tx) (creation, error) {
		return creation{ID: in.ID, Status: http.StatusNoContent}, end(tx)
	}
	return take(ctx, s, in.language(), &st, func(uuid.UUID) (struct{}, error) {
		if _, err := s.Approvals.EndLeft(ctx, s.DB); err != nil {
			s.Log.WarnContext(ctx, "requests of somebody who is gone are left open for now", "request_id", requestIDOf(ctx), "error", err.Error())
		}
		return struct{}{}, nil
	})
}

// EnrolmentCode is a half of the code that an owner enrols with, or the whole.
type EnrolmentCode struct {
	Code string `json:"code" doc:"Shown once, stored nowhere"`
}

func (s *server) enrolmentCode(ctx context.Context, in *UserID) (*answer[EnrolmentCode], error) {
	var code string
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		code, err = identity.EnrolmentCode(tx, bearerOf(ctx), in.ID)
		return err
	})
	return &answer[EnrolmentCode]{EnrolmentCode{code}}, err
}
