package users

import (
	"context"
	"net/http"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/models"
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
	httpkit.Handle(r, httpkit.Route{
		At: "POST /former-enrolments", Summary: "Begin with another authenticator, as somebody who has left, by a link and the code that HR handed over", To: httpkit.Everyone, Open: true,
		More: "The link is not used up. A wrong link and a wrong code get one answer; five wrong codes end the link.", Problems: []int{http.StatusTooManyRequests},
	}, s.beginFormerFactor)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /former-enrolments/confirmation", Summary: "Confirm the authenticator with its first code; opens a session for the own data", To: httpkit.Everyone, Open: true, Status: http.StatusCreated,
		More: "Link and code are used up; the authenticator before, its recovery codes and its sessions end.", Problems: []int{http.StatusTooManyRequests},
	}, s.finishFormerFactor)
	httpkit.Handle(s.Resource("Users", ""), httpkit.Route{
		At: "POST /employees/{id}/former-enrolments", Summary: "Ask, for somebody who has left and is there in person, for another authenticator; a second person checks the document, too, and decides",
		To: httpkit.Roles{httpkit.HR}, NoSealedCodes: true, Status: http.StatusAccepted, Problems: []int{http.StatusConflict},
		More: "Once approved, both collect one half of the code each, at /users/{id}/enrolment-code, and hand it to the person. It works for a day, and only with a link mailed to the private address on file.",
	}, s.enrolFormer)
}

// FormerEnrolmentBody is a person who has left and stands before HR.
type FormerEnrolmentBody struct {
	approvals.ApprovalFields
	Document models.IdentityDocument `json:"document" doc:"What was checked: the kind alone. Numbers and copies are not kept"`
	Login    string                  `json:"login,omitempty" maxLength:"100" doc:"Of somebody who never had an account here; left out, the employee number. An account that is there keeps its login"`
}

func (s *server) enrolFormer(ctx context.Context, in *struct {
	httpkit.Idempotent
	httpkit.ByID
	Body FormerEnrolmentBody
}) (*approvals.Outcome[approvals.ApprovalView], error) {
	if !s.mail {
		return nil, httpkit.NewProblem(codeNoLinks)
	}
	b := in.Body
	return s.Ask(ctx, in.Language(), approvals.Step{
		Operation: operations.EnrolFormer, Command: identity.NewFactor{EmployeeID: in.ID, Document: b.Document, Login: b.Login},
		Reason: b.ApprovalReason, Key: in.Key, Route: "POST /employees/" + in.ID.String() + "/former-enrolments", Body: b,
	})
}

// FormerCodes are what somebody who has left enrols another authenticator with.
type FormerCodes struct {
	Code          string `json:"code" minLength:"1" maxLength:"100" doc:"From the mail: what stands behind the #"`
	EnrolmentCode string `json:"enrolment_code" minLength:"1" maxLength:"100" doc:"Both halves of what HR handed over, one after the other"`
}

func (s *server) beginFormerFactor(ctx context.Context, in *struct{ Body FormerCodes }) (*httpkit.Answer[SecondFactor], error) {
	made, err := s.Identity.BeginFormerFactor(ctx, identity.FormerEnrolling{Link: in.Body.Code, Code: in.Body.EnrolmentCode, Client: httpkit.ClientOf(ctx)})
	return &httpkit.Answer[SecondFactor]{Body: secondFactor(made)}, err
}

// FormerEnrolled is the session that is open, and the codes that stand in for the authenticator.
type FormerEnrolled struct {
	Session SessionView `json:"session"`
	RecoveryCodes
}

func (s *server) finishFormerFactor(ctx context.Context, in *struct {
	httpkit.Speaking
	Body struct {
		FormerCodes
		TOTP string `json:"totp" minLength:"6" maxLength:"20" doc:"The first six digits that the authenticator shows"`
	}
}) (*enrolledAnswer, error) {
	b := in.Body
	opened, codes, err := s.Identity.FinishFormerFactor(ctx, identity.FormerEnrolling{
		Link: b.Code, Code: b.EnrolmentCode, TOTP: b.TOTP, Client: httpkit.ClientOf(ctx),
	})
	if err != nil {
		return nil, err
	}
	session := s.opened(opened, in.Language())
	return &enrolledAnswer{Location: session.Location, Cookies: session.Cookies, Body: FormerEnrolled{session.Body, RecoveryCodes{codes}}}, nil
}

type enrolledAnswer struct {
	Location string   `header:"Location"`
	Cookies  []string `header:"Set-Cookie"`
	Body     FormerEnrolled
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
