package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/permission"
	"lethe/models"
)

// Employee is the skeleton of one person with the latest employment: basic fields only.
type Employee struct {
	ID            uuid.UUID             `json:"id"`
	EmployeeNo    string                `json:"employee_no"`
	Name          string                `json:"name"`
	FormerNames   models.Names          `json:"former_names" gorm:"type:text[]" doc:"The latest last; none of somebody whose data is deleted"`
	DepartmentID  uuid.UUID             `json:"department_id"`
	Department    string                `json:"department" gorm:"-"` // by name, as the next two
	SiteID        *uuid.UUID            `json:"site_id,omitempty" doc:"Where the person works; left out: not said"`
	Site          string                `json:"site,omitempty" gorm:"-"`
	Status        models.EmployeeStatus `json:"status"`
	StatusText    string                `json:"status_text" gorm:"-"` // the API knows the reader's language
	EmploymentID  uuid.UUID             `json:"employment_id"`
	LegalEntityID uuid.UUID             `json:"legal_entity_id"`
	LegalEntity   string                `json:"legal_entity" gorm:"-"`
	Post          string                `json:"post"`
	Jurisdiction  string                `json:"jurisdiction"`
	TimeZone      string                `json:"time_zone"`
	HiredOn       clock.Date            `json:"hired_on"`
}

// Filter chooses what List shows. Zero values choose everything that the actor may see.
type Filter struct {
	Actor        models.Actor
	Query        string // part of a name, of a former one or of the number, in any case; or the name in pinyin or initials
	Status       models.EmployeeStatus
	DepartmentID uuid.UUID
	SiteID       uuid.UUID
	After        uuid.UUID // the last person of the page before
	Limit        int       // 1 to 200; 0 means 50
}

const (
	defaultLimit = 50
	maxLimit     = 200
)

var statuses = []models.EmployeeStatus{
	models.StatusActive, models.StatusPendingDeparture, models.StatusDeparted, models.StatusPurged,
}

// VisibleTo limits a query that reads the table employees to the people whom the actor may see.
func VisibleTo(actor models.Actor) func(*gorm.DB) *gorm.DB {
	return func(g *gorm.DB) *gorm.DB {
		if access.MaySee(actor.Role, access.RelationNone) {
			return g
		}
		var allowed []string
		var args []any
		if access.MaySee(actor.Role, access.RelationSelf) {
			allowed, args = append(allowed, "employees.id = ?"), append(args, actor.EmployeeID)
		}
		if access.MaySee(actor.Role, access.RelationOwnDepartment) {
			allowed = append(allowed, "employees.department_id IN (SELECT id FROM departments WHERE head_employee_id = ?)")
			args = append(args, actor.EmployeeID)
		}
		if len(allowed) == 0 {
			return g.Where("false")
		}
		return g.Where("("+strings.Join(allowed, " OR ")+")", args...)
	}
}

// SeenBy limits a query that reads the table employees to the people whose basic file the actor may see: those of
// [VisibleTo], and whom a tier of the permissions lets the actor look at.
func SeenBy(g *gorm.DB, actor models.Actor) (func(*gorm.DB) *gorm.DB, error) {
	if access.MaySee(actor.Role, access.RelationNone) || !access.MaySee(actor.Role, access.RelationReached) {
		return VisibleTo(actor), nil
	}
	m, err := permission.Current(g)
	if err != nil {
		return nil, err
	}
	reach := m.ReachOf(access.Asker{ID: actor.EmployeeID, Role: actor.Role})
	if len(reach) == 0 {
		return VisibleTo(actor), nil
	}
	where, err := placesOf(g, actor.EmployeeID)
	if err != nil {
		return nil, err
	}
	return func(g *gorm.DB) *gorm.DB {
		any := VisibleTo(actor)(g.Session(&gorm.Session{NewDB: true}))
		for _, r := range reach {
			one := where.reached(g.Session(&gorm.Session{NewDB: true}), r.Scope)
			if !r.Protected && len(m.Protected) > 0 {
				one = one.Where("employees.id <> ALL (?)", models.IDs(m.Protected))
			}
			any = any.Or(one)
		}
		return g.Where(any)
	}, nil
}

// places are where somebody is: what the scopes of the permissions are measured from. They are read once, so that the
// people who are reached are found by what they have in common.
type places struct {
	Site          *uuid.UUID
	Entity        *uuid.UUID
	InEntity      models.IDs // the departments of the legal entity
	Heads, Beyond models.IDs // those that somebody heads, and these with all below
}

