// Package reports serves reports for auditors.
package reports

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/leavers"
	"lethe/models"
)

type server struct{ *approvals.Desk }

// Register serves the resource.
func Register(desk *approvals.Desk) {
	s := &server{desk}
	httpkit.Describe[leavers.Basis](desk.API)
	httpkit.Describe[leavers.Outcome](desk.API)
	httpkit.Describe[leavers.What](desk.API)
	httpkit.Describe[leavers.Format](desk.API)
	r := s.Resource("Reports", identity.ScopeRead) // it reads what several scopes cover
	httpkit.Handle(r, httpkit.Route{
		At: "GET /reports/leavers", Summary: "Everybody whose employment ended within a period: is each account off, and since when", To: httpkit.Staff,
		More: "Each ended employment is there once, those that withdrew or were annulled are not; open ones come first, then the longest delay. " +
			"Nobody about whom nothing is known counts as settled. Of the own employments nobody reads here: `own` says how many are left out.",
	}, s.listLeavers)
	s.registerLeaversExport(r)
	s.registerAccess(r)
}

// Period says who is in a report.
type Period struct {
	From        string        `query:"from" json:"from" required:"true" format:"date" doc:"The first day"`
	To          string        `query:"to" json:"to" required:"true" format:"date" doc:"The last day, included"`
	Basis       leavers.Basis `query:"basis" json:"basis,omitempty" doc:"What lies in the period: the last day of the employment, by its own calendar, or when access had to be off, by the clock of zone. Left out: end"`
	Zone        string        `query:"zone" json:"zone,omitempty" maxLength:"64" doc:"In which the report counts cutoffs and shows times: IANA name. Left out: UTC" example:"Asia/Shanghai"`
	LegalEntity uuid.UUID     `query:"legal_entity_id" json:"legal_entity_id,omitempty" doc:"Only employments with this legal entity"`
	Department  uuid.UUID     `query:"department_id" json:"department_id,omitempty" doc:"Only employments that ended in this department"`
	Site        uuid.UUID     `query:"site_id" json:"site_id,omitempty" doc:"Only people of this site"`
	LateAfter   int           `query:"late_after_minutes" json:"late_after_minutes,omitempty" minimum:"1" maximum:"10080" doc:"How long after its cutoff an account may be read back as off and be in time. Left out: 60"`
}

// defaultLateAfter is in minutes: to end access at the cutoff, to try again, and to read it back takes a while.
const defaultLateAfter = 60

// filter is who is in the report, and in which zone; place is where a fault in it is, "query.".
func (p Period) filter(reader models.Actor, place string) (leavers.Filter, error) {
	f := leavers.Filter{
		Reader: reader, Basis: p.Basis, LegalEntityID: p.LegalEntity, DepartmentID: p.Department, SiteID: p.Site,
		LateAfter: time.Duration(p.LateAfter) * time.Minute, Zone: time.UTC,
	}
	if f.Basis == "" {
		f.Basis = leavers.ByEnd
	}
	if p.LateAfter == 0 {
		f.LateAfter = defaultLateAfter * time.Minute
	}
	for _, d := range []struct {
		name, text string
		day        *clock.Date
	}{{"from", p.From, &f.From}, {"to", p.To, &f.To}} {
		var err error
		if *d.day, err = clock.ParseDate(d.text); err != nil {
			return f, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: place + d.name, Code: httpkit.FieldNotAllowed})
		}
		if *d.day == clock.NewDate(1, 1, 1) { // what a script sends whose day is not set
			return f, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: place + d.name, Code: httpkit.FieldTooEarly})
		}
	}
	if f.To.Before(f.From) {
		return f, httpkit.NewProblem(httpkit.CodeRangeReversed, httpkit.FieldError{Location: place + "to", Code: httpkit.CodeRangeReversed})
	}
	if p.Zone != "" {
		var err error
		if f.Zone, err = clock.LoadZone(p.Zone); err != nil {
			return f, httpkit.NewProblem(httpkit.CodeUnknownZone, httpkit.FieldError{Location: place + "zone", Code: httpkit.CodeUnknownZone})
		}
	}
	return f, nil
}

