// Package chaos runs departures while everything is killed at random, and judges what is left by the
// systems' own state and the database.
package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/e2e/harness"
	"lethe/e2e/recorded"
	"lethe/internal/database"
	"lethe/internal/ledger/verify"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox/control"
)

// Evidence is everything that the checker looks at, read after the storm.
type Evidence struct {
	Now          time.Time // the databases' clock
	Employees    []models.Employee
	Employments  []models.Employment
	Departures   []models.Departure
	Events       []models.DepartureEvent
	Categories   []models.EmploymentCategory
	FieldValues  []models.FieldValue
	Deadlines    []models.RetentionDeadline
	Purges       []models.Purge
	Claims       []models.PurgeClaim
	Certificates []models.DestructionCertificate
	Accounts     []models.LinkedAccount
	Operations   []models.AccountOperation
	Steps        []models.AccountStep
	Looked       []models.AccountEvidence // what the steps noted
	Snapshots    []models.AccountSnapshot
	Cases        []models.SupportCase
	DataKeys     []DataKey
	Tombstones   []vault.Tombstone
	Systems      map[string]SystemState
	// Acknowledged are the departures that the API answered 202 for, by id, with the employee.
	Acknowledged map[uuid.UUID]uuid.UUID
	Recorded     recorded.Records
	Ledger       *verify.Report // nil in evidence that was made up
}

// DataKey is one row of the keys database.
type DataKey struct {
	ID, CategoryID uuid.UUID
	DestroyedAt    *time.Time
}

// SystemState is a sandbox as it really is.
type SystemState struct {
	Accounts []control.Account
	Effects  []control.Effect
	Deletes  int
}

// Collect reads the evidence of a stack that is at rest.
func Collect(ctx context.Context, s *harness.Stack, acknowledged map[uuid.UUID]uuid.UUID) (Evidence, error) {
	e := Evidence{Acknowledged: acknowledged, Systems: map[string]SystemState{}}
	var err error
	if e.Now, err = s.Facts.Now(ctx); err != nil {
		return e, err
	}
	for _, table := range []any{
		&e.Employees, &e.Employments, &e.Departures, &e.Events, &e.Categories, &e.FieldValues, &e.Deadlines, &e.Purges,
		&e.Claims, &e.Certificates, &e.Accounts, &e.Operations, &e.Steps, &e.Looked, &e.Snapshots, &e.Cases,
	} {
		if err := s.Facts.Read(ctx).Find(table).Error; err != nil {
			return e, fmt.Errorf("reading the facts: %w", database.Hide(err))
		}
	}
	if err := s.Keys.Read(ctx).Table("data_keys").Find(&e.DataKeys).Error; err != nil {
		return e, fmt.Errorf("reading the keys: %w", database.Hide(err))
	}
	if e.Tombstones, err = s.Tombstones(); err != nil {
		return e, err
	}
	if e.Recorded, err = recorded.Collect(ctx, s.Facts); err != nil {
		return e, err
	}
	if e.Ledger, err = s.VerifyLedger(ctx); err != nil {
		return e, fmt.Errorf("verifying the ledger: %w", err)
	}
	for _, name := range harness.SystemNames {
		if e.Systems[name], err = readSystem(ctx, s.System(name)); err != nil {
			return e, err
		}
	}
	return e, nil
}

func readSystem(ctx context.Context, c *control.Client) (s SystemState, err error) {
	if s.Accounts, err = c.Accounts(ctx, ""); err != nil {
		return s, err
	}
	if s.Effects, err = c.Effects(ctx, ""); err != nil {
		return s, err
	}
	stats, err := c.Stats(ctx)
	s.Deletes = stats.Deletes
	return s, err
}
