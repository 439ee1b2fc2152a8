package consents

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// Consents is how somebody stands to what is asked, and each answer before.
type Consents struct {
	EmployeeID    uuid.UUID          `json:"employee_id"`
	Person        *render.PersonView `json:"person,omitempty" doc:"employee_id, by name"`
	PolicyVersion int                `json:"policy_version" doc:"The version in force"`
	Items         []Consent          `json:"items" doc:"Each purpose that is asked for, and what was answered once"`
	NextCursor    *string            `json:"next_cursor"`
	History       []Answer           `json:"history" doc:"Every answer, newest first"`
}

// Consent is how somebody stands to a purpose.
type Consent struct {
	Purpose     models.ConsentPurpose `json:"purpose"`
	PurposeText string                `json:"purpose_text"`
	Ask         string                `json:"ask,omitempty" doc:"What is asked, in the caller's language; left out: it is not asked for any more"`
	State       consent.State         `json:"state" doc:"Only given counts"`
	StateText   string                `json:"state_text"`
	ToAnswer    bool                  `json:"to_answer" doc:"It is asked for and was not answered yet. It keeps nobody from anything"`
	Last        *Answer               `json:"last,omitempty" doc:"The last answer"`
}

// Answer is what somebody said once.
type Answer struct {
	Purpose       models.ConsentPurpose `json:"purpose"`
	PurposeText   string                `json:"purpose_text"`
	Answer        models.ConsentAnswer  `json:"answer"`
	AnswerText    string                `json:"answer_text"`
	AnsweredAt    time.Time             `json:"answered_at"`
	PolicyVersion int                   `json:"policy_version" doc:"The version that was answered"`
	Form          models.ConsentForm    `json:"form" doc:"written: HR recorded a paper that the person signed"`
	FormText      string                `json:"form_text"`
	SignedOn      *clock.Date           `json:"signed_on,omitempty" doc:"Of a paper"`
	KeptAt        string                `json:"kept_at,omitempty" doc:"Where the paper is kept"`
	Department    string                `json:"department,omitempty" doc:"Of who recorded the paper"`
	RecordedBy    *render.PersonView    `json:"recorded_by,omitempty" doc:"Who recorded the paper: not for the person"`
}

func (s *server) registerConsents(r httpkit.Resource) {
	httpkit.Handle(r, httpkit.Route{At: "GET /consents", Summary: "Read what one is asked to agree to, and what one answered", More: "HR, reviewers and auditors read it of somebody with employee_id.", Former: true, To: httpkit.Everyone, Problems: []int{http.StatusNotFound}}, s.get)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /consents", Summary: "Agree, decline or withdraw, for each purpose by itself", Former: true, To: httpkit.Everyone, NoSealedCodes: true, Problems: []int{http.StatusNotFound},
		More: "It takes effect at once; the answer says how one stands then. HR records what somebody else signed, with employee_id and paper.",
	}, s.answer)
}

type getInput struct {
	httpkit.Speaking
	EmployeeID uuid.UUID `query:"employee_id" doc:"Left out: the own"`
}

func (s *server) get(ctx context.Context, in *getInput) (*httpkit.Answer[Consents], error) {
	id, err := s.of(ctx, in.EmployeeID, staff)
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.view(ctx, in.Language(), id))
}

