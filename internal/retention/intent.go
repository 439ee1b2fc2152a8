package retention

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Intent is what became of the attempt to begin a purge.
type Intent struct {
	// Began: the purge has passed the point of no return, now or before.
	Began bool
	// First: now, and no purge of this departure had before.
	First       bool
	DepartureID uuid.UUID
	Categories  []models.Category
}

// CommitIntent passes the point of no return for those categories of a purge that the database's
// predicate lethe_purgeable lets go (I1); the others leave the claim. With its commit later holds
// are too late (I4). It takes the holds lock and must come first in its transaction. Called again
// it finds the intent that was committed.
func CommitIntent(tx *database.Tx, purgeID uuid.UUID) (Intent, error) {
	if err := tx.LockHoldsShared(); err != nil {
		return Intent{}, err
	}
	c, err := lockPurge(tx, purgeID)
	if err != nil {
		return Intent{}, err
	}
	intent := Intent{DepartureID: c.departure.ID, Categories: c.categories()}
	switch c.purge.State {
	case models.PurgePurging, models.PurgePurged:
		intent.Began = true
		return intent, nil
	case models.PurgeCancelled:
		return intent, nil
	}
	now, err := tx.Now()
	if err != nil {
		return Intent{}, err
	}
	if err := c.release(tx, now); err != nil {
		return Intent{}, err
	}
	intent.Categories = c.categories()
	if c.purge.State == models.PurgeCancelled {
		return intent, nil
	}
	if err := c.review(tx, now); err != nil { // a rule may ask for one since the facts were read
		return Intent{}, err
	}
	if ready, _ := reviewed(c.purge, now); !ready {
		return intent, nil
	}
	if err := c.begin(tx); err != nil {
		return Intent{}, err
	}
	intent.Began, intent.Categories = true, c.categories()
	intent.First, err = c.first(tx)
	return intent, err
}

// begin moves category, deadline and purge to purging, in that order: the category's trigger asks
// the predicate once more.
func (c *claimed) begin(tx *database.Tx) error {
	categories, err := database.Find[models.EmploymentCategory](tx.DB().Clauses(database.ForUpdate), "categories", "id IN ?", c.categoryIDs())
	if err != nil {
		return err
	}
	if categories, err = c.leaveRefused(tx, categories); err != nil {
		return err
	}
	_, err = recordPurge(tx, actionPurgeIntended, c.purge.ID, c.departure, models.System,
		map[string]string{"categories": categoryList(c.categories())})
	if err != nil {
		return err
	}
	for _, category := range categories {
		err := database.UpdateOne(tx.DB().Exec(`UPDATE employment_categories SET state = ?, purging_at = lethe_now() WHERE id = ? AND state = ?`,
			models.CategoryPurging, category.ID, models.CategoryOpen))
		if err != nil {
			return fmt.Errorf("turning a category purging: %w", err)
		}
	}
	from := []models.DeadlineState{models.DeadlineScheduled, models.DeadlineInReview}
	moved, err := setDeadlines(tx, c.departure.ID, c.categories(), from, models.DeadlinePurging)
	if err != nil {
		return err
	}
	if int(moved) != len(categories) {
		return errors.Join(ErrNotPurgeable, database.ErrChanged)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE purges SET state = ?, intent_at = lethe_now() WHERE id = ? AND state = ?`,
		models.PurgePurging, c.purge.ID, c.purge.State))
	return database.Wrap("turning a purge purging", err)
}

// leaveRefused takes out of the claim what the predicate does not let go, so that it does not hold up
// the rest: it gets a purge of its own. If nothing is let go it is ErrNotPurgeable.
func (c *claimed) leaveRefused(tx *database.Tx, categories []models.EmploymentCategory) ([]models.EmploymentCategory, error) {
	var free []uuid.UUID
	err := tx.DB().Raw("SELECT id FROM employment_categories WHERE id IN ? AND lethe_purgeable(id)", c.categoryIDs()).Scan(&free).Error
	if err != nil {
		return nil, database.Wrap("asking whether categories may be purged", err)
	}
	if len(free) == len(categories) {
		return categories, nil
	}
	if len(free) == 0 {
		return nil, ErrNotPurgeable
	}
	var refused []models.Category
	categories = slices.DeleteFunc(categories, func(k models.EmploymentCategory) bool {
		if slices.Contains(free, k.ID) {
			return false
		}
		refused = append(refused, k.Category)
		return true
	})
	c.deadlines = slices.DeleteFunc(c.deadlines, func(l models.RetentionDeadline) bool { return slices.Contains(refused, l.Category) })
	return categories, c.letGo(tx, refused)
}

func (c *claimed) first(tx *database.Tx) (bool, error) {
	var others int64
	err := tx.DB().Model(&models.Purge{}).
		Where("departure_id = ? AND id <> ? AND intent_at IS NOT NULL", c.departure.ID, c.purge.ID).Count(&others).Error
	if err != nil {
		return false, database.Wrap("looking for earlier purges", err)
	}
	return others == 0, nil
}
