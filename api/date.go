package api

import (
	"github.com/danielgtaylor/huma/v2"

	"lethe/internal/clock"
)

// Date is a day in a body: an RFC 3339 full-date.
type Date struct{ clock.Date }

// Schema describes it for OpenAPI and for validation.
func (Date) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-03-31"}}
	s.PrecomputeMessages()
	return s
}

var _ huma.SchemaProvider = Date{}

// day gives an optional date to the domain.
func (d *Date) day() *clock.Date {
	if d == nil || d.IsZero() {
		return nil
	}
	return &d.Date
}
