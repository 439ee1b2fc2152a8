// Package messages serves messages that HR passes on to people who have left.
package messages

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/message"
	"lethe/models"
)

type server struct {
	*approvals.Desk
	Mail bool
}

// Register serves the resources; mail says whether there is a mail server.
func Register(desk *approvals.Desk, mail bool) {
	s := &server{desk, mail}
	r := s.Resource("Messages", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/messages", Summary: "Pass on to somebody who has left that somebody would like to hear from them", To: httpkit.Roles{httpkit.HR}, Status: http.StatusAccepted, NoSealedCodes: true,
		More: "Only to who agreed to it. The text is fixed and does not say why. It names a colleague only once that colleague agrees by the own login, or nobody. Who asked is told nothing.",
	}, s.ask)
	s.registerReminders(r)
	httpkit.Handle(r, httpkit.Route{At: "GET /messages", Summary: "List messages, newest first: HR all, everybody else those that are to name them", To: httpkit.Everyone}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /messages/{id}", Summary: "Read a message", To: httpkit.Everyone}, s.get)
	httpkit.Handle(r, httpkit.Route{At: "POST /messages/{id}/confirmation", Summary: "Agree to be named in a message, with a contact, or not", To: httpkit.Everyone, Session: true, NoSealedCodes: true, Problems: []int{http.StatusConflict}}, s.confirm)
}

// Message is one message. Whom it is to name sees that, and the own answer; what became of it is HR's to know.
type Message struct {
	ID           uuid.UUID          `json:"id"`
	EmployeeID   uuid.UUID          `json:"employee_id" doc:"Whom it is for"`
	Person       *render.PersonView `json:"person,omitempty" doc:"employee_id, by name"`
	RequestedAt  time.Time          `json:"requested_at"`
	ToConfirm    bool               `json:"to_confirm" doc:"It waits for the colleague whom it is to name"`
	ConfirmUntil *time.Time         `json:"confirm_until,omitempty"`
	ConfirmedAt  *time.Time         `json:"confirmed_at,omitempty" doc:"When the colleague agreed to be named"`
	Delivery     *Delivery          `json:"delivery,omitempty" doc:"What became of it: for HR"`
}

// Delivery is what HR sees of a message.
type Delivery struct {
	State           models.MessageState `json:"state"`
	StateText       string              `json:"state_text"`
	EndedAs         models.MessageEnd   `json:"ended_as,omitempty" doc:"Why it was not sent"`
	EndedAsText     string              `json:"ended_as_text,omitempty"`
	NotPossible     models.MessageEnd   `json:"not_possible,omitempty" doc:"Of one that waits for a colleague: why it would not be sent as things are"`
	NotPossibleText string              `json:"not_possible_text,omitempty"`
	RequestedBy     *render.PersonView  `json:"requested_by,omitempty"`
	Asker           *render.PersonView  `json:"asker,omitempty" doc:"The colleague whom it names; left out: nobody"`
	Attempts        int                 `json:"attempts"`
	NextAt          *time.Time          `json:"next_at,omitempty" doc:"When it is tried next"`
	FinishedAt      *time.Time          `json:"finished_at,omitempty"`
}

// sees says whether somebody sees a message: HR all but those to themselves, and whom it is to name.
func sees(by models.Actor, m models.Message) (whole, part bool) {
	return by.Role == models.RoleHRAdmin && by.EmployeeID != m.EmployeeID, m.AskerID != nil && *m.AskerID == by.EmployeeID
}

func (s *server) views(ctx context.Context, language i18n.Language, rows []models.Message) ([]Message, error) {
	by, now := httpkit.ActorOf(ctx), time.Time{}
	var ids []uuid.UUID
	for _, m := range rows {
		ids = append(ids, render.GivenOf(&m.EmployeeID, m.RequestedBy, m.AskerID)...)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err == nil {
		now, err = s.DB.Now(ctx)
	}
	if err != nil {
		return nil, err
	}
	// Whom a colleague agreed to be named to has the name that the colleague knows, whatever became of the person since.
	names, err := s.People(ctx, language, httpkit.Each(rows, func(m models.Message) uuid.UUID { return m.EmployeeID }))
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(m models.Message) Message {
		v := Message{
			ID: m.ID, EmployeeID: m.EmployeeID, Person: people.Of(&m.EmployeeID), RequestedAt: m.RequestedAt.UTC(), ConfirmUntil: render.UTC(m.ConfirmUntil), ConfirmedAt: render.UTC(m.ConfirmedAt),
			ToConfirm: m.State == models.MessageWaiting && m.ConfirmUntil.After(now),
		}
		if whole, _ := sees(by, m); whole {
			v.Delivery = delivery(m, people, language)
		} else {
			v.Person = names.Of(&m.EmployeeID)
		}
		return v
	}), nil
}

