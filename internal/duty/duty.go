// Package duty answers emergencies at any hour: who of HR is on duty and when, and the calls by which people reach them.
// The rota holds ids and times; the number by which somebody is called is a sealed field of the file, and is opened for a
// call alone, which is recorded before the number leaves (I18).
package duty

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// The ways in which a command about the rota is refused.
var (
	ErrShiftNotFound = errors.New("no such shift")
	// ErrOverlaps: the person is on duty then already.
	ErrOverlaps = errors.New("the person is on duty then already")
	// ErrOver: what is over is not taken out.
	ErrOver = errors.New("the shift is over")
)

// CannotError says why somebody cannot be on duty.
type CannotError struct{ Why models.DutyGap }

func (e *CannotError) Error() string { return "cannot be on duty: " + string(e.Why) }

// Codes of a refused value, besides those of package invalid.
const (
	CodeInPast   = "in_the_past"
	CodeTooFar   = "too_far"
	CodeOnlyLook = "only_with_look"
)

// phoneField is the field of the file by which somebody on duty is called.
const phoneField = "duty_phone"

const (
	actionPlanned = "duty.planned"
	actionRemoved = "duty.removed"
)

// Plan puts somebody of HR on duty: from a time of day to another, the next day's if that is not later, by the clocks of a
// zone; again every so many days, as often as Times says.
type Plan struct {
	EmployeeID uuid.UUID
	Date       clock.Date
	Start, End clock.TimeOfDay
	TimeZone   string
	EveryDays  int
	Times      int
}

const (
	maxTimes = 60
	maxEvery = 31
	// ahead is how far into the future the rota goes.
	ahead = 400 * 24 * time.Hour
)

// shifts are the instants of a plan. Clocks that are set forward or back while somebody is on duty make the shift shorter
// or longer, never leave a gap to the next one.
func (p Plan) shifts(zone *time.Location) (all []models.DutyShift) {
	for i := range p.Times {
		from, to := p.Date.AddDays(i*p.EveryDays), p.Date.AddDays(i*p.EveryDays)
		if p.End <= p.Start {
			to = to.AddDays(1)
		}
		s := models.DutyShift{ID: models.NewID(), EmployeeID: p.EmployeeID, StartsAt: clock.At(from, p.Start, zone), EndsAt: clock.At(to, p.End, zone), TimeZone: p.TimeZone}
		if s.EndsAt.After(s.StartsAt) { // a day that the zone left out
			all = append(all, s)
		}
	}
	return all
}

// Schedule writes a plan into the rota.
func Schedule(tx *database.Tx, by models.Actor, p Plan) ([]models.DutyShift, error) {
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	zone, err := clock.LoadZone(p.TimeZone)
	if err != nil {
		return nil, invalid.At("time_zone", invalid.Unknown)
	}
	switch {
	case p.Times < 1 || p.Times > maxTimes:
		return nil, invalid.At("times", invalid.TooMany)
	case p.EveryDays < 1 || p.EveryDays > maxEvery:
		return nil, invalid.At("every_days", invalid.TooMany)
	}
	shifts := p.shifts(zone)
	switch {
	case len(shifts) == 0:
		return nil, invalid.At("date", invalid.Malformed)
	case !shifts[0].EndsAt.After(now):
		return nil, invalid.At("date", CodeInPast)
	case shifts[len(shifts)-1].EndsAt.After(now.Add(ahead)):
		return nil, invalid.At("date", CodeTooFar)
	}
	// Shifts of one person take turns.
	if _, err := database.Lock[models.Employee](tx, "an employee", p.EmployeeID); err != nil {
		return nil, err
	}
	gaps, err := Gaps(tx.DB(), p.EmployeeID)
	if err != nil {
		return nil, err
	}
	if why, gap := gaps[p.EmployeeID]; gap {
		return nil, &CannotError{why}
	}
	for _, s := range shifts {
		var there bool
		err := tx.DB().Raw("SELECT EXISTS (SELECT FROM duty_shifts WHERE employee_id = ? AND removed_at IS NULL AND starts_at < ? AND ends_at > ?)", s.EmployeeID, s.EndsAt, s.StartsAt).Scan(&there).Error
		if err != nil {
			return nil, database.Wrap("reading the rota", err)
		}
		if there {
			return nil, ErrOverlaps
		}
	}
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindConfiguration, Action: actionPlanned, Subject: &p.EmployeeID, Object: "duty_shift/" + shifts[0].ID.String(),
		Details: map[string]string{
			"time_zone": p.TimeZone, "shifts": strconv.Itoa(len(shifts)), "starts_at": shifts[0].StartsAt.UTC().Format(time.RFC3339), "ends_at": shifts[len(shifts)-1].EndsAt.UTC().Format(time.RFC3339),
		},
	})
	for i := range shifts {
		shifts[i].PlannedBy, shifts[i].LedgerEntryID = by.EmployeeID, entry
	}
	if err == nil {
		err = database.Wrap("writing the rota", tx.DB().Create(&shifts).Error)
	}
	return shifts, err
}

