package archive_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// S1 and s1 were two sites, and so with departments and legal entities. The refusal says which one is there; those that are two,
// from before, stay two, each is found by the own spelling, and no third is added to them.
func TestCodesThatDifferByCaseAreOne(t *testing.T) {
	c := newCompany(t)
	create := map[string]func(tx *database.Tx, code string) (uuid.UUID, error){
		"legal_entities": func(tx *database.Tx, code string) (uuid.UUID, error) {
			return archive.CreateLegalEntity(tx, archive.NewLegalEntity{Code: code, NameZh: "某", NameEn: "X", Jurisdiction: "CN", TimeZone: "Asia/Shanghai", CutoffTime: "18:00"})
		},
		"departments": func(tx *database.Tx, code string) (uuid.UUID, error) {
			d, err := database.First[models.Department](tx.DB().Where("id = ?", c.tech))
			must(t, err)
			return archive.CreateDepartment(tx, archive.NewDepartment{Code: code, NameZh: "某", NameEn: "X", LegalEntityID: d.LegalEntityID})
		},
		"sites": func(tx *database.Tx, code string) (uuid.UUID, error) {
			return archive.CreateSite(tx, archive.NewSite{Code: code, NameZh: "某", NameEn: "X"})
		},
	}
	refused := func(table, code string, want uuid.UUID) {
		t.Helper()
		err := database.Run(t.Context(), c.Facts, func(tx *database.Tx) error { _, err := create[table](tx, code); return err })
		var taken *archive.CodeTakenError
		if !errors.As(err, &taken) || taken.ID != want {
			t.Errorf("%s %s: %v %+v, want the one of %s", table, code, err, taken, want)
		}
	}
	// As a former version let them be entered.
	must(t, database.MigrateDown(t.Context(), c.Facts, database.SchemaMain, 58))
	alone := map[string]uuid.UUID{}
	former := map[string][2]uuid.UUID{}
	for table := range create {
		pair := [2]uuid.UUID{newID(t), newID(t)}
		columns, values := "", ""
		switch table {
		case "legal_entities":
			columns, values = ", jurisdiction, time_zone", ", 'CN', 'Asia/Shanghai'"
		case "departments":
			columns, values = ", legal_entity_id", ", (SELECT legal_entity_id FROM departments LIMIT 1)"
		}
		for i, code := range []string{"OLD-1", "Old-1"} {
			must(t, c.Facts.Read(t.Context()).Exec("INSERT INTO "+table+" (id, code, name_zh, name_en"+columns+") SELECT ?, ?, 'x', 'x'"+values, pair[i], code).Error)
		}
		former[table] = pair
	}
	must(t, database.Migrate(t.Context(), c.Facts, database.SchemaMain))
	for table, pair := range former {
		c.run(t, func(tx *database.Tx) (err error) { alone[table], err = create[table](tx, "s1"); return err })
		refused(table, "S1", alone[table])
		refused(table, "s1", alone[table])
		refused(table, "old-1", pair[0])
		refused(table, "Old-1", pair[1])
		// Whoever writes past the commands is refused by the database.
		if err := database.Hide(c.Facts.Read(t.Context()).Exec("UPDATE "+table+" SET code = 'oLd-1' WHERE id = ?", alone[table]).Error); !database.Violates(err, table+"_code_once") {
			t.Errorf("%s: a code changed into one that is there: %v", table, err)
		}
		for code, want := range map[string]uuid.UUID{"OLD-1": pair[0], "Old-1": pair[1], "oLD-1": pair[0], "S1": alone[table]} {
			found, err := database.First[struct{ ID uuid.UUID }](archive.ByCode(c.Facts.Read(t.Context()).Table(table).Select("id"), code))
			if err != nil || found.ID != want {
				t.Errorf("%s %s is %s, %v, want %s", table, code, found.ID, err, want)
			}
		}
	}
	codes, err := archive.CollidingCodes(t.Context(), c.Facts)
	if want := []string{"OLD-1", "Old-1", "OLD-1", "Old-1", "OLD-1", "Old-1"}; err != nil || !slices.Equal(codes, want) {
		t.Errorf("colliding %v, %v", codes, err)
	}
}

// Two who enter S1 and s1 at the same moment are one.
func TestTwoAtOnceEnterOneCode(t *testing.T) {
	c := newCompany(t)
	first := make(chan struct{})
	done := make(chan error)
	go func() {
		done <- database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
			<-first
			_, err := archive.CreateSite(tx, archive.NewSite{Code: "s1", NameZh: "乙", NameEn: "B"})
			return err
		})
	}()
	c.run(t, func(tx *database.Tx) error {
		_, err := archive.CreateSite(tx, archive.NewSite{Code: "S1", NameZh: "甲", NameEn: "A"})
		close(first)
		return err
	})
	if err := <-done; !errors.As(err, new(*archive.CodeTakenError)) {
		t.Errorf("the second: %v", err)
	}
}