func delivery(m models.Message, people render.Named, language i18n.Language) *Delivery {
	d := &Delivery{
		State: m.State, StateText: closed.Text(language, m.State), EndedAs: m.EndedAs, RequestedBy: people.Of(m.RequestedBy), Asker: people.Of(m.AskerID),
		Attempts: m.Attempts, FinishedAt: render.UTC(m.FinishedAt),
	}
	if m.EndedAs != "" {
		d.EndedAsText = closed.Text(language, m.EndedAs)
	}
	if m.State == models.MessageQueued {
		d.NextAt = render.UTC(m.NextAt)
	}
	return d
}

// one is a message by itself: one that waits says to HR whether it could be sent.
func (s *server) one(ctx context.Context, language i18n.Language, m models.Message) (v Message, err error) {
	if v, err = httpkit.One(s.views(ctx, language, []models.Message{m})); err != nil || v.Delivery == nil || m.State != models.MessageWaiting {
		return v, err
	}
	if v.Delivery.NotPossible, err = message.Possible(s.DB.Read(ctx), m.EmployeeID); v.Delivery.NotPossible != "" {
		v.Delivery.NotPossibleText = closed.Text(language, v.Delivery.NotPossible)
	}
	return v, err
}

type askInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		AskerID *uuid.UUID `json:"asker_id,omitempty" doc:"The colleague whom the message is to name, once they agree by their own login. Left out: it names nobody"`
	}
}

func (s *server) ask(ctx context.Context, in *askInput) (*httpkit.CreatedAnswer[Message], error) {
	language := in.Language()
	made, err := s.Create(ctx, in.Key, "POST /employees/"+in.ID.String()+"/messages", in.Body, func(tx *database.Tx) (httpkit.Creation, error) {
		m, err := message.Ask(tx, httpkit.ActorOf(ctx), message.Request{EmployeeID: in.ID, Asker: in.Body.AskerID, Configured: s.Mail})
		return httpkit.Accepted(models.Ref{Kind: models.RefMessage, ID: m.ID}), err
	})
	var not *message.NotPossibleError
	switch {
	case errors.Is(err, database.ErrNotFound):
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	case errors.As(err, &not):
		return nil, notPossible(not, language)
	case err != nil:
		return nil, err
	}
	m, err := message.Get(ctx, s.DB, made.ID)
	if err != nil {
		return nil, err
	}
	view, err := s.one(ctx, language, m)
	return httpkit.CreatedOf(made, view, err)
}

type listInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID           `query:"employee_id" doc:"For HR: only those to this person"`
	State      models.MessageState `query:"state" doc:"For HR: only those in this state"`
}

func (s *server) list(ctx context.Context, in *listInput) (*httpkit.Answer[httpkit.Page[Message]], error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	by := httpkit.ActorOf(ctx)
	f := message.Filter{Before: before, Limit: in.Limit, NotTo: by.EmployeeID}
	if by.Role == models.RoleHRAdmin {
		f.EmployeeID, f.State = httpkit.Given(in.EmployeeID), in.State
	} else {
		f.AskerID = &by.EmployeeID
	}
	rows, err := message.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(m models.Message) uuid.UUID { return m.ID })
	views, err := s.views(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

func (s *server) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[Message], error) {
	m, err := message.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	if whole, part := sees(httpkit.ActorOf(ctx), m); !whole && !part {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	return httpkit.AnswerOf(s.one(ctx, in.Language(), m))
}

type confirmInput struct {
	httpkit.ByID
	Body struct {
		Agreed  bool   `json:"agreed"`
		Contact string `json:"contact,omitempty" maxLength:"100" doc:"By what the person may reach you: it stands in the mail. Sealed until then, and cleared with it"`
	}
}

func (s *server) confirm(ctx context.Context, in *confirmInput) (*httpkit.Answer[Message], error) {
	var m models.Message
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		m, err = message.Confirm(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Agreed, in.Body.Contact)
		return err
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(s.one(ctx, in.Language(), m))
}
