package databasetest

import (
	"context"
	"crypto/rand"
	"testing"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// Hire inserts an employed person of a new department and legal entity, hired on 2020-01-01 in
// Asia/Shanghai. The categories are the vault's to create.
func (e *Env) Hire(t testing.TB, jurisdiction string) models.Employment {
	t.Helper()
	code := "T" + rand.Text()[:12]
	entity := models.LegalEntity{
		ID: models.NewID(), Code: code, NameZh: "测试公司", NameEn: "Test Company", Jurisdiction: jurisdiction,
		TimeZone: "Asia/Shanghai", CutoffTime: "18:00:00",
	}
	department := models.Department{ID: models.NewID(), LegalEntityID: entity.ID, Code: code, NameZh: "测试部", NameEn: "Testing"}
	person := models.Employee{
		ID: models.NewID(), EmployeeNo: code, Name: "张三", DepartmentID: department.ID, Status: models.StatusActive, Revision: 1,
	}
	employment := models.Employment{
		ID: models.NewID(), EmployeeID: person.ID, LegalEntityID: entity.ID, DepartmentID: department.ID, Post: "工程师",
		Jurisdiction: jurisdiction, TimeZone: entity.TimeZone, HiredOn: clock.NewDate(2020, 1, 1),
	}
	err := database.Run(context.Background(), e.Facts, func(tx *database.Tx) error {
		hired := Entry(t, tx)
		employment.LedgerEntryID = &hired
		for _, row := range []any{&entity, &department, &person, &employment} {
			// How a name sounds, what a department stands below, the region and the site are left out: tests of migrations hire before there are such columns.
			if err := tx.DB().Omit("search_names", "parent_id", "region", "site_id").Create(row).Error; err != nil {
				return database.Hide(err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("hiring a person: %v", err)
	}
	return employment
}
