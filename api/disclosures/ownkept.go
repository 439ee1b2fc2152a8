package disclosures

import (
	"context"
	"time"

	"lethe/api/accounts"
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/subject"
	"lethe/models"
)

// OwnDeparture is how one left, as every leaver may know it of the own departure.
type OwnDeparture struct {
	Kind              models.DepartureKind `json:"kind"`
	KindText          string               `json:"kind_text"`
	Stage             models.Stage         `json:"stage"`
	StageText         string               `json:"stage_text"`
	NoticeReceivedOn  clock.Date           `json:"notice_received_on"`
	LastWorkingDay    clock.Date           `json:"last_working_day"`
	EmploymentEndDate clock.Date           `json:"employment_end_date"`
}

// OwnAccount is an account in another system.
type OwnAccount struct {
	System     string              `json:"system"`
	SystemText string              `json:"system_text"`
	State      models.AccountState `json:"state"`
	StateText  string              `json:"state_text"`
}

// OwnRequest is what one asked for of the own data, and what was answered.
type OwnRequest struct {
	Kind        models.SubjectRequestKind  `json:"kind"`
	KindText    string                     `json:"kind_text"`
	FieldsText  []string                   `json:"fields_text"`
	State       models.SubjectRequestState `json:"state"`
	StateText   string                     `json:"state_text"`
	FormText    string                     `json:"form_text"`
	EnteredAt   time.Time                  `json:"entered_at"`
	ReceivedOn  *clock.Date                `json:"received_on,omitempty" doc:"Of a paper"`
	AnswerDueAt time.Time                  `json:"answer_due_at"`
	FinishedAt  *time.Time                 `json:"finished_at,omitempty"`
	AnswerText  string                     `json:"answer_text,omitempty"`
	Text        string                     `json:"text,omitempty" doc:"What one wrote"`
	KeptAt      string                     `json:"kept_at,omitempty" doc:"Where a paper is kept"`
	Extension   string                     `json:"extension,omitempty" doc:"Why the answer was put off"`
	Answer      string                     `json:"answer,omitempty" doc:"What was answered"`
	Basis       string                     `json:"basis,omitempty" doc:"On what it rests that not all was granted"`
}

// mostKept is how many of each a copy lists: more than anybody has.
const mostKept = 10_000

// kept adds departures, accounts in other systems, and requests.
func (s *server) kept(ctx context.Context, language i18n.Language, c *OwnCopy) error {
	left, err := departure.List(ctx, s.DB, departure.Filter{EmployeeID: c.EmployeeID, Limit: mostKept})
	if err != nil {
		return err
	}
	c.Departures = httpkit.Each(left, func(d models.Departure) OwnDeparture {
		return OwnDeparture{d.Kind, closed.Text(language, d.Kind), d.Stage, closed.Text(language, d.Stage), d.NoticeReceivedOn, d.LastWorkingDay, d.EmploymentEndDate}
	})
	linked, err := account.OfPerson(ctx, s.DB, c.EmployeeID)
	if err != nil {
		return err
	}
	self := models.Actor{EmployeeID: c.EmployeeID, Role: models.RoleEmployee}
	c.Accounts = httpkit.Each(accounts.AccountViews(language, account.AsBefore(linked), access.MayKnow(self, true, access.PartIDs)), func(a accounts.AccountView) OwnAccount {
		return OwnAccount{a.System, a.SystemText, a.State, a.StateText}
	})
	c.Requests, err = s.ownRequests(ctx, language, c)
	return err
}

func (s *server) ownRequests(ctx context.Context, language i18n.Language, c *OwnCopy) ([]OwnRequest, error) {
	rows, err := subject.List(ctx, s.DB, subject.Filter{EmployeeID: &c.EmployeeID, Own: true, Limit: mostKept})
	if err != nil {
		return nil, err
	}
	written, err := subject.WrittenFor(ctx, s.DB, rows...)
	if err != nil {
		return nil, err
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	all := make([]OwnRequest, len(rows))
	for i, r := range rows {
		w := written[i]
		all[i] = OwnRequest{
			Kind: r.Kind, KindText: closed.Text(language, r.Kind), FieldsText: []string{}, State: r.State, StateText: closed.Text(language, r.State),
			FormText: closed.Text(language, r.Form), EnteredAt: r.EnteredAt.UTC(), ReceivedOn: r.ReceivedOn, AnswerDueAt: r.AnswerDueAt.UTC(), FinishedAt: r.FinishedAt,
			Text: w.Text, KeptAt: w.KeptAt, Extension: w.Extension, Answer: w.Answer, Basis: w.Basis,
		}
		for _, key := range r.Fields {
			label, _ := labels.Of(language, key)
			all[i].FieldsText = append(all[i].FieldsText, label)
		}
		if r.Answer != "" {
			all[i].AnswerText = closed.Text(language, r.Answer)
		}
	}
	return all, nil
}