// of is about whom it is: nobody learns of people whom they do not see.
func (s *server) of(ctx context.Context, id uuid.UUID, roles httpkit.Roles) (uuid.UUID, error) {
	actor := httpkit.ActorOf(ctx)
	if id == uuid.Nil || id == actor.EmployeeID {
		return actor.EmployeeID, nil
	}
	err := s.Visible(ctx, actor, id)
	if errors.Is(err, database.ErrNotFound) || err == nil && !slices.Contains(roles, actor.Role) {
		return id, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	return id, err
}

func (s *server) view(ctx context.Context, language i18n.Language, id uuid.UUID) (v Consents, err error) {
	g, subject := s.DB.Read(ctx), httpkit.ActorOf(ctx).EmployeeID == id
	policy, err := consent.Current(g)
	if err != nil {
		return v, err
	}
	standings, err := consent.Of(g, id)
	if err != nil {
		return v, err
	}
	history, err := consent.History(g, id)
	if err != nil {
		return v, err
	}
	ids := []uuid.UUID{id}
	for _, c := range history {
		ids = append(ids, render.GivenOf(c.RecordedBy)...)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err != nil {
		return v, err
	}
	kept, err := consent.KeptAt(ctx, s.DB, history...)
	if err != nil {
		return v, err
	}
	v = Consents{EmployeeID: id, Person: people.Of(&id), PolicyVersion: policy.Version, Items: []Consent{}, History: []Answer{}}
	for i, c := range history {
		v.History = append(v.History, answerView(c, kept[i], people, language, subject))
	}
	for _, st := range standings {
		item := Consent{Purpose: st.Purpose, PurposeText: closed.Text(language, st.Purpose), State: st.State, StateText: closed.Text(language, st.State), ToAnswer: st.ToAnswer}
		if st.Ask != nil {
			item.Ask = language.Of(st.Ask.Zh, st.Ask.En)
		}
		if i := slices.IndexFunc(v.History, func(a Answer) bool { return a.Purpose == st.Purpose }); i >= 0 {
			item.Last = &v.History[i]
		}
		v.Items = append(v.Items, item)
	}
	return v, nil
}

func answerView(c models.Consent, keptAt string, people render.Named, language i18n.Language, subject bool) Answer {
	a := Answer{
		Purpose: c.Purpose, PurposeText: closed.Text(language, c.Purpose), Answer: c.Answer, AnswerText: closed.Text(language, c.Answer), AnsweredAt: c.AnsweredAt.UTC(),
		PolicyVersion: c.PolicyVersion, Form: c.Form, FormText: closed.Text(language, c.Form), SignedOn: c.SignedOn, KeptAt: keptAt,
	}
	if c.Form == models.ConsentWritten && c.RecordedBy != nil {
		a.Department = people[*c.RecordedBy].Department
		if !subject {
			a.RecordedBy = people.Of(c.RecordedBy)
		}
	}
	return a
}

// NewConsent is the body of an answer.
type NewConsent struct {
	EmployeeID    *uuid.UUID  `json:"employee_id,omitempty" doc:"For HR, with paper: who signed it. Left out: oneself"`
	PolicyVersion int         `json:"policy_version" minimum:"1" doc:"The version that was shown, or that the paper names. To agree by the own login it is the one in force"`
	Answers       []NewAnswer `json:"answers" minItems:"1" maxItems:"20"`
	Paper         *Paper      `json:"paper,omitempty" doc:"For HR: what somebody else signed"`
}

// NewAnswer is yes or no to a purpose.
type NewAnswer struct {
	Purpose models.ConsentPurpose `json:"purpose"`
	Agreed  bool                  `json:"agreed" doc:"false declines, or withdraws what was agreed to"`
}

// Paper is what somebody signed.
type Paper struct {
	SignedOn clock.Date `json:"signed_on"`
	KeptAt   string     `json:"kept_at" minLength:"1" maxLength:"200" doc:"Where it is kept. Sealed, kept as long as the log" example:"人事档案柜 3-12"`
}

type answerInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewConsent
}

func (s *server) answer(ctx context.Context, in *answerInput) (*httpkit.CreatedAnswer[Consents], error) {
	b := in.Body
	var given uuid.UUID
	if b.EmployeeID != nil {
		given = *b.EmployeeID
	}
	id, err := s.of(ctx, given, httpkit.Roles{httpkit.HR})
	if err != nil {
		return nil, err
	}
	if bearer := httpkit.BearerOf(ctx); b.Paper == nil && bearer.SessionID == uuid.Nil { // a program's token is nobody's word
		return nil, httpkit.NewProblem(httpkit.CodeSessionRequired)
	}
	a := consent.Answers{EmployeeID: id, Version: b.PolicyVersion, Answers: httpkit.Each(b.Answers, func(n NewAnswer) consent.Answer { return consent.Answer(n) })}
	if b.Paper != nil {
		a.Paper = &consent.Paper{SignedOn: b.Paper.SignedOn, KeptAt: b.Paper.KeptAt}
	}
	var recorded []models.Consent
	made, err := s.Create(ctx, in.Key, "POST /consents", b, func(tx *database.Tx) (_ httpkit.Creation, err error) {
		recorded, err = consent.Record(tx, httpkit.ActorOf(ctx), a)
		return httpkit.Done(models.Ref{Kind: models.RefEmployee, ID: id}), err
	})
	if err != nil {
		return nil, err
	}
	consent.Count(recorded)
	view, err := s.view(ctx, in.Language(), id)
	return httpkit.CreatedOf(made, view, err)
}
