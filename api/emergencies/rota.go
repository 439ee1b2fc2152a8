// Package emergencies serves the rota of HR people on duty, and the emergency calls by which everybody reaches them.
package emergencies

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/duty"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/invalid"
	"lethe/internal/vault"
	"lethe/models"
)

type server struct {
	*approvals.Desk
	Vault vault.Opener
	Mail  bool
}

// Register serves the resources; mail says whether there is a mail server.
func Register(desk *approvals.Desk, v vault.Opener, mail bool) {
	s := &server{desk, v, mail}
	r := s.Resource("Emergencies", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{At: "GET /duty-shifts", Summary: "List who of HR is on duty, as the shifts begin", To: readers}, s.listShifts)
	httpkit.Handle(r, httpkit.Route{At: "GET /duty-shifts/{id}", Summary: "Read a shift", To: readers}, s.getShift)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /duty-shifts", Summary: "Put somebody of HR on duty", To: httpkit.Roles{httpkit.HR}, Status: http.StatusCreated,
		More: "Only an HR administrator whose file has a duty phone; the number is opened for an emergency call alone.",
	}, s.planShifts)
	httpkit.Handle(r, httpkit.Route{At: "POST /duty-shifts/{id}/removal", Summary: "Take a shift out of the rota, or what is left of it", To: httpkit.Roles{httpkit.HR}}, s.removeShift)
	s.registerCalls()
}

// DutyShift is when somebody of HR is on duty.
type DutyShift struct {
	ID         uuid.UUID          `json:"id"`
	EmployeeID uuid.UUID          `json:"employee_id"`
	Person     *render.PersonView `json:"person,omitempty" doc:"employee_id, by name"`
	StartsAt   time.Time          `json:"starts_at"`
	EndsAt     time.Time          `json:"ends_at"`
	TimeZone   string             `json:"time_zone" doc:"In which it was planned"`
	LocalStart string             `json:"local_start" doc:"By the clocks of that zone" example:"2026-12-01 18:00"`
	LocalEnd   string             `json:"local_end"`
	OnDuty     bool               `json:"on_duty" doc:"Now, and can be called"`
	Gap        models.DutyGap     `json:"gap,omitempty" doc:"Why the person cannot be called as things are: somebody else has to take the shift"`
	GapText    string             `json:"gap_text,omitempty"`
	Removed    bool               `json:"removed"`
}

func (s *server) shifts(ctx context.Context, language i18n.Language, rows []models.DutyShift) ([]DutyShift, error) {
	who := httpkit.Each(rows, func(r models.DutyShift) uuid.UUID { return r.EmployeeID })
	people, err := s.PeopleInLog(ctx, language, who)
	if err != nil {
		return nil, err
	}
	gaps, err := duty.Gaps(s.DB.Read(ctx), who...)
	if err != nil {
		return nil, err
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(r models.DutyShift) DutyShift {
		v := DutyShift{
			ID: r.ID, EmployeeID: r.EmployeeID, Person: people.Of(&r.EmployeeID), StartsAt: r.StartsAt.UTC(), EndsAt: r.EndsAt.UTC(), TimeZone: r.TimeZone,
			LocalStart: local(r.StartsAt, r.TimeZone), LocalEnd: local(r.EndsAt, r.TimeZone), Gap: gaps[r.EmployeeID], Removed: r.RemovedAt != nil,
		}
		if v.Gap != "" {
			v.GapText = closed.Text(language, v.Gap)
		}
		v.OnDuty = v.Gap == "" && !v.Removed && !r.StartsAt.After(now) && r.EndsAt.After(now)
		return v
	}), nil
}

func local(t time.Time, zone string) string {
	in, err := clock.LoadZone(zone)
	if err != nil {
		in = time.UTC
	}
	return t.In(in).Format("2006-01-02 15:04")
}

type listShiftsInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID `query:"employee_id" doc:"Only this person's"`
	From       time.Time `query:"from" doc:"Only what is not over then; left out: now"`
	To         time.Time `query:"to" doc:"Only what has begun by then"`
}

func (s *server) listShifts(ctx context.Context, in *listShiftsInput) (*httpkit.Answer[httpkit.Page[DutyShift]], error) {
	after, start, err := in.Sorted()
	if err != nil {
		return nil, err
	}
	rows, err := duty.List(ctx, s.DB, duty.Filter{EmployeeID: httpkit.Given(in.EmployeeID), From: in.From, To: in.To, After: after, AfterStart: start, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	var next *string
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		last := rows[in.Limit-1]
		next = in.SortedCursor(last.ID, last.StartsAt)
	}
	views, err := s.shifts(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

func (s *server) getShift(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DutyShift], error) {
	row, err := duty.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(httpkit.One(s.shifts(ctx, in.Language(), []models.DutyShift{row})))
}

// NewDutyShift is the body of a plan.
type NewDutyShift struct {
	EmployeeID uuid.UUID  `json:"employee_id" doc:"An HR administrator whose file has a duty phone"`
	Date       clock.Date `json:"date" doc:"The day on which the first shift begins"`
	Start      string     `json:"start" pattern:"^[0-2][0-9]:[0-5][0-9]$" doc:"Local time of day" example:"18:00"`
	End        string     `json:"end" pattern:"^[0-2][0-9]:[0-5][0-9]$" doc:"Local time of day; not later than the start: the next day's" example:"09:00"`
	TimeZone   string     `json:"time_zone" doc:"IANA name" example:"Asia/Shanghai"`
	EveryDays  int        `json:"every_days,omitempty" minimum:"1" maximum:"31" default:"1" doc:"After how many days it comes again: 7 is weekly"`
	Times      int        `json:"times,omitempty" minimum:"1" maximum:"60" default:"1" doc:"How many shifts"`
}

// DutyPlan is what was put into the rota at once.
type DutyPlan struct {
	Shifts []DutyShift `json:"shifts" nullable:"false"`
}

type planInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewDutyShift
}

func (s *server) planShifts(ctx context.Context, in *planInput) (*httpkit.CreatedAnswer[DutyPlan], error) {
	b := in.Body
	start, startErr := clock.ParseTimeOfDay(b.Start)
	end, endErr := clock.ParseTimeOfDay(b.End)
	for field, err := range map[string]error{"start": startErr, "end": endErr} {
		if err != nil {
			return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "body." + field, Code: invalid.Malformed})
		}
	}
	made, err := s.Create(ctx, in.Key, "POST /duty-shifts", b, func(tx *database.Tx) (httpkit.Creation, error) {
		shifts, err := duty.Schedule(tx, httpkit.ActorOf(ctx), duty.Plan{
			EmployeeID: b.EmployeeID, Date: b.Date, Start: start, End: end, TimeZone: b.TimeZone, EveryDays: b.EveryDays, Times: b.Times,
		})
		if err != nil {
			return httpkit.Creation{}, err
		}
		return httpkit.Created(models.Ref{Kind: models.RefDuty, ID: shifts[0].ID}), nil
	})
	var not *duty.CannotError
	switch {
	case errors.Is(err, database.ErrNotFound):
		return nil, httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
	case errors.As(err, &not):
		return nil, cannot(not, in.Language())
	case err != nil:
		return nil, err
	}
	rows, err := duty.Planned(ctx, s.DB, made.ID)
	if err != nil {
		return nil, err
	}
	views, err := s.shifts(ctx, in.Language(), rows)
	return httpkit.CreatedOf(made, DutyPlan{views}, err)
}

func (s *server) removeShift(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DutyShift], error) {
	var row models.DutyShift
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		row, err = duty.Remove(tx, httpkit.ActorOf(ctx), in.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(httpkit.One(s.shifts(ctx, in.Language(), []models.DutyShift{row})))
}
