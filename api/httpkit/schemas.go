package httpkit

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/clock"
)

// dateSchema describes clock.Date to clients: an RFC 3339 full-date.
type dateSchema struct{}

// Schema is what OpenAPI shows and validation checks.
func (dateSchema) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-03-31"}}
	s.PrecomputeMessages()
	return s
}

// idSchema describes ids to clients.
type idSchema struct{}

// Schema is what OpenAPI shows and validation checks.
func (idSchema) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Format: "uuid"}
	s.PrecomputeMessages()
	return s
}

// describeTypes tells the registry how types of the domain are written in JSON.
func describeTypes(registry huma.Registry) {
	registry.RegisterTypeAlias(reflect.TypeFor[clock.Date](), reflect.TypeFor[dateSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[idSchema]())
}
