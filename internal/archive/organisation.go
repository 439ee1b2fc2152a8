package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/models"
)

// The ways in which a department is not put below another.
var (
	ErrCycle         = errors.New("the department would stand above itself")
	ErrOwnDepartment = errors.New("nobody moves a department to below one that they head")
)

// CodeTakenError says that another one of the kind has the code, whatever its case.
type CodeTakenError struct {
	Kind string    // models.RefSite and such
	ID   uuid.UUID // of the one that has it; uuid.Nil where it came at the same moment
}

func (*CodeTakenError) Error() string { return "the code belongs to another one" }

// What the ledger says about the organisation.
const (
	actionEntityCreated     = "legal_entity.created"
	actionEntityChanged     = "legal_entity.changed"
	actionDepartmentCreated = "department.created"
	actionDepartmentChanged = "department.changed"
)

// NewLegalEntity is a legal entity to be entered. Its jurisdiction and zone stay: deadlines hang on them.
type NewLegalEntity struct {
	Code, NameZh, NameEn string
	Jurisdiction         string // one with retention rules; the caller has looked
	Region               string // one of the jurisdiction's, for its public holidays; or none
	TimeZone             string // IANA name
	CutoffTime           string // local time of day, "18:00"
}

// LegalEntityPatch changes a legal entity; what is nil stays as it is.
type LegalEntityPatch struct {
	NameZh, NameEn *string
	// Region is for what falls due from then on; empty: none.
	Region *string
	// CutoffTime is for departures that begin from then on.
	CutoffTime *string
}

// NewDepartment is a department to be entered.
type NewDepartment struct {
	Code, NameZh, NameEn string
	LegalEntityID        uuid.UUID
	ParentID             *uuid.UUID
}

// DepartmentPatch changes a department; what is nil stays as it is. Who heads it is not changed here: it gives somebody a
// view of people.
type DepartmentPatch struct {
	NameZh, NameEn *string
	// ParentID is the department above it, of the same legal entity; NoParent: there is none any more.
	ParentID *uuid.UUID
	NoParent bool
}

// CreateLegalEntity enters a legal entity. A code that is taken is a CodeTakenError.
func CreateLegalEntity(tx *database.Tx, n NewLegalEntity) (uuid.UUID, error) {
	var found problems
	found.named("code", &n.Code, employeeNo.MatchString)
	found.named("name_zh", &n.NameZh, nil)
	found.named("name_en", &n.NameEn, nil)
	if _, err := clock.LoadZone(n.TimeZone); err != nil {
		found.Add("time_zone", invalid.Unknown)
	}
	found.region(n.Jurisdiction, n.Region)
	found.timeOfDay(&n.CutoffTime)
	if err := found.Err(); err != nil {
		return uuid.Nil, err
	}
	row := models.LegalEntity{
		ID: models.NewID(), Code: n.Code, NameZh: n.NameZh, NameEn: n.NameEn, Jurisdiction: n.Jurisdiction, Region: n.Region, TimeZone: n.TimeZone, CutoffTime: n.CutoffTime,
	}
	return row.ID, enter(tx, &row, models.RefEntity, row.ID, row.Code, actionEntityCreated)
}

// CreateDepartment enters a department. A code that is taken is a CodeTakenError.
func CreateDepartment(tx *database.Tx, n NewDepartment) (uuid.UUID, error) {
	var found problems
	found.named("code", &n.Code, employeeNo.MatchString)
	found.named("name_zh", &n.NameZh, nil)
	found.named("name_en", &n.NameEn, nil)
	if err := found.Err(); err != nil {
		return uuid.Nil, err
	}
	_, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", n.LegalEntityID))
	if errors.Is(err, database.ErrNotFound) {
		return uuid.Nil, refuse("legal_entity_id", invalid.Unknown)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("reading a legal entity: %w", err)
	}
	row := models.Department{ID: models.NewID(), LegalEntityID: n.LegalEntityID, Code: n.Code, NameZh: n.NameZh, NameEn: n.NameEn, ParentID: n.ParentID}
	if n.ParentID != nil {
		if err := underneath(tx, row); err != nil {
			return uuid.Nil, err
		}
	}
	return row.ID, enter(tx, &row, models.RefDepartment, row.ID, row.Code, actionDepartmentCreated)
}

