package retention

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// rederiveBatch bounds the rows that one statement reads and writes.
const rederiveBatch = 1000

// running is a deadline that still runs, with what it is computed from.
type running struct {
	ID            uuid.UUID
	EventAt       time.Time
	Deadline      time.Time
	FloorAt       time.Time
	ExtendedUntil *time.Time
	Advanced      bool
	TimeZone      string
}

const runningColumns = "l.id, l.event_at, l.deadline, l.floor_at, l.extended_until, l.advanced, d.time_zone"

// Rederive lets the deadlines that still run follow the rule in force for a category of a
// jurisdiction. If it would bring one of them forward it is ErrApprovalRequired, and the caller
// rolls everything back (I6). Workflows are not woken: they look again at the former, earlier
// instant, or when their purge asks.
func Rederive(tx *database.Tx, jurisdiction string, category models.Category) error {
	inForce, err := rulesInForce(tx, jurisdiction)
	if err != nil {
		return err
	}
	rule, ok := inForce[category]
	if !ok {
		return &MissingRulesError{jurisdiction, []models.Category{category}}
	}
	var after uuid.UUID
	for {
		rows, err := lockRunning(tx, rule, after)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			if err := rows[i].follow(rule); err != nil {
				return err
			}
		}
		if err := writeRunning(tx, rule, rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].ID
	}
}

// lockRunning locks the next deadlines, by id, that run under another version of the rule.
func lockRunning(tx *database.Tx, rule models.RetentionRule, after uuid.UUID) ([]running, error) {
	var rows []running
	err := tx.DB().Raw(`
		SELECT `+runningColumns+`
		FROM retention_deadlines l JOIN departures d ON d.id = l.departure_id JOIN retention_rules r ON r.id = l.rule_id
		WHERE r.jurisdiction = ? AND r.category = ? AND l.rule_id <> ? AND l.state IN ('scheduled', 'held', 'in_review') AND l.id > ?
		ORDER BY l.id LIMIT ? FOR NO KEY UPDATE OF l`,
		rule.Jurisdiction, rule.Category, rule.ID, after, rederiveBatch).Scan(&rows).Error
	return rows, database.Wrap("locking the deadlines of a rule", err)
}

// follow recomputes the deadline by a rule, and refuses to bring it forward.
func (r *running) follow(rule models.RetentionRule) error {
	next := *r
	if err := next.obey(rule); err != nil {
		return err
	}
	if next.Deadline.Before(r.Deadline) || next.FloorAt.Before(r.FloorAt) {
		return ErrApprovalRequired
	}
	*r = next
	return nil
}

// obey recomputes the deadline by a rule; what two people extended stays at least as long. One that comes
// forward by it wants the review.
func (r *running) obey(rule models.RetentionRule) error {
	loc, err := clock.LoadZone(r.TimeZone)
	if err != nil {
		return fmt.Errorf("loading a departure's zone: %w", err)
	}
	deadline, floorAt, err := Deadline(rule, r.EventAt, loc)
	if err != nil {
		return err
	}
	if r.ExtendedUntil != nil && r.ExtendedUntil.After(deadline) {
		deadline = *r.ExtendedUntil
	}
	r.Advanced = r.Advanced || deadline.Before(r.Deadline)
	r.Deadline, r.FloorAt = deadline, floorAt
	return nil
}

func writeRunning(tx *database.Tx, rule models.RetentionRule, rows []running) error {
	entry, err := recordRederived(tx, rule, rows)
	if err != nil {
		return err
	}
	return write(tx, rule, rows, entry)
}

func write(tx *database.Tx, rule models.RetentionRule, rows []running, entry *uuid.UUID) error {
	values := make([]string, len(rows))
	args := []any{rule.ID, entry}
	for i, r := range rows {
		values[i] = "(?::uuid, ?::timestamptz, ?::timestamptz, ?::timestamptz, ?::boolean)"
		args = append(args, r.ID, r.EventAt, r.Deadline, r.FloorAt, r.Advanced)
	}
	err := tx.DB().Exec(`
		UPDATE retention_deadlines l SET rule_id = ?, ledger_entry_id = ?, event_at = v.event_at, deadline = v.deadline,
			floor_at = v.floor_at, advanced = v.advanced, updated_at = lethe_now()
		FROM (VALUES `+strings.Join(values, ", ")+`) AS v (id, event_at, deadline, floor_at, advanced) WHERE l.id = v.id`, args...).Error
	return database.Wrap("writing deadlines", err)
}

// Following is what becomes of the deadlines of one employment that still run under other rules than its
// jurisdiction's: they follow those, to earlier instants too, which two people agree to.
type Following struct {
	Rules []models.RetentionRule
	Moved map[models.Category]time.Time

	employmentID uuid.UUID
	rows         [][]running // of each rule
}

// PrepareFollowing judges an employment as it would be, which the caller has locked. A jurisdiction without rules
// is *MissingRulesError.
func PrepareFollowing(tx *database.Tx, employment models.Employment) (f Following, err error) {
	if err = tx.DB().Exec("LOCK TABLE retention_rules IN ROW EXCLUSIVE MODE").Error; err != nil {
		return f, database.Wrap("locking the retention rules", err)
	}
	if f.Rules, err = Rules(tx, employment.Jurisdiction); err != nil {
		return f, err
	}
	f.employmentID, f.rows, f.Moved = employment.ID, make([][]running, len(f.Rules)), map[models.Category]time.Time{}
	for i, rule := range f.Rules {
		err := tx.DB().Raw(`
			SELECT `+runningColumns+`
			FROM retention_deadlines l JOIN departures d ON d.id = l.departure_id
			WHERE l.employment_id = ? AND l.category = ? AND l.rule_id <> ? AND l.state IN ('scheduled', 'held', 'in_review')
			ORDER BY l.id FOR NO KEY UPDATE OF l`, employment.ID, rule.Category, rule.ID).Scan(&f.rows[i]).Error
		if err != nil {
			return f, database.Wrap("locking the deadlines of an employment", err)
		}
		for j := range f.rows[i] {
			if err := f.rows[i][j].obey(rule); err != nil {
				return f, err
			}
			f.Moved[rule.Category] = f.rows[i][j].Deadline
		}
	}
	return f, nil
}

// Write lets the deadlines follow, in the transaction that changed the employment.
func (f Following) Write(tx *database.Tx) error {
	for i, rule := range f.Rules {
		if len(f.rows[i]) == 0 {
			continue
		}
		if err := writeRunning(tx, rule, f.rows[i]); err != nil {
			return err
		}
	}
	return resume(tx, f.employmentID)
}

// RunningDeadlines are those of an employment that still run, by category.
func RunningDeadlines(tx *database.Tx, employmentID uuid.UUID) (map[models.Category]time.Time, error) {
	var rows []models.RetentionDeadline
	err := tx.DB().Select("category", "deadline").
		Where("employment_id = ? AND state IN ?", employmentID, []models.DeadlineState{models.DeadlineScheduled, models.DeadlineHeld, models.DeadlineInReview}).
		Find(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading the deadlines of an employment", err)
	}
	deadlines := make(map[models.Category]time.Time, len(rows))
	for _, row := range rows {
		deadlines[row.Category] = row.Deadline
	}
	return deadlines, nil
}
