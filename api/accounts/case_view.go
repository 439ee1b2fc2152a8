package accounts

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/render"
	"lethe/internal/account"
	"lethe/internal/closed"
	"lethe/internal/connector"
	"lethe/internal/i18n"
	"lethe/models"
)

// CaseView is a stuck step that people must solve.
type CaseView struct {
	ID             uuid.UUID            `json:"id"`
	OperationID    uuid.UUID            `json:"operation_id"`
	Operation      models.OperationKind `json:"operation_kind" doc:"Whether operation_id is found among the unlinkings or the relinkings"`
	OperationText  string               `json:"operation_kind_text"`
	DepartureID    *uuid.UUID           `json:"departure_id,omitempty"`
	CutID          *uuid.UUID           `json:"cut_id,omitempty" doc:"The emergency cut that it comes from"`
	EmployeeID     uuid.UUID            `json:"employee_id"`
	Person         render.PersonView    `json:"person" doc:"Whose account it is"`
	AccountID      uuid.UUID            `json:"account_id"`
	System         string               `json:"system"`
	SystemText     string               `json:"system_text"`
	Reason         caseReason           `json:"reason" doc:"Why it is stuck: stable, for programs"`
	ReasonText     string               `json:"reason_text"`
	HTTPStatus     int                  `json:"http_status,omitempty" doc:"Of the last answer that was a failure; absent if none was"`
	NextStep       string               `json:"next_step,omitempty" doc:"What to do about it; absent of a closed case"`
	Tried          []TriedView          `json:"tried" doc:"What was tried until it was closed, in the order in which it was first tried"`
	ForVendor      string               `json:"for_vendor" doc:"A text for the support of the system's vendor, in the reader's language; nothing about a person"`
	State          models.CaseState     `json:"state"`
	Resolution     models.Resolution    `json:"resolution,omitempty"`
	StateText      string               `json:"state_text"`
	ResolutionText string               `json:"resolution_text,omitempty"`
	Note           string               `json:"note,omitempty" doc:"What whoever decided it wrote"`
	AskedBy        *uuid.UUID           `json:"asked_by,omitempty"`
	Asker          *render.PersonView   `json:"asker,omitempty" doc:"asked_by, by name: who decided, or asked for a waiver"`
	ConfirmedBy    *uuid.UUID           `json:"confirmed_by,omitempty"`
	Confirmer      *render.PersonView   `json:"confirmer,omitempty" doc:"confirmed_by, by name"`
	OpenedAt       time.Time            `json:"opened_at"`
	AskedAt        *time.Time           `json:"asked_at,omitempty"`
	ClosedAt       *time.Time           `json:"closed_at,omitempty"`
}

// TriedView is what was tried, so often with the same end.
type TriedView struct {
	Substep     string    `json:"substep"`
	SubstepText string    `json:"substep_text"`
	Outcome     string    `json:"outcome"`
	OutcomeText string    `json:"outcome_text"`
	Detail      string    `json:"detail,omitempty" doc:"A code of why it failed, or kinds of rights and how many of them"`
	DetailText  string    `json:"detail_text,omitempty" doc:"The same in words, where there are some"`
	HTTPStatus  int       `json:"http_status,omitempty"`
	Times       int       `json:"times"`
	FirstAt     time.Time `json:"first_at"`
	LastAt      time.Time `json:"last_at"`
	Earlier     bool      `json:"earlier,omitempty" doc:"Tried before it was stuck this time; these come last"`
}

// caseReason is why a step is stuck; a closed list.
type caseReason string

// Schema is what OpenAPI shows and validation checks.
func (caseReason) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, reason := range account.Reasons {
		s.Enum = append(s.Enum, reason)
	}
	s.Enum = append(s.Enum, account.ReasonOther)
	s.PrecomputeMessages()
	return s
}

