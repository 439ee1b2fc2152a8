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

// List is one page of people, in the order in which they were entered, and whether there are more.
func List(ctx context.Context, db *database.DB, f Filter) (people []Employee, more bool, err error) {
	if err := f.check(); err != nil {
		return nil, false, err
	}
	byID := clause.OrderByColumn{Column: clause.Column{Table: "employees", Name: "id"}}
	query := db.Read(ctx).Model(&models.Employee{}).Scopes(VisibleTo(f.Actor)).Where("employees.id > ?", f.After).Order(byID)
	if f.Status != "" {
		query = query.Where("employees.status = ?", f.Status)
	}
	if f.DepartmentID != uuid.Nil {
		query = query.Where("employees.department_id = ?", f.DepartmentID)
	}
	if f.SiteID != uuid.Nil {
		query = query.Where("employees.site_id = ?", f.SiteID)
	}
	if f.Query != "" {
		named, err := Named(ctx, db, f.Query)
		if err != nil {
			return nil, false, err
		}
		query = database.Narrow(ctx, db, query, "employees", []database.Condition{named}, f.Limit+1)
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
			found.add("q", code)
		}
	}
	if f.Status != "" && !slices.Contains(statuses, f.Status) {
		found.add("status", CodeUnknown)
	}
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	if f.Limit < 1 || f.Limit > maxLimit {
		found.add("limit", CodeOutOfRange)
	}
	return found.err()
}