// LeaversPage is one page of a report, with the totals of all of it.
type LeaversPage struct {
	httpkit.Page[LeaverView]
	Totals LeaversTotals `json:"totals" doc:"About everybody in the period, whichever outcomes the page is limited to"`
}

// LeaversTotals are about everybody of a report.
type LeaversTotals struct {
	AsOf             time.Time `json:"as_of"`
	Zone             string    `json:"zone" doc:"In which the report counts cutoffs and shows times"`
	LateAfterMinutes int       `json:"late_after_minutes"`
	Leavers          int       `json:"leavers" doc:"Ended employments"`
	Open             int       `json:"open" doc:"Not every account is off, or a system has not answered"`
	NotLooked        int       `json:"not_looked" doc:"No account is known, and no system was asked"`
	Accepted         int       `json:"accepted" doc:"Two people accepted an account that is not off"`
	Late             int       `json:"late" doc:"All off, read back later than late_after_minutes after the cutoff"`
	TakenIn          int       `json:"taken_in" doc:"All off; a file brought them as people who had left before, so that nobody can say since when"`
	InTime           int       `json:"in_time" doc:"All off, read back in time"`
	NoneFound        int       `json:"none_found" doc:"The systems were asked, and there was no account"`
	Median           *int64    `json:"median_delay_seconds" doc:"Of those whose accounts were all read back as off, in time or late; null: nobody"`
	Longest          *int64    `json:"longest_delay_seconds"`
	EnteredLate      int       `json:"entered_late" doc:"Whatever their accounts came to: entered only after the cutoff. Their delays count from the entry"`
	Own              int       `json:"own" doc:"Employments of the reader, which are left out"`
	Text             string    `json:"text" doc:"The same in sentences"`
}

// LeaverView is one ended employment.
type LeaverView struct {
	DepartureID       uuid.UUID            `json:"departure_id"`
	Person            render.PersonView    `json:"person"`
	Department        string               `json:"department" doc:"In which the employment ended"`
	LegalEntity       string               `json:"legal_entity"`
	Kind              models.DepartureKind `json:"kind"`
	KindText          string               `json:"kind_text"`
	EmploymentEndDate clock.Date           `json:"employment_end_date"`
	AccessCutoffAt    time.Time            `json:"access_cutoff_at"`
	TimeZone          string               `json:"time_zone" doc:"The employment's"`
	Outcome           leavers.Outcome      `json:"outcome"`
	OutcomeText       string               `json:"outcome_text"`
	DelaySeconds      *int64               `json:"delay_seconds" doc:"From the cutoff, or from the entry of a departure that was entered after it, until the last account was read back as off; null: before that, or not all are, or unknown"`
	DelayText         string               `json:"delay_text,omitempty"`
	EnteredLate       bool                 `json:"entered_late" doc:"The departure was entered only after the cutoff: delays count from the entry"`
	Accounts          []LeaverAccount      `json:"accounts" nullable:"false" doc:"With the look-ups in systems where none was known"`
	Exceptions        []ExceptionView      `json:"exceptions" nullable:"false" doc:"What was out of the ordinary, oldest first"`
}

// LeaverAccount is one account, or the look-up for one that nobody had registered.
type LeaverAccount struct {
	System       string              `json:"system"`
	SystemText   string              `json:"system_text"`
	State        models.AccountState `json:"state"`
	StateText    string              `json:"state_text"`
	LookUp       bool                `json:"look_up" doc:"It is no account but the question for one"`
	Open         bool                `json:"open" doc:"It is not off, and nobody accepted that"`
	ConfirmedAt  *time.Time          `json:"confirmed_at,omitempty" doc:"When it was read back like this, or accepted"`
	DelaySeconds *int64              `json:"delay_seconds,omitempty" doc:"From the cutoff, or from the entry of a departure that was entered after it; absent: before that, or unknown"`
	DelayText    string              `json:"delay_text,omitempty"`
}

