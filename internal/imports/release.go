package imports

import (
	"strconv"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// Limits are how much one person lets happen by a file of departures without a second one. What the same person began within
// a day, alone or by other files, counts with it.
type Limits struct {
	// People is how many may leave.
	People int
	// CompanyShare and DepartmentShare are how much of a legal entity, and of a department, in percent.
	CompanyShare, DepartmentShare int
}

// fewest is from how many people on the share of a company or of a department counts: of two, one is half.
const fewest = 3

// leavingNow are those whom a file lets leave, and those whom its sender let leave within a day, or lets by other files.
const leavingNow = `WITH leaving AS (
	SELECT (r ->> 'e')::uuid AS id FROM batches b JOIN batch_parts p ON p.batch_id = b.id, jsonb_array_elements(p.planned) r
	WHERE (b.id = @batch OR b.actor_id = @actor AND b.kind = 'departures' AND b.state IN ('running', 'paused')) AND r ->> 'x' = 'begins'
	UNION SELECT employee_id FROM departures WHERE created_by = @actor AND created_at > lethe_now() - interval '24 hours' AND batch_id IS NULL)
`

// AssessLeaves is why one person may not run a file of departures alone.
func AssessLeaves(tx *database.Tx, id uuid.UUID, limits Limits) (causes []models.Cause, err error) {
	batch, err := Runnable(tx, models.BatchDepartures, id)
	if err == nil {
		err = onlyUploader(tx, batch)
	}
	if err != nil {
		return nil, err
	}
	// Files of one person are released one after the other: each counts the one before.
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "leaving/"+batch.ActorID.String()).Error; err != nil {
		return nil, database.Wrap("waiting for another file", err)
	}
	all, err := Leaving(tx.DB(), id)
	if err != nil {
		return nil, err
	}
	var found struct {
		People              int
		Company, Department float64
	}
	err = tx.DB().Raw(leavingNow+`, staff AS (
			SELECT m.legal_entity_id, m.department_id, l.id IS NOT NULL AS leaves FROM employments m LEFT JOIN leaving l ON l.id = m.employee_id
			WHERE m.ended_at IS NULL OR m.ended_at > lethe_now() - interval '24 hours' AND l.id IS NOT NULL)
		SELECT (SELECT count(*) FROM leaving) AS people,
			(SELECT coalesce(max(share), 0) FROM (SELECT 100.0 * count(*) FILTER (WHERE leaves) / count(*) AS share FROM staff GROUP BY legal_entity_id HAVING count(*) >= @fewest) s)::float8 AS company,
			(SELECT coalesce(max(share), 0) FROM (SELECT 100.0 * count(*) FILTER (WHERE leaves) / count(*) AS share FROM staff GROUP BY department_id HAVING count(*) >= @fewest) s)::float8 AS department`,
		map[string]any{"batch": id, "actor": batch.ActorID, "fewest": fewest}).Scan(&found).Error
	if err != nil {
		return nil, database.Wrap("counting who would leave", err)
	}
	last, err := lastOnes(tx, batch)
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		is    bool
		cause models.Cause
	}{
		{found.People > limits.People, models.CauseManyLeave},
		{found.Company > float64(limits.CompanyShare) || found.Department > float64(limits.DepartmentShare), models.CauseShare},
		{all.Protected > 0, models.CauseProtected}, {all.Sudden > 0, models.CauseSudden}, {last, models.CauseLastOnes},
	} {
		if c.is {
			causes = append(causes, c.cause)
		}
	}
	return causes, nil
}

// lastOnes says whether fewer than two reviewers, or HR administrators, would be left by it.
func lastOnes(tx *database.Tx, batch models.Batch) (last bool, err error) {
	err = tx.DB().Raw(leavingNow+`SELECT EXISTS (SELECT FROM (
			SELECT r.role, count(DISTINCT u.employee_id) FILTER (WHERE l.id IS NULL AND u.state = 'active') AS others, count(l.id) AS theirs
			FROM users u JOIN user_roles r ON r.user_id = u.id AND r.revoked_at IS NULL LEFT JOIN leaving l ON l.id = u.employee_id
			WHERE u.state <> 'disabled' AND r.role IN ('reviewer', 'hr_admin') GROUP BY r.role) held WHERE theirs > 0 AND others < 2)`,
		map[string]any{"batch": batch.ID, "actor": batch.ActorID}).Scan(&last).Error
	return last, database.Wrap("looking who would be left", err)
}

// Holders are some of those whom a file lets leave though they head a department or administer, at most limit.
func Holders(g *gorm.DB, id uuid.UUID, limit int) (ids []uuid.UUID, err error) {
	err = g.Raw(`SELECT (r ->> 'e')::uuid FROM batch_parts p, jsonb_array_elements(p.planned) r
		WHERE p.batch_id = ? AND r ->> 'x' = 'begins' AND (r ->> 'p')::boolean ORDER BY p.position, (r ->> 'r')::int LIMIT ?`, id, limit).Scan(&ids).Error
	return ids, database.Wrap("reading who of a file heads or administers", err)
}

// InFile says whether a row of a file is about somebody.
func InFile(tx *database.Tx, id, person uuid.UUID) (there bool, err error) {
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM batch_parts WHERE batch_id = ? AND people @> ARRAY[?]::uuid[])", id, person).Scan(&there).Error
	return there, database.Wrap("looking whether somebody is in a file", err)
}

// NotOwn refuses that somebody turns a file that lets them leave: nobody decides whether they leave. A sender's own row never
// begins.
func NotOwn(tx *database.Tx, id uuid.UUID, by models.Actor) error {
	batch, err := lock(tx, id)
	if err != nil || batch.ActorID == by.EmployeeID {
		return err
	}
	own, err := InFile(tx, id, by.EmployeeID)
	if err == nil && own {
		err = ErrOwn
	}
	return err
}

// Pause stops a run for now: what is under way is not written. Resume goes on with it.
func Pause(tx *database.Tx, id uuid.UUID) error {
	return turn(tx, id, models.BatchRunning, models.BatchPaused, actionPaused)
}

// Resume goes on with a run that was paused.
func Resume(tx *database.Tx, id uuid.UUID) error {
	return turn(tx, id, models.BatchPaused, models.BatchRunning, actionResumed)
}

// turn changes a run from one state to another; one that is there already stays.
func turn(tx *database.Tx, id uuid.UUID, from, to models.BatchState, action string) error {
	batch, err := lock(tx, id)
	switch {
	case err != nil || batch.State == to:
		return err
	case batch.State != from:
		return ErrState
	}
	entry, err := record(tx, action, batch, map[string]string{"rows": strconv.Itoa(batch.Rows), "ran": strconv.Itoa(batch.Ran)})
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec("UPDATE batches SET state = ?, ledger_entry_id = ? WHERE id = ?", to, entry, id))
	if err != nil {
		return database.Wrap("pausing or resuming a run", err)
	}
	return tx.Touch(models.DrivenBatch, id)
}
