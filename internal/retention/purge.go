package retention

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// PurgeFacts is what a Purge workflow needs to know.
type PurgeFacts struct {
	State models.PurgeState
	// Done: purged, or nothing is left to purge.
	Done bool
	// Run: its steps may be carried out now.
	Run bool
	// WakeIn is the time until the review can no longer hold it up, or until it is shown again that
	// nobody decides, at least a second; 0: nothing is waited for.
	WakeIn time.Duration
	// Escalated: it was shown just now that nobody decides.
	Escalated bool
}

// lookAgain is when a purge whose steps should be running is looked at again.
const lookAgain = 2 * time.Minute

// claimed is a purge with what it holds, all locked.
type claimed struct {
	purge     models.Purge
	departure models.Departure
	deadlines []models.RetentionDeadline // of the open claims, by id
}

func (c claimed) categories() []models.Category {
	list := make([]models.Category, len(c.deadlines))
	for i, l := range c.deadlines {
		list[i] = l.Category
	}
	return list
}

func (c claimed) categoryIDs() []uuid.UUID {
	list := make([]uuid.UUID, len(c.deadlines))
	for i, l := range c.deadlines {
		list[i] = l.CategoryID
	}
	return list
}

// lockPurge locks employment, departure, purge and the deadlines of its open (or purged) claims.
func lockPurge(tx *database.Tx, id uuid.UUID) (claimed, error) {
	found, err := database.First[models.Purge](tx.DB().Select("id", "departure_id").Where("id = ?", id))
	if err != nil {
		return claimed{}, fmt.Errorf("reading a purge: %w", err)
	}
	dep, err := LockDeparture(tx, found.DepartureID)
	if err != nil {
		return claimed{}, err
	}
	purges, err := database.LockAll[models.Purge](tx, "a purge", "id = ?", id)
	if err != nil {
		return claimed{}, err
	}
	deadlines, err := database.LockAll[models.RetentionDeadline](tx, "the deadlines of a purge",
		"departure_id = ? AND category IN (SELECT category FROM purge_claims WHERE purge_id = ? AND state <> ?)",
		dep.ID, id, models.ClaimLeft)
	return claimed{purges[0], dep, deadlines}, err
}