// ExceptionView is something out of the ordinary.
type ExceptionView struct {
	What       leavers.What       `json:"what"`
	WhatText   string             `json:"what_text"`
	At         time.Time          `json:"at"`
	By         *render.PersonView `json:"by,omitempty"`
	Second     *render.PersonView `json:"second,omitempty" doc:"The second person, where there is one"`
	SystemText string             `json:"system_text,omitempty"`
	AfterText  string             `json:"after_text,omitempty" doc:"How long after the cutoff a departure was entered"`
}

type listLeaversInput struct {
	httpkit.Paging
	httpkit.Speaking
	Period
	Outcome []leavers.Outcome `query:"outcome" maxItems:"7" doc:"Only those that came to one of these, with commas between them; the totals stay those of everybody"`
}

func (s *server) listLeavers(ctx context.Context, in *listLeaversInput) (*httpkit.Answer[LeaversPage], error) {
	f, err := in.filter(httpkit.ActorOf(ctx), "query.")
	if err != nil {
		return nil, err
	}
	if _, err := s.unitsOf(ctx, in.Language(), f, "query."); err != nil {
		return nil, err
	}
	id, at, err := in.Sorted()
	if err != nil {
		return nil, err
	}
	var after *leavers.Position
	if id != nil {
		after = &leavers.Position{ID: *id, Sort: at.UnixMilli()}
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	listed, totals, err := leavers.Page(s.DB.Read(ctx), f, in.Outcome, after, in.Limit)
	if err != nil {
		return nil, err
	}
	listed, next := httpkit.Cut(in.Paging, listed, func(l leavers.Listed) uuid.UUID { return l.ID })
	if next != nil {
		last := listed[len(listed)-1]
		next = in.SortedCursor(last.ID, time.UnixMilli(last.Sort))
	}
	views, err := s.leaverViews(ctx, in.Language(), listed)
	return httpkit.AnswerOf(LeaversPage{httpkit.PageOf(views, next), totalsView(in.Language(), f, totals, now)}, err)
}

// leaverViews shows ended employments; what they show is read for all of them at once.
func (s *server) leaverViews(ctx context.Context, language i18n.Language, listed []leavers.Listed) ([]LeaverView, error) {
	rows, err := leavers.Rows(ctx, s.DB, listed)
	if err != nil {
		return nil, err
	}
	var people, units []uuid.UUID
	for _, r := range rows {
		people, units = append(people, r.Departure.EmployeeID), append(units, r.Employment.DepartmentID, r.Employment.LegalEntityID)
		for _, e := range r.Exceptions {
			people = append(people, render.GivenOf(e.By, e.Second)...)
		}
	}
	named, err := s.People(ctx, language, unique(people))
	if err != nil {
		return nil, err
	}
	places, err := s.Units(ctx, language, unique(units))
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(r leavers.Row) LeaverView { return leaverView(language, r, named, places) }), nil
}

// unique are ids without those that come again.
func unique(ids []uuid.UUID) (once []uuid.UUID) {
	seen := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id], once = true, append(once, id)
		}
	}
	return once
}

func leaverView(language i18n.Language, r leavers.Row, named render.Named, places render.Units) LeaverView {
	d := r.Departure
	v := LeaverView{
		DepartureID: d.ID, Person: named[d.EmployeeID], Department: places[r.Employment.DepartmentID], LegalEntity: places[r.Employment.LegalEntityID],
		Kind: d.Kind, KindText: closed.Text(language, d.Kind), EmploymentEndDate: d.EmploymentEndDate, AccessCutoffAt: d.AccessCutoffAt.UTC(), TimeZone: d.TimeZone,
		Outcome: r.Outcome, OutcomeText: closed.Text(language, r.Outcome), EnteredLate: r.EnteredLate(), Accounts: []LeaverAccount{}, Exceptions: []ExceptionView{},
	}
	v.DelaySeconds, v.DelayText = delay(language, r.Delay)
	for i, shown := range accounts.AccountViews(language, r.Accounts, false) {
		a := LeaverAccount{
			System: shown.System, SystemText: shown.SystemText, State: shown.State, StateText: shown.StateText,
			LookUp: r.Accounts[i].LookUp, Open: r.Open(r.Accounts[i]), ConfirmedAt: shown.ConfirmedAt,
		}
		if took := r.Took(r.Accounts[i]); took != nil {
			a.DelaySeconds, a.DelayText = delay(language, took)
		}
		v.Accounts = append(v.Accounts, a)
	}
	for _, e := range r.Exceptions {
		v.Exceptions = append(v.Exceptions, exceptionView(language, e, named))
	}
	return v
}