// ChangeLegalEntity changes a legal entity. One that does not exist is database.ErrNotFound.
func ChangeLegalEntity(tx *database.Tx, id uuid.UUID, p LegalEntityPatch) error {
	var found problems
	columns := map[string]any{}
	found.renamed(columns, p.NameZh, p.NameEn)
	if p.Region != nil {
		row, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", id))
		if err != nil {
			return err
		}
		found.region(row.Jurisdiction, *p.Region)
		columns["region"] = *p.Region
	}
	if p.CutoffTime != nil {
		found.timeOfDay(p.CutoffTime)
		columns["cutoff_time"] = *p.CutoffTime
	}
	return changeOrganisation(tx, found, "legal_entities", id, "legal_entity", actionEntityChanged, columns)
}

// ChangeDepartment changes a department. One that does not exist is database.ErrNotFound.
func ChangeDepartment(tx *database.Tx, id uuid.UUID, p DepartmentPatch) error {
	var found problems
	columns := map[string]any{}
	found.renamed(columns, p.NameZh, p.NameEn)
	switch {
	case p.ParentID != nil && p.NoParent:
		found.Add("no_parent", "one_of_two")
	case p.NoParent:
		columns["parent_id"] = nil
	case p.ParentID != nil:
		row, err := database.First[models.Department](tx.DB().Where("id = ?", id))
		if err != nil {
			return err
		}
		row.ParentID, columns["parent_id"] = p.ParentID, *p.ParentID
		if err := underneath(tx, row); err != nil {
			return err
		}
	}
	return changeOrganisation(tx, found, "departments", id, "department", actionDepartmentChanged, columns)
}

// underneath says whether a department may stand below its parent: one of the same legal entity, that is neither itself nor
// below it. Moves take turns. Nobody moves a department to below one that they head, whose people they would reach by it.
func underneath(tx *database.Tx, d models.Department) error {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('lethe departments', 0))").Error; err != nil {
		return database.Wrap("waiting for other departments", err)
	}
	above, err := upwards(tx, *d.ParentID)
	if err != nil {
		return err
	}
	known := false
	for _, a := range above {
		switch {
		case a.ID == d.ID:
			return ErrCycle
		case headedBy(a, models.CallerOf(tx.Context()).Actor.EmployeeID):
			return ErrOwnDepartment
		}
		known = known || a.ID == *d.ParentID && a.LegalEntityID == d.LegalEntityID
	}
	if !known {
		return refuse("parent_id", invalid.Unknown)
	}
	return nil
}

// upwards is a department with all above it.
func upwards(tx *database.Tx, id uuid.UUID) (above []models.Department, err error) {
	err = tx.DB().Raw(`WITH RECURSIVE up AS (SELECT d.* FROM departments d WHERE d.id = ?
		UNION SELECT p.* FROM departments p JOIN up ON p.id = up.parent_id) SELECT * FROM up`, id).Scan(&above).Error
	return above, database.Wrap("reading the departments above", err)
}

// SetHead has a department headed by somebody else, or by nobody, if it is headed as from says (uuid.Nil: by nobody).
func SetHead(tx *database.Tx, id, from uuid.UUID, to *uuid.UUID) error {
	return database.Wrap("changing who heads a department", database.UpdateOne(tx.DB().Model(&models.Department{}).
		Where("id = ? AND COALESCE(head_employee_id, ?) = ?", id, uuid.Nil, from).Update("head_employee_id", to)))
}

func headedBy(d models.Department, who uuid.UUID) bool {
	return d.HeadEmployeeID != nil && *d.HeadEmployeeID == who
}

func (p *problems) named(location string, s *string, fits func(string) bool) {
	switch code := checkText(s, maxName); {
	case code != "":
		p.Add(location, code)
	case fits != nil && !fits(*s):
		p.Add(location, invalid.Malformed)
	}
}

func (p *problems) renamed(columns map[string]any, zh, en *string) {
	for location, name := range map[string]*string{"name_zh": zh, "name_en": en} {
		if name != nil {
			p.named(location, name, nil)
			columns[location] = *name
		}
	}
}

func (p *problems) region(jurisdiction, region string) {
	if region != "" && !slices.Contains(clock.Regions(jurisdiction), region) {
		p.Add("region", invalid.Unknown)
	}
}

func (p *problems) timeOfDay(s *string) {
	if _, err := clock.ParseTimeOfDay(*s); err != nil {
		p.Add("cutoff_time", invalid.Malformed)
	}
}

