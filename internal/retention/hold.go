package retention

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// HoldOrder asks for a legal hold on an employment's data, before or after a departure.
type HoldOrder struct {
	EmploymentID uuid.UUID
	// Categories are suspended from deletion; none means all that are not destroyed yet.
	Categories []models.Category
	// Matter is the reference of the case, not its story: it is not sealed.
	Matter string
	By     models.Actor
}

// PlaceHold suspends deletion from its commit on. A hold and a purge meet on one lock (I4): a
// category whose purge has committed its intent is too late. Named categories that are make it
// *TooLateError without any effect; a hold on everything takes what is left and returns the rest.
func PlaceHold(tx *database.Tx, o HoldOrder) (hold models.Hold, tooLate []models.Category, err error) {
	if err := o.check(); err != nil {
		return hold, nil, err
	}
	if err := tx.LockHolds(); err != nil {
		return hold, nil, err
	}
	employment, err := archive.LockEmployment(tx, o.EmploymentID)
	if err != nil {
		return hold, nil, err
	}
	tooLate, left, err := destroyed(tx, o)
	if err != nil {
		return hold, nil, err
	}
	if len(tooLate) > 0 && (len(o.Categories) > 0 || left == 0) {
		return hold, nil, &TooLateError{tooLate}
	}
	id, err := newID()
	if err != nil {
		return hold, nil, err
	}
	list := make([]string, len(o.Categories))
	for i, c := range o.Categories {
		list[i] = string(c)
	}
	entry, err := recordHold(tx, actionHoldPlaced, id, employment, o.By, categoryList(o.Categories))
	if err != nil {
		return hold, nil, err
	}
	err = tx.DB().Exec(`INSERT INTO holds (id, employment_id, categories, matter, placed_by, ledger_entry_id)
		VALUES (?, ?, string_to_array(NULLIF(?, ''), ','), ?, ?, ?)`,
		id, o.EmploymentID, strings.Join(list, ","), o.Matter, o.By.ID(), entry).Error
	if err != nil {
		return hold, nil, fmt.Errorf("placing a hold: %w", database.Hide(err))
	}
	if err := resume(tx, o.EmploymentID); err != nil {
		return hold, nil, err
	}
	hold = models.Hold{ID: id, EmploymentID: o.EmploymentID, Categories: list, Matter: o.Matter, PlacedBy: o.By.ID(), LedgerEntryID: entry}
	return hold, tooLate, nil
}

func (o HoldOrder) check() error {
	if o.Matter == "" {
		return ErrMatterRequired
	}
	for _, c := range o.Categories {
		if !slices.Contains(models.Categories, c) {
			return ErrUnknownCategory
		}
	}
	return nil
}

// destroyed says which of the order's categories are past the point of no return, and how many are not.
func destroyed(tx *database.Tx, o HoldOrder) (gone []models.Category, left int, err error) {
	var rows []models.EmploymentCategory
	if err := tx.DB().Where("employment_id = ?", o.EmploymentID).Order(byID).Find(&rows).Error; err != nil {
		return nil, 0, fmt.Errorf("reading the categories: %w", database.Hide(err))
	}
	for _, row := range rows {
		if len(o.Categories) > 0 && !slices.Contains(o.Categories, row.Category) {
			continue
		}
		if row.State == models.CategoryOpen {
			left++
		} else {
			gone = append(gone, row.Category)
		}
	}
	return gone, left, nil
}

