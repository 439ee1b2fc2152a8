package archive

import (
	"strings"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// File is a person with the latest employment, as one of many that are judged together.
type File struct {
	Employee   models.Employee
	Employment models.Employment
	categories map[models.Category]fileCategory
}

// fileCategory is how a category of the employment stands.
type fileCategory struct {
	EmploymentID uuid.UUID
	Category     models.Category
	State        models.CategoryState
	Held         bool
	Personal     bool // held by a hold on the person
}

// Purged says whether data of the employment was deleted, or is being deleted.
func (f File) Purged() bool {
	for _, c := range f.categories {
		if c.State != models.CategoryOpen {
			return true
		}
	}
	return f.Employee.Status == models.StatusPurged
}

// Files are the people with some employee numbers, by the number as it was asked for. To be changed they are locked:
// the employments in the order of their ids, then the people.
func Files(tx *database.Tx, numbers []string, toChange bool) (map[string]File, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	lower := make([]string, len(numbers))
	for i, no := range numbers {
		lower[i] = strings.ToLower(no)
	}
	var people []models.Employee
	err := tx.PlannedAnew(func() error {
		return tx.DB().Where("employee_no = ANY (?) OR employee_no_key = ANY (?)", models.Names(numbers), models.Names(lower)).Find(&people).Error
	})
	if err != nil {
		return nil, database.Wrap("finding people by number", err)
	}
	ids := make(models.IDs, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	employments, err := latestOf(tx, ids, toChange)
	if err != nil {
		return nil, err
	}
	if toChange { // as they are now that they are locked
		if people, err = database.LockAll[models.Employee](tx, "people", "id = ANY (?)", ids); err != nil {
			return nil, err
		}
	}
	categories, err := categoriesOf(tx, employments)
	if err != nil {
		return nil, err
	}
	exact, folded := map[string]File{}, map[string]File{}
	for _, p := range people {
		f := File{Employee: p, Employment: employments[p.ID], categories: categories[employments[p.ID].ID]}
		exact[p.EmployeeNo], folded[strings.ToLower(p.EmployeeNo)] = f, f
	}
	found := map[string]File{}
	for _, no := range numbers {
		if f, ok := exact[no]; ok {
			found[no] = f
		} else if f, ok := folded[strings.ToLower(no)]; ok {
			found[no] = f
		}
	}
	return found, nil
}

func latestOf(tx *database.Tx, people models.IDs, toChange bool) (map[uuid.UUID]models.Employment, error) {
	query := `SELECT m.* FROM unnest(?::uuid[]) p (id), LATERAL (
		SELECT * FROM employments WHERE employee_id = p.id ORDER BY ` + latestOrder + ` LIMIT 1) m`
	if toChange {
		query = `SELECT e.* FROM employments e WHERE e.id IN (SELECT m.id FROM (` + query + `) m) ORDER BY e.id FOR NO KEY UPDATE OF e`
	}
	var rows []models.Employment
	if err := tx.DB().Raw(query, people).Scan(&rows).Error; err != nil {
		return nil, database.Wrap("finding the latest employments", err)
	}
	latest := make(map[uuid.UUID]models.Employment, len(rows))
	for _, m := range rows {
		latest[m.EmployeeID] = m
	}
	return latest, nil
}

// categoriesOf reads how the categories stand. While there is no hold at all none is looked for.
func categoriesOf(tx *database.Tx, employments map[uuid.UUID]models.Employment) (map[uuid.UUID]map[models.Category]fileCategory, error) {
	ids := make(models.IDs, 0, len(employments))
	for _, m := range employments {
		ids = append(ids, m.ID)
	}
	var rows []fileCategory
	err := tx.DB().Raw(`WITH any_hold AS MATERIALIZED (SELECT EXISTS (SELECT FROM holds WHERE released_at IS NULL) AS there)
		SELECT c.employment_id, c.category, c.state,
			(SELECT there FROM any_hold) AND lethe_held(c.employment_id, c.category) AS held,
			(SELECT there FROM any_hold) AND EXISTS (SELECT FROM holds h WHERE h.employee_id = m.employee_id AND h.released_at IS NULL
				AND (h.categories IS NULL OR c.category = ANY (h.categories))) AS personal
		FROM employment_categories c JOIN employments m ON m.id = c.employment_id WHERE c.employment_id = ANY (?)`, ids).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading the categories", err)
	}
	all := make(map[uuid.UUID]map[models.Category]fileCategory, len(employments))
	for _, c := range rows {
		if all[c.EmploymentID] == nil {
			all[c.EmploymentID] = map[models.Category]fileCategory{}
		}
		all[c.EmploymentID][c.Category] = c
	}
	return all, nil
}

// JudgeChange is what [Update] refuses of a patch of a file, and puts its values into the form in which they are stored.
func (r *Rules) JudgeChange(f File, p Patch) error {
	var found problems
	if p.Name != nil {
		if code := checkText(p.Name, maxName); code != "" {
			found.Add("name", code)
		}
	}
	if p.Post != nil && *p.Post != "" {
		if code := checkText(p.Post, maxPost); code != "" {
			found.Add("post", code)
		}
	}
	categories := judgeFields(r.Definitions, r.now, p.Fields, &found)
	if err := found.Err(); err != nil {
		return err
	}
	if f.Employee.Status == models.StatusPurged {
		return ErrPurged
	}
	var department *models.Department
	if p.DepartmentID != nil {
		d := r.Departments[*p.DepartmentID]
		department = &d
	}
	if len(p.assess(f.Employment, department)) > 0 {
		return ErrApprovalRequired
	}
	for key, value := range p.Fields {
		c := f.categories[categories[key]]
		switch {
		case c.State != models.CategoryOpen:
			return ErrPurged
		case c.Held && (c.Personal || value == nil || f.Employment.EndedAt != nil):
			return ErrHeld
		}
	}
	return nil
}