func enter(tx *database.Tx, row any, kind string, id uuid.UUID, code, action string) error {
	table := map[string]string{models.RefEntity: "legal_entities", models.RefDepartment: "departments", models.RefSite: "sites"}[kind]
	taken, err := database.First[struct{ ID uuid.UUID }](ByCode(tx.DB().Table(table).Select("id"), code))
	switch {
	case err == nil:
		return &CodeTakenError{Kind: kind, ID: taken.ID}
	case !errors.Is(err, database.ErrNotFound):
		return fmt.Errorf("looking for who has a code: %w", err)
	}
	err = database.Hide(tx.DB().Create(row).Error)
	if database.Violates(err, table+"_code_once") || database.Violates(err, table+"_code_key") {
		return &CodeTakenError{Kind: kind}
	}
	if err != nil {
		return fmt.Errorf("entering a %s: %w", kind, err)
	}
	_, err = recordOrganisation(tx, kind, id, action)
	return err
}

// ByCode narrows a query of legal entities, departments or sites to the one of a code: as it is written, else in another case.
// Two whose codes differ by case only are there from former versions alone.
func ByCode(q *gorm.DB, code string) *gorm.DB {
	return q.Where("code = ? OR code_key = lower(?)", code, code).
		Order(clause.OrderBy{Expression: clause.Expr{SQL: "code = ? DESC", Vars: []any{code}}}).Limit(1)
}

// CollidingCodes are the codes of legal entities, departments and sites that differ from another one's by case only, which
// former versions gave out; those of two stand side by side.
func CollidingCodes(ctx context.Context, db *database.DB) ([]string, error) {
	var codes []string
	err := db.Read(ctx).Raw(`WITH organised AS (SELECT 1 AS kind, code, code_key FROM legal_entities
			UNION ALL SELECT 2, code, code_key FROM departments UNION ALL SELECT 3, code, code_key FROM sites)
		SELECT code FROM organised o WHERE EXISTS (SELECT FROM organised other WHERE other.kind = o.kind AND lower(other.code) = lower(o.code) AND other.code <> o.code)
		ORDER BY kind, lower(code), code_key`).Scan(&codes).Error
	return codes, database.Wrap("looking for codes that differ by case only", err)
}

func changeOrganisation(tx *database.Tx, found problems, table string, id uuid.UUID, kind, action string, columns map[string]any) error {
	if err := found.Err(); err != nil || len(columns) == 0 {
		return err
	}
	entry, err := recordOrganisation(tx, kind, id, action)
	if err != nil {
		return err
	}
	if kind == "legal_entity" {
		columns["ledger_entry_id"] = entry
	}
	r := tx.DB().Table(table).Where("id = ?", id).Updates(columns)
	if r.Error != nil {
		return fmt.Errorf("changing a %s: %w", kind, database.Hide(r.Error))
	}
	if r.RowsAffected == 0 {
		return database.ErrNotFound
	}
	return nil
}

func recordOrganisation(tx *database.Tx, kind string, id uuid.UUID, action string) (uuid.UUID, error) {
	return ledger.Append(tx, ledger.Entry{Kind: ledger.KindConfiguration, Action: action, Object: kind + "/" + id.String()})
}

// LegalEntities lists legal entities in the order in which they were entered, and says whether there are more.
func LegalEntities(ctx context.Context, db *database.DB, after uuid.UUID, limit int) ([]models.LegalEntity, bool, error) {
	return organisation[models.LegalEntity](db.Read(ctx), after, limit)
}

// Departments lists departments in the order in which they were entered, and says whether there are more.
func Departments(ctx context.Context, db *database.DB, legalEntity *uuid.UUID, after uuid.UUID, limit int) ([]models.Department, bool, error) {
	q := db.Read(ctx)
	if legalEntity != nil {
		q = q.Where("legal_entity_id = ?", *legalEntity)
	}
	return organisation[models.Department](q, after, limit)
}

func organisation[R any](q *gorm.DB, after uuid.UUID, limit int) (rows []R, more bool, err error) {
	if err := q.Where("id > ?", after).Order(database.ByID).Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, false, database.Wrap("reading the organisation", err)
	}
	if len(rows) > limit {
		rows, more = rows[:limit], true
	}
	return rows, more, nil
}
