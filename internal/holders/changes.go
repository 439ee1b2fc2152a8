package holders

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/models"
)

// What changed on a day.
type What string

// What it may be.
const (
	RoleGiven   What = "role_given"
	RoleTaken   What = "role_taken"
	Began       What = "user_began" // credentials were set, or access was given back
	Ended       What = "user_ended" // disabled, reset, or closed by an emergency cut
	Permissions What = "permissions"
)

// Whats lists them all.
var Whats = closed.Of("access_change", RoleGiven, RoleTaken, Began, Ended, Permissions)

// Change is what changed in the course of a day: the report is of its end, and who could see something at noon is here.
type Change struct {
	At         time.Time
	What       What
	Employee   *uuid.UUID
	Role       models.Role
	Version    string // of the permissions
	By, Second *uuid.UUID
}

func changesOn(g *gorm.DB, d Day, given []giving, lives map[uuid.UUID]*life) ([]Change, error) {
	within := func(t time.Time) bool { return !t.Before(d.Begin) && t.Before(d.End) }
	var all []Change
	for _, r := range given {
		if within(r.Since) {
			all = append(all, Change{At: r.Since, What: RoleGiven, Employee: &r.Employee, Role: r.Role, By: r.GivenBy, Second: r.AgreedBy})
		}
		if r.RevokedAt != nil && within(*r.RevokedAt) {
			all = append(all, Change{At: *r.RevokedAt, What: RoleTaken, Employee: &r.Employee, Role: r.Role, By: r.RevokedBy})
		}
	}
	for _, l := range lives {
		for _, e := range l.events {
			if e.Action == created || !within(e.At) {
				continue
			}
			what := Ended
			if leadsTo[e.Action] == models.UserActive {
				what = Began
			}
			all = append(all, Change{At: e.At, What: what, Employee: &l.Employee, By: e.By, Second: e.Second})
		}
	}
	var versions []struct {
		Version               int
		ChangedAt             time.Time
		ChangedBy, ApprovedBy uuid.UUID
	}
	err := g.Raw("SELECT version, changed_at, changed_by, approved_by FROM permission_versions WHERE changed_at >= ? AND changed_at < ?", d.Begin, d.End).Scan(&versions).Error
	for _, v := range versions {
		all = append(all, Change{At: v.ChangedAt, What: Permissions, Version: strconv.Itoa(v.Version), By: &v.ChangedBy, Second: &v.ApprovedBy})
	}
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.What, b.What), compareIDs(a.Employee, b.Employee), cmp.Compare(a.Role, b.Role))
	})
	return all, database.Wrap("reading changes of the permissions", err)
}

func compareIDs(a, b *uuid.UUID) int {
	if a == nil || b == nil {
		return 0
	}
	return slices.Compare(a[:], b[:])
}
