package archive_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/invalid"
	"lethe/internal/launch/launchtest"
	"lethe/internal/vault"
	"lethe/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

// company is an archive with two legal entities, of which the first has two departments.
type company struct {
	*databasetest.Env
	vault               *vault.Vault
	tech, sales, abroad uuid.UUID // departments
	hr                  models.Actor
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{Env: databasetest.New(t), hr: models.Actor{EmployeeID: uuid.New(), Role: models.RoleHRAdmin}}
	path := filepath.Join(t.TempDir(), "kek.json")
	must(t, vault.CreateKEKFile(path))
	kek, err := vault.LoadKEKFile(path)
	must(t, err)
	c.vault = vault.New(c.Keys, kek, c.Installation.ID)
	c.run(t, archive.InstallCatalogue)
	shanghai, tokyo := c.entity(t, "SH", "CN", "Asia/Shanghai"), c.entity(t, "TK", "JP", "Asia/Tokyo")
	c.tech, c.sales, c.abroad = c.department(t, shanghai, "T"), c.department(t, shanghai, "S"), c.department(t, tokyo, "A")
	return c
}

func (c *company) entity(t *testing.T, code, jurisdiction, zone string) uuid.UUID {
	t.Helper()
	row := models.LegalEntity{ID: newID(t), Code: code, NameZh: code, NameEn: code, Jurisdiction: jurisdiction, TimeZone: zone, CutoffTime: "18:00:00"}
	must(t, c.Facts.Read(t.Context()).Create(&row).Error)
	return row.ID
}

func (c *company) department(t *testing.T, entity uuid.UUID, code string) uuid.UUID {
	t.Helper()
	row := models.Department{ID: newID(t), LegalEntityID: entity, Code: code, NameZh: "部门" + code, NameEn: "Department " + code}
	must(t, c.Facts.Read(t.Context()).Create(&row).Error)
	return row.ID
}

// run runs fn in a transaction and wants it to succeed.
func (c *company) run(t *testing.T, fn func(tx *database.Tx) error) {
	t.Helper()
	must(t, database.Run(t.Context(), c.Facts, fn))
}

func (c *company) create(t *testing.T, n archive.NewEmployee) (id, employment uuid.UUID, err error) {
	t.Helper()
	err = database.Run(t.Context(), c.Facts, func(tx *database.Tx) error {
		id, employment, err = archive.Create(tx, c.vault, n)
		return err
	})
	return id, employment, err
}

func (c *company) hire(t *testing.T, n archive.NewEmployee) (id, employment uuid.UUID) {
	t.Helper()
	id, employment, err := c.create(t, n)
	must(t, err)
	return id, employment
}

func (c *company) update(t *testing.T, id uuid.UUID, p archive.Patch) error {
	t.Helper()
	return database.Run(t.Context(), c.Facts, func(tx *database.Tx) error { return archive.Update(tx, c.vault, id, p) })
}

// leave ends the employment and goes through the statuses of a departure.
func (c *company) leave(t *testing.T, id, employment uuid.UUID, at time.Time) {
	t.Helper()
	c.run(t, func(tx *database.Tx) error {
		return errors.Join(
			archive.SetStatus(tx, id, models.StatusPendingDeparture),
			archive.EndEmployment(tx, employment, &at, databasetest.Entry(t, tx)),
			archive.SetStatus(tx, id, models.StatusDeparted))
	})
}

// stored opens what is sealed for an employment, as a disclosure will.
func (c *company) stored(t *testing.T, employment uuid.UUID) map[string]string {
	t.Helper()
	values := map[string]string{}
	c.run(t, func(tx *database.Tx) error {
		var rows []models.FieldValue
		if err := tx.DB().Where("employment_id = ? AND value_sealed IS NOT NULL", employment).Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			definition, err := database.First[models.FieldDefinition](tx.DB().Where("key = ?", row.FieldKey))
			if err != nil {
				return err
			}
			plain, err := c.vault.Open(tx, vault.Cell{
				Table: "field_values", Row: row.ID, Employment: employment, Category: definition.Category, Field: row.FieldKey,
			}, row.ValueSealed)
			if err != nil {
				return err
			}
			values[row.FieldKey] = string(plain)
		}
		return nil
	})
	return values
}

func (c *company) zhang() archive.NewEmployee {
	return archive.NewEmployee{
		EmployeeNo: "E-1", Name: "张三", DepartmentID: c.tech, Post: "工程师", HiredOn: clock.NewDate(2020, 3, 1),
		Fields: map[string]string{
			"id_number": "310101199001011234", "emergency_contact_phone": "13800000000", "emergency_contact_name": "张父",
			"base_salary": "20000", "contract_no": "C-77",
		},
	}
}

func newID(t *testing.T) uuid.UUID {
	t.Helper()
	id, err := uuid.NewV7()
	must(t, err)
	return id
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func wantInvalid(t *testing.T, got error, want ...invalid.Value) {
	t.Helper()
	var refused *archive.InvalidError
	if !errors.As(got, &refused) {
		t.Fatalf("got error %v, want %v", got, want)
	}
	if diff := cmp.Diff(want, refused.Problems); diff != "" {
		t.Error(diff)
	}
}

func ptr[T any](v T) *T { return &v }
