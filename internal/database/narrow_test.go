package database_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
)

// Whatever a condition, an order and another filter have to do with one another, the page is that of the
// plain query: found among the first rows, by all rows, or by the rows that meet the condition.
func TestNarrowGivesThePageOfThePlainQuery(t *testing.T) {
	defer database.LookAt(20)()
	env := databasetest.New(t)
	db := env.Facts
	must(t, db.Read(t.Context()).Exec(`CREATE TABLE things AS SELECT gen_random_uuid() AS id, i AS late, i % 7 AS mixed, i / 50 AS early, i % 3 AS kind
		FROM generate_series(1, 300) AS i`).Error)
	order := map[string]bool{"late": false, "mixed": false, "early DESC": false, "id": false}
	for range 400 {
		var by clause.OrderBy
		for name := range order { // in any order
			by.Columns = append(by.Columns, clause.OrderByColumn{Column: clause.Column{Name: name, Raw: true}})
			if len(by.Columns) == 2 {
				break
			}
		}
		by.Columns = append(by.Columns, clause.OrderByColumn{Column: clause.Column{Name: "id"}})
		var conditions []database.Condition
		for range 1 + rand.N(2) {
			column := []string{"late", "mixed", "early"}[rand.N(3)]
			conditions = append(conditions, database.Plain(gorm.Expr(column+" "+[]string{"<", ">=", "="}[rand.N(3)]+" ?", rand.N(map[string]int{"late": 320, "mixed": 8, "early": 8}[column]))))
		}
		limit := 1 + rand.N(30)
		rows := func() *gorm.DB {
			q := db.Read(t.Context()).Table("things").Clauses(by)
			if limit%2 == 0 {
				q = q.Where("kind = ?", limit%3)
			}
			return q
		}
		plain := rows()
		for _, c := range conditions {
			plain = plain.Where(c.Row)
		}
		var want, got []uuid.UUID
		must(t, plain.Limit(limit).Pluck("id", &want).Error)
		narrowed := database.Narrow(t.Context(), db, rows(), "things", []string{"id", "late", "mixed", "early", "kind"}, conditions, limit)
		must(t, narrowed.Limit(limit).Pluck("id", &got).Error)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s, limit %d: %s", fmt.Sprint(conditions, by), limit, diff)
		}
	}
}
