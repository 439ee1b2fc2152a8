package demo

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// Empty says whether nobody has put anything into the database yet.
func Empty(ctx context.Context, facts *database.DB) (bool, error) {
	var filled bool
	err := facts.Read(ctx).Raw("SELECT EXISTS (SELECT FROM employees) OR EXISTS (SELECT FROM legal_entities)").Scan(&filled).Error
	if err != nil {
		return false, fmt.Errorf("looking whether the database is empty: %w", database.Hide(err))
	}
	return !filled, nil
}

// Seed fills an empty database with the company in one transaction: a run that is killed leaves
// nothing of it. progress hears how many of the people are in.
func Seed(ctx context.Context, facts *database.DB, sealer vault.Sealer, progress func(done, of int)) error {
	return database.Run(ctx, facts, func(tx *database.Tx) error {
		departments, err := found(tx)
		if err != nil {
			return err
		}
		people, ids := People(), map[string]uuid.UUID{}
		for i, p := range people {
			if ids[p.No], err = hire(tx, sealer, p, departments[p.Department]); err != nil {
				return fmt.Errorf("hiring %s: %w", p.No, err)
			}
			progress(i+1, len(people))
		}
		if err := appointHeads(tx, departments, people, ids); err != nil {
			return err
		}
		return depart(tx, sealer, ids)
	})
}

// found makes the legal entities and departments and returns the departments' ids by code.
func found(tx *database.Tx) (map[string]uuid.UUID, error) {
	ids := map[string]uuid.UUID{}
	for _, e := range company {
		entityID, err := newID()
		if err != nil {
			return nil, err
		}
		err = tx.DB().Create(&models.LegalEntity{
			ID: entityID, Code: e.code, NameZh: e.nameZh, NameEn: e.nameEn,
			Jurisdiction: e.jurisdiction, TimeZone: e.zone, CutoffTime: "18:00:00",
		}).Error
		if err != nil {
			return nil, fmt.Errorf("founding %s: %w", e.code, database.Hide(err))
		}
		for _, d := range e.departments {
			if ids[d.code], err = newID(); err != nil {
				return nil, err
			}
			err := tx.DB().Create(&models.Department{
				ID: ids[d.code], LegalEntityID: entityID, Code: d.code, NameZh: d.nameZh, NameEn: d.nameEn,
			}).Error
			if err != nil {
				return nil, fmt.Errorf("founding %s: %w", d.code, database.Hide(err))
			}
		}
	}
	return ids, nil
}

// hire puts a person in, with the accounts.
func hire(tx *database.Tx, sealer vault.Sealer, p Person, department uuid.UUID) (uuid.UUID, error) {
	id, employment, err := archive.Create(tx, sealer, archive.NewEmployee{
		EmployeeNo: p.No, Name: p.Name, DepartmentID: department, Post: p.Post, HiredOn: p.HiredOn, Fields: p.Fields,
	})
	if err != nil {
		return uuid.Nil, err
	}
	for _, system := range Systems {
		external := externalID(system, p.No)
		if _, err := account.Link(tx, employment, system, system, &external); err != nil {
			return uuid.Nil, err
		}
	}
	return id, nil
}

// appointHeads makes the first person of each department its head.
func appointHeads(tx *database.Tx, departments map[string]uuid.UUID, people []Person, ids map[string]uuid.UUID) error {
	headed := map[string]bool{}
	for _, p := range people {
		if headed[p.Department] {
			continue
		}
		headed[p.Department] = true
		err := database.UpdateOne(tx.DB().Model(&models.Department{}).
			Where("id = ?", departments[p.Department]).Update("head_employee_id", ids[p.No]))
		if err != nil {
			return fmt.Errorf("appointing the head of %s: %w", p.Department, err)
		}
	}
	return nil
}

func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("making an id: %w", err)
	}
	return id, nil
}
