package retention

import (
	"strconv"
	"time"

	"lethe/internal/database"
	"lethe/models"
)

const (
	// escalateEvery is how often it is shown that nobody decides about a purge.
	escalateEvery = 14 * 24 * time.Hour
	// undecidedLimit is when an undecided purge escalates besides: the review's 30 days (I1) are over.
	undecidedLimit = 30 * 24 * time.Hour
)

// waitsSince is since when a purge waits for the decision that it waits for now.
func waitsSince(p models.Purge) time.Time {
	if p.State == models.PurgeRejected && p.RejectedAt.After(p.CreatedAt) { // before: it was ordered as rejected
		return *p.RejectedAt
	}
	return p.CreatedAt
}

// nextEscalation is when it is to be shown next that nobody decides about a waiting purge. It is pure.
func nextEscalation(p models.Purge) time.Time {
	since := waitsSince(p)
	last := since
	if p.EscalatedAt != nil && p.EscalatedAt.After(last) {
		last = *p.EscalatedAt
	}
	passed := int64(last.Sub(since) / escalateEvery)
	next := since.Add(time.Duration(passed+1) * escalateEvery)
	limit := since.Add(undecidedLimit)
	if p.State != models.PurgeRejected && limit.After(last) && limit.Before(next) {
		return limit
	}
	return next
}

// escalate shows that nobody decides, if it is time, and says whether it did. What was missed while
// nothing ran is shown once.
func (c *claimed) escalate(tx *database.Tx, now time.Time) (bool, error) {
	if nextEscalation(c.purge).After(now) {
		return false, nil
	}
	count := c.purge.Escalations + 1
	if err := c.update(tx, map[string]any{"escalations": count, "escalated_at": now}); err != nil {
		return false, err
	}
	c.purge.Escalations, c.purge.EscalatedAt = count, &now
	_, err := recordPurge(tx, actionPurgeEscalated, c.purge.ID, c.departure, models.System, map[string]string{
		"state": string(c.purge.State), "escalations": strconv.Itoa(count), "waits_since": instant(waitsSince(c.purge)),
	})
	return true, err
}
