package archive

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// Rules are what files are judged by, read once for many of them.
type Rules struct {
	Definitions map[string]models.FieldDefinition
	Departments map[uuid.UUID]models.Department
	Entities    map[uuid.UUID]models.LegalEntity
	Sites       []models.Site
	now         time.Time
}

// RulesNow reads them.
func RulesNow(tx *database.Tx) (*Rules, error) {
	r := &Rules{Definitions: map[string]models.FieldDefinition{}, Departments: map[uuid.UUID]models.Department{}, Entities: map[uuid.UUID]models.LegalEntity{}}
	var definitions []models.FieldDefinition
	var departments []models.Department
	var entities []models.LegalEntity
	err := tx.DB().Find(&definitions).Error
	if err == nil {
		err = tx.DB().Find(&departments).Error
	}
	if err == nil {
		err = tx.DB().Find(&entities).Error
	}
	if err == nil {
		err = tx.DB().Find(&r.Sites).Error
	}
	if err != nil {
		return nil, database.Wrap("reading what files are judged by", err)
	}
	for _, d := range definitions {
		r.Definitions[d.Key] = d
	}
	for _, d := range departments {
		r.Departments[d.ID] = d
	}
	for _, e := range entities {
		r.Entities[e.ID] = e
	}
	r.now, err = tx.Now()
	return r, err
}

// Now is as of when they judge: when they were read, or what At says.
func (r *Rules) Now() time.Time { return r.now }

// At has them judge as of another instant.
func (r *Rules) At(now time.Time) { r.now = now }

// Judge is what [Create] refuses of somebody who is new, and puts the values into the form in which they are stored.
func (r *Rules) Judge(n *NewEmployee) error {
	var found problems
	r.hiring(n, &found)
	return found.Err()
}

func (r *Rules) hiring(n *NewEmployee, found *problems) hiring {
	h := hiring{fields: make(map[string]*string, len(n.Fields))}
	n.judge(r.now, found)
	department, ok := r.Departments[n.DepartmentID]
	if !ok {
		found.Add("department_id", invalid.Unknown)
	}
	if n.LegalEntityID == uuid.Nil {
		n.LegalEntityID = department.LegalEntityID
	}
	if n.LegalEntityID != department.LegalEntityID {
		found.Add("legal_entity_id", CodeMismatch)
	}
	h.entity = r.Entities[department.LegalEntityID]
	if n.TimeZone == "" {
		n.TimeZone = h.entity.TimeZone
	}
	for key, value := range n.Fields {
		h.fields[key] = &value
	}
	h.categories = judgeFields(r.Definitions, r.now, h.fields, found)
	for key, value := range h.fields {
		n.Fields[key] = *value
	}
	h.NewEmployee = *n
	return h
}

// insertAtOnce bounds one INSERT: a statement takes 65,535 arguments.
const insertAtOnce = 2000

// CreateAll hires people who are all new, with the rows, values and entries that [Create] makes for each. Somebody who
// was hired with one of the numbers at the same moment makes it ErrEmployeeNoTaken, and the transaction is lost. Whose
// employment is over comes in as departed, and the caller enters the departure in the same transaction.
func CreateAll(tx *database.Tx, sealer vault.Sealer, r *Rules, all []NewEmployee) ([]models.Employment, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var found problems
	people, employments := make([]models.Employee, len(all)), make([]models.Employment, len(all))
	entries, employed := make([]ledger.Entry, len(all)), make([]uuid.UUID, len(all))
	var values []vault.Value
	for i := range all {
		h := r.hiring(&all[i], &found)
		id := models.NewID()
		employed[i] = models.NewID()
		people[i] = models.Employee{
			ID: id, EmployeeNo: h.EmployeeNo, Name: h.Name, DepartmentID: h.DepartmentID, SiteID: h.SiteID,
			Status: models.StatusActive, Revision: 1, SearchNames: FoundBy(h.Name),
		}
		if h.EndedAt != nil {
			people[i].Status = models.StatusDeparted
		}
		employments[i] = models.Employment{
			ID: employed[i], EmployeeID: id, EndedAt: h.EndedAt, LegalEntityID: h.entity.ID, DepartmentID: h.DepartmentID, Post: h.Post,
			Jurisdiction: h.entity.Jurisdiction, TimeZone: h.TimeZone, HiredOn: h.HiredOn,
		}
		entries[i] = entryOf(actionCreated, id, employed[i], slices.Collect(maps.Keys(h.fields)))
		for _, key := range slices.Sorted(maps.Keys(h.fields)) {
			values = append(values, vault.Value{Plain: []byte(*h.fields[key]), Cell: vault.Cell{
				Table: "field_values", Row: models.NewID(), Employment: employed[i], Category: h.categories[key], Field: key,
			}})
		}
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	recorded, err := ledger.AppendAll(tx, entries)
	if err != nil {
		return nil, err
	}
	for i := range employments {
		employments[i].LedgerEntryID = &recorded[i]
	}
	return employments, insertAll(tx, sealer, people, employments, employed, values)
}

func insertAll(tx *database.Tx, sealer vault.Sealer, people []models.Employee, employments []models.Employment, employed []uuid.UUID, values []vault.Value) error {
	err := insert(tx.DB(), people)
	if database.Violates(err, "employees_employee_no_key") || database.Violates(err, "employees_employee_no_once") {
		return ErrEmployeeNoTaken
	}
	if err != nil {
		return database.Wrap("inserting people", err)
	}
	if err := insert(tx.DB(), employments); err != nil {
		return database.Wrap("inserting employments", err)
	}
	if err := sealer.CreateSealed(tx, employed, values); err != nil {
		return err
	}
	return insertValues(tx, values)
}

func insertValues(tx *database.Tx, values []vault.Value) error {
	n := len(values)
	ids, employments, categories := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	keys, boxes := make([]string, n), make([][]byte, n)
	for i, v := range values {
		clear(v.Plain)
		ids[i], employments[i], categories[i], keys[i], boxes[i] = v.Row, v.Employment, v.CategoryID, v.Field, v.Sealed.Box()
	}
	_, err := database.Exec(tx, "inserting values", `INSERT INTO field_values (id, employment_id, category_id, field_key, value_sealed, updated_at)
		SELECT *, (SELECT lethe_now()) FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[])`, ids, employments, categories, keys, boxes)
	return err
}

func insert[R any](g *gorm.DB, rows []R) error {
	for part := range slices.Chunk(rows, insertAtOnce) {
		if err := g.Create(&part).Error; err != nil {
			return database.Hide(err)
		}
	}
	return nil
}
