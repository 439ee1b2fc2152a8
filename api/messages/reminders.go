package messages

import (
	"context"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/message"
	"lethe/internal/notify"
	"lethe/models"
)

func (s *server) registerReminders(r httpkit.Resource) {
	httpkit.Describe[models.DigestEvery](s.API)
	httpkit.Handle(r, httpkit.Route{At: "GET /me/reminders", Summary: "Read how one is told by mail what waits", To: httpkit.Staff, Session: true}, s.readReminders)
	httpkit.Handle(r, httpkit.Route{
		At: "PUT /me/reminders", Summary: "Be told by mail what waits", To: httpkit.Staff, Session: true, NoSealedCodes: true,
		More: "A mail has numbers and links, and names nobody. A digest comes at eight in the morning of a working day, where one is employed, unless nothing waits. Emergency cuts that wait to be confirmed are told at once in any case.",
	}, s.setReminders)
	httpkit.Handle(r, httpkit.Route{At: "DELETE /me/reminders", Summary: "Be told nothing by mail any more; the address is deleted", To: httpkit.Everyone, Session: true, Status: http.StatusNoContent}, s.stopReminders)
}

// Reminders is how somebody is told by mail what waits.
type Reminders struct {
	MailServer bool               `json:"mail_server" doc:"Without one nobody is told anything by mail"`
	Address    string             `json:"address" doc:"Empty: one is told nothing"`
	Digest     models.DigestEvery `json:"digest"`
	DigestText string             `json:"digest_text"`
	Urgent     bool               `json:"urgent" doc:"What cannot wait is told at once"`
	Language   i18n.Language      `json:"language" enum:"zh,en"`
}

type remindersInput struct {
	httpkit.Speaking
	Body struct {
		Address  string             `json:"address" minLength:"1" maxLength:"254" format:"email" doc:"Of oneself, at work"`
		Digest   models.DigestEvery `json:"digest"`
		Urgent   bool               `json:"urgent"`
		Language i18n.Language      `json:"language" enum:"zh,en"`
	}
}

func (s *server) readReminders(ctx context.Context, in *httpkit.Speaking) (*httpkit.Answer[Reminders], error) {
	set, err := notify.Of(ctx, s.DB.Read(ctx), s.DB, httpkit.ActorOf(ctx).EmployeeID)
	if err != nil {
		return nil, err
	}
	if set == nil {
		set = &notify.Settings{Digest: models.DigestNever, Language: in.Language()}
	}
	return httpkit.AnswerOf(Reminders{s.Mail, set.Address, set.Digest, closed.Text(in.Language(), set.Digest), set.Urgent, set.Language}, nil)
}

func (s *server) setReminders(ctx context.Context, in *remindersInput) (*httpkit.Answer[Reminders], error) {
	if !s.Mail {
		return nil, message.ErrNoServer
	}
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return notify.Set(tx, httpkit.ActorOf(ctx), notify.Settings{Address: in.Body.Address, Digest: in.Body.Digest, Urgent: in.Body.Urgent, Language: in.Body.Language})
	})
	if err != nil {
		return nil, err
	}
	return s.readReminders(ctx, &in.Speaking)
}

func (s *server) stopReminders(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return notify.Stop(tx, httpkit.ActorOf(ctx)) })
}