func placesOf(g *gorm.DB, who uuid.UUID) (p places, err error) {
	err = g.Raw(`WITH RECURSIVE here AS (SELECT e.site_id, (SELECT m.legal_entity_id FROM employments m WHERE m.employee_id = e.id
				ORDER BY m.created_at DESC, m.id DESC LIMIT 1) AS legal_entity_id FROM employees e WHERE e.id = @who),
			down AS (SELECT id FROM departments WHERE head_employee_id = @who UNION SELECT d.id FROM departments d JOIN down ON d.parent_id = down.id)
		SELECT site_id AS site, legal_entity_id AS entity, ARRAY(SELECT id FROM departments d WHERE d.legal_entity_id = here.legal_entity_id) AS in_entity,
			ARRAY(SELECT id FROM departments WHERE head_employee_id = @who) AS heads, ARRAY(SELECT id FROM down) AS beyond FROM here`,
		map[string]any{"who": who}).Scan(&p).Error
	return p, database.Wrap("reading where somebody is", err)
}

// reached is the condition that somebody in the table employees is in a scope, as [StandsTo] has it.
func (p places) reached(g *gorm.DB, scope access.Scope) *gorm.DB {
	switch scope {
	case access.ScopeAll:
		return g.Where("true")
	case access.ScopeEntity: // the department decides about the legal entity; by it they are found
		return g.Where(`employees.department_id = ANY (?) AND
			(SELECT m.legal_entity_id FROM employments m WHERE m.employee_id = employees.id ORDER BY `+latestOrder+` LIMIT 1) = ?`, p.InEntity, p.Entity)
	case access.ScopeSite:
		return g.Where("employees.site_id = ?", p.Site)
	case access.ScopeDepartment:
		return g.Where("employees.department_id = ANY (?)", p.Heads)
	case access.ScopeBelow:
		return g.Where("employees.department_id = ANY (?)", p.Beyond)
	}
	return g.Where("false")
}

// List is one page of people, in the order in which they were entered, and whether there are more.
func List(ctx context.Context, db *database.DB, f Filter) (people []Employee, more bool, err error) {
	if err := f.check(); err != nil {
		return nil, false, err
	}
	seen, err := SeenBy(db.Read(ctx), f.Actor)
	if err != nil {
		return nil, false, err
	}
	byID := clause.OrderByColumn{Column: clause.Column{Table: "employees", Name: "id"}}
	query := db.Read(ctx).Model(&models.Employee{}).Scopes(seen).Order(byID)
	columns := []string{"id"} // those that limit the list
	if !access.MaySee(f.Actor.Role, access.RelationNone) {
		columns = append(columns, "department_id", "site_id")
	}
	only := func(column, condition string, value any) {
		query = query.Where(condition, value)
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	if f.After != uuid.Nil {
		only("id", "employees.id > ?", f.After)
	}
	if f.Status != "" {
		only("status", "employees.status = ?", f.Status)
	}
	if f.DepartmentID != uuid.Nil {
		only("department_id", "employees.department_id = ?", f.DepartmentID)
	}
	if f.SiteID != uuid.Nil {
		only("site_id", "employees.site_id = ?", f.SiteID)
	}
	if f.Query != "" {
		named, err := Named(ctx, db, f.Query)
		if err != nil {
			return nil, false, err
		}
		query = database.Narrow(ctx, db, query, "employees", columns, []database.Condition{named}, f.Limit+1)
	}
	people = []Employee{}
	// The page first: the employments of all who fit would be read to sort them.
	page := query.Limit(f.Limit + 1)
	if err := employees(db.Read(ctx).Table("(?) AS employees", page)).Order(byID).Scan(&people).Error; err != nil {
		return nil, false, fmt.Errorf("listing people: %w", database.Hide(err))
	}
	if len(people) > f.Limit {
		return people[:f.Limit], true, nil
	}
	return people, false, nil
}

// employees reads people, of a table employees, with their latest employment.
func employees(g *gorm.DB) *gorm.DB {
	return g.
		Select(`employees.id, employees.employee_no, employees.name, employees.former_names, employees.department_id, employees.site_id, employees.status,
			m.id AS employment_id, m.legal_entity_id, m.post, m.jurisdiction, m.time_zone, m.hired_on`).
		Joins("JOIN LATERAL (SELECT * FROM employments WHERE employee_id = employees.id ORDER BY " + latestOrder + " LIMIT 1) m ON true")
}

func (f *Filter) check() error {
	var found problems
	if f.Query != "" {
		if code := checkText(&f.Query, maxQuery); code != "" {
			found.Add("q", code)
		}
	}
	if f.Status != "" && !slices.Contains(statuses, f.Status) {
		found.Add("status", invalid.Unknown)
	}
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	if f.Limit < 1 || f.Limit > maxLimit {
		found.Add("limit", CodeOutOfRange)
	}
	return found.Err()
}
