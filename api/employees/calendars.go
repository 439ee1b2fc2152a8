package employees

import (
	"context"
	"net/http"
	"slices"

	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// CalendarView is a year as it counts where people are employed.
type CalendarView struct {
	Jurisdiction string            `json:"jurisdiction" example:"CN"`
	Region       string            `json:"region,omitempty" example:"BY"`
	Regions      []string          `json:"regions" doc:"The parts with public holidays of their own"`
	Year         int               `json:"year" example:"2026"`
	Known        bool              `json:"known" doc:"False: its public holidays are not in this version, and each day from Monday to Friday counts as a working day"`
	Source       string            `json:"source,omitempty" doc:"Where the days are from"`
	Note         string            `json:"note" doc:"What counts, in words"`
	Days         []CalendarDayView `json:"days" doc:"Those that are not what their day of the week says"`
}

// CalendarDayView is a public holiday, or a weekend that is worked.
type CalendarDayView struct {
	Date     clock.Date     `json:"date"`
	Kind     models.DayKind `json:"kind"`
	KindText string         `json:"kind_text"`
	Name     string         `json:"name" doc:"In the caller's language where the source has it; else as the country calls it"`
}

func (s *server) registerCalendars() {
	r := s.Resource("Organisation", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /calendars/{jurisdiction}", Summary: "Read the public holidays of a year, and the weekends that are worked", Problems: []int{http.StatusNotFound},
		To:   httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor, httpkit.IT},
		More: "By them reviews and answers fall due. A legal entity's region says which ones count.",
	}, s.calendar)
}

func (s *server) calendar(ctx context.Context, in *struct {
	httpkit.Speaking
	Jurisdiction string `path:"jurisdiction" pattern:"^[A-Z]{2,8}$" doc:"Of a legal entity; one that is not known has Monday to Friday" example:"CN"`
	Year         int    `query:"year" minimum:"2000" maximum:"2199" doc:"Left out: this one"`
	Region       string `query:"region" maxLength:"8" doc:"One of regions; left out: what counts in the whole country"`
}) (*httpkit.Answer[CalendarView], error) {
	place := clock.Place{Jurisdiction: in.Jurisdiction, Region: in.Region}
	regions := clock.Regions(in.Jurisdiction)
	if in.Region != "" && !slices.Contains(regions, in.Region) {
		return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "query.region", Code: httpkit.FieldNotAllowed})
	}
	year := in.Year
	if year == 0 {
		now, err := s.DB.Now(ctx)
		if err != nil {
			return nil, err
		}
		year = now.UTC().Year()
	}
	language := in.Language()
	days, source, known := place.HolidaysOf(year)
	view := CalendarView{
		Jurisdiction: in.Jurisdiction, Region: in.Region, Regions: append([]string{}, regions...), Year: year, Known: known, Source: source, Days: []CalendarDayView{},
		Note: i18n.Text(language, "calendar.known"),
	}
	if !known {
		view.Note = i18n.Text(language, "calendar.unknown")
	}
	for _, d := range days {
		kind := models.DayHoliday
		if d.Working {
			kind = models.DayWorked
		}
		view.Days = append(view.Days, CalendarDayView{Date: d.Date, Kind: kind, KindText: i18n.Text(language, "day_kind."+string(kind)), Name: language.Of(d.NameZh, d.NameEn)})
	}
	return httpkit.AnswerOf(view, nil)
}
