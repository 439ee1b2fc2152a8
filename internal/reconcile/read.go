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

// SystemsOf are the systems of some runs, by run, counted without what is about somebody's own accounts.
func SystemsOf(ctx context.Context, db *database.DB, runs []uuid.UUID, notOf uuid.UUID) (map[uuid.UUID][]models.ReconciliationSystem, error) {
	of := make(map[uuid.UUID][]models.ReconciliationSystem, len(runs))
	if len(runs) == 0 {
		return of, nil
	}
	var rows []models.ReconciliationSystem
	err := db.Read(ctx).Where("reconciliation_id IN ?", runs).Order("system").Find(&rows).Error
	if err == nil {
		err = withoutOwn(ctx, db, notOf, rows)
	}
	for _, r := range rows {
		of[r.ReconciliationID] = append(of[r.ReconciliationID], r)
	}
	return of, database.Wrap("reading the systems of runs", err)
}

// Last is what came of each system when it was last compared or could not be, by system, counted without what is about
// somebody's own accounts.
func Last(ctx context.Context, db *database.DB, notOf uuid.UUID) (map[string]models.ReconciliationSystem, error) {
	var rows []models.ReconciliationSystem
	err := db.Read(ctx).Raw(`SELECT DISTINCT ON (system) * FROM reconciliation_systems WHERE outcome IN ? ORDER BY system, reconciliation_id DESC`,
		[]models.ComparisonOutcome{models.ComparisonCompared, models.ComparisonAlarm, models.ComparisonNoList}).Scan(&rows).Error
	if err == nil {
		err = withoutOwn(ctx, db, notOf, rows)
	}
	of := make(map[string]models.ReconciliationSystem, len(rows))
	for _, r := range rows {
		of[r.System] = r
	}
	return of, database.Wrap("reading the last runs", err)
}

// withoutOwn takes from counts what is about somebody's own accounts: of those they read nothing.
func withoutOwn(ctx context.Context, db *database.DB, person uuid.UUID, rows []models.ReconciliationSystem) error {
	runs := make(models.IDs, len(rows))
	for i, r := range rows {
		runs[i] = r.ReconciliationID
	}
	var own []models.ReconciliationSystem
	err := db.Read(ctx).Raw(`SELECT s.reconciliation_id, s.system, count(*) FILTER (WHERE d.first_run_id = s.reconciliation_id) AS found,
			count(*) FILTER (WHERE d.first_run_id < s.reconciliation_id AND d.last_run_id >= s.reconciliation_id) AS still, count(*) FILTER (WHERE d.ended_at = s.ended_at) AS ended
		FROM account_drift d JOIN reconciliation_systems s ON s.system = d.system
		WHERE d.employee_id = ? AND s.reconciliation_id = ANY (?) GROUP BY 1, 2`, person, runs).Scan(&own).Error
	for _, o := range own {
		for i := range rows {
			if r := &rows[i]; r.ReconciliationID == o.ReconciliationID && r.System == o.System { // of one that was interrupted not all was counted
				r.Found, r.Still, r.Ended = max(0, r.Found-o.Found), max(0, r.Still-o.Still), max(0, r.Ended-o.Ended)
			}
		}
	}
	return database.Wrap("counting one's own drift", err)
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
