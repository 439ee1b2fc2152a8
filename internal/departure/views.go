package departure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/models"
)

// Get reads one departure.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Departure, error) {
	dep, err := database.First[models.Departure](db.Read(ctx).Where("id = ?", id))
	if errors.Is(err, database.ErrNotFound) {
		return dep, ErrNotFound
	}
	if err != nil {
		return dep, fmt.Errorf("reading a departure: %w", err)
	}
	return dep, nil
}

// unattendedGrace is how long what is due may take before it counts as not attended to.
const unattendedGrace = 5 * time.Second

// Unattended says since when nothing carries a departure on, though its access cutoff or the end of
// its employment has passed; zero: something does, or nothing is due. Then the orchestration is down
// or hangs: it would have taken note of the row's revision and set the next instant to wake at.
// lastEvent is when the timeline's newest line was written: a command after the cutoff is due only
// from then on. It is pure.
func Unattended(dep models.Departure, lastEvent, now time.Time) time.Time {
	var due time.Time
	for _, t := range []time.Time{dep.AccessCutoffAt, dep.EmploymentEndedAt} {
		if !t.After(now) && t.After(due) {
			due = t
		}
	}
	if due.IsZero() || finished(dep) {
		return time.Time{}
	}
	since := time.Time{}
	switch {
	case dep.WakeAt != nil && !dep.WakeAt.After(now):
		since = *dep.WakeAt
	case dep.Revision > dep.SeenRevision:
		since = due
		if lastEvent.After(since) {
			since = lastEvent
		}
	}
	if since.IsZero() || now.Sub(since) <= unattendedGrace {
		return time.Time{}
	}
	return since
}

// Filter narrows a list of departures. Zero values do not filter.
type Filter struct {
	// Stages are those that it may be in; none: any.
	Stages []models.Stage
	// Accounts keeps those whose accounts stand so.
	Accounts models.AccountsState
	// Left keeps departures that took effect: of people who have left, whatever is still kept of them.
	Left bool
	// DueBefore keeps departures whose employment ends, or access is cut, before it.
	DueBefore *time.Time
	// Search is part of a name or of an employee number.
	Search     string
	EmployeeID uuid.UUID
	// Days of the filter, both included.
	LastDayFrom, LastDayTo, EndFrom, EndTo *clock.Date
	// VisibleTo keeps departures of people whom the actor may see, as reading one of them does; nil: all.
	VisibleTo *models.Actor
	// Order is by what; empty: newest first. By a day or an instant the earliest comes first.
	Order Order
	// After is the cursor: only departures that come after this one, which was listed with this value of Order.
	After   *uuid.UUID
	AfterAt time.Time
	Limit   int
}

// At is the value by which a departure is listed; of a day its beginning in UTC.
func (o Order) At(dep models.Departure) time.Time {
	switch o {
	case ByLastDay:
		return time.Date(dep.LastWorkingDay.Year, dep.LastWorkingDay.Month, dep.LastWorkingDay.Day, 0, 0, 0, 0, time.UTC)
	case ByCutoff:
		return dep.AccessCutoffAt
	}
	return dep.EmploymentEndedAt
}

// Order is what departures are listed by: a column of theirs.
type Order string

// Orders are all but the newest first.
const (
	ByLastDay Order = "last_working_day"
	ByCutoff  Order = "access_cutoff_at"
	ByEnd     Order = "employment_ended_at"
)

// Orders lists them all.
var Orders = closed.Of("", ByLastDay, ByCutoff, ByEnd)

// columns are those that order and limit a list, but for its search and what is scarce.
func (f Filter) columns() []string {
	if f.After != nil || f.EmployeeID != uuid.Nil || len(f.Stages) > 0 || f.Accounts != "" || f.Left || f.VisibleTo != nil {
		return []string{"id", "employee_id", "stage", "accounts_state", "last_working_day", "employment_end_date", "access_cutoff_at", "employment_ended_at"}
	}
	if f.Order == "" {
		return []string{"id"}
	}
	return []string{"id", string(f.Order)}
}