// caseViews shows cases with whom they concern, who decided and what was tried.
func (s *server) caseViews(ctx context.Context, rows []account.CaseView, language i18n.Language) ([]CaseView, error) {
	var ids []uuid.UUID
	cases := make([]uuid.UUID, len(rows))
	for i, c := range rows {
		ids, cases[i] = append(ids, render.GivenOf(&c.EmployeeID, c.AskedBy, c.ConfirmedBy)...), c.ID
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	tried, err := account.TriedIn(ctx, s.DB, cases)
	if err != nil {
		return nil, err
	}
	notes, err := account.Notes(ctx, s.DB, rows)
	if err != nil {
		return nil, err
	}
	views := make([]CaseView, len(rows))
	for i, c := range rows {
		views[i] = caseView(c, people, language)
		views[i].Note = notes[i]
		views[i].addTried(tried[c.ID], language)
		if c.Reason == string(connector.CodeUnauthorized) && permittedOthers(tried[c.ID]) {
			views[i].ReasonText = i18n.Text(language, "case_reason.not_permitted")
			if views[i].NextStep != "" && c.State != models.CaseWaiverRequested {
				views[i].NextStep = i18n.Text(language, "case_next.not_permitted")
			}
		}
		views[i].ForVendor = s.forVendor(c, views[i], language)
	}
	return views, nil
}

func caseView(c account.CaseView, people render.Named, language i18n.Language) CaseView {
	reason := account.ReasonOf(c.Reason)
	v := CaseView{
		ID: c.ID, OperationID: c.OperationID, Operation: c.Operation, OperationText: closed.Text(language, c.Operation), DepartureID: c.DepartureID, CutID: c.CutID, EmployeeID: c.EmployeeID, Person: people[c.EmployeeID], AccountID: c.AccountID,
		System: c.System, SystemText: SystemText(language, c.System, c.Kind), Reason: caseReason(reason), ReasonText: i18n.Text(language, "case_reason."+reason),
		State: c.State, StateText: closed.Text(language, c.State), Resolution: c.Resolution,
		AskedBy: c.AskedBy, Asker: people.Of(c.AskedBy), ConfirmedBy: c.ConfirmedBy, Confirmer: people.Of(c.ConfirmedBy),
		OpenedAt: c.OpenedAt.UTC(), AskedAt: render.UTC(c.AskedAt), ClosedAt: render.UTC(c.ClosedAt),
	}
	switch {
	case c.State == models.CaseWaiverRequested:
		v.NextStep = i18n.Text(language, "case_waiver.next")
	case c.ClosedAt == nil:
		v.NextStep = i18n.Text(language, "case_next."+reason)
	}
	if c.Resolution != "" {
		v.ResolutionText = closed.Text(language, c.Resolution)
	}
	return v
}

func (v *CaseView) addTried(tried []account.Tried, language i18n.Language) {
	v.Tried = make([]TriedView, len(tried))
	permitted := permittedOthers(tried)
	var last time.Time
	for i, t := range tried {
		code, status := t.Failure()
		if code == "" {
			code = t.Detail
		}
		v.Tried[i] = TriedView{
			Substep: t.Substep, SubstepText: i18n.Text(language, "tried."+t.Substep),
			Outcome: t.Outcome, OutcomeText: i18n.Text(language, "tried_outcome."+t.Outcome),
			Detail: code, DetailText: detailText(language, code), HTTPStatus: status, Times: t.Times, FirstAt: t.FirstAt.UTC(), LastAt: t.LastAt.UTC(), Earlier: t.Earlier,
		}
		if permitted && status == http.StatusForbidden {
			v.Tried[i].DetailText = strings.TrimRight(i18n.Text(language, "case_reason.not_permitted"), "。.")
		}
		if status != 0 && !t.LastAt.Before(last) {
			v.HTTPStatus, last = status, t.LastAt
		}
	}
}

// permittedOthers says whether this one call is what the system does not let us make: it let us make others, and did not
// refuse who we are.
func permittedOthers(tried []account.Tried) bool {
	refused, let := false, false
	for _, t := range tried {
		code, status := t.Failure()
		switch {
		case t.Earlier:
		case code == string(connector.CodeUnauthorized) && status != http.StatusForbidden:
			return false
		case status == http.StatusForbidden:
			refused = true
		case code == "":
			let = true
		}
	}
	return refused && let
}

// detailText is a detail of what was tried in words: why it failed, or what kinds of rights are meant and how many of each.
func detailText(language i18n.Language, detail string) string {
	var parts []string
	for part := range strings.SplitSeq(detail, ",") {
		code, count, _ := strings.Cut(part, ":")
		text, ok := i18n.Lookup(language, "tried_detail."+code)
		if !ok {
			text, ok = i18n.Lookup(language, "case_reason."+code)
			text = strings.TrimRight(text, "。.")
		}
		if !ok {
			continue // for programs alone
		}
		if count != "" {
			text += " " + count
		}
		parts = append(parts, text)
	}
	return language.List(parts)
}

// forVendor says what happened to somebody who knows the system and must not know whom it happened to: steps, codes,
// counts and times only, never an id, a number or the vendor's own words.
func (s *server) forVendor(c account.CaseView, v CaseView, language i18n.Language) string {
	protocol := "-"
	if system, connected := s.Systems.Get(c.System); connected && system.Protocol != "" {
		protocol = system.Protocol
	}
	lines := []string{
		fmt.Sprintf(i18n.Text(language, "vendor.system"), s.Version, SystemText(language, c.Kind, c.Kind), protocol),
		fmt.Sprintf(i18n.Text(language, "vendor.what"), closed.Text(language, c.Action), v.OpenedAt.Format(time.RFC3339), strings.TrimRight(v.ReasonText, "。.")),
	}
	for i, t := range v.Tried {
		if t.Earlier && (i == 0 || !v.Tried[i-1].Earlier) {
			lines = append(lines, i18n.Text(language, "vendor.earlier"))
		}
		line := t.SubstepText + language.Of("：", ": ") + t.OutcomeText
		var more []string
		if t.DetailText != "" {
			more = append(more, t.DetailText)
		}
		if t.HTTPStatus != 0 {
			more = append(more, fmt.Sprintf("HTTP %d", t.HTTPStatus))
		}
		if len(more) > 0 {
			line += language.Of("（", " (") + strings.Join(more, language.Of("，", ", ")) + language.Of("）", ")")
		}
		lines = append(lines, "- "+line+fmt.Sprintf(i18n.Plural(language, "vendor.times", t.Times), t.Times, t.FirstAt.Format(time.RFC3339), t.LastAt.Format(time.RFC3339)))
	}
	return strings.Join(lines, "\n")
}