// LookAtPurge lets go of what became held or was moved, escalates what waits too long for a decision,
// says whether the steps may be carried out, and records that everything up to now was seen. It may run
// any number of times.
func LookAtPurge(tx *database.Tx, purgeID uuid.UUID) (PurgeFacts, error) {
	c, err := lockPurge(tx, purgeID)
	if err != nil {
		return PurgeFacts{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return PurgeFacts{}, err
	}
	if c.purge.IntentAt == nil && c.purge.State != models.PurgeCancelled {
		if err := c.release(tx, now); err != nil {
			return PurgeFacts{}, err
		}
	}
	facts := PurgeFacts{State: c.purge.State}
	var wake *time.Time
	switch c.purge.State {
	case models.PurgePurged, models.PurgeCancelled:
		facts.Done = true
	case models.PurgePurging:
		facts.Run = true
	default:
		if err := c.review(tx, now); err != nil {
			return PurgeFacts{}, err
		}
		facts.State = c.purge.State
		if facts.Run, wake = reviewed(c.purge, now); facts.Run {
			break
		}
		if facts.Escalated, err = c.escalate(tx, now); err != nil {
			return PurgeFacts{}, err
		}
		if next := nextEscalation(c.purge); wake == nil || next.Before(*wake) {
			wake = &next
		}
	}
	if facts.Run {
		again := now.Add(lookAgain)
		wake = &again
	} else if wake != nil {
		facts.WakeIn = max(wake.Sub(now), time.Second)
	}
	return facts, tx.Seen(models.DrivenPurge, purgeID, wake)
}

// reviewed says whether a purge may go on as far as reviews are concerned, else when it may though
// nobody agrees (nil: never). What somebody rejected never goes on by that nobody decides.
func reviewed(p models.Purge, now time.Time) (ready bool, at *time.Time) {
	switch {
	case p.State == models.PurgeRejected:
		return false, nil
	case p.Decision == models.DecisionApproved:
		return true, nil
	case p.ReviewRequired:
		return false, nil
	case p.ReviewUntil == nil || !p.ReviewUntil.After(now):
		return true, nil
	}
	return false, p.ReviewUntil
}

// review shows to reviewers what waits for them. What wants a review since the purge was ordered gets it.
func (c *claimed) review(tx *database.Tx, now time.Time) error {
	wanting, err := wantReview(tx, c.deadlines)
	if err != nil {
		return err
	}
	next := c.purge
	next.ReviewRequired = next.ReviewRequired || len(wanting) > 0
	ready, _ := reviewed(next, now)
	if !ready && next.State == models.PurgeClaimed {
		next.State = models.PurgeInReview
	}
	if next.ReviewRequired != c.purge.ReviewRequired || next.State != c.purge.State {
		if err := c.update(tx, map[string]any{"state": next.State, "review_required": next.ReviewRequired}); err != nil {
			return err
		}
		c.purge = next
		if _, err := recordPurge(tx, actionPurgeReviewAsked, c.purge.ID, c.departure, models.System, nil); err != nil {
			return err
		}
	}
	if ready {
		return nil
	}
	_, err = setDeadlines(tx, c.departure.ID, c.categories(), []models.DeadlineState{models.DeadlineScheduled}, models.DeadlineInReview)
	return err
}

// release lets go of the categories that are held by now, or not due any more because a rule moved
// them, or were rejected in an earlier purge than this one, which was not. A purge without any category is
// cancelled. Retention takes over what was let go.
func (c *claimed) release(tx *database.Tx, now time.Time) error {
	all, err := applyHolds(tx, c.departure.ID)
	if err != nil {
		return err
	}
	mine := c.categories()
	former, err := rejections(tx, c.categoryIDs())
	if err != nil {
		return err
	}
	c.deadlines = nil
	var gone []models.Category
	for _, l := range all {
		switch {
		case !slices.Contains(mine, l.Category):
		case l.State != models.DeadlineScheduled && l.State != models.DeadlineInReview, l.Deadline.After(now),
			c.purge.RejectedAt == nil && rejected(former, l):
			gone = append(gone, l.Category)
		default:
			c.deadlines = append(c.deadlines, l)
		}
	}
	if len(gone) == 0 && len(c.deadlines) > 0 {
		return nil
	}
	return c.letGo(tx, gone)
}

// letGo takes categories out of the claim, which c.deadlines no longer lists. Retention orders them
// another purge once they are due and free. A purge without any category is cancelled.
func (c *claimed) letGo(tx *database.Tx, gone []models.Category) error {
	if len(gone) > 0 {
		if err := leaveClaims(tx, c.purge.ID, gone); err != nil {
			return err
		}
		if _, err := setDeadlines(tx, c.departure.ID, gone, []models.DeadlineState{models.DeadlineInReview}, models.DeadlineScheduled); err != nil {
			return err
		}
		if err := tx.Touch(models.DrivenRetention, c.departure.ID); err != nil {
			return err
		}
	}
	action := actionPurgeCategoriesLeft
	if len(c.deadlines) == 0 {
		action = actionPurgeCancelled
		c.purge.State = models.PurgeCancelled
		if err := cancelPurge(tx, c.purge.ID); err != nil {
			return err
		}
	}
	_, err := recordPurge(tx, action, c.purge.ID, c.departure, models.System, map[string]string{"categories": categoryList(gone)})
	return err
}

func (c *claimed) update(tx *database.Tx, columns map[string]any) error {
	return database.Wrap("updating a purge", database.UpdateOne(
		tx.DB().Model(&models.Purge{}).Where("id = ? AND state = ?", c.purge.ID, c.purge.State).Updates(columns)))
}

func leaveClaims(tx *database.Tx, purgeID uuid.UUID, categories []models.Category) error {
	err := tx.DB().Model(&models.PurgeClaim{}).
		Where("purge_id = ? AND category IN ? AND state = ?", purgeID, categories, models.ClaimOpen).
		Update("state", models.ClaimLeft).Error
	return database.Wrap("leaving claims", err)
}

func cancelPurge(tx *database.Tx, purgeID uuid.UUID) error {
	err := database.UpdateOne(tx.DB().Exec(`UPDATE purges SET state = ?, ended_at = lethe_now() WHERE id = ? AND state IN ?`,
		models.PurgeCancelled, purgeID, []models.PurgeState{models.PurgeClaimed, models.PurgeInReview, models.PurgeRejected}))
	return database.Wrap("cancelling a purge", err)
}

// LockPurge locks a purge with what it is about, and reads it and its departure.
func LockPurge(tx *database.Tx, purgeID uuid.UUID) (models.Purge, models.Departure, error) {
	c, err := lockPurge(tx, purgeID)
	return c.purge, c.departure, err
}
