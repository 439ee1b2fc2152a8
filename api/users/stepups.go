package users

import (
	"context"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/identity"
)

// StepUpBody is one of both: the password or the authenticator's code.
type StepUpBody struct {
	Password string `json:"password,omitempty" maxLength:"1000"`
	TOTP     string `json:"totp,omitempty" maxLength:"20" doc:"The six digits of the authenticator"`
}

// StepUpView tells how long dangerous steps are open.
type StepUpView struct {
	ValidSeconds int `json:"valid_seconds" doc:"How long the session may now take dangerous steps"`
}

func (s *server) registerStepUps() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /step-ups", Summary: "Confirm that it is you, for dangerous steps", Former: true, To: httpkit.Everyone,
		More: "Takes the password or a code, exactly one of both (else 422 with one_of_two at each), and gives the session a new cookie; the old one is refused from then on. " +
			"With the company's login: GET /oidc/login?step_up=true.", Status: http.StatusCreated, Problems: []int{http.StatusTooManyRequests},
	}, s.stepUp)
}

func (s *server) stepUp(ctx context.Context, in *struct{ Body StepUpBody }) (*cookieAnswer[StepUpView], error) {
	token, err := s.Identity.Reauthenticate(ctx, httpkit.BearerOf(ctx), in.Body.Password, in.Body.TOTP)
	if err != nil {
		return nil, err
	}
	return &cookieAnswer[StepUpView]{
		Cookies: []string{s.Identity.SessionCookie(token).String()},
		Body:    StepUpView{ValidSeconds: int(identity.StepUpLasts.Seconds())},
	}, nil
}

// cookieAnswer is a response with a body that changes the browser's cookies.
type cookieAnswer[T any] struct {
	Cookies []string `header:"Set-Cookie"`
	Body    T
}

// seeOther sends a browser on, with other cookies.
type seeOther struct {
	Status   int
	Location string   `header:"Location"`
	Cookies  []string `header:"Set-Cookie"`
}

func onward(location string, cookies ...*http.Cookie) *seeOther {
	answer := &seeOther{Status: http.StatusSeeOther, Location: location}
	for _, c := range cookies {
		answer.Cookies = append(answer.Cookies, c.String())
	}
	return answer
}
