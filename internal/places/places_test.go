package places_test

import (
	"slices"
	"testing"

	"go.uber.org/goleak"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/launch/launchtest"
	"lethe/internal/places"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

type column struct{ Table, Column, Type, Domain string }

// inSchema are the columns that can hold something of themselves. A type that is not known to hold
// nothing counts.
func inSchema(t *testing.T, db *database.DB) (found []column) {
	t.Helper()
	err := db.Read(t.Context()).Raw(`SELECT r.relname AS "table", a.attname AS "column", coalesce(b.typname, t.typname) AS type,
			CASE WHEN t.typtype = 'd' THEN t.typname ELSE '' END AS domain
		FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
		WHERE r.relnamespace = 'public'::regnamespace AND r.relkind IN ('r', 'p', 'v', 'm') AND NOT r.relispartition
			AND a.attnum > 0 AND NOT a.attisdropped AND r.relname NOT IN ('goose_db_version', 'lethe_clock')
			AND coalesce(b.typname, t.typname) NOT IN ('uuid', '_uuid', 'bool', 'int2', 'int4', 'int8', 'timestamptz', 'date', 'time')
		ORDER BY 1, 2`).Scan(&found).Error
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestI25_EveryColumnIsOnTheListOfPlaces: a column that can hold text or bytes, in either database, is on
// the list, what is on the list is there, and the kind fits the type.
func TestI25_EveryColumnIsOnTheListOfPlaces(t *testing.T) {
	env := databasetest.New(t)
	for name, db := range map[places.Database]*database.DB{places.Facts: env.Facts, places.Keys: env.Keys} {
		listed := map[[2]string]places.Column{}
		for _, c := range places.Columns() {
			key := [2]string{c.Table, c.Column}
			if c.Database != name {
				continue
			}
			if _, twice := listed[key]; twice {
				t.Errorf("%s.%s is listed twice", c.Table, c.Column)
			}
			listed[key] = c
		}
		found := inSchema(t, db)
		if len(found) < 3 {
			t.Fatalf("only %d columns were found in the %s", len(found), name)
		}
		for _, c := range found {
			key := [2]string{c.Table, c.Column}
			place, there := listed[key]
			delete(listed, key)
			if !there {
				t.Errorf("%s: %s.%s (%s) is not on the list in internal/places: say what it holds, and when that ends", name, c.Table, c.Column, c.Type)
				continue
			}
			isSealed := place.Kind.Name == places.Sealed.Name || place.Kind.Name == places.Loose.Name || place.Kind.Name == places.File.Name || place.Kind.Name == places.Reason.Name
			if isSealed != (c.Domain == "sealed") {
				t.Errorf("%s.%s is listed as %q and is of type %s%s", c.Table, c.Column, place.Kind.Name, c.Type, c.Domain)
			}
			if place.Kind.Name == places.Keyed.Name && c.Type != "bytea" {
				t.Errorf("%s.%s is listed as a digest and is of type %s", c.Table, c.Column, c.Type)
			}
		}
		for key := range listed {
			t.Errorf("%s: %s.%s is on the list and not in the schema", name, key[0], key[1])
		}
	}
}

// TestI25_TheListFailsForANewColumn: what the test above rests on.
func TestI25_TheListFailsForANewColumn(t *testing.T) {
	env := databasetest.New(t)
	before := inSchema(t, env.Facts)
	for _, sql := range []string{
		"CREATE TABLE cage (id uuid, bird text)", "ALTER TABLE employees ADD COLUMN nickname varchar(20)",
		"ALTER TABLE departures ADD COLUMN more json", "CREATE MATERIALIZED VIEW nest AS SELECT name FROM employees",
	} {
		if err := env.Facts.Read(t.Context()).Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, c := range inSchema(t, env.Facts) {
		if !slices.Contains(before, c) {
			names = append(names, c.Table+"."+c.Column)
		}
	}
	if want := []string{"cage.bird", "departures.more", "employees.nickname", "nest.name"}; !slices.Equal(names, want) {
		t.Errorf("new columns: %v, want %v", names, want)
	}
}

// TestKindsAreOnThePage: each kind that a column has is explained.
func TestKindsAreOnThePage(t *testing.T) {
	for _, c := range places.Columns() {
		if !slices.Contains(places.Kinds, c.Kind) {
			t.Errorf("%s.%s: the kind %q is missing in Kinds", c.Table, c.Column, c.Kind.Name)
		}
	}
}
