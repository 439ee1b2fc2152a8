package vault

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"lethe/models"
)

// TestSealedFor_EachPartCounts: what is sealed for a place opens there alone, so each part by itself
// makes other associated data, and so does the purpose.
func TestSealedFor_EachPartCounts(t *testing.T) {
	t.Parallel()
	v, foreign := &Vault{installation: uuid.New()}, &Vault{installation: uuid.New()}
	p := Cell{Table: "field_values", Row: uuid.New(), Employment: uuid.New(), Category: models.CategoryIdentity, Field: "id_number"}
	with := func(change func(p *Cell)) Cell {
		q := p
		change(&q)
		return q
	}
	key := uuid.New()
	category := models.EmploymentCategory{EmploymentID: p.Employment, Category: p.Category}
	const place = "users.totp_sealed/1"
	for what, made := range map[string][][]byte{
		"a sealed value": {
			v.sealedFor(p, key),
			foreign.sealedFor(p, key),
			v.sealedFor(with(func(p *Cell) { p.Table = "departures" }), key),
			v.sealedFor(with(func(p *Cell) { p.Row = uuid.New() }), key),
			v.sealedFor(with(func(p *Cell) { p.Employment = uuid.New() }), key),
			v.sealedFor(with(func(p *Cell) { p.Category = models.CategoryDepartureFile }), key),
			v.sealedFor(with(func(p *Cell) { p.Field = "passport" }), key),
			v.sealedFor(p, uuid.New()),
		},
		"a data key": {
			v.wrappedFor(category, key),
			foreign.wrappedFor(category, key),
			v.wrappedFor(models.EmploymentCategory{EmploymentID: uuid.New(), Category: p.Category}, key),
			v.wrappedFor(models.EmploymentCategory{EmploymentID: p.Employment, Category: models.CategoryDepartureFile}, key),
			v.wrappedFor(category, uuid.New()),
		},
		"a loose value": {
			v.looseFor(place, key), foreign.looseFor(place, key), v.looseFor(place+"0", key), v.looseFor(place, uuid.New()),
			v.looseWrappedFor(place, key),
		},
		"a loose key": {
			v.looseWrappedFor(place, key), foreign.looseWrappedFor(place, key), v.looseWrappedFor(place+"0", key),
			v.looseWrappedFor(place, uuid.New()), v.looseFor(place, key),
		},
	} {
		for i, one := range made {
			for j, other := range made[:i] {
				if bytes.Equal(one, other) {
					t.Errorf("%s: cases %d and %d have the same associated data", what, j, i)
				}
			}
		}
	}
}
