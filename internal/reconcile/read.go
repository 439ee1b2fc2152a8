package reconcile

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Get reads a run.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Reconciliation, error) {
	row, err := database.First[models.Reconciliation](db.Read(ctx).Where("id = ?", id))
	return row, database.Wrap("reading a run", err)
}

// List is one page of runs, the newest first, and one more if there are more. before is the last one of the page before.
func List(ctx context.Context, db *database.DB, before uuid.UUID, limit int) (rows []models.Reconciliation, err error) {
	q := db.Read(ctx)
	if before != uuid.Nil {
		q = q.Where("id < ?", before)
	}
	err = q.Order(database.Newest).Limit(limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing runs", err)
}

// SystemsOf are the systems of some runs, by run.
func SystemsOf(ctx context.Context, db *database.DB, runs []uuid.UUID) (map[uuid.UUID][]models.ReconciliationSystem, error) {
	of := make(map[uuid.UUID][]models.ReconciliationSystem, len(runs))
	if len(runs) == 0 {
		return of, nil
	}
	var rows []models.ReconciliationSystem
	err := db.Read(ctx).Where("reconciliation_id IN ?", runs).Order("system").Find(&rows).Error
	for _, r := range rows {
		of[r.ReconciliationID] = append(of[r.ReconciliationID], r)
	}
	return of, database.Wrap("reading the systems of runs", err)
}

// Last is what came of each system when it was last compared or could not be, by system.
func Last(ctx context.Context, db *database.DB) (map[string]models.ReconciliationSystem, error) {
	var rows []models.ReconciliationSystem
	err := db.Read(ctx).Raw(`SELECT DISTINCT ON (system) * FROM reconciliation_systems WHERE outcome IN ? ORDER BY system, reconciliation_id DESC`,
		[]models.ComparisonOutcome{models.ComparisonCompared, models.ComparisonAlarm, models.ComparisonNoList}).Scan(&rows).Error
	of := make(map[string]models.ReconciliationSystem, len(rows))
	for _, r := range rows {
		of[r.System] = r
	}
	return of, database.Wrap("reading the last runs", err)
}

// DriftFilter selects drift; zero values select everything.
type DriftFilter struct {
	System     string
	Kind       models.DriftKind
	Open       *bool
	EmployeeID *uuid.UUID
	NotOf      uuid.UUID // leaves out that of somebody's own accounts
	Before     uuid.UUID // the last one of the page before
	Limit      int
}

// Drift is one page of drift, the newest first, and one more if there are more.
func Drift(ctx context.Context, db *database.DB, f DriftFilter) (rows []models.AccountDrift, err error) {
	q := db.Read(ctx).Where("employee_id IS DISTINCT FROM ?", f.NotOf)
	if f.System != "" {
		q = q.Where("system = ?", f.System)
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	if f.Open != nil && *f.Open {
		q = q.Where("ended_at IS NULL")
	} else if f.Open != nil {
		q = q.Where("ended_at IS NOT NULL")
	}
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing drift", err)
}

// Count is how much drift is open, by system and kind.
type Count struct {
	System string
	Kind   models.DriftKind
	Open   int
}

// OpenDrift counts what is open, without that of the own accounts.
func OpenDrift(ctx context.Context, db *database.DB, notOf uuid.UUID) (rows []Count, err error) {
	err = db.Read(ctx).Raw(`SELECT system, kind, count(*) AS open FROM account_drift
		WHERE ended_at IS NULL AND employee_id IS DISTINCT FROM ? GROUP BY 1, 2 ORDER BY 1, 2`, notOf).Scan(&rows).Error
	return rows, database.Wrap("counting drift", err)
}
