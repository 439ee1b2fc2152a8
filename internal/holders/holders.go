// Package holders says who held which role on a past day, and by which permissions. It only reads, and says no more than
// what is kept tells: docs/access-report.md lists what is not.
package holders

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/permission"
	"lethe/models"
)

// The days of which nothing can be said.
var (
	ErrFuture = errors.New("the day has not begun")
	ErrBefore = errors.New("there was no user yet on that day")
)

// Day is a day of a report.
type Day struct {
	On   clock.Date
	Zone *time.Location
	// Begin and End are the instants between which it lies; End is not of it.
	Begin, End time.Time
	// Today: it has not ended, and the report is of now.
	Today bool
}

// DayOf is a day in a zone, that of the company if none is given.
func DayOf(ctx context.Context, db *database.DB, on clock.Date, zone *time.Location, now time.Time) (Day, error) {
	var first struct {
		Zone string
		At   *time.Time
	}
	err := db.Read(ctx).Raw(`SELECT coalesce((SELECT time_zone FROM legal_entities ORDER BY id LIMIT 1), 'UTC') AS zone, (SELECT min(created_at) FROM users) AS at`).Scan(&first).Error
	if err != nil {
		return Day{}, database.Wrap("reading when the first user came", err)
	}
	if zone == nil {
		if zone, err = clock.LoadZone(first.Zone); err != nil {
			return Day{}, err
		}
	}
	d := Day{On: on, Zone: zone, Begin: clock.StartOfDay(on, zone), End: clock.EndOfDay(on, zone)}
	switch {
	case d.Begin.After(now):
		return d, ErrFuture
	case first.At == nil || !first.At.Before(d.End):
		return d, ErrBefore
	case d.End.After(now):
		d.End, d.Today = now, true
	}
	return d, nil
}

// Holder is somebody who held a role, by whichever of the person's users.
type Holder struct {
	ID       uuid.UUID // of the giving
	Employee uuid.UUID
	Role     models.Role
	Since    time.Time
	GivenBy  *uuid.UUID // nil: the installation
	AgreedBy *uuid.UUID // nil: nobody, or the entry is gone
}

// State is what held at the end of a day.
type State struct {
	Day
	Permissions permission.Version
	Catalogue   archive.CatalogueVersion
	// Holders are in the order of what their roles reach, then of their numbers.
	Holders []Holder
	// Waiting are people with roles who had not set their credentials, and so could see nothing.
	Waiting int
	Changes []Change
}

// order is that of the roles: what lets look comes first.
var order = []models.Role{models.RoleHRAdmin, models.RoleDepartmentHead, models.RoleReviewer, models.RoleAuditor, models.RoleITOps, models.RoleEmployee}

// On reads what held at the end of a day.
func On(ctx context.Context, db *database.DB, d Day) (s State, err error) {
	g := db.Read(ctx)
	s.Day = d
	if s.Permissions, err = permission.ReadAt(g, d.End); err != nil {
		return s, err
	}
	if s.Catalogue, err = archive.OwnOn(g, d.End); err != nil {
		return s, err
	}
	lives, err := livesOf(g)
	if err != nil {
		return s, err
	}
	given, err := givingsOf(g, d)
	if err != nil {
		return s, err
	}
	waiting := map[uuid.UUID]bool{}
	seen := map[[17]byte]bool{}
	for _, r := range given {
		if r.RevokedAt != nil && r.RevokedAt.Before(d.End) {
			continue
		}
		switch lives[r.UserID].at(d.End) {
		case models.UserActive:
		case models.UserEnrolling:
			waiting[r.Employee] = true
			continue
		default:
			continue
		}
		key := [17]byte{16: byte(slices.Index(order, r.Role))}
		copy(key[:], r.Employee[:])
		if seen[key] { // by another user, too: since the first of the givings
			continue
		}
		seen[key] = true
		s.Holders = append(s.Holders, r.Holder)
	}
	slices.SortStableFunc(s.Holders, func(a, b Holder) int { return slices.Index(order, a.Role) - slices.Index(order, b.Role) })
	for _, h := range s.Holders {
		delete(waiting, h.Employee)
	}
	s.Waiting = len(waiting)
	s.Changes, err = changesOn(g, d, given, lives)
	return s, err
}