// Remove takes a shift out of the rota: what is left of it, if it has begun. The same again changes nothing.
func Remove(tx *database.Tx, by models.Actor, id uuid.UUID) (models.DutyShift, error) {
	s, err := database.Lock[models.DutyShift](tx, "a shift", id)
	if err != nil {
		return s, database.Found("locking a shift", err, ErrShiftNotFound)
	}
	now, err := tx.Now()
	switch {
	case err != nil || s.RemovedAt != nil:
		return s, err
	case !s.EndsAt.After(now):
		return s, ErrOver
	}
	s.RemovedAt, s.RemovedBy = &now, by.ID()
	s.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{Kind: ledger.KindConfiguration, Action: actionRemoved, Subject: &s.EmployeeID, Object: "duty_shift/" + id.String()})
	if err != nil {
		return s, err
	}
	return s, database.UpdateOne(tx.DB().Model(&models.DutyShift{}).Where("id = ?", id).
		Updates(map[string]any{"removed_at": now, "removed_by": by.ID(), "ledger_entry_id": s.LedgerEntryID}))
}

// CanTake says whether somebody can take a shift over: they can be called, and are not on duty then already.
func CanTake(tx *database.Tx, shift, who uuid.UUID) (bool, error) {
	gaps, err := Gaps(tx.DB(), who)
	if err != nil || len(gaps) > 0 {
		return false, err
	}
	var free bool
	err = tx.DB().Raw(`SELECT NOT EXISTS (SELECT FROM duty_shifts o JOIN duty_shifts s ON o.starts_at < s.ends_at AND o.ends_at > greatest(s.starts_at, lethe_now())
		WHERE s.id = ? AND o.employee_id = ? AND o.removed_at IS NULL)`, shift, who).Scan(&free).Error
	return free, database.Wrap("reading the rota", err)
}

// HandOver gives what is left of a shift to somebody else, as the entry says.
func HandOver(tx *database.Tx, shift, to, entry uuid.UUID) error {
	if _, err := database.Lock[models.Employee](tx, "an employee", to); err != nil { // shifts of one person take turns
		return err
	}
	s, err := database.Lock[models.DutyShift](tx, "a shift", shift)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil || s.RemovedAt != nil || !s.EndsAt.After(now) {
		return err
	}
	err = database.UpdateOne(tx.DB().Model(&models.DutyShift{}).Where("id = ?", shift).Updates(map[string]any{"removed_at": now, "removed_by": s.PlannedBy, "ledger_entry_id": entry}))
	if err != nil {
		return database.Wrap("handing a shift over", err)
	}
	next := models.DutyShift{ID: models.NewID(), EmployeeID: to, StartsAt: s.StartsAt, EndsAt: s.EndsAt, TimeZone: s.TimeZone, PlannedBy: s.PlannedBy, LedgerEntryID: entry}
	if next.StartsAt.Before(now) {
		next.StartsAt = now
	}
	return database.Wrap("handing a shift over", tx.DB().Create(&next).Error)
}

// works and acts say of somebody in employees e that they work here, and that they can act as HR administrators.
const (
	works = "e.status IN ('active', 'pending_departure')"
	acts  = `EXISTS (SELECT FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE u.employee_id = e.id AND u.state = 'active' AND r.role = 'hr_admin' AND r.revoked_at IS NULL)`
	// number is the employment whose file has the number: the latest one's, if it is there and not being destroyed.
	number = `LEFT JOIN LATERAL (SELECT id FROM employments WHERE employee_id = e.id ORDER BY ended_at IS NULL DESC, created_at DESC, id DESC LIMIT 1) m ON true
		LEFT JOIN LATERAL (SELECT m.id FROM field_values v JOIN employment_categories c ON c.id = v.category_id
			WHERE v.employment_id = m.id AND v.field_key = '` + phoneField + `' AND v.value_sealed IS NOT NULL AND c.state = 'open') n ON true`
)

// Gaps are those of some people who cannot be called, and why.
func Gaps(g *gorm.DB, people ...uuid.UUID) (map[uuid.UUID]models.DutyGap, error) {
	gaps := map[uuid.UUID]models.DutyGap{}
	if len(people) == 0 {
		return gaps, nil
	}
	var rows []struct {
		ID                 uuid.UUID
		Works, Acts, There bool
	}
	err := g.Raw("SELECT e.id, "+works+" AS works, "+acts+" AS acts, n.id IS NOT NULL AS there FROM employees e "+number+" WHERE e.id IN ?", people).Scan(&rows).Error
	for _, r := range rows {
		switch {
		case !r.Works:
			gaps[r.ID] = models.GapLeft
		case !r.Acts:
			gaps[r.ID] = models.GapNoAccess
		case !r.There:
			gaps[r.ID] = models.GapNoNumber
		}
	}
	return gaps, database.Wrap("looking who can be called", err)
}

