package database

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// nearest is how many rows of a list are looked at one by one before an index is asked. A condition that one
// row in a hundred meets fills a page from them; of a rarer one an index has at most a hundredth of all
// rows, and those are read whole and sorted in about the same time.
var nearest = 4000 // tests set it

// Condition is met by the same rows in both of its forms: one for a row that is looked at, and one for the index that finds
// rows. An index may find exactly what is looked for, and to check each row that it found takes longer than to find it.
type Condition struct{ Row, Index clause.Expr }

// Plain is a condition with one form.
func Plain(e clause.Expr) Condition { return Condition{e, e} }

// Narrow limits rows, an ordered query that reads a table with a column id, to those that meet conditions on
// columns of the table, whose order does not help to find them; limit is how many of them will be read. columns are the id, what
// orders rows, and what else limits them: the fewer, the sooner.
//
// The planner cannot tell how the rows that meet a condition are spread over an order, and may walk a whole
// table for a page, or collect and sort a tenth of it. So the first rows are tried, and then the index: in
// one statement, since a row that left the list between two would end it early.
func Narrow(ctx context.Context, db *DB, rows *gorm.DB, table string, columns []string, conditions []Condition, limit int) *gorm.DB {
	if len(conditions) == 0 {
		return rows
	}
	meeting := func(q *gorm.DB, form func(Condition) clause.Expr) *gorm.DB {
		for _, c := range conditions {
			q = q.Where(form(c))
		}
		return q
	}
	again := func() *gorm.DB { return rows.Session(&gorm.Session{}) }
	order := rows.Statement.Clauses["ORDER BY"].Expression
	first := again().Limit(nearest)
	hits := meeting(db.Read(ctx).Table("(?) AS "+table, first), func(c Condition) clause.Expr { return c.Row }).Select(table + ".id").
		Clauses(order).Limit(limit)
	// Only these columns are taken of them: a tenth of all rows, read whole, takes a third longer. The limits of rows stand outside,
	// and OFFSET between: else the planner may walk along the order here, too, or have another index find the rows.
	found := meeting(db.Read(ctx).Table(table).Select(columns), func(c Condition) clause.Expr { return c.Index })
	whole := again().Table("(? OFFSET 0) AS "+table, found).Select(table + ".id").Limit(limit)
	// As an array they are found by their ids. A plan that is kept for any values guesses a page of a hundred thousand and would
	// read the table for IN.
	return again().Where(table+`.id = ANY (ARRAY(WITH hits AS MATERIALIZED (?) SELECT id FROM hits UNION ALL
		SELECT id FROM (?) whole WHERE (SELECT count(*) FROM hits) < ? AND (SELECT count(*) FROM (?) first) = ?))`,
		hits, whole, limit, again().Select(table+".id").Limit(nearest), nearest)
}
