package holders

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// The actions of the entries that a user's states follow from: no table keeps them.
const (
	created   = "user.created"
	enrolled  = "user.enrolled"
	reset     = "user.reset"
	disabled  = "user.disabled"
	suspended = "user.suspended"
	resumed   = "user.resumed"
)

// leadsTo is the state after each but the first; before is the one before, where only one can be.
var (
	leadsTo = map[string]models.UserState{
		enrolled: models.UserActive, reset: models.UserEnrolling, disabled: models.UserDisabled, suspended: models.UserSuspended, resumed: models.UserActive,
	}
	before = map[string]models.UserState{enrolled: models.UserEnrolling, suspended: models.UserActive, resumed: models.UserSuspended}
)

// event is an entry about a user.
type event struct {
	UserID uuid.UUID
	Action string
	At     time.Time
	By     *uuid.UUID
	Second *uuid.UUID
}

// life is a user with all that happened to it, in order.
type life struct {
	Employee  uuid.UUID
	State     models.UserState // today
	CreatedAt time.Time
	CreatedBy *uuid.UUID
	events    []event
}

// untold is an emergency cut of which the person was not told.
type untold struct {
	EmployeeID uuid.UUID
	OrderedAt  time.Time
	Over       *time.Time // lifted, or ended; nil: it stands
}

// covers says whether an entry lies between the order of a cut and its end. What opens again comes after the end was written
// down, what closes comes around the order.
func (c untold) covers(e event) bool {
	from, to := -apart, time.Duration(0)
	if e.Action == resumed {
		from, to = 0, apart
	}
	return !e.At.Before(c.OrderedAt.Add(from)) && (c.Over == nil || !e.At.After(c.Over.Add(to)))
}

// untoldCuts are by their people: of one person no two stand at a time.
func untoldCuts(g *gorm.DB) (map[uuid.UUID][]untold, error) {
	var all []untold
	err := g.Raw("SELECT employee_id, ordered_at, coalesce(lifted_at, ended_at) AS over FROM access_cuts WHERE told_at IS NULL ORDER BY ordered_at").Scan(&all).Error
	of := make(map[uuid.UUID][]untold, len(all))
	for _, c := range all {
		of[c.EmployeeID] = append(of[c.EmployeeID], c)
	}
	return of, database.Wrap("reading emergency cuts", err)
}

// livesOf reads what happened to each user. Of an emergency cut of which the person was not told nothing is read: what the
// report says goes from hand to hand (I27).
func livesOf(g *gorm.DB) (map[uuid.UUID]*life, error) {
	var users []struct {
		ID   uuid.UUID
		Life life `gorm:"embedded"`
	}
	if err := g.Raw(`SELECT u.id, u.employee_id AS employee, u.state, u.created_at, u.created_by FROM users u`).Scan(&users).Error; err != nil {
		return nil, database.Wrap("reading users", err)
	}
	all := make(map[uuid.UUID]*life, len(users))
	for i := range users {
		all[users[i].ID] = &users[i].Life
	}
	secret, err := untoldCuts(g)
	if err != nil {
		return nil, err
	}
	var events []event
	err = g.Raw(`SELECT CAST(right(c.object, 36) AS uuid) AS user_id, c.action, c.at, c.actor_id AS by, CAST(c.details ->> 'approved_by' AS uuid) AS second
		FROM ledger_content c WHERE c.action IN ? AND c.object LIKE 'user/%' ORDER BY c.at, c.entry_id`,
		[]string{created, enrolled, reset, disabled, suspended, resumed}).Scan(&events).Error
	if err != nil {
		return nil, database.Wrap("reading what happened to users", err)
	}
	for _, e := range events {
		l, known := all[e.UserID]
		if !known {
			continue
		}
		cuts := secret[l.Employee]
		if i := slices.IndexFunc(cuts, func(c untold) bool { return c.covers(e) }); i >= 0 && l.hide(e, cuts[i].Over) {
			continue
		}
		l.events = append(l.events, e)
	}
	for _, l := range all { // what a cut left closed comes at its end
		slices.SortStableFunc(l.events, func(a, b event) int { return a.At.Compare(b.At) })
	}
	return all, nil
}

// hide says whether an entry is of an emergency cut, and lets the user be today as it was before it. A cut suspends a user,
// and disables one whose owner had yet to set the credentials: that one stays disabled, and is so from the end of the cut on.
func (l *life) hide(e event, over *time.Time) bool {
	n := len(l.events)
	waits := n > 0 && (l.events[n-1].Action == reset || l.events[n-1].Action == created && l.CreatedBy != nil)
	switch {
	case e.Action == resumed:
		return true
	case e.Action == suspended:
		if l.State == models.UserSuspended {
			l.State = models.UserActive
		}
		return true
	case e.Action == disabled && waits && over != nil:
		l.events = append(l.events, event{UserID: e.UserID, Action: disabled, At: *over})
		return true
	case e.Action == disabled && waits:
		if l.State == models.UserDisabled {
			l.State = models.UserEnrolling
		}
		return true
	}
	return false
}

// at is the state of a user at an instant, by what happened before it, else by what could only have been before what
// happened next. Content of the ledger may go after ten years; what is left tells as much.
func (l *life) at(t time.Time) models.UserState {
	if l == nil || !l.CreatedAt.Before(t) {
		return ""
	}
	next := slices.IndexFunc(l.events, func(e event) bool { return !e.At.Before(t) })
	past, coming := l.events, []event(nil)
	if next >= 0 {
		past, coming = l.events[:next], l.events[next:]
	}
	if n := len(past); n > 0 && past[n-1].Action != created {
		return leadsTo[past[n-1].Action]
	}
	if len(coming) > 0 && coming[0].Action == created { // its entry's clock was a moment ahead
		coming = coming[1:]
	}
	switch {
	case len(coming) == 0:
		return l.State
	case before[coming[0].Action] != "":
		return before[coming[0].Action]
	case l.CreatedBy != nil && len(past) > 0: // its owner had yet to set the credentials
		return models.UserEnrolling
	}
	return models.UserActive // without credentials, for tokens; or its entries are gone
}