// Filter says which shifts are listed.
type Filter struct {
	EmployeeID *uuid.UUID
	// From and To: those that reach into this time; zero: all that are not over.
	From, To time.Time
	// After and AfterStart are the last shift of the page before.
	After      *uuid.UUID
	AfterStart time.Time
	Limit      int
}

// List is a page of the rota, in the order in which shifts begin, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.DutyShift, err error) {
	q := db.Read(ctx).Where("removed_at IS NULL")
	if f.After != nil {
		q = q.Where("(starts_at, id) > (?, ?)", f.AfterStart, *f.After)
	}
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.From.IsZero() {
		q = q.Where("ends_at > lethe_now()")
	} else {
		q = q.Where("ends_at > ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("starts_at < ?", f.To)
	}
	err = q.Clauses(byStart).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("reading the rota", err)
}

var byStart = clause.OrderBy{Columns: []clause.OrderByColumn{{Column: clause.Column{Name: "starts_at"}}, {Column: clause.Column{Name: "id"}}}}

// Planned are the shifts that were planned with one.
func Planned(ctx context.Context, db *database.DB, id uuid.UUID) (rows []models.DutyShift, err error) {
	first, err := Get(ctx, db, id)
	if err != nil {
		return nil, err
	}
	err = db.Read(ctx).Where("ledger_entry_id = ?", first.LedgerEntryID).Clauses(byStart).Find(&rows).Error
	return rows, database.Wrap("reading the rota", err)
}

// Get is one shift.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.DutyShift, error) {
	s, err := database.First[models.DutyShift](db.Read(ctx).Where("id = ?", id))
	return s, database.Found("reading a shift", err, ErrShiftNotFound)
}

// Reached is somebody whom a caller is given.
type Reached struct {
	EmployeeID uuid.UUID
	// Phone is by which they are called; empty: the file has none.
	Phone string
	// Until is when the shift ends; zero: they are not on duty.
	Until time.Time
}

// maxOthers is how many of HR a caller is given where nobody is on duty.
const maxOthers = 10

type reachedRow struct {
	ID         uuid.UUID
	Until      *time.Time
	Employment *uuid.UUID
}

// onDuty are those who are on duty and can be called.
func onDuty(tx *database.Tx) ([]reachedRow, error) {
	var rows []reachedRow
	err := tx.DB().Raw("SELECT e.id, max(s.ends_at) AS until, n.id AS employment FROM duty_shifts s JOIN employees e ON e.id = s.employee_id " + number +
		" WHERE s.removed_at IS NULL AND s.starts_at <= lethe_now() AND s.ends_at > lethe_now() AND n.id IS NOT NULL AND " + works + " AND " + acts +
		" GROUP BY e.id, n.id ORDER BY until DESC, e.id").Scan(&rows).Error
	return rows, database.Wrap("looking who is on duty", err)
}

// others are HR administrators who can be called; if none has a number, those who have none: a caller is never left
// without anybody.
func others(tx *database.Tx) ([]reachedRow, error) {
	var rows []reachedRow
	err := tx.DB().Raw("SELECT e.id, n.id AS employment FROM employees e "+number+" WHERE "+works+" AND "+acts+" ORDER BY n.id IS NULL, e.created_at, e.id LIMIT ?", maxOthers).Scan(&rows).Error
	for i, r := range rows {
		if i > 0 && r.Employment == nil && rows[0].Employment != nil {
			rows = rows[:i]
			break
		}
	}
	return rows, database.Wrap("looking whom else to call", err)
}

// open opens the numbers. One that is being destroyed meanwhile is left out.
func open(tx *database.Tx, opener vault.Opener, rows []reachedRow) ([]Reached, error) {
	var people []Reached
	for _, r := range rows {
		p := Reached{EmployeeID: r.ID}
		if r.Until != nil {
			p.Until = r.Until.UTC()
		}
		if r.Employment != nil {
			var err error
			if p.Phone, err = numberOf(tx, opener, *r.Employment); err != nil {
				return nil, err
			}
		}
		people = append(people, p)
	}
	return people, nil
}

func numberOf(tx *database.Tx, opener vault.Opener, employment uuid.UUID) (string, error) {
	fields, err := archive.LookFields(tx, employment, []string{phoneField})
	if err != nil {
		return "", err
	}
	value, _, err := archive.OpenField(tx, opener, fields[0])
	if errors.Is(err, vault.ErrPurged) {
		return "", nil
	}
	return value, err
}

func ids(people []reachedRow) models.IDs {
	all := models.IDs{}
	for _, p := range people {
		all = append(all, p.ID)
	}
	return all
}
