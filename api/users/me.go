package users

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/consent"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// Me is who the bearer of a token or a session is.
type Me struct {
	EmployeeID uuid.UUID    `json:"employee_id"`
	EmployeeNo string       `json:"employee_no"`
	Name       string       `json:"name"`
	Role       models.Role  `json:"role"`
	RoleText   string       `json:"role_text" doc:"The role in the caller's language"`
	User       MyUser       `json:"user" doc:"The account that is used"`
	Session    *SessionView `json:"session,omitempty" doc:"The session that asks; left out: a token does"`
	Scopes     []string     `json:"scopes" doc:"What the token is limited to; empty: to nothing but its role"`
	Notices    []NoticeView `json:"notices" doc:"What everybody must get to know, until it is acknowledged"`
	// ConsentsToAnswer stands here so that a console asks at the next login.
	ConsentsToAnswer     []models.ConsentPurpose `json:"consents_to_answer" doc:"What the privacy policy asks for and was not answered yet: see GET /consents. It keeps nobody from anything"`
	ConsentsToAnswerText []string                `json:"consents_to_answer_text"`
}

// MyUser is an account with the roles that a login can choose from.
type MyUser struct {
	ID        uuid.UUID     `json:"id"`
	Login     string        `json:"login"`
	Roles     []models.Role `json:"roles"`
	RolesText []string      `json:"roles_text"`
}

// NoticeView is something that everybody must get to know.
type NoticeView struct {
	ID   uuid.UUID `json:"id"`
	Kind string    `json:"kind" doc:"Stable, for programs" example:"break_glass"`
	Text string    `json:"text" doc:"In the caller's language"`
	At   time.Time `json:"at"`
	// Person is whom an emergency cut is about.
	Person *render.PersonView `json:"person,omitempty" doc:"Whose access was cut in an emergency: for those who hold the same role"`
}

func (s *server) registerMe() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{At: "GET /me", Summary: "Who am I", Former: true, To: httpkit.Everyone}, s.me)
}

func (s *server) me(ctx context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[Me], error) {
	bearer, language := httpkit.BearerOf(ctx), in.Language()
	actor := bearer.Actor
	person, err := archive.Get(ctx, s.DB, models.Actor{EmployeeID: actor.EmployeeID, Role: models.RoleEmployee}, actor.EmployeeID, language)
	if err != nil {
		return nil, err
	}
	user, err := identity.GetUser(ctx, s.DB, bearer.UserID)
	if err != nil {
		return nil, err
	}
	me := Me{
		EmployeeID: actor.EmployeeID, EmployeeNo: person.EmployeeNo, Name: person.Name, Role: actor.Role,
		RoleText: closed.Text(language, actor.Role), Scopes: append([]string{}, bearer.Scopes...),
		User: MyUser{ID: user.ID, Login: user.Login, Roles: user.Roles, RolesText: closed.Texts(language, user.Roles)},
	}
	if me.Session, err = s.mySession(ctx, bearer, language); err != nil {
		return nil, err
	}
	if bearer.Former { // what is told to everybody is not for who has left
		me.Notices = []NoticeView{}
	} else if me.Notices, err = s.notices(ctx, bearer.UserID, language); err != nil {
		return nil, err
	}
	me.ConsentsToAnswer, err = consent.ToAnswer(s.DB.Read(ctx), actor.EmployeeID)
	me.ConsentsToAnswerText = closed.Texts(language, me.ConsentsToAnswer)
	return &httpkit.Answer[Me]{Body: me}, err
}

// mySession is the session that asks, if one does.
func (s *server) mySession(ctx context.Context, b identity.Bearer, language i18n.Language) (*SessionView, error) {
	if b.SessionID == uuid.Nil {
		return nil, nil
	}
	row, err := s.Identity.Session(ctx, b.SessionID)
	if err != nil {
		return nil, err
	}
	view := sessionView(row, language, b.SessionID)
	return &view, nil
}

func (s *server) notices(ctx context.Context, userID uuid.UUID, language i18n.Language) ([]NoticeView, error) {
	rows, err := identity.Notices(ctx, s.DB, userID)
	if err != nil {
		return nil, err
	}
	about, err := identity.NoticesAbout(ctx, s.DB, rows)
	if err != nil {
		return nil, err
	}
	people, err := s.People(ctx, language, slices.Collect(maps.Values(about)))
	return httpkit.Each(rows, func(n models.Notice) NoticeView {
		v := NoticeView{ID: n.ID, Kind: n.Kind, Text: i18n.Text(language, "notice."+n.Kind), At: n.CreatedAt}
		if who, known := about[n.ID]; known {
			v.Person = people.Of(&who)
		}
		return v
	}), err
}
