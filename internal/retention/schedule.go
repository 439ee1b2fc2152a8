package retention

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Schedule gives every category of the departure's employment its deadline, and orders Retention.
// It is part of the transaction that sets departed. Categories under hold begin as held. A
// jurisdiction without rules is *MissingRulesError. A second call changes nothing.
func Schedule(tx *database.Tx, dep models.Departure, jurisdiction string) error {
	if _, err := LockDeparture(tx, dep.ID); err != nil {
		return err
	}
	// A rule that is put into force meanwhile waits, and then finds the deadlines made here.
	if err := tx.DB().Exec("LOCK TABLE retention_rules IN ROW EXCLUSIVE MODE").Error; err != nil {
		return database.Wrap("locking the retention rules", err)
	}
	rules, err := Rules(tx, jurisdiction)
	if err != nil {
		return err
	}
	var categories []models.EmploymentCategory
	if err := tx.DB().Where("employment_id = ?", dep.EmploymentID).Find(&categories).Error; err != nil {
		return database.Wrap("reading the categories", err)
	}
	scheduled, err := database.LockAll[models.Retention](tx, "a retention", "id = ?", dep.ID)
	if err != nil || len(scheduled) > 0 {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	rows, err := deadlinesOf(dep, categories, rules, now)
	if err != nil {
		return err
	}
	entry, err := recordDeadlines(tx, dep, jurisdiction, rows, rules)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].LedgerEntryID = entry
	}
	if len(rows) > 0 {
		if err := tx.DB().Create(&rows).Error; err != nil {
			return database.Wrap("creating the deadlines", err)
		}
	}
	if _, err := applyHolds(tx, dep.ID); err != nil {
		return err
	}
	tx.Nudge(models.DrivenRetention, dep.ID)
	return nil
}

// deadlinesOf gives each category of an employment its deadline, by the rules of its jurisdiction.
func deadlinesOf(dep models.Departure, categories []models.EmploymentCategory, rules []models.RetentionRule, now time.Time) ([]models.RetentionDeadline, error) {
	loc, err := clock.LoadZone(dep.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("loading the departure's zone: %w", err)
	}
	rows := make([]models.RetentionDeadline, 0, len(categories))
	for _, category := range categories {
		rule, ok := ruleFor(rules, category.Category)
		if !ok { // rules are of all categories
			return nil, fmt.Errorf("planning a deadline: no rule for %s", category.Category)
		}
		row, err := newDeadline(dep, category, rule, loc, now)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func newDeadline(dep models.Departure, category models.EmploymentCategory, rule models.RetentionRule, loc *time.Location, now time.Time) (models.RetentionDeadline, error) {
	deadline, floorAt, err := Deadline(rule, dep.EventAt(), loc)
	if err != nil {
		return models.RetentionDeadline{}, err
	}
	id := models.NewID()
	return models.RetentionDeadline{
		ID: id, DepartureID: dep.ID, EmploymentID: dep.EmploymentID, CategoryID: category.ID,
		Category: category.Category, RuleID: rule.ID, EventAt: dep.EventAt(),
		Deadline: deadline, FloorAt: floorAt, State: models.DeadlineScheduled, Advanced: dep.Advanced, UpdatedAt: now,
	}, nil
}

// setDeadlines moves deadlines of a departure that are in one of the states from.
func setDeadlines(tx *database.Tx, departureID uuid.UUID, categories []models.Category, from []models.DeadlineState, to models.DeadlineState) (int64, error) {
	r := tx.DB().Exec(`UPDATE retention_deadlines SET state = ?, updated_at = lethe_now()
		WHERE departure_id = ? AND category IN ? AND state IN ?`, to, departureID, categories, from)
	if r.Error != nil {
		return 0, fmt.Errorf("moving deadlines to %s: %w", to, database.Hide(r.Error))
	}
	return r.RowsAffected, nil
}

// Cancel takes a departure's retention back: its deadlines and claims are cancelled, its workflows
// end. It is ErrPurgeBegan once any purge has passed the point of no return, and changes nothing if
// nothing was scheduled.
func Cancel(tx *database.Tx, departureID uuid.UUID, by models.Actor) error {
	dep, err := LockDeparture(tx, departureID)
	if err != nil {
		return err
	}
	retentions, err := database.LockAll[models.Retention](tx, "a retention", "id = ?", departureID)
	if err != nil || len(retentions) == 0 {
		return err
	}
	purges, err := database.LockAll[models.Purge](tx, "purges", "departure_id = ?", departureID)
	if err != nil {
		return err
	}
	for _, purge := range purges {
		if purge.IntentAt != nil {
			return ErrPurgeBegan
		}
	}
	if _, err := database.LockAll[models.RetentionDeadline](tx, "deadlines", "departure_id = ?", departureID); err != nil {
		return err
	}
	var cancelled []string
	for _, purge := range purges {
		if purge.State == models.PurgeCancelled {
			continue
		}
		cancelled = append(cancelled, purge.ID.String())
		if err := leaveClaims(tx, purge.ID, models.Categories); err != nil {
			return err
		}
		if err := cancelPurge(tx, purge.ID); err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenPurge, purge.ID); err != nil {
			return err
		}
	}
	details := map[string]string{}
	if len(cancelled) > 0 {
		details["purges"] = strings.Join(cancelled, ",")
	}
	entry, err := appendEntry(tx, ledger.KindRetention, actionCancelled, "retention/"+departureID.String(), dep.EmployeeID, by, details, "")
	if err != nil {
		return err
	}
	if err := cancelDeadlines(tx, departureID, *entry); err != nil {
		return err
	}
	if err := end(tx, departureID); err != nil {
		return err
	}
	return tx.Touch(models.DrivenRetention, departureID)
}

func cancelDeadlines(tx *database.Tx, departureID, entry uuid.UUID) error {
	open := []models.DeadlineState{models.DeadlineScheduled, models.DeadlineHeld, models.DeadlineInReview}
	err := tx.DB().Exec(`UPDATE retention_deadlines SET state = ?, ledger_entry_id = ?, updated_at = lethe_now()
		WHERE departure_id = ? AND state IN ?`, models.DeadlineCancelled, entry, departureID, open).Error
	return database.Wrap("cancelling deadlines", err)
}

// end ends a running retention.
func end(tx *database.Tx, departureID uuid.UUID) error {
	err := tx.DB().Exec(`UPDATE retentions SET state = ?, ended_at = lethe_now() WHERE id = ? AND state = ?`,
		models.RetentionEnded, departureID, models.RetentionRunning).Error
	return database.Wrap("ending a retention", err)
}

// AllPurged says whether every category of a departure was destroyed.
func AllPurged(tx *database.Tx, departureID uuid.UUID) (bool, error) {
	var count struct{ Total, Purged int }
	err := tx.DB().Raw(`SELECT count(*) AS total, count(*) FILTER (WHERE state = 'purged') AS purged
		FROM retention_deadlines WHERE departure_id = ?`, departureID).Scan(&count).Error
	if err != nil {
		return false, database.Wrap("counting what is purged", err)
	}
	return count.Total > 0 && count.Total == count.Purged, nil
}
