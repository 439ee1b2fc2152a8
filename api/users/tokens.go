package users

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// TokenBody orders a token for a program that acts for the caller.
type TokenBody struct {
	Label     string    `json:"label" minLength:"1" maxLength:"100" doc:"What it is for"`
	ExpiresAt time.Time `json:"expires_at" doc:"At most 366 days ahead"`
	Scopes    []string  `json:"scopes,omitempty" enum:"read,people,departures,accounts,disclosures,emergencies" maxItems:"10" doc:"What it is limited to; left out, to nothing but the session's role"`
}

// TokenView is a token without its secret.
type TokenView struct {
	ID        uuid.UUID   `json:"id"`
	Prefix    string      `json:"prefix" doc:"How the secret begins"`
	Role      models.Role `json:"role"`
	RoleText  string      `json:"role_text"`
	Scopes    []string    `json:"scopes"`
	Label     string      `json:"label"`
	CreatedAt time.Time   `json:"created_at"`
	ExpiresAt time.Time   `json:"expires_at"`
}

// IssuedToken is a token with its secret, which is shown this once.
type IssuedToken struct {
	TokenView
	Token string `json:"token" doc:"Shown once, stored nowhere"`
}

func tokenView(t models.APIToken, language i18n.Language) TokenView {
	return TokenView{
		ID: t.ID, Prefix: t.Prefix, Role: t.Role, RoleText: closed.Text(language, t.Role), Scopes: append([]string{}, strings.Fields(t.Scopes)...), Label: t.Label,
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}
}

func (s *server) registerTokens() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{At: "GET /tokens", Summary: "The own tokens", To: httpkit.Everyone}, s.tokens)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /tokens", Summary: "Issue a token for the own role", To: httpkit.Everyone,
		More: "Needs a step-up. The secret is shown once: a request repeated with its Idempotency-Key answers 409 already_delivered.", Status: http.StatusCreated,
	}, s.issueToken)
	httpkit.Handle(r, httpkit.Route{At: "DELETE /tokens/{id}", Summary: "Revoke one of the own tokens", To: httpkit.Everyone, Status: http.StatusNoContent}, s.revokeToken)
}

func (s *server) tokens(ctx context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[httpkit.Page[TokenView]], error) {
	rows, err := identity.Tokens(ctx, s.DB, httpkit.BearerOf(ctx).UserID)
	views := httpkit.Each(rows, func(t models.APIToken) TokenView { return tokenView(t, in.Language()) })
	return httpkit.AnswerOf(httpkit.PageOf(views, nil), err)
}

type issuedAnswer struct {
	Location string `header:"Location"`
	Body     IssuedToken
}

func (s *server) issueToken(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body TokenBody
}) (*issuedAnswer, error) {
	var secret string
	var token models.APIToken
	made, err := s.Create(ctx, in.Key, "POST "+httpkit.Base+"/tokens", in.Body, func(tx *database.Tx) (httpkit.Creation, error) {
		_, err := identity.Dangerous(tx, httpkit.BearerOf(ctx))
		if err != nil {
			return httpkit.Creation{}, err
		}
		secret, token, err = identity.IssueOwn(tx, httpkit.BearerOf(ctx), identity.TokenOrder{
			Label: in.Body.Label, ExpiresAt: in.Body.ExpiresAt, Scopes: in.Body.Scopes,
		}, s.Dev)
		return httpkit.Created(models.Ref{Kind: models.RefToken, ID: token.ID}), err
	})
	if err != nil {
		return nil, err
	}
	if secret == "" {
		p := httpkit.NewProblem(codeAlreadyDelivered)
		p.Location = made.Location
		return nil, p
	}
	if token.CreatedAt.IsZero() {
		token.CreatedAt, err = s.DB.Now(ctx)
	}
	return &issuedAnswer{Location: made.Location, Body: IssuedToken{TokenView: tokenView(token, in.Language()), Token: secret}}, err
}

func (s *server) revokeToken(ctx context.Context, in *struct {
	ID uuid.UUID `path:"id" doc:"The token's id"`
}) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return identity.RevokeOwn(tx, httpkit.BearerOf(ctx), in.ID) })
}
