package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// Empty says whether nobody has put anything into the database yet.
func Empty(ctx context.Context, facts *database.DB) (bool, error) {
	return ask(ctx, facts, "SELECT NOT EXISTS (SELECT FROM employees) AND NOT EXISTS (SELECT FROM legal_entities)")
}

// Wanted says whether the database is empty or a start was killed while it was being filled. The
// last step of filling begins departures; the heads that it appoints may leave again.
func Wanted(ctx context.Context, facts *database.DB) (bool, error) {
	empty, err := Empty(ctx, facts)
	if err != nil || empty {
		return empty, err
	}
	var codes []string
	for _, e := range company {
		for _, d := range e.departments {
			codes = append(codes, d.code)
		}
	}
	return ask(ctx, facts, "SELECT EXISTS (SELECT FROM departments WHERE code IN ?) AND NOT EXISTS (SELECT FROM departures)", codes)
}

func ask(ctx context.Context, facts *database.DB, question string, args ...any) (yes bool, err error) {
	err = facts.Read(ctx).Raw(question, args...).Scan(&yes).Error
	return yes, database.Wrap("looking at what the database holds", err)
}

// hands is how many people are put in side by side: most of the time is waiting for the database.
const hands = 6

// Seed fills the database with the company. It goes on where an earlier run was killed: people are
// put in one by one, whole or not at all, and the last transaction appoints the heads and begins
// the departures. No worker may run meanwhile. progress hears how many of the people are in.
func Seed(ctx context.Context, facts *database.DB, sealer vault.Sealer, progress func(done, of int)) error {
	var departments map[string]uuid.UUID
	err := database.Run(ctx, facts, func(tx *database.Tx) (err error) {
		departments, err = found(tx)
		return err
	})
	if err != nil {
		return err
	}
	people := People()
	ids, err := hireAll(ctx, facts, sealer, people, departments, progress)
	if err != nil {
		return err
	}
	return database.Run(ctx, facts, func(tx *database.Tx) error {
		if err := appointHeads(tx, departments, people, ids); err != nil {
			return err
		}
		return depart(tx, sealer, ids)
	})
}

// hireAll puts in everybody who is not there yet and returns all ids by number.
func hireAll(
	ctx context.Context, facts *database.DB, sealer vault.Sealer, people []Person, departments map[string]uuid.UUID, progress func(done, of int),
) (map[string]uuid.UUID, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	ids := map[string]uuid.UUID{}
	queue := make(chan Person, len(people))
	for _, p := range people {
		queue <- p
	}
	close(queue)
	var all sync.WaitGroup
	for range hands {
		all.Go(func() {
			for p := range queue {
				id, err := hire(ctx, facts, sealer, p, departments[p.Department])
				if err != nil {
					cancel(fmt.Errorf("hiring %s: %w", p.No, err))
					return
				}
				mu.Lock()
				ids[p.No] = id
				progress(len(ids), len(people))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return ids, context.Cause(ctx)
}

// found makes the legal entities and departments, unless they are there, and returns the
// departments' ids by code.
func found(tx *database.Tx) (map[string]uuid.UUID, error) {
	var there []models.Department
	if err := tx.DB().Find(&there).Error; err != nil {
		return nil, database.Wrap("reading the departments", err)
	}
	ids := map[string]uuid.UUID{}
	for _, d := range there {
		ids[d.Code] = d.ID
	}
	if len(ids) > 0 {
		return ids, nil
	}
	for _, e := range company {
		entity := models.LegalEntity{
			Code: e.code, NameZh: e.nameZh, NameEn: e.nameEn, Jurisdiction: e.jurisdiction, TimeZone: e.zone, CutoffTime: "18:00:00",
		}
		entity.ID = models.NewID()
		if err := tx.DB().Create(&entity).Error; err != nil {
			return nil, fmt.Errorf("founding %s: %w", e.code, database.Hide(err))
		}
		for _, d := range e.departments {
			ids[d.code] = models.NewID()
			row := models.Department{ID: ids[d.code], LegalEntityID: entity.ID, Code: d.code, NameZh: d.nameZh, NameEn: d.nameEn}
			if err := tx.DB().Create(&row).Error; err != nil {
				return nil, fmt.Errorf("founding %s: %w", d.code, database.Hide(err))
			}
		}
	}
	return ids, nil
}

// hire puts a person in with the accounts, unless an earlier run did.
func hire(ctx context.Context, facts *database.DB, sealer vault.Sealer, p Person, department uuid.UUID) (id uuid.UUID, err error) {
	err = database.Run(ctx, facts, func(tx *database.Tx) error {
		known, err := archive.EmployeeByNo(tx.DB(), p.No)
		if err == nil {
			id = known.ID
			return nil
		}
		if !errors.Is(err, database.ErrNotFound) {
			return err
		}
		var employment uuid.UUID
		id, employment, err = archive.Create(tx, sealer, archive.NewEmployee{
			EmployeeNo: p.No, Name: p.Name, DepartmentID: department, Post: p.Post, HiredOn: p.HiredOn, Fields: p.Fields,
		})
		if err != nil {
			return err
		}
		for _, system := range Systems {
			external := externalID(system, p.No)
			if _, err := account.Link(tx, employment, system, system, &external); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
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
