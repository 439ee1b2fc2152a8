package retention

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/database"
)

// forgetRequests empties what the requests that led to something of the person came as, and those that the
// person made: a digest of a text that is destroyed would still tell whoever sent it whether another text
// is the same. Whether a repeat within the life of its key says the same cannot be told then, and it is
// refused (I26). It comes first in its transaction: the row of a key is the first lock of every request.
func forgetRequests(tx *database.Tx, departureID uuid.UUID) error {
	err := tx.DB().Exec(`WITH person AS (SELECT employee_id AS id FROM departures WHERE id = ?),
		employments AS (SELECT m.id FROM employments m JOIN person p ON m.employee_id = p.id),
		things AS (
			SELECT id FROM person
			UNION ALL SELECT d.id FROM departures d JOIN person p ON d.employee_id = p.id
			UNION ALL SELECT o.id FROM account_operations o JOIN employments m ON o.employment_id = m.id
			UNION ALL SELECT a.id FROM linked_accounts a JOIN employments m ON a.employment_id = m.id
			UNION ALL SELECT h.id FROM holds h JOIN person p ON h.employee_id = p.id
			UNION ALL SELECT a.id FROM approvals a JOIN person p ON p.id = ANY (a.subject_ids)
			UNION ALL SELECT u.id FROM users u JOIN person p ON u.employee_id = p.id)
		UPDATE idempotency_keys k SET request_hash = NULL
		WHERE k.request_hash IS NOT NULL
			AND (right(k.location, 36) IN (SELECT id::text FROM things) OR k.employee_id = (SELECT id FROM person))`, departureID).Error
	if err != nil {
		return database.Wrap("forgetting requests", err)
	}
	var person uuid.UUID
	var anew *time.Time
	err = tx.DB().Raw(`SELECT d.employee_id, (SELECT min(o.created_at) FROM employments o
			WHERE o.employee_id = m.employee_id AND (o.created_at, o.id) > (m.created_at, m.id))
		FROM departures d JOIN employments m ON m.id = d.employment_id WHERE d.id = ?`, departureID).Row().Scan(&person, &anew)
	if err != nil {
		return database.Wrap("reading whose requests they are", err)
	}
	return approval.Forget(tx, person, anew)
}
