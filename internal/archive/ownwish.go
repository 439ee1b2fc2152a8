package archive

import (
	"slices"

	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// onConsentAlone are the fields that no contract and no law asks for: the person gave them, and may have them removed
// (PIPL Art. 47(1)(3); GDPR Art. 17(1)(b)).
var onConsentAlone = []string{"personal_email", "forwarding_contact"}

// OnConsentAlone says whether nothing but the person's consent is why a field is there.
func OnConsentAlone(key string) bool { return slices.Contains(onConsentAlone, key) }

// Definitions are the named fields of the catalogue, as far as it has them.
func Definitions(g *gorm.DB, keys []string) (rows []models.FieldDefinition, err error) {
	err = g.Where("key IN ?", keys).Order("position").Find(&rows).Error
	return rows, database.Wrap("reading the field catalogue", err)
}

// Correctable says whether a correction writes a field: the name, the post, and whatever is sealed but documents.
func Correctable(d models.FieldDefinition) bool {
	return d.Key == FieldName || d.Key == FieldPost || d.Category != "" && d.Type != models.FieldAttachment
}

// PatchOf is the change that sets fields, by their keys.
func PatchOf(values map[string]*string) Patch {
	p := Patch{Fields: map[string]*string{}}
	for key, value := range values {
		switch key {
		case FieldName:
			p.Name = value
		case FieldPost:
			p.Post = value
		default:
			p.Fields[key] = value
		}
	}
	return p
}
