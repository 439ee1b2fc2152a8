package departures

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/models"
)

// DeparturePreview is whom a departure is about, and what it would come to if it began now.
type DeparturePreview struct {
	Person            render.PersonView      `json:"person"`
	Department        string                 `json:"department"`
	Kind              models.DepartureKind   `json:"kind"`
	KindText          string                 `json:"kind_text"`
	LastWorkingDay    clock.Date             `json:"last_working_day"`
	EmploymentEndDate clock.Date             `json:"employment_end_date"`
	AccessCutoffAt    time.Time              `json:"access_cutoff_at"`
	EmploymentEndedAt time.Time              `json:"employment_ended_at"`
	TimeZone          string                 `json:"time_zone"`
	Immediate         bool                   `json:"immediate"`
	Accounts          []accounts.AccountView `json:"accounts" doc:"Those that are registered; every connected system is asked by employee number besides"`
	TwoPeople         bool                   `json:"two_people" doc:"It begins once a second person has agreed"`
	Because           []approvals.CauseView  `json:"because" doc:"Why it takes two people"`
	Earlier           *EarlierView           `json:"earlier,omitempty" doc:"What of the dates a second person decides about, while the departure runs with those above"`
	Planned           []purges.PlannedView   `json:"planned_retention" doc:"Until when each category will be kept"`
}

// EarlierView is what is asked of a second person beside a departure that begins without it.
type EarlierView struct {
	LastWorkingDay    clock.Date            `json:"last_working_day"`
	EmploymentEndDate clock.Date            `json:"employment_end_date"`
	Because           []approvals.CauseView `json:"because"`
}

type previewInput struct {
	httpkit.Speaking
	Body NewDeparture
}

func (s *server) registerPreview() {
	httpkit.Handle(s.Resource("Departures", identity.ScopeDepartures), httpkit.Route{
		At: "POST /departures/preview", Summary: "Whom a departure is about and what it would come to; nothing begins",
		To: httpkit.Roles{httpkit.HR},
	}, s.previewDeparture)
}

func (s *server) previewDeparture(ctx context.Context, in *previewInput) (*httpkit.Answer[DeparturePreview], error) {
	n := in.Body.notice()
	var plan departure.Beginning
	var planned []retention.Planned
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if plan, err = departure.Prepare(tx, n); err != nil {
			return err
		}
		planned, err = retention.Plan(tx, plan.Employment.Jurisdiction, later(plan.CountsFrom, plan.EmploymentEndedAt), plan.TimeZone)
		return err
	})
	if err != nil {
		return nil, in.Body.locate(err)
	}
	linked, err := account.Accounts(ctx, s.DB, []uuid.UUID{plan.Employment.ID})
	if err != nil {
		return nil, err
	}
	file, err := archive.Get(ctx, s.DB, httpkit.ActorOf(ctx), n.EmployeeID, in.Language())
	if err != nil {
		return nil, err
	}
	language := in.Language()
	var beside *EarlierView
	if plan.Remains(n.RequestedDates) {
		beside = &EarlierView{*n.LastWorkingDay, *cmp.Or(n.EmploymentEndDate, n.LastWorkingDay), approvals.CauseViews([]models.Cause{models.CauseEarlier}, language)}
	}
	return &httpkit.Answer[DeparturePreview]{Body: DeparturePreview{
		Person:     render.PersonView{EmployeeID: n.EmployeeID, EmployeeNo: file.EmployeeNo, Name: file.Name, Department: departmentIn(file)},
		Department: departmentIn(file),
		Kind:       n.Kind, KindText: closed.Text(language, n.Kind),
		LastWorkingDay: plan.LastWorkingDay, EmploymentEndDate: plan.EmploymentEndDate, AccessCutoffAt: plan.AccessCutoffAt.UTC(),
		EmploymentEndedAt: plan.EmploymentEndedAt.UTC(), TimeZone: plan.TimeZone, Immediate: n.Immediate,
		Accounts: accounts.AccountViews(language, linked[plan.Employment.ID], false), TwoPeople: len(plan.Causes) > 0, Because: approvals.CauseViews(plan.Causes, language), Planned: purges.Planned(language, planned),
		Earlier: beside,
	}}, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// departmentIn is the name of the department in a file.
func departmentIn(file archive.EmployeeView) string {
	for _, f := range file.Fields {
		if f.Key == archive.FieldDepartment && f.Value != nil {
			return *f.Value
		}
	}
	return ""
}
