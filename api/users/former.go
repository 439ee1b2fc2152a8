package users

import (
	"context"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/identity"
)

func (s *server) registerFormer() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /former-links", Summary: "Ask, as somebody who has left, for a link to the private address that the file holds", To: httpkit.Everyone, Open: true, Status: http.StatusAccepted,
		More: "Every login gets the same answer. The link works once, for half an hour, with the second factor that was enrolled before the end.", Problems: []int{http.StatusConflict, http.StatusTooManyRequests},
	}, s.askLink)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /former-sessions", Summary: "Open a session for the own data with a link and the second factor", To: httpkit.Everyone, Open: true, Status: http.StatusCreated,
		More: "It lasts an hour at most and reaches nothing but the own data. A link that does not exist, was used or is over, and a wrong code, get one answer; five wrong codes end the link.", Problems: []int{http.StatusTooManyRequests},
	}, s.openFormer)
}

// AskedForLink is the answer to everybody.
type AskedForLink struct {
	Asked bool `json:"asked" doc:"Always true: a link is sent if the login is that of somebody who has left, whose file has a private address and whose second factor is still there"`
}

func (s *server) askLink(ctx context.Context, in *struct {
	Body struct {
		Login string `json:"login" minLength:"1" maxLength:"200" doc:"The login that one had here; often the employee number"`
	}
}) (*httpkit.Answer[AskedForLink], error) {
	if !s.mail {
		return nil, httpkit.NewProblem(codeNoLinks)
	}
	return httpkit.AnswerOf(AskedForLink{true}, s.Identity.AskLink(ctx, in.Body.Login, httpkit.ClientOf(ctx)))
}

func (s *server) openFormer(ctx context.Context, in *struct {
	httpkit.Speaking
	Body struct {
		Code         string `json:"code" minLength:"1" maxLength:"100" doc:"From the mail: what stands behind the #"`
		TOTP         string `json:"totp,omitempty" maxLength:"20" doc:"The six digits of the authenticator"`
		RecoveryCode string `json:"recovery_code,omitempty" maxLength:"60" doc:"One of the recovery codes, instead of totp"`
	}
}) (*openedAnswer, error) {
	b := in.Body
	opened, err := s.Identity.OpenFormer(ctx, identity.FormerOrder{Code: b.Code, TOTP: b.TOTP, RecoveryCode: b.RecoveryCode, Client: httpkit.ClientOf(ctx)})
	return s.opened(opened, in.Language()), err
}
