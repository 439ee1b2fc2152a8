package database

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// nearest is how many rows of a list are looked at one by one before an index is asked. A condition that one
// row in a hundred meets fills a page from them; of a rarer one an index has at most a hundredth of all
// rows, and those are read whole and sorted in about the same time.
var nearest = 5000 // tests set it

// Narrow limits rows, an ordered query that reads a table with a column id, to those that meet conditions on
// columns of the table, whose order does not help to find them; limit is how many of them will be read.
//
// The planner cannot tell how the rows that meet a condition are spread over an order, and may walk a whole
// table for a page, or collect and sort a tenth of it. So the first rows are tried, and then the index.
func Narrow(ctx context.Context, db *DB, rows *gorm.DB, table string, conditions []clause.Expr, limit int) (*gorm.DB, error) {
	if len(conditions) == 0 {
		return rows, nil
	}
	meeting := func(q *gorm.DB) *gorm.DB {
		for _, c := range conditions {
			q = q.Where(c)
		}
		return q
	}
	first := rows.Session(&gorm.Session{}).Limit(nearest)
	hits := meeting(db.Read(ctx).Table("(?) AS "+table, first)).Select(table + ".id").
		Clauses(rows.Statement.Clauses["ORDER BY"].Expression).Limit(limit)
	var found []struct {
		All bool // rows were looked at
		ID  *uuid.UUID
	}
	err := db.Read(ctx).Raw(`
		WITH hits AS MATERIALIZED (?)
		SELECT seen.all, hits.id FROM (SELECT (SELECT count(*) FROM hits) < ? AND (SELECT count(*) FROM (?) first) < ? AS all) seen
		LEFT JOIN hits ON true`, hits, limit, first.Session(&gorm.Session{}).Select(table+".id"), nearest).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("looking at the first rows of a list: %w", Hide(err))
	}
	ids := make([]uuid.UUID, 0, len(found))
	for _, f := range found {
		if f.ID != nil {
			ids = append(ids, *f.ID)
		}
	}
	if len(ids) == limit || found[0].All {
		return rows.Where(table+".id IN ?", ids), nil
	}
	// OFFSET keeps the planner from walking along the order here, too.
	whole := rows.Session(&gorm.Session{}).Table("(? OFFSET 0) AS "+table, meeting(db.Read(ctx).Table(table)))
	return rows.Where(table+".id IN (?)", whole.Select(table+".id").Limit(limit)), nil
}
