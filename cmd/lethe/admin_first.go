package main

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

// firstPlan is who begins with an installation. The legal entity and the department are for an empty
// one; people who are there already are known by their numbers.
type firstPlan struct {
	LegalEntity *firstEntity     `json:"legal_entity"`
	Department  *firstDepartment `json:"department"`
	People      []firstPerson    `json:"people"`
}

type firstEntity struct {
	Code         string `json:"code"`
	NameZh       string `json:"name_zh"`
	NameEn       string `json:"name_en"`
	Jurisdiction string `json:"jurisdiction"`
	TimeZone     string `json:"time_zone"`
}

type firstDepartment struct {
	Code   string `json:"code"`
	NameZh string `json:"name_zh"`
	NameEn string `json:"name_en"`
}

type firstPerson struct {
	EmployeeNo string     `json:"employee_no"`
	Name       string     `json:"name"`
	Post       string     `json:"post"`
	HiredOn    clock.Date `json:"hired_on"`
	Login      string     `json:"login"`
}

// people finds the two, or hires them into the department.
func (p firstPlan) people(tx *database.Tx) (first [2]identity.FirstUser, err error) {
	var department uuid.UUID
	for i, person := range p.People {
		known, err := archive.EmployeeByNo(tx.DB(), person.EmployeeNo)
		if err == nil {
			first[i] = identity.FirstUser{EmployeeID: known.ID, Login: person.Login}
			continue
		}
		if !errors.Is(err, database.ErrNotFound) {
			return first, err
		}
		if department == uuid.Nil {
			if department, err = p.department(tx); err != nil {
				return first, err
			}
		}
		// Nothing of the two is sealed yet, so that no key is needed here.
		id, _, err := archive.Create(tx, vault.New(nil, nil, uuid.Nil), archive.NewEmployee{
			EmployeeNo: person.EmployeeNo, Name: person.Name, Post: person.Post, DepartmentID: department, HiredOn: person.HiredOn,
		})
		if err != nil {
			return first, fmt.Errorf("hiring the first people: %w", err)
		}
		first[i] = identity.FirstUser{EmployeeID: id, Login: person.Login}
	}
	return first, nil
}

// department finds the plan's department by its code, or makes it with its legal entity.
func (p firstPlan) department(tx *database.Tx) (uuid.UUID, error) {
	if p.Department == nil || p.Department.Code == "" {
		return uuid.Nil, errors.New("people who are not there yet need a department: give legal_entity and department")
	}
	known, err := database.First[models.Department](archive.ByCode(tx.DB(), p.Department.Code))
	if err == nil {
		return known.ID, nil
	}
	if !errors.Is(err, database.ErrNotFound) {
		return uuid.Nil, fmt.Errorf("finding the first department: %w", err)
	}
	entity, err := p.entity(tx)
	if err != nil {
		return uuid.Nil, err
	}
	id := models.NewID()
	d := p.Department
	err = tx.DB().Create(&models.Department{ID: id, LegalEntityID: entity, Code: d.Code, NameZh: d.NameZh, NameEn: d.NameEn}).Error
	return id, database.Wrap("founding the first department", err)
}

func (p firstPlan) entity(tx *database.Tx) (uuid.UUID, error) {
	e := p.LegalEntity
	if e == nil || e.Code == "" || e.Jurisdiction == "" {
		return uuid.Nil, errors.New("the first department needs a legal entity with code, names, jurisdiction and time_zone")
	}
	if _, err := clock.LoadZone(e.TimeZone); err != nil {
		return uuid.Nil, errors.New("the legal entity's time_zone is not an IANA name, such as Asia/Shanghai")
	}
	known, err := database.First[models.LegalEntity](archive.ByCode(tx.DB(), e.Code))
	if err == nil {
		return known.ID, nil
	}
	if !errors.Is(err, database.ErrNotFound) {
		return uuid.Nil, fmt.Errorf("finding the first legal entity: %w", err)
	}
	id := models.NewID()
	err = tx.DB().Create(&models.LegalEntity{
		ID: id, Code: e.Code, NameZh: e.NameZh, NameEn: e.NameEn, Jurisdiction: e.Jurisdiction, TimeZone: e.TimeZone, CutoffTime: "18:00:00",
	}).Error
	if err != nil {
		return uuid.Nil, database.Wrap("founding the first legal entity", err)
	}
	return id, nil
}
