package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/models"
)

// findEmployee finds a person by the employee number or the whole name, in whatever case it is given: who has it
// exactly, or else the only one that differs by case alone. A number comes before a name.
func (c *apiClient) findEmployee(ctx context.Context, named string) (archive.Employee, error) {
	var exact, number, name, part []archive.Employee
	query := url.Values{"q": {named}, "limit": {"200"}}
	for more := true; more; {
		var page httpkit.Page[archive.Employee]
		if err := c.call(ctx, http.MethodGet, "/api/v1/employees?"+query.Encode(), nil, &page); err != nil {
			return archive.Employee{}, err
		}
		for _, e := range page.Items {
			switch {
			case e.EmployeeNo == named:
				exact = append(exact, e)
			case strings.EqualFold(e.EmployeeNo, named):
				number = append(number, e)
			case strings.EqualFold(e.Name, named):
				name = append(name, e)
			default:
				part = append(part, e)
			}
		}
		if more = page.NextCursor != nil; more {
			query.Set("cursor", *page.NextCursor)
		}
	}
	for _, found := range [][]archive.Employee{exact, number, name} {
		if len(found) == 1 {
			c.no = found[0].EmployeeNo
			return found[0], nil
		}
		if len(found) > 1 {
			return archive.Employee{}, c.several(c.say("several people have this number or name; give the number as it is written:", "有多名员工符合，请按原样填写工号："), found)
		}
	}
	none := c.say("there is nobody with this number or name", "没有此工号或姓名的员工")
	if len(part) == 0 {
		return archive.Employee{}, errors.New(none)
	}
	return archive.Employee{}, c.several(none+c.say("; give the number of one of these, in whose it is found:", "；以下员工的工号或姓名中包含它，请填写工号："), part)
}

// several asks for a number, of the first few.
func (c *apiClient) several(text string, found []archive.Employee) error {
	for _, e := range found[:min(len(found), 5)] {
		text += "\n  " + e.EmployeeNo + "  " + e.Name + "  " + e.Department + "  " + e.Post
	}
	if len(found) > 5 {
		text += "\n  …"
	}
	return errors.New(text)
}

// departures are those of a person, of all employments, the newest first.
func (c *apiClient) departures(ctx context.Context, person archive.Employee) ([]departures.DepartureView, error) {
	var page httpkit.Page[departures.DepartureView]
	err := c.call(ctx, http.MethodGet, "/api/v1/departures?limit=200&employee_id="+person.ID.String(), nil, &page)
	return page.Items, err
}

// findDeparture is the departure with an id, or the newest one of a person.
func (c *apiClient) findDeparture(ctx context.Context, named string) (uuid.UUID, error) {
	if id, err := uuid.Parse(named); err == nil {
		return id, nil
	}
	person, err := c.findEmployee(ctx, named)
	if err != nil {
		return uuid.Nil, err
	}
	all, err := c.departures(ctx, person)
	if err != nil {
		return uuid.Nil, err
	}
	if len(all) == 0 {
		return uuid.Nil, errors.New(c.say("this person is not leaving and never left", "该员工没有离职记录"))
	}
	return all[0].ID, nil
}

// openDeparture is the one departure of a person that is in one of the stages. At most one can be: a withdrawn or
// annulled one, and those of former employments, are over. none says of whom that none is.
func (c *apiClient) openDeparture(ctx context.Context, named, none string, stages ...models.Stage) (departures.DepartureView, error) {
	person, err := c.findEmployee(ctx, named)
	if err != nil {
		return departures.DepartureView{}, err
	}
	all, err := c.departures(ctx, person)
	if err != nil {
		return departures.DepartureView{}, err
	}
	for _, d := range all {
		if slices.Contains(stages, d.Stage) {
			return d, nil
		}
	}
	who := person.EmployeeNo + " " + person.Name
	if len(all) == 0 {
		return departures.DepartureView{}, fmt.Errorf(c.say("%s is not leaving and never left", "%s 没有离职记录"), who)
	}
	text := fmt.Sprintf(none, who)
	for _, d := range all {
		text += "\n  " + d.LastWorkingDay.String() + "  " + d.KindText + "  " + d.StageText
	}
	return departures.DepartureView{}, errors.New(text)
}

// inZone is a point in time by the clock of a zone, which is named; of a zone that nobody knows, by this terminal's.
func inZone(at time.Time, zone string) string {
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return here(at)
	}
	return at.In(loc).Format("2006-01-02 15:04 ") + zone
}

// here is a point in time by the clock of this terminal, for what has no zone of its own.
func here(at time.Time) string { return at.Local().Format("2006-01-02 15:04 UTC-07:00") }