// giving is that a user was given a role.
type giving struct {
	Holder    `gorm:"embedded"`
	UserID    uuid.UUID
	RevokedBy *uuid.UUID
	RevokedAt *time.Time
}

// givingsOf are those that held at some time of a day, by the numbers of their people.
func givingsOf(g *gorm.DB, d Day) ([]giving, error) {
	var all []giving
	err := g.Raw(`SELECT r.id, u.employee_id AS employee, r.role, r.granted_at AS since, r.granted_by AS given_by, r.user_id, r.revoked_by, r.revoked_at
		FROM user_roles r JOIN users u ON u.id = r.user_id JOIN employees e ON e.id = u.employee_id
		WHERE r.granted_at < @end AND (r.revoked_at IS NULL OR r.revoked_at >= @begin )
		ORDER BY e.employee_no, e.id, r.granted_at, r.id`, map[string]any{"begin": d.Begin, "end": d.End}).Scan(&all).Error
	if err != nil {
		return nil, database.Wrap("reading who held roles", err)
	}
	return all, agreements(g, d, all)
}

// agreements notes who agreed to each giving: the table does not say, and the entry does by which the role was given. It is
// the one of that user and role at that time, which the ledger and the table tell within a second of each other.
func agreements(g *gorm.DB, d Day, all []giving) error {
	type held struct {
		user uuid.UUID
		role models.Role
	}
	var entries []struct {
		UserID   uuid.UUID
		Role     models.Role
		At       time.Time
		AgreedBy *uuid.UUID
	}
	err := g.Raw(`SELECT CAST(right(c.object, 36) AS uuid) AS user_id, c.details ->> 'role' AS role, c.at, CAST(c.details ->> 'approved_by' AS uuid) AS agreed_by
		FROM ledger_content c WHERE c.action = 'role.granted' AND c.object LIKE 'user/%' AND c.at < @end`, map[string]any{"end": d.End.Add(apart)}).Scan(&entries).Error
	if err != nil {
		return database.Wrap("reading who agreed to roles", err)
	}
	of := make(map[held][]int, len(entries))
	for i, e := range entries {
		of[held{e.UserID, e.Role}] = append(of[held{e.UserID, e.Role}], i)
	}
	for i := range all {
		for _, j := range of[held{all[i].UserID, all[i].Role}] {
			if entries[j].At.Sub(all[i].Since).Abs() < apart {
				all[i].AgreedBy = entries[j].AgreedBy
			}
		}
	}
	return nil
}

// apart is how far the ledger and a table may be apart about the time of one thing.
const apart = 2 * time.Second

// TiersOf are the tiers of a holder by the permissions of that day; of roles that the permissions are not about none.
func (s State) TiersOf(h Holder) []access.Tier {
	if !slices.Contains(access.LookRoles, h.Role) {
		return nil
	}
	return s.Permissions.TiersOf(h.Employee, h.Role)
}

// Groups are the groups of sensitive fields of that day: the program's, the company's, and what the permissions name besides.
func (s State) Groups() []access.Group {
	groups := append(slices.Clone(access.Groups), s.Catalogue.Groups()...)
	for _, g := range access.Named(s.Permissions.Matrix) {
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// Cell is how far a tier looked at a group of fields for a purpose, and how far at people on the protected list.
type Cell struct {
	Purpose          access.Purpose
	Level, Protected access.Level
}

// Cells are those by which a tier looked at a group at all, in the order of the purposes; none: the group was hidden.
func (s State) Cells(tier access.Tier, group access.Group) (cells []Cell) {
	for _, g := range s.Permissions.Grants {
		if g.Tier != tier.Key || g.Group != group || g.Level == access.NoLook {
			continue
		}
		c := Cell{g.Purpose, g.Level, g.Protected}
		if slices.Index(access.Levels, c.Protected) > slices.Index(access.Levels, c.Level) {
			c.Protected = c.Level
		}
		cells = append(cells, c)
	}
	slices.SortFunc(cells, func(a, b Cell) int {
		return slices.Index(access.Purposes, a.Purpose) - slices.Index(access.Purposes, b.Purpose)
	})
	return cells
}