func exceptionView(language i18n.Language, e leavers.Exception, named render.Named) ExceptionView {
	v := ExceptionView{What: e.What, WhatText: closed.Text(language, e.What), At: e.At.UTC(), By: named.Of(e.By), Second: named.Of(e.Second)}
	if e.Operation != "" {
		v.WhatText = i18n.Text(language, "approval.operation."+e.Operation)
	}
	if e.After != nil {
		v.AfterText = fmt.Sprintf(i18n.Text(language, "leavers_report.after_cutoff"), render.Duration(language, *e.After))
	}
	if e.Kind != "" {
		v.SystemText = accounts.SystemText(language, e.System, e.Kind)
	}
	return v
}

// delay is a delay in seconds and in words.
func delay(language i18n.Language, d *time.Duration) (*int64, string) {
	if d == nil {
		return nil, ""
	}
	seconds := int64(*d / time.Second)
	return &seconds, render.Duration(language, *d)
}

func totalsView(language i18n.Language, f leavers.Filter, t leavers.Totals, now time.Time) LeaversTotals {
	v := LeaversTotals{
		AsOf: now.UTC(), Zone: f.Zone.String(), LateAfterMinutes: int(f.LateAfter / time.Minute), Leavers: t.Leavers, Open: t.Open, NotLooked: t.NotLooked,
		Accepted: t.Accepted, Late: t.Late, TakenIn: t.TakenIn, InTime: t.InTime, NoneFound: t.NoneFound, EnteredLate: t.EnteredLate, Own: t.Own,
	}
	for _, d := range []struct {
		from *float64
		to   **int64
	}{{t.Median, &v.Median}, {t.Longest, &v.Longest}} {
		if d.from != nil {
			seconds := int64(*d.from)
			*d.to = &seconds
		}
	}
	v.Text = v.sentences(language, t)
	return v
}

// sentences say what the totals come to, the worst first.
func (v LeaversTotals) sentences(language i18n.Language, t leavers.Totals) string {
	if v.Leavers == 0 {
		return i18n.Text(language, "leavers_report.nobody")
	}
	parts := []string{}
	for _, one := range []struct {
		outcome leavers.Outcome
		n       int
	}{{leavers.Open, v.Open}, {leavers.NotLooked, v.NotLooked}, {leavers.Accepted, v.Accepted}, {leavers.Late, v.Late}, {leavers.TakenIn, v.TakenIn}, {leavers.InTime, v.InTime}, {leavers.NoneFound, v.NoneFound}} {
		if one.n > 0 {
			parts = append(parts, fmt.Sprintf(i18n.Plural(language, "leavers_report.counted."+string(one.outcome), one.n), one.n))
		}
	}
	text := fmt.Sprintf(i18n.Plural(language, "leavers_report.all", v.Leavers), v.Leavers, strings.Join(parts, language.Of("；", "; ")))
	if t.Median != nil && t.Longest != nil {
		text += " " + fmt.Sprintf(i18n.Text(language, "leavers_report.delays"), render.Duration(language, seconds(*t.Median)), render.Duration(language, seconds(*t.Longest)))
	}
	if v.EnteredLate > 0 {
		text += " " + fmt.Sprintf(i18n.Plural(language, "leavers_report.entered_late", v.EnteredLate), v.EnteredLate)
	}
	return text
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
