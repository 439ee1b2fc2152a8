package render

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/ledger/querylog"
	"lethe/internal/succession"
	"lethe/models"
)

// UTC is an instant as views have it; nil stays nil.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// PersonView names a person.
type PersonView struct {
	EmployeeID uuid.UUID `json:"employee_id"`
	EmployeeNo string    `json:"employee_no"`
	Name       string    `json:"name"`
	Department string    `json:"department,omitempty" doc:"The name of the department"`
	TimeZone   string    `json:"time_zone,omitempty" doc:"In which they work, or worked last: IANA name" example:"Asia/Shanghai"`
}

// Text is how a text names somebody.
func (p PersonView) Text() string { return p.EmployeeNo + " " + p.Name }

// Named are persons by their ids.
type Named map[uuid.UUID]PersonView

// Of is who is meant; nil if nobody is, or nobody known.
func (n Named) Of(id *uuid.UUID) *PersonView {
	if id == nil {
		return nil
	}
	p, known := n[*id]
	if !known {
		return nil
	}
	return &p
}

// Only keeps some of them.
func (n Named) Only(ids ...uuid.UUID) Named {
	kept := make(Named, len(ids))
	for _, id := range ids {
		if p, known := n[id]; known {
			kept[id] = p
		}
	}
	return kept
}

// GivenOf are those that there are.
func GivenOf(ids ...*uuid.UUID) (given []uuid.UUID) {
	for _, id := range ids {
		if id != nil {
			given = append(given, *id)
		}
	}
	return given
}

// People names persons.
func (s *Renderer) People(ctx context.Context, language i18n.Language, ids []uuid.UUID) (Named, error) {
	return s.name(ctx, language, ids, false)
}

// PeopleInLog names persons as every view of the log does: by a pseudonym once their data is deleted.
func (s *Renderer) PeopleInLog(ctx context.Context, language i18n.Language, ids []uuid.UUID) (Named, error) {
	return s.name(ctx, language, ids, true)
}

func (s *Renderer) name(ctx context.Context, language i18n.Language, ids []uuid.UUID, inLog bool) (Named, error) {
	people := make(Named, len(ids))
	if len(ids) == 0 {
		return people, nil
	}
	var rows []struct {
		models.Employee
		NameZh, NameEn string // of the department
		TimeZone       string
	}
	err := s.DB.Read(ctx).Table("employees").Joins("JOIN departments d ON d.id = employees.department_id").
		Select("employees.id", "employee_no", "name", "status", "d.name_zh", "d.name_en", "("+archive.LatestZone+") AS time_zone").Where("employees.id = ANY (?)", models.IDs(ids)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("naming people: %w", database.Hide(err))
	}
	for _, e := range rows {
		if inLog && e.Status == models.StatusPurged {
			e.EmployeeNo, e.Name = "", i18n.Text(language, "query_log.purged_person")+" "+querylog.Person{ID: e.ID}.Pseudonym()
		}
		people[e.ID] = PersonView{e.ID, e.EmployeeNo, e.Name, language.Of(e.NameZh, e.NameEn), e.TimeZone}
	}
	return people, nil
}

// Units are the names of departments and legal entities by their ids.
type Units map[uuid.UUID]string

// Units names departments and legal entities.
func (s *Renderer) Units(ctx context.Context, language i18n.Language, ids []uuid.UUID) (Units, error) {
	units := make(Units, len(ids))
	if len(ids) == 0 {
		return units, nil
	}
	var rows []struct {
		ID             uuid.UUID
		NameZh, NameEn string
	}
	err := s.DB.Read(ctx).Raw(`SELECT id, name_zh, name_en FROM departments WHERE id = ANY (@ids)
		UNION ALL SELECT id, name_zh, name_en FROM legal_entities WHERE id = ANY (@ids)
		UNION ALL SELECT id, name_zh, name_en FROM sites WHERE id = ANY (@ids)`, map[string]any{"ids": models.IDs(ids)}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("naming departments: %w", database.Hide(err))
	}
	for _, u := range rows {
		units[u.ID] = language.Of(u.NameZh, u.NameEn)
	}
	return units, nil
}

// PassedOn says who looks after what its holder cannot any more.
type PassedOn struct {
	PassedTo       *models.Role `json:"passed_to,omitempty" doc:"Who placed or rejected it is gone: the role that looks after it"`
	PassedToText   string       `json:"passed_to_text,omitempty"`
	PassedToPerson *PersonView  `json:"passed_to_person,omitempty" doc:"Who placed or rejected it is gone: the successor who looks after it"`
}

// MarkPassedOn marks what its holder cannot look after any more: the successor does, else the role (I32). It never ends by
// that.
func MarkPassedOn[V any](ctx context.Context, s *Renderer, kind models.Holding, role models.Role, views []V, language i18n.Language, holder func(*V) (id uuid.UUID, by *uuid.UUID, mark *PassedOn)) error {
	var ids, persons []uuid.UUID
	for i := range views {
		if id, by, _ := holder(&views[i]); by != nil {
			ids, persons = append(ids, id), append(persons, *by)
		}
	}
	passed, err := succession.Holders(ctx, s.DB, kind, ids)
	if err != nil {
		return err
	}
	var successors []uuid.UUID
	for _, to := range passed {
		successors = append(successors, GivenOf(to)...)
	}
	absent, err := identity.Absent(ctx, s.DB, role, append(persons, successors...))
	if err != nil {
		return err
	}
	people, err := s.People(ctx, language, successors)
	if err != nil {
		return err
	}
	for i := range views {
		id, by, mark := holder(&views[i])
		if by == nil {
			continue
		}
		to, did := passed[id]
		switch {
		case did && to != nil && !absent[*to]:
			mark.PassedToPerson = people.Of(to)
		case did, absent[*by]:
			mark.PassedTo, mark.PassedToText = &role, closed.Text(language, role)
		}
	}
	return nil
}
