package users

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// SessionView is a login.
type SessionView struct {
	ID                uuid.UUID             `json:"id"`
	Role              models.Role           `json:"role"`
	RoleText          string                `json:"role_text" doc:"The role in the caller's language"`
	Authenticated     models.Authentication `json:"authenticated" doc:"How its user proved who they are" enum:"password,password_totp,password_recovery_code,oidc,break_glass,link_totp"`
	AuthenticatedText string                `json:"authenticated_text"`
	SteppedUpAt       *time.Time            `json:"stepped_up_at" doc:"When its user last proved it again; dangerous steps need that within five minutes"`
	Address           string                `json:"address" doc:"From where it was opened"`
	Agent             string                `json:"agent" doc:"What the browser calls itself"`
	CreatedAt         time.Time             `json:"created_at"`
	SeenAt            time.Time             `json:"seen_at"`
	IdleExpiresAt     time.Time             `json:"idle_expires_at" doc:"When it ends if it is not used"`
	ExpiresAt         time.Time             `json:"expires_at" doc:"When it ends in any case"`
	Current           bool                  `json:"current" doc:"Whether it is the session of this request"`
}

func sessionView(m models.Session, language i18n.Language, current uuid.UUID) SessionView {
	return SessionView{
		ID: m.ID, Role: m.Role, RoleText: closed.Text(language, m.Role), Authenticated: m.Authenticated, AuthenticatedText: closed.Text(language, m.Authenticated),
		SteppedUpAt: m.SteppedUpAt, Address: m.Address, Agent: m.Agent, CreatedAt: m.CreatedAt, SeenAt: m.SeenAt,
		IdleExpiresAt: m.IdleExpiresAt, ExpiresAt: m.ExpiresAt, Current: m.ID == current,
	}
}

// LoginBody is who logs in. The second factor is one of totp and recovery_code.
type LoginBody struct {
	Login        string      `json:"login" minLength:"1" maxLength:"200"`
	Password     string      `json:"password" minLength:"1" maxLength:"1000"`
	TOTP         string      `json:"totp,omitempty" maxLength:"20" doc:"The six digits of the authenticator"`
	RecoveryCode string      `json:"recovery_code,omitempty" maxLength:"60" doc:"One of the recovery codes, instead of totp; each works once"`
	Role         models.Role `json:"role,omitempty" doc:"One of the user's roles; left out, the first of them"`
}

// BreakGlassBody opens a session with both sealed codes.
type BreakGlassBody struct {
	Login string      `json:"login" minLength:"1" maxLength:"200" doc:"Of an active user"`
	Code1 string      `json:"code_1" minLength:"1" maxLength:"100"`
	Code2 string      `json:"code_2" minLength:"1" maxLength:"100"`
	Role  models.Role `json:"role,omitempty"`
}

// openedAnswer is a session that was opened; the browser keeps it in a cookie.
type openedAnswer struct {
	Location string   `header:"Location"`
	Cookies  []string `header:"Set-Cookie"`
	Body     SessionView
}

func (s *server) registerSessions() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /sessions", Summary: "Log in", To: httpkit.Everyone,
		More: "Sets the session's cookie. An unknown login, a wrong password and a wrong or missing code get one answer.", Status: http.StatusCreated, Open: true,
		Problems: []int{http.StatusTooManyRequests},
	}, s.login)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /sessions/break-glass", Summary: "Open a session with the two sealed codes", To: httpkit.Everyone,
		More: "For the day on which nobody can log in. The session lasts an hour and cannot disclose, purge or approve; everybody is told.", Status: http.StatusCreated, Open: true,
		Problems: []int{http.StatusTooManyRequests},
	}, s.breakGlass)
	httpkit.Handle(r, httpkit.Route{At: "GET /sessions", Summary: "The own sessions", To: httpkit.Everyone}, s.sessions)
	httpkit.Handle(r, httpkit.Route{At: "DELETE /sessions/current", Summary: "Log out", Former: true, To: httpkit.Everyone, Status: http.StatusNoContent, Session: true}, s.logout)
	httpkit.Handle(r, httpkit.Route{At: "DELETE /sessions/{id}", Summary: "End one of the own sessions", To: httpkit.Everyone, Status: http.StatusNoContent, Session: true}, s.revokeSession)
}

func (s *server) login(ctx context.Context, in *struct {
	httpkit.Speaking
	Cookie string `header:"Cookie" hidden:"true"`
	Body   LoginBody
}) (*openedAnswer, error) {
	b := in.Body
	opened, err := s.Identity.Login(ctx, identity.LoginOrder{
		Login: b.Login, Password: b.Password, TOTP: b.TOTP, RecoveryCode: b.RecoveryCode, Role: b.Role, Client: httpkit.ClientOf(ctx),
		Current: s.sessionBefore(ctx, in.Cookie),
	})
	return s.opened(opened, in.Language()), err
}

func (s *server) breakGlass(ctx context.Context, in *struct {
	httpkit.Speaking
	Body BreakGlassBody
}) (*openedAnswer, error) {
	b := in.Body
	opened, err := s.Identity.BreakGlass(ctx, identity.BreakGlassOrder{
		Login: b.Login, First: b.Code1, Second: b.Code2, Role: b.Role, Client: httpkit.ClientOf(ctx),
	})
	return s.opened(opened, in.Language()), err
}

func (s *server) opened(o identity.Opened, language i18n.Language) *openedAnswer {
	answer := &openedAnswer{
		Location: httpkit.AddressOf(models.RefSession, o.Session.ID), Body: sessionView(o.Session, language, o.Session.ID),
		Cookies: []string{s.Identity.SessionCookie(o.Token).String()},
	}
	if o.Device != "" {
		answer.Cookies = append(answer.Cookies, s.Identity.DeviceCookie(o.Device).String())
	}
	return answer
}

func (s *server) sessions(ctx context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[httpkit.Page[SessionView]], error) {
	bearer := httpkit.BearerOf(ctx)
	rows, err := s.Identity.Sessions(ctx, bearer.UserID)
	views := httpkit.Each(rows, func(m models.Session) SessionView { return sessionView(m, in.Language(), bearer.SessionID) })
	return httpkit.AnswerOf(httpkit.PageOf(views, nil), err)
}

// goneAnswer takes the session's cookie away.
type goneAnswer struct {
	Cookies []string `header:"Set-Cookie"`
}

func (s *server) logout(ctx context.Context, _ *struct{}) (*goneAnswer, error) {
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return s.Identity.Logout(tx, httpkit.BearerOf(ctx)) })
	if err != nil {
		return nil, err
	}
	return &goneAnswer{Cookies: []string{s.Identity.SessionCookie("").String()}}, nil
}

func (s *server) revokeSession(ctx context.Context, in *struct {
	ID uuid.UUID `path:"id" doc:"The session's id"`
}) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return s.Identity.RevokeSession(tx, httpkit.BearerOf(ctx), in.ID) })
}
