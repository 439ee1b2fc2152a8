package users

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// afterLogin is where a browser goes that was logged in.
const afterLogin = "/"

// LoginLinkView is a login of the company's provider that opens a user.
type LoginLinkView struct {
	ID       uuid.UUID `json:"id"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject" doc:"The provider's identifier of the login"`
	LinkedAt time.Time `json:"linked_at"`
	// ConfirmedAt is when the owner showed that the login is theirs.
	ConfirmedAt *time.Time `json:"confirmed_at" doc:"When the owner confirmed it, by a step-up with this login in a session opened by password"`
}

func (s *server) registerOIDC() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{At: "GET /oidc", Summary: "Read whether people log in with the company's login", To: httpkit.Everyone, Open: true}, s.company)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /oidc/login", Summary: "Log in with the company's login", To: httpkit.Everyone,
		More: "Sends the browser to the provider. With step_up, the session of the browser is stepped up: " +
			"the provider asks the person again. Begun by another site it is refused.", Status: http.StatusSeeOther, Open: true,
		Problems: []int{http.StatusNotFound, http.StatusTooManyRequests},
	}, s.beginOIDC)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /oidc/callback", Summary: "Where the company's login sends the browser back to", To: httpkit.Everyone,
		More: "Works once, in the browser that began it.", Status: http.StatusSeeOther, Open: true, Shape: func(op *huma.Operation) { op.SkipValidateParams = true },
		Problems: []int{http.StatusNotFound, http.StatusTooManyRequests},
	}, s.finishOIDC)
	httpkit.Handle(r, httpkit.Route{At: "GET /users/{id}/logins", Summary: "The company's logins that open a user", To: httpkit.Roles{httpkit.HR, httpkit.Auditor}}, s.loginLinks)
	httpkit.Handle(r, httpkit.Route{
		At: "DELETE /users/{id}/logins/{link_id}", Summary: "End the link of a login; its sessions end", To: httpkit.Roles{httpkit.HR},
		Status: http.StatusNoContent, Session: true,
	}, s.unlinkLogin)
}

// CompanyLogin says whether there is one, to whoever stands before the login.
type CompanyLogin struct {
	Connected bool `json:"connected" doc:"Whether GET /oidc/login leads anywhere"`
}

func (s *server) company(context.Context, *struct{}) (*httpkit.Answer[CompanyLogin], error) {
	return httpkit.AnswerOf(CompanyLogin{s.OIDC != nil}, nil)
}

func (s *server) beginOIDC(ctx context.Context, in *struct {
	Role      models.Role `query:"role" doc:"One of the user's roles; left out, the first of them"`
	StepUp    bool        `query:"step_up" doc:"Step the browser's session up instead"`
	Cookie    string      `header:"Cookie" hidden:"true"`
	FetchSite string      `header:"Sec-Fetch-Site" hidden:"true"`
}) (*seeOther, error) {
	switch {
	case s.OIDC == nil:
		return nil, identity.ErrNoProvider
	case in.FetchSite != "" && in.FetchSite != "same-origin" && in.FetchSite != "none":
		return nil, httpkit.NewProblem(httpkit.CodeCrossOrigin) // nobody is logged in by somebody else's page
	}
	var session uuid.UUID
	if in.StepUp {
		bearer, err := s.sessionOf(ctx, in.Cookie)
		switch {
		case err != nil:
			return nil, err
		case bearer.BreakGlass:
			return nil, httpkit.NewProblem(httpkit.CodeBreakGlassMayNot)
		}
		session = bearer.SessionID
	}
	out, err := s.Identity.BeginLogin(ctx, s.OIDC, in.Role, session, httpkit.ClientOf(ctx))
	if err != nil {
		return nil, err
	}
	return onward(out.Address, s.Identity.FlowCookie(out.Secret)), nil
}

func (s *server) finishOIDC(ctx context.Context, in *struct {
	State  string `query:"state" doc:"As it was sent to the provider"`
	Code   string `query:"code" doc:"What the provider gives for the login"`
	Error  string `query:"error" doc:"Why the provider refused"`
	Issuer string `query:"iss" doc:"Which provider answers"`
	Cookie string `header:"Cookie" hidden:"true"`
}) (*seeOther, error) {
	if s.OIDC == nil {
		return nil, identity.ErrNoProvider
	}
	current := s.sessionBefore(ctx, in.Cookie)
	arrival, err := s.Identity.FinishLogin(ctx, s.OIDC, identity.Returned{
		State: in.State, Code: in.Code, Refused: in.Error != "", Issuer: in.Issuer,
		Secret: s.Identity.FlowOf(in.Cookie), Current: current, Client: httpkit.ClientOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	return onward(afterLogin, s.Identity.SessionCookie(arrival.Token), s.Identity.FlowCookie("")), nil
}

// sessionOf is the browser's session, on a route that is open to everybody.
func (s *server) sessionOf(ctx context.Context, cookies string) (identity.Bearer, error) {
	token, ok := s.Identity.TokenOf(cookies)
	if !ok {
		return identity.Bearer{}, identity.ErrSessionUnknown
	}
	return s.Identity.AuthenticateSession(ctx, token)
}

// sessionBefore is the session that a browser has before a login; most have none.
func (s *server) sessionBefore(ctx context.Context, cookies string) identity.Bearer {
	bearer, err := s.sessionOf(ctx, cookies)
	if err != nil {
		return identity.Bearer{}
	}
	return bearer
}

func (s *server) loginLinks(ctx context.Context, in *struct {
	ID uuid.UUID `path:"id" doc:"The account's id"`
}) (*httpkit.Answer[httpkit.Page[LoginLinkView]], error) {
	if _, err := identity.GetUser(ctx, s.DB, in.ID); err != nil {
		return nil, err
	}
	rows, err := identity.Links(ctx, s.DB, in.ID)
	views := httpkit.Each(rows, func(l models.OIDCLink) LoginLinkView {
		return LoginLinkView{ID: l.ID, Issuer: l.Issuer, Subject: l.Subject, LinkedAt: l.LinkedAt, ConfirmedAt: l.ConfirmedAt}
	})
	return httpkit.AnswerOf(httpkit.PageOf(views, nil), err)
}

func (s *server) unlinkLogin(ctx context.Context, in *struct {
	ID     uuid.UUID `path:"id" doc:"The account's id"`
	LinkID uuid.UUID `path:"link_id" doc:"The link's id"`
}) (*struct{}, error) {
	if err := s.SteppedUp(ctx, httpkit.BearerOf(ctx)); err != nil {
		return nil, err
	}
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return identity.UnlinkLogin(tx, in.ID, in.LinkID, httpkit.ActorOf(ctx))
	})
}
