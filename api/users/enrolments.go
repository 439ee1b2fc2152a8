package users

import (
	"context"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/identity"
)

// EnrolmentBody sets the password of a new user, or of one whose credentials were reset.
type EnrolmentBody struct {
	Login    string `json:"login" minLength:"1" maxLength:"200"`
	Code     string `json:"code" minLength:"1" maxLength:"100" doc:"The one-time code; if it came in two halves from two people, both, one after the other"`
	Password string `json:"password" minLength:"1" maxLength:"1000" doc:"12 to 128 characters of any kind"`
}

// ConfirmationBody confirms the second factor.
type ConfirmationBody struct {
	Login string `json:"login" minLength:"1" maxLength:"200"`
	Code  string `json:"code" minLength:"1" maxLength:"100" doc:"The same one-time code"`
	TOTP  string `json:"totp" minLength:"6" maxLength:"20" doc:"The first six digits that the authenticator shows"`
}

// SecondFactor is a new secret for an authenticator app.
type SecondFactor struct {
	Secret string `json:"secret" doc:"To type in: RFC 6238 with SHA-1, six digits, 30 seconds"`
	URL    string `json:"url" doc:"To open in an authenticator app"`
	QR     string `json:"qr" doc:"The URL as a QR code, PNG in base64"`
}

func secondFactor(t identity.TOTP) SecondFactor {
	return SecondFactor{Secret: t.Secret, URL: t.URL, QR: t.PNG}
}

// RecoveryCodes stand in for the authenticator, each once.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recovery_codes" doc:"Shown once: print them and keep them apart from the authenticator"`
}

func (s *server) registerEnrolments() {
	r := s.Resource("Identity", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /enrolments", Summary: "Set the own password with a one-time code", To: httpkit.Everyone,
		More: "Answers with the secret for the authenticator; the user becomes active with its first code, at /enrolments/confirmation.", Open: true,
		Problems: []int{http.StatusTooManyRequests},
	}, s.beginEnrolment)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /enrolments/confirmation", Summary: "Confirm the authenticator and become active", To: httpkit.Everyone, Open: true,
		Problems: []int{http.StatusTooManyRequests},
	}, s.finishEnrolment)
}

func (s *server) beginEnrolment(ctx context.Context, in *struct{ Body EnrolmentBody }) (*httpkit.Answer[SecondFactor], error) {
	e := identity.Enrolling{Login: in.Body.Login, Code: in.Body.Code, Client: httpkit.ClientOf(ctx)}
	made, err := s.Identity.BeginEnrolment(ctx, e, in.Body.Password)
	return &httpkit.Answer[SecondFactor]{Body: secondFactor(made)}, err
}

func (s *server) finishEnrolment(ctx context.Context, in *struct{ Body ConfirmationBody }) (*httpkit.Answer[RecoveryCodes], error) {
	e := identity.Enrolling{Login: in.Body.Login, Code: in.Body.Code, Client: httpkit.ClientOf(ctx)}
	codes, err := s.Identity.FinishEnrolment(ctx, e, in.Body.TOTP)
	return &httpkit.Answer[RecoveryCodes]{Body: RecoveryCodes{codes}}, err
}
