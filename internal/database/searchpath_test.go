package database_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
)

// function is one of ours in the catalogue. Bound is the body of one that is parsed when it is created.
type function struct {
	Name, Source string
	Bound        bool
	Settings     string
}

func functions(t *testing.T, db *database.DB) []function {
	t.Helper()
	var found []function
	must(t, db.Read(t.Context()).Raw(`SELECT oid::regprocedure::text AS name, prosrc AS source, prosqlbody IS NOT NULL AS bound,
		coalesce(array_to_string(proconfig, ';'), '') AS settings
		FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1`).Scan(&found).Error)
	return found
}

// ours are the names that another schema could have too: of relations, functions and types.
func ours(t *testing.T, db *database.DB) (relations, routines, types []string) {
	t.Helper()
	g := db.Read(t.Context())
	must(t, g.Raw("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace").Scan(&relations).Error)
	must(t, g.Raw("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace").Scan(&routines).Error)
	must(t, g.Raw("SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace").Scan(&types).Error)
	return relations, routines, types
}

// unqualified are the names of ours that a body uses without their schema: a relation where one is
// named, a function where it is called, a type where a value is cast or declared. Statements that a
// function puts together are read like the rest.
func unqualified(source string, relations, routines, types []string) (found []string) {
	source = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(source, "")
	any := func(names []string) string { return `(` + strings.Join(names, "|") + `)` }
	for _, pattern := range []string{
		`(?i)\b(?:FROM|JOIN|INTO|UPDATE|ONLY|TABLE|USING|EXISTS|ON)\s+` + any(relations) + `\b`,
		`(?i)\bFROM\s[^;()]*,\s*` + any(relations) + `\b`,
		`(?i)(?:^|[^.\w%])` + any(routines) + `\s*\(`,
		`(?i)::\s*` + any(types) + `\b`,
		`(?i)(?:^|[^.\w])` + any(append(slices.Clone(relations), types...)) + `(?:%ROWTYPE|\.\w+%TYPE|\[\]|'::regclass)`,
	} {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1) {
			found = append(found, match[1])
		}
	}
	return found
}

// TestI1_I11_I18_EveryFunctionPinsItsSearchPath reads all functions of both databases, a development
// one's clock among them, from the catalogue.
func TestI1_I11_I18_EveryFunctionPinsItsSearchPath(t *testing.T) {
	for name, env := range map[string]*databasetest.Env{"dev": databasetest.New(t), "unmarked": databasetest.NewUnmarked(t)} {
		for schema, db := range map[database.Schema]*database.DB{database.SchemaMain: env.Facts, database.SchemaKeys: env.Keys} {
			relations, routines, types := ours(t, db)
			all := functions(t, db)
			if want := map[database.Schema]int{database.SchemaMain: 18, database.SchemaKeys: 1}[schema]; len(all) < want {
				t.Fatalf("%s, %s: %d functions were found, there are at least %d", name, schema, len(all), want)
			}
			for _, f := range all {
				if !f.Bound && f.Settings != `search_path=pg_catalog, pg_temp` {
					t.Errorf("%s, %s: %s does not pin its search path: SET search_path = pg_catalog, pg_temp (it has %q)", name, schema, f.Name, f.Settings)
				}
				if bad := unqualified(f.Source, relations, routines, types); len(bad) > 0 {
					t.Errorf("%s, %s: %s uses %v without public", name, schema, f.Name, bad)
				}
			}
		}
	}
}

// TestUnqualified_FindsWhatItIsFor: a check that finds nothing would pass everything.
func TestUnqualified_FindsWhatItIsFor(t *testing.T) {
	relations, routines, types := []string{"holds", "purges"}, []string{"lethe_now"}, []string{"sealed", "holds"}
	for source, want := range map[string]int{
		"SELECT 1 FROM holds h":                             1,
		"SELECT 1 FROM public.holds h, purges p":            1,
		"SELECT 1 FROM public.holds h JOIN purges p ON x":   1,
		"IF NEW.at > lethe_now() THEN":                      1,
		"DECLARE h holds%ROWTYPE;":                          1,
		"RETURN x::sealed;":                                 1,
		"EXECUTE 'UPDATE holds SET x = 1';":                 1,
		"DELETE FROM holds -- of public.holds":              1,
		"SELECT holds FROM public.purges WHERE holds.x = 1": 0,
		"IF NEW.at > public.lethe_now() THEN -- FROM holds": 0,
	} {
		if got := unqualified(source, relations, routines, types); len(got) != want {
			t.Errorf("%q: found %v, want %d", source, got, want)
		}
	}
}

// TestI11_NobodyMakesObjects: neither everybody nor the login of a process may make anything in either
// database, and a process whose login may refuses to start.
func TestI11_NobodyMakesObjects(t *testing.T) {
	env := databasetest.New(t)
	for schema, db := range map[database.Schema]*database.DB{database.SchemaMain: env.Facts, database.SchemaKeys: env.Keys} {
		var open bool
		must(t, db.Read(t.Context()).Raw(`SELECT has_database_privilege('public', current_database(), 'TEMPORARY, CREATE')
			OR EXISTS (SELECT FROM pg_namespace n WHERE has_schema_privilege('public', n.oid, 'CREATE'))`).Scan(&open).Error)
		if open {
			t.Errorf("%s: everybody may make objects", schema)
		}
	}
	var name string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT current_database()").Scan(&name).Error)
	_, app := env.Login(t, database.RoleApp)
	_, sequencer := env.Login(t, database.RoleSequencer)
	must(t, database.RequireApp(t.Context(), app))
	must(t, database.RequireSequencer(t.Context(), sequencer))
	for give, take := range map[string]string{
		"GRANT TEMPORARY ON DATABASE " + name + " TO PUBLIC":                            "REVOKE TEMPORARY ON DATABASE " + name + " FROM PUBLIC",
		"GRANT CREATE ON DATABASE " + name + " TO PUBLIC":                               "REVOKE CREATE ON DATABASE " + name + " FROM PUBLIC",
		"GRANT CREATE ON SCHEMA public TO lethe_app":                                    "REVOKE CREATE ON SCHEMA public FROM lethe_app",
		"CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO lethe_app, lethe_sequencer": "DROP SCHEMA open",
	} {
		must(t, env.Facts.Read(t.Context()).Exec(give).Error)
		err := database.RequireApp(t.Context(), app)
		wantError(t, err, database.ErrMakes)
		if strings.Contains(fmt.Sprint(err), "\n") {
			t.Errorf("more than a sentence: %v", err)
		}
		if strings.Contains(give, "PUBLIC") || strings.Contains(give, "sequencer") {
			wantError(t, database.RequireSequencer(t.Context(), sequencer), database.ErrMakes)
		}
		must(t, env.Facts.Read(t.Context()).Exec(take).Error)
		must(t, database.RequireApp(t.Context(), app))
	}
	// A restore grants it again; the next start of `lethe migrate` takes it back.
	must(t, env.Facts.Read(t.Context()).Exec("GRANT TEMPORARY, CREATE ON DATABASE "+name+" TO PUBLIC").Error)
	_, err := database.Install(t.Context(), env.Facts, env.Keys, database.ModeDev)
	must(t, err)
	must(t, database.RequireApp(t.Context(), app))
}
