package imports

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Pace is how fast an import goes on, and how long it will about take.
type Pace struct {
	PerMinute int
	Left      time.Duration
}

// Paces are of those that go on by themselves, by what they did in the last minute. One that has only begun, or stands
// still, has none.
func Paces(ctx context.Context, db *database.DB, all []models.Batch) (map[uuid.UUID]Pace, error) {
	moving := slices.DeleteFunc(slices.Clone(all), func(b models.Batch) bool { return b.State != checking.state && b.State != running.state })
	if len(moving) == 0 {
		return nil, nil
	}
	ids := make(models.IDs, len(moving))
	for i, b := range moving {
		ids[i] = b.ID
	}
	var rows []struct {
		BatchID uuid.UUID
		Rows    int
		Seconds float64
	}
	err := db.Read(ctx).Raw(`SELECT p.batch_id, sum(p.rows) AS rows, extract(epoch FROM lethe_now() - min(p.walked_at))::float8 AS seconds
		FROM batch_parts p JOIN batches b ON b.id = p.batch_id
		WHERE p.batch_id = ANY (?) AND p.walked_at > lethe_now() - interval '1 minute' AND CASE b.state WHEN ? THEN p.checked ELSE p.ran END
		GROUP BY p.batch_id HAVING count(*) > 1`, ids, checking.state).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading how fast imports go", err)
	}
	paces := make(map[uuid.UUID]Pace, len(rows))
	for _, r := range rows {
		at := slices.IndexFunc(moving, func(b models.Batch) bool { return b.ID == r.BatchID })
		paces[r.BatchID] = paceOf(moving[at], r.Rows, r.Seconds)
	}
	return paces, nil
}

// paceOf is the pace of a batch that has walked so many rows in so many seconds.
func paceOf(b models.Batch, rows int, seconds float64) Pace {
	perSecond := float64(rows) / max(seconds, 0.001)
	left := b.Rows - b.Checked
	if b.State == running.state {
		left = b.Rows - b.Ran
	}
	return Pace{PerMinute: int(perSecond * 60), Left: time.Duration(float64(left) / perSecond * float64(time.Second)).Round(time.Second)}
}
