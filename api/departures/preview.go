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
	"lethe/api/successions"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/retention"
	"lethe/internal/succession"
	"lethe/models"
)

// DeparturePreview is whom a departure is about, and what it would come to if it began now.
type DeparturePreview struct {
	Person     render.PersonView    `json:"person"`
	Department string               `json:"department"`
	Kind       models.DepartureKind `json:"kind"`
	KindText   string               `json:"kind_text"`
	DatesView
	Immediate bool                   `json:"immediate"`
	Accounts  []accounts.AccountView `json:"accounts" doc:"Those that are registered; every connected system is asked by employee number besides"`
	PeopleView
	Earlier          *EarlierView              `json:"earlier,omitempty" doc:"What of the dates a second person decides about, while the departure runs with those above"`
	Planned          []purges.PlannedView      `json:"planned_retention" doc:"Until when each category will be kept"`
	Systems          []SystemLook              `json:"systems,omitempty" doc:"With look_up: what each system has now"`
	ByHand           []accounts.ByHand         `json:"by_hand,omitempty" doc:"With look_up: what no connector reaches, and whom to call"`
	SuccessorMissing []successions.MissingView `json:"successor_missing" doc:"What the person looks after here that nobody takes over; it delays nothing"`
}

// DatesView are the dates of a departure.
type DatesView struct {
	NoticeReceivedOn  clock.Date `json:"notice_received_on"`
	LastWorkingDay    clock.Date `json:"last_working_day"`
	EmploymentEndDate clock.Date `json:"employment_end_date"`
	AccessCutoffAt    time.Time  `json:"access_cutoff_at"`
	EmploymentEndedAt time.Time  `json:"employment_ended_at"`
	TimeZone          string     `json:"time_zone"`
}

func datesView(d departure.Dates) DatesView {
	return DatesView{d.NoticeReceivedOn, d.LastWorkingDay, d.EmploymentEndDate, d.AccessCutoffAt.UTC(), d.EmploymentEndedAt.UTC(), d.TimeZone}
}

// PeopleView is whether a second person decides.
type PeopleView struct {
	TwoPeople bool                  `json:"two_people" doc:"It is done once a second person has agreed"`
	Because   []approvals.CauseView `json:"because" doc:"Why it takes two people"`
}

func peopleView(language i18n.Language, causes []models.Cause) PeopleView {
	return PeopleView{len(causes) > 0, approvals.CauseViews(causes, language)}
}

// DatesPreview is what other dates of a departure would come to now.
type DatesPreview struct {
	Dates   DatesView              `json:"dates" doc:"Those that would hold"`
	Now     DatesView              `json:"now" doc:"Those that hold"`
	Changes []approvals.ChangeView `json:"changes" doc:"Which of them would change; counts_from is what deletion dates count from"`
	PeopleView
	CutAtOnce bool `json:"cut_at_once" doc:"Access ends with the command, whatever a second person says to the rest"`
}

// EarlierView is what is asked of a second person beside a departure that begins without it.
type EarlierView struct {
	LastWorkingDay    clock.Date            `json:"last_working_day"`
	EmploymentEndDate clock.Date            `json:"employment_end_date"`
	Because           []approvals.CauseView `json:"because"`
}

type previewInput struct {
	httpkit.Speaking
	Body DryRun
}

// DryRun is a departure as it would be asked for.
type DryRun struct {
	NewDeparture
	LookUp bool `json:"look_up,omitempty" doc:"Ask every connected system now, by employee number: a dry run. It reads, changes nothing, and is told to nobody"`
}

func (s *server) registerPreview() {
	httpkit.Handle(s.Resource("Departures", identity.ScopeDepartures), httpkit.Route{
		At: "POST /departures/preview", Summary: "Whom a departure is about and what it would come to; nothing begins",
		To:   httpkit.Roles{httpkit.HR, httpkit.IT},
		More: "With `look_up` every connected system is asked besides, side by side and for ten seconds at most each: what carries the number there, whether it is on, what it is in. Nothing of it is kept, nothing is recorded, and nobody is told.",
	}, s.previewDeparture)
	httpkit.Handle(s.Resource("Departures", identity.ScopeDepartures), httpkit.Route{
		At: "POST /departures/{id}/dates/preview", Summary: "What other dates of a departure would come to; nothing changes",
		To: httpkit.Roles{httpkit.HR},
	}, s.previewDates)
}

func (s *server) previewDates(ctx context.Context, in *datesInput) (*httpkit.Answer[DatesPreview], error) {
	var o departure.Outlook
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		o, err = departure.Foresee(tx, httpkit.ActorOf(ctx), in.ID, in.Body.requested())
		return err
	})
	if err != nil {
		return nil, in.Body.locate(err)
	}
	return &httpkit.Answer[DatesPreview]{Body: DatesPreview{
		Dates: datesView(o.Then), Now: datesView(o.Now), Changes: changeViews(o.Changes, o.Then.TimeZone, in.Language()),
		PeopleView: peopleView(in.Language(), o.Causes), CutAtOnce: o.CutAtOnce,
	}}, nil
}

func (s *server) previewDeparture(ctx context.Context, in *previewInput) (*httpkit.Answer[DeparturePreview], error) {
	n := in.Body.notice()
	var plan departure.Beginning
	var planned []retention.Planned
	var held succession.Holdings
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if plan, err = departure.Prepare(tx, httpkit.ActorOf(ctx), n); err != nil {
			return err
		}
		planned, err = retention.Plan(tx, plan.Employment.Jurisdiction, later(plan.CountsFrom, plan.EmploymentEndedAt), plan.TimeZone)
		if err == nil && httpkit.ActorOf(ctx).Role == httpkit.HR { // what others look after is not IT's
			held, err = succession.Of(tx, httpkit.ActorOf(ctx).EmployeeID, n.EmployeeID, false)
		}
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
	systems, byHand, err := s.look(ctx, in, plan.Employment)
	if err != nil {
		return nil, err
	}
	var beside *EarlierView
	if plan.Remains(n.RequestedDates) {
		beside = &EarlierView{*n.LastWorkingDay, *cmp.Or(n.EmploymentEndDate, n.LastWorkingDay), approvals.CauseViews([]models.Cause{models.CauseEarlier}, language)}
	}
	return &httpkit.Answer[DeparturePreview]{Body: DeparturePreview{
		Person:     render.PersonView{EmployeeID: n.EmployeeID, EmployeeNo: file.EmployeeNo, Name: file.Name, Department: departmentIn(file), TimeZone: file.TimeZone},
		Department: departmentIn(file),
		Kind:       n.Kind, KindText: closed.Text(language, n.Kind),
		DatesView: datesView(plan.Dates), Immediate: n.Immediate, Accounts: accounts.AccountViews(language, linked[plan.Employment.ID], false),
		PeopleView: peopleView(language, plan.Causes), Planned: purges.Planned(language, planned), Earlier: beside,
		Systems: systems, ByHand: byHand,
		SuccessorMissing: successions.Missing(language, held.Groups),
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
