package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/i18n"
	"lethe/models"
)

// Me is who the bearer of a token is.
type Me struct {
	EmployeeID uuid.UUID   `json:"employee_id"`
	EmployeeNo string      `json:"employee_no"`
	Name       string      `json:"name"`
	Role       models.Role `json:"role" enum:"hr_admin,department_head,employee,reviewer,auditor,it_ops"`
	RoleText   string      `json:"role_text" doc:"The role in the caller's language"`
}

// Speaking is the language of a request.
type Speaking struct {
	AcceptLanguage string `header:"Accept-Language" doc:"zh or en"`
}

func (s Speaking) language() i18n.Language { return i18n.Negotiate(s.AcceptLanguage) }

// answer is a response with a body.
type answer[T any] struct{ Body T }

func (s *server) registerMe() {
	huma.Register(s.api, operation(http.MethodGet, "/me", "Identity", "Who am I"), s.me)
}

func (s *server) me(ctx context.Context, in *struct{ Speaking }) (*answer[Me], error) {
	actor := actorOf(ctx)
	person, err := archive.Get(ctx, s.DB, models.Actor{EmployeeID: actor.EmployeeID, Role: models.RoleEmployee}, actor.EmployeeID, in.language())
	if err != nil {
		return nil, err
	}
	return &answer[Me]{Me{
		EmployeeID: actor.EmployeeID, EmployeeNo: person.EmployeeNo, Name: person.Name, Role: actor.Role,
		RoleText: i18n.Text(in.language(), "role."+string(actor.Role)),
	}}, nil
}
