// Package overview serves what waits, and how the last twelve months went.
package overview

import (
	"context"
	"slices"
	"time"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/successions"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/cut"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/overview"
	"lethe/internal/screening"
	"lethe/internal/succession"
	"lethe/models"
)

type server struct{ *approvals.Desk }

// Register serves the resource.
func Register(desk *approvals.Desk) {
	s := &server{desk}
	r := s.Resource("Overview", identity.ScopeRead) // it reads what several scopes cover
	httpkit.Handle(r, httpkit.Route{
		At: "GET /overview", Summary: "Count what waits, and how the last twelve months went", To: httpkit.Staff,
		More: "Numbers of what the caller finds in the lists. None of what waits is above 1000, which means at least as many. Looks and refusals are for HR, reviewers and auditors.",
	}, s.get)
}

// Overview is what waits, and how the last twelve months went.
type Overview struct {
	Waiting  Waiting   `json:"waiting"`
	Months   []Month   `json:"months" doc:"The last twelve, oldest first, by the last day of the employment"`
	Refusals []Refusal `json:"refusals" doc:"Of the last twelve months, most frequent first; empty for IT"`
}

// Waiting is what waits; 1000 means at least as many.
type Waiting struct {
	LeavingToday    int `json:"leaving_today" doc:"Whose last working day is today"`
	LeavingWeek     int `json:"leaving_week" doc:"Whose last working day is within seven days"`
	Cases           int `json:"cases" doc:"Accounts that need people"`
	Approvals       int `json:"approvals" doc:"Requests that the caller may decide about"`
	Deletions       int `json:"deletions" doc:"Categories that will be destroyed within 30 days, without what a hold keeps"`
	Looks           int `json:"looks" doc:"Looks to review, of others at others; 0 for IT"`
	Requests        int `json:"requests" doc:"Requests of people about their own data that wait for an answer; 0 for IT"`
	RequestsOverdue int `json:"requests_overdue" doc:"Of them, those that should have been answered"`
	Cuts            int `json:"cuts" doc:"Emergency cuts that wait for the caller to confirm them; 0 for roles that confirm none"`
	Drift           int `json:"drift" doc:"What connected systems have otherwise than the facts say, without what is about the caller; for HR, IT and auditors, else 0"`
	DriftGrave      int `json:"drift_grave" doc:"Of it, accounts that can be used though their access was taken away"`
	Untaken         int `json:"untaken" doc:"What fell to a role of what somebody who is gone looked after, and nobody has taken yet"`
	Unsucceeded     int `json:"unsucceeded" doc:"People who leave within seven days and look after something that nobody takes over; 0 for roles that name no successors"`
}

// Month is how a month went.
type Month struct {
	Month   string `json:"month" example:"2026-03"`
	Leavers int    `json:"leavers"`
	Settled int    `json:"settled" doc:"Of how many each account was off"`
	Open    int    `json:"open" doc:"Of how many the cutoff has passed and not each account is off"`
	Delay   *Delay `json:"delay,omitempty" doc:"From the cutoff, or from the entry of a departure that began later, until the last account was off"`
}

// Delay are quartiles, in seconds.
type Delay struct {
	Q1 int64 `json:"q1"`
	Q2 int64 `json:"q2" doc:"The median"`
	Q3 int64 `json:"q3"`
}

// Refusal is for what something was refused, and how often.
type Refusal struct {
	Rule       disclosure.Rule    `json:"rule"`
	RuleText   string             `json:"rule_text"`
	Matter     screening.Category `json:"matter,omitempty"`
	MatterText string             `json:"matter_text,omitempty"`
	Times      int                `json:"times"`
}

type getInput struct {
	httpkit.Speaking
	Today string `query:"today" format:"date" doc:"The day where the caller is; left out: in UTC"`
}

func (s *server) get(ctx context.Context, in *getInput) (*httpkit.Answer[Overview], error) {
	by := httpkit.ActorOf(ctx)
	today, err := clock.ParseDate(in.Today)
	switch {
	case err != nil && in.Today != "":
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "query.today", Code: httpkit.FieldNotAllowed})
	case err != nil: // left out
		now, err := s.DB.Now(ctx)
		if err != nil {
			return nil, err
		}
		today = clock.Today(now, time.UTC)
	}
	waiting, err := overview.Count(ctx, s.DB, overview.Asker{Person: by.EmployeeID, Today: today, Decides: s.Approvals.DecidedBy(by.Role), Confirms: slices.Contains(cut.Confirmers, by.Role)})
	if err != nil {
		return nil, err
	}
	months, err := overview.Months(ctx, s.DB, today)
	if err != nil {
		return nil, err
	}
	v := Overview{Waiting: waitingView(waiting), Months: httpkit.Each(months, month), Refusals: []Refusal{}}
	if v.Waiting.Untaken, err = succession.Untaken(ctx, s.DB, successions.Filter(by), most); err != nil {
		return nil, err
	}
	if by.Role == models.RoleHRAdmin {
		ahead, err := succession.Ahead(ctx, s.DB, by.EmployeeID)
		if err != nil {
			return nil, err
		}
		v.Waiting.Unsucceeded = len(ahead)
	}
	if by.Role == models.RoleReviewer {
		v.Waiting.Drift, v.Waiting.DriftGrave = 0, 0
	}
	if by.Role == models.RoleITOps {
		v.Waiting.Looks, v.Waiting.Requests, v.Waiting.RequestsOverdue = 0, 0, 0
		return httpkit.AnswerOf(v, nil)
	}
	refusals, err := overview.Refusals(ctx, s.DB, by.EmployeeID, today)
	v.Refusals = httpkit.Each(refusals, func(r overview.Refusal) Refusal { return refusal(in.Language(), r) })
	return httpkit.AnswerOf(v, err)
}

// most is how far something is counted.
const most = 1000

func waitingView(w overview.Waiting) Waiting {
	return Waiting{
		LeavingToday: w.LeavingToday, LeavingWeek: w.LeavingWeek, Cases: w.Cases, Approvals: w.Approvals, Deletions: w.Deletions, Looks: w.Looks,
		Requests: w.Requests, RequestsOverdue: w.RequestsOverdue, Cuts: w.Cuts, Drift: w.Drift, DriftGrave: w.DriftGrave,
	}
}

func month(m overview.Month) Month {
	v := Month{Month: m.Month.String()[:len("2026-03")], Leavers: m.Leavers, Settled: m.Settled, Open: m.Open}
	if m.Q1 != nil && m.Q2 != nil && m.Q3 != nil {
		v.Delay = &Delay{int64(*m.Q1), int64(*m.Q2), int64(*m.Q3)}
	}
	return v
}

func refusal(language i18n.Language, r overview.Refusal) Refusal {
	v := Refusal{Rule: r.Rule, RuleText: closed.Text(language, r.Rule), Matter: r.Matter, Times: r.Times}
	if r.Matter != "" {
		v.MatterText = closed.Text(language, r.Matter)
	}
	return v
}
