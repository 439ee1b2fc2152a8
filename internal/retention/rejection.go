package retention

import (
	"bytes"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// reject notes at each category of a purge that somebody did not want it destroyed, which stays: whichever
// purge claims the category next takes two others. The entry is the decision's.
func (c *claimed) reject(tx *database.Tx, by models.Actor, entry *uuid.UUID) error {
	rows := make([]models.PurgeRejection, len(c.deadlines))
	for i, l := range c.deadlines {
		rows[i] = models.PurgeRejection{CategoryID: l.CategoryID, PurgeID: c.purge.ID, RejectedBy: by.ID(), LedgerEntryID: entry}
	}
	if len(rows) == 0 {
		return nil
	}
	return database.Wrap("keeping a rejection", tx.DB().Create(&rows).Error)
}

// rejections are the rejections of categories, whichever purge claimed them then, oldest first.
func rejections(tx *database.Tx, categories []uuid.UUID) ([]models.PurgeRejection, error) {
	var rows []models.PurgeRejection
	err := tx.DB().Where("category_id IN ?", categories).Order(by("rejected_at", "category_id", "purge_id")).Find(&rows).Error
	return rows, database.Wrap("reading rejections", err)
}

// rejected says whether a deadline's category was rejected by anybody.
func rejected(rows []models.PurgeRejection, l models.RetentionDeadline) bool {
	return slices.ContainsFunc(rows, func(r models.PurgeRejection) bool { return r.CategoryID == l.CategoryID })
}

// rejectionsOf are those of one deadline's category.
func rejectionsOf(rows []models.PurgeRejection, l models.RetentionDeadline) []models.PurgeRejection {
	return slices.DeleteFunc(slices.Clone(rows), func(r models.PurgeRejection) bool { return r.CategoryID != l.CategoryID })
}

// refusal is what the same people rejected before. Brought together, the rejections of different people
// would leave nobody who may approve all of it.
type refusal struct {
	people []uuid.UUID
	rows   []models.PurgeRejection
	due    []models.RetentionDeadline
}

// refuse adds a deadline with the rejections of its category to those of the same people.
func refuse(all []refusal, rows []models.PurgeRejection, l models.RetentionDeadline) []refusal {
	people := persons(rows)
	i := slices.IndexFunc(all, func(r refusal) bool { return slices.Equal(r.people, people) })
	if i < 0 {
		i, all = len(all), append(all, refusal{people: people})
	}
	all[i].rows, all[i].due = append(all[i].rows, rows...), append(all[i].due, l)
	slices.SortStableFunc(all[i].rows, func(a, b models.PurgeRejection) int { return a.RejectedAt.Compare(b.RejectedAt) })
	return all
}

// persons are who rejected something, each once, by id.
func persons(rows []models.PurgeRejection) (ids []uuid.UUID) {
	for _, r := range rows {
		if r.RejectedBy != nil && !slices.Contains(ids, *r.RejectedBy) {
			ids = append(ids, *r.RejectedBy)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// rejecters are all who rejected the purge, or before it any of what it claims.
func (c *claimed) rejecters(tx *database.Tx) ([]uuid.UUID, error) {
	rows, err := rejections(tx, c.categoryIDs())
	if err != nil {
		return nil, err
	}
	return persons(append(rows, models.PurgeRejection{RejectedBy: c.purge.RejectedBy})), nil
}

// Rejecters are all who rejected a purge, or before it any of what it claims: none of them is one of the
// two who approve it.
func Rejecters(tx *database.Tx, purgeID uuid.UUID) ([]uuid.UUID, error) {
	c, err := lockPurge(tx, purgeID)
	if err != nil {
		return nil, err
	}
	return c.rejecters(tx)
}

// asRejected is how a purge of what was rejected before begins: as the last one left it.
func asRejected(rows []models.PurgeRejection) models.Purge {
	last := rows[len(rows)-1]
	return models.Purge{
		State: models.PurgeRejected, ReviewRequired: true, Decision: models.DecisionRejected,
		DecidedBy: last.RejectedBy, DecidedAt: &last.RejectedAt, RejectedBy: last.RejectedBy, RejectedAt: &last.RejectedAt,
	}
}