// ReleaseHold ends a hold. What it alone suspended is purged when due, which may be at once; other
// holds on the same categories stay. A second release changes nothing.
func ReleaseHold(tx *database.Tx, holdID uuid.UUID, by models.Actor) error {
	if err := tx.LockHolds(); err != nil {
		return err
	}
	var found []struct {
		EmploymentID uuid.UUID
		Categories   string
		Released     bool
	}
	err := tx.DB().Raw(`SELECT employment_id, coalesce(array_to_string(categories, ','), '') AS categories, released_at IS NOT NULL AS released
		FROM holds WHERE id = ?`, holdID).Scan(&found).Error
	if err != nil {
		return fmt.Errorf("reading a hold: %w", database.Hide(err))
	}
	if len(found) == 0 {
		return fmt.Errorf("reading a hold: %w", database.ErrNotFound)
	}
	if found[0].Released {
		return nil
	}
	employment, err := archive.LockEmployment(tx, found[0].EmploymentID)
	if err != nil {
		return err
	}
	entry, err := recordHold(tx, actionHoldReleased, holdID, employment, by, found[0].Categories)
	if err != nil {
		return err
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE holds SET released_at = lethe_now(), released_by = ?, release_entry_id = ?
		WHERE id = ? AND released_at IS NULL`, by.ID(), entry, holdID))
	if err != nil {
		return fmt.Errorf("releasing a hold: %w", err)
	}
	return resume(tx, employment.ID)
}

// recordHold appends a hold; the matter may describe a case and stays in the hold's row.
func recordHold(tx *database.Tx, action string, id uuid.UUID, employment models.Employment, by models.Actor, categories string) (*uuid.UUID, error) {
	if categories == "" {
		categories = "all"
	}
	return appendEntry(tx, ledger.KindRetention, action, "hold/"+id.String(), employment.EmployeeID, by,
		map[string]string{"employment": employment.ID.String(), "categories": categories})
}

// resume lets the running retention of an employment, and its purges before their intent, see
// which holds there are now. The employment is locked.
func resume(tx *database.Tx, employmentID uuid.UUID) error {
	var departures []uuid.UUID
	err := tx.DB().Model(&models.Retention{}).Where("employment_id = ? AND state = ?", employmentID, models.RetentionRunning).
		Pluck("id", &departures).Error
	if err != nil {
		return fmt.Errorf("looking for a running retention: %w", database.Hide(err))
	}
	for _, id := range departures {
		if _, err := lockDeparture(tx, id); err != nil {
			return err
		}
		if _, err := lockRows[models.Retention](tx, forChange, "a retention", "id = ?", id); err != nil {
			return err
		}
		open := []models.PurgeState{models.PurgeClaimed, models.PurgeInReview}
		purges, err := lockRows[models.Purge](tx, forChange, "purges", "departure_id = ? AND state IN ?", id, open)
		if err != nil {
			return err
		}
		if _, err := applyHolds(tx, id); err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenRetention, id); err != nil {
			return err
		}
		for _, purge := range purges {
			if err := tx.Touch(models.DrivenPurge, purge.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyHolds brings the states of a departure's deadlines into line with the holds that are active
// and returns the deadlines, locked, by id. The employment is locked.
func applyHolds(tx *database.Tx, departureID uuid.UUID) ([]models.RetentionDeadline, error) {
	rows, err := lockRows[models.RetentionDeadline](tx, forChange, "deadlines", "departure_id = ?", departureID)
	if err != nil {
		return nil, err
	}
	var held []models.Category
	err = tx.DB().Raw(`SELECT l.category FROM retention_deadlines l WHERE l.departure_id = ? AND EXISTS (
			SELECT FROM holds h WHERE h.employment_id = l.employment_id AND h.released_at IS NULL
			AND (h.categories IS NULL OR l.category = ANY (h.categories)))`, departureID).Scan(&held).Error
	if err != nil {
		return nil, fmt.Errorf("reading the holds: %w", database.Hide(err))
	}
	for i, row := range rows {
		var next models.DeadlineState
		switch isHeld := slices.Contains(held, row.Category); {
		case isHeld && (row.State == models.DeadlineScheduled || row.State == models.DeadlineInReview):
			next = models.DeadlineHeld
		case !isHeld && row.State == models.DeadlineHeld:
			next = models.DeadlineScheduled
		default:
			continue
		}
		if _, err := setDeadlines(tx, departureID, []models.Category{row.Category}, []models.DeadlineState{row.State}, next); err != nil {
			return nil, err
		}
		rows[i].State = next
	}
	return rows, nil
}
