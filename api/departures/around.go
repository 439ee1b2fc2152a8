package departures

import (
	"context"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"lethe/api/render"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// around is what the views of some departures show besides their own rows: by departure, where nothing else
// is said.
type around struct {
	now        time.Time
	employed   map[uuid.UUID]uuid.UUID // who is employed now, by which employment
	deadlines  map[uuid.UUID][]retention.DeadlineView
	accounts   map[uuid.UUID][]account.View // by employment
	timelines  map[uuid.UUID][]models.DepartureEvent
	objections map[uuid.UUID][]retention.Objection
	waiting    map[uuid.UUID][]account.Waited
	requests   map[uuid.UUID][]models.Approval
	annullable map[uuid.UUID]bool
	undecided  map[uuid.UUID][]models.Purge
	holds      map[uuid.UUID][]retention.HoldInForce
	deciders   map[string][]models.Role // the roles that may decide about an operation
	people     render.Named             // whose they are, and who did something
}

// atOnce is how many questions about one page wait for the database together.
const atOnce = 4

func (s *server) readAround(ctx context.Context, language i18n.Language, rows []models.Departure) (r around, err error) {
	var ids, employments, people []uuid.UUID
	for _, dep := range rows {
		ids, employments, people = append(ids, dep.ID), append(employments, dep.EmploymentID), append(people, dep.EmployeeID)
	}
	r.deciders = map[string][]models.Role{}
	for _, op := range s.Approvals.Operations() {
		r.deciders[op.Name] = op.Approvers
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	// First those who ask several questions one after the other.
	read(group, &r.deadlines, func() (map[uuid.UUID][]retention.DeadlineView, error) { return retention.DeadlinesOf(each, s.DB, ids) })
	read(group, &r.accounts, func() (map[uuid.UUID][]account.View, error) { return account.Accounts(each, s.DB, employments) })
	read(group, &r.waiting, func() (map[uuid.UUID][]account.Waited, error) { return account.Waiting(each, s.DB, ids) })
	group.Go(func() (err error) {
		if r.requests, err = approval.PendingAbout(each, s.DB, "departure", ids); err != nil || len(r.requests) == 0 {
			return err
		}
		r.annullable, err = departure.Annullable(each, s.DB, rows)
		return err
	})
	read(group, &r.timelines, func() (map[uuid.UUID][]models.DepartureEvent, error) { return departure.Timelines(each, s.DB, ids) })
	read(group, &r.objections, func() (map[uuid.UUID][]retention.Objection, error) { return retention.Objections(each, s.DB, ids) })
	read(group, &r.undecided, func() (map[uuid.UUID][]models.Purge, error) { return retention.Undecided(each, s.DB, ids) })
	read(group, &r.holds, func() (map[uuid.UUID][]retention.HoldInForce, error) { return retention.HoldsInForce(each, s.DB, ids) })
	read(group, &r.employed, func() (map[uuid.UUID]uuid.UUID, error) { return departure.EmployedAgain(each, s.DB, people) })
	read(group, &r.now, func() (time.Time, error) { return s.DB.Now(each) })
	if err := group.Wait(); err != nil {
		return r, err
	}
	r.people, err = s.People(ctx, language, append(people, r.actors()...))
	return r, err
}

// read has a group ask for one thing.
func read[T any](group *errgroup.Group, into *T, ask func() (T, error)) {
	group.Go(func() (err error) {
		*into, err = ask()
		return err
	})
}

// actors are the people who did something that is shown.
func (r around) actors() (ids []uuid.UUID) {
	for _, deadlines := range r.deadlines {
		for _, d := range deadlines {
			if d.Purge != nil {
				ids = append(ids, render.GivenOf(d.Purge.RejectedBy)...)
			}
		}
	}
	for _, events := range r.timelines {
		for _, e := range events {
			ids = append(ids, render.GivenOf(e.ActorID)...)
		}
	}
	for _, objections := range r.objections {
		for _, o := range objections {
			ids = append(ids, render.GivenOf(o.ByID)...)
		}
	}
	return ids
}