// List reads departures, one more than Limit at most: the extra one says that another page follows.
func List(ctx context.Context, db *database.DB, f Filter) ([]models.Departure, error) {
	q := db.Read(ctx).Model(&models.Departure{})
	switch {
	case f.Order == "" && f.After != nil:
		q = q.Order(database.Newest).Where("id < ?", *f.After)
	case f.Order == "":
		q = q.Order(database.Newest)
	default:
		q = q.Order(clause.OrderByColumn{Column: clause.Column{Name: string(f.Order)}}).Order(database.ByID)
		if f.After != nil {
			value := "?::timestamptz"
			if f.Order == ByLastDay {
				value = "(?::timestamptz AT TIME ZONE 'UTC')::date"
			}
			q = q.Where("("+string(f.Order)+", id) > ("+value+", ?)", f.AfterAt, *f.After)
		}
	}
	if f.EmployeeID != uuid.Nil {
		q = q.Where("employee_id = ?", f.EmployeeID)
	}
	if len(f.Stages) > 0 {
		q = q.Where("stage IN ?", f.Stages)
	}
	if f.Accounts != "" {
		q = q.Where("accounts_state = ?", f.Accounts)
	}
	if f.Left {
		q = q.Where("stage IN ?", []models.Stage{models.StageDeparted, models.StagePurging, models.StagePurged})
	}
	if f.VisibleTo != nil {
		q = q.Where("employee_id IN (?)", db.Read(ctx).Model(&models.Employee{}).Select("employees.id").Scopes(archive.VisibleTo(*f.VisibleTo)))
	}
	q, scarce := f.within(q)
	if f.Search != "" {
		named, err := archive.Named(ctx, db, f.Search)
		if err != nil {
			return nil, err
		}
		scarce = append(scarce, named)
	}
	var rows []models.Departure
	if err := database.Narrow(ctx, db, q, "departures", f.columns(), scarce, f.Limit+1).Limit(f.Limit + 1).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing departures: %w", database.Hide(err))
	}
	return rows, nil
}

// within limits q to the days and the instant of the filter. Those go together, and with the order of entry:
// who leaves late was entered late, so that the first rows by one of them may all be far from a range of
// another. Only a range of what the list is ordered by is found by that order.
func (f Filter) within(q *gorm.DB) (*gorm.DB, []database.Condition) {
	var scarce []database.Condition
	add := func(column Order, condition string, values ...any) {
		if column == f.Order {
			q = q.Where(condition, values...)
			return
		}
		scarce = append(scarce, database.Plain(gorm.Expr(condition, values...)))
	}
	between := func(column Order, from, to *clock.Date) {
		switch {
		case from != nil && to != nil:
			add(column, string(column)+" BETWEEN ? AND ?", *from, *to)
		case from != nil:
			add(column, string(column)+" >= ?", *from)
		case to != nil:
			add(column, string(column)+" <= ?", *to)
		}
	}
	between(ByLastDay, f.LastDayFrom, f.LastDayTo)
	between("employment_end_date", f.EndFrom, f.EndTo)
	if f.Order == ByEnd { // in the last day, wherever: within 14 hours before it begins in UTC and 12 after it ends
		if f.EndFrom != nil {
			q = q.Where("employment_ended_at >= ?", clock.StartOfDay(*f.EndFrom, time.UTC).Add(-14*time.Hour))
		}
		if f.EndTo != nil {
			q = q.Where("employment_ended_at <= ?", clock.EndOfDay(*f.EndTo, time.UTC).Add(12*time.Hour))
		}
	}
	if f.DueBefore != nil {
		add("due", "(employment_ended_at < ? OR access_cutoff_at < ?)", *f.DueBefore, *f.DueBefore)
	}
	return q, scarce
}

// EmployedAgain says which people are employed now, and by which employment.
func EmployedAgain(ctx context.Context, db *database.DB, people []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	var rows []models.Employment
	err := db.Read(ctx).Select("id", "employee_id").Where("employee_id = ANY (?) AND ended_at IS NULL", models.IDs(people)).Find(&rows).Error
	current := make(map[uuid.UUID]uuid.UUID, len(rows))
	for _, m := range rows {
		current[m.EmployeeID] = m.ID
	}
	return current, database.Wrap("looking for who is employed again", err)
}

// LastEvent is the id of the newest line of the timeline, together with the departure's revision:
// both unchanged means that nothing a viewer sees has changed by a command.
func LastEvent(ctx context.Context, db *database.DB, id uuid.UUID) (int64, error) {
	e, err := database.First[models.DepartureEvent](db.Read(ctx).Select("id").
		Where("departure_id = ?", id).Order(database.Newest))
	if errors.Is(err, database.ErrNotFound) {
		return 0, nil
	}
	return e.ID, err
}
