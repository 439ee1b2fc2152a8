package purges

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/models"
)

// statement is what a certificate says, as it is stored: a hash covers it.
type statement struct{ json.RawMessage }

// Schema is what OpenAPI shows.
func (statement) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[CertificateStatement](), true, "CertificateStatement")
}

// CertificateStatement describes a statement to clients.
type CertificateStatement struct {
	Format               string                `json:"format" enum:"lethe-destruction-certificate/1"`
	CertificateID        uuid.UUID             `json:"certificate_id"`
	PurgeID              uuid.UUID             `json:"purge_id"`
	DepartureID          uuid.UUID             `json:"departure_id"`
	EmploymentID         uuid.UUID             `json:"employment_id"`
	TombstonedAt         time.Time             `json:"tombstoned_at"`
	KeysDestroyedAt      time.Time             `json:"keys_destroyed_at"`
	FieldsClearedAt      time.Time             `json:"fields_cleared_at"`
	ProbedAt             time.Time             `json:"probed_at" doc:"When it was checked that nothing opens any more"`
	IssuedAt             time.Time             `json:"issued_at"`
	UnrecoverableFromDay clock.Date            `json:"unrecoverable_from_backups_after"`
	Categories           []CertificateCategory `json:"categories"`
}

// CertificateCategory is one category that was destroyed, with the rule and the law that it went by.
type CertificateCategory struct {
	Category   models.Category `json:"category"`
	CategoryID uuid.UUID       `json:"category_id"`
	DataKeyID  *uuid.UUID      `json:"data_key_id" nullable:"true" doc:"The key that was destroyed; null: nothing was ever sealed"`
	Deadline   time.Time       `json:"deadline"`
	PurgingAt  time.Time       `json:"purging_at"`
	Rule       struct {
		Jurisdiction string `json:"jurisdiction"`
		Version      int    `json:"version"`
		Period       string `json:"period" doc:"ISO 8601"`
		BasisZh      string `json:"basis_zh"`
		BasisEn      string `json:"basis_en"`
	} `json:"rule"`
	Destroyed struct {
		FieldValues      int64 `json:"field_values"`
		Attachments      int64 `json:"attachments" doc:"None in what was certified before there were any"`
		AccountSnapshots int64 `json:"account_snapshots"`
	} `json:"destroyed"`
}
