package archive

import (
	"context"

	"gorm.io/gorm/clause"

	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// CatalogueField is a field that files have, in a language.
type CatalogueField struct {
	Key          string          `json:"key"`
	Section      string          `json:"section"`
	SectionLabel string          `json:"section_label"`
	Label        string          `json:"label"`
	Category     models.Category `json:"category,omitempty" doc:"By which it is kept and deleted; absent of what certificates need"`
	CategoryText string          `json:"category_text,omitempty"`
	Sensitivity  string          `json:"sensitivity"`
	FieldKind
	Notice string `json:"notice" doc:"What it may be used for"`
	Own    bool   `json:"own" doc:"The company added it"`
	// What follows is of the company's own fields.
	Basis        string           `json:"basis,omitempty" doc:"Of an own field: the legal basis on which it is kept"`
	Purposes     []access.Purpose `json:"purposes,omitempty" doc:"Of an own field: for what it is opened, where the permissions grant it for the section"`
	PurposesText []string         `json:"purposes_text,omitempty"`
	Retired      bool             `json:"retired" doc:"It takes no new values; those that there are stay until they are deleted"`
}

// CatalogueSection is a part of the file, in a language.
type CatalogueSection struct {
	Section string `json:"section"`
	Label   string `json:"label"`
	Own     bool   `json:"own" doc:"The company added it; it is a group of the permissions"`
}

// Catalogue lists the fields of a file, in the order in which they are shown.
func Catalogue(ctx context.Context, db *database.DB, language i18n.Language) ([]CatalogueField, error) {
	var rows []models.FieldDefinition
	order := clause.OrderBy{Columns: []clause.OrderByColumn{{Column: clause.Column{Name: "position"}}, {Column: clause.Column{Name: "key"}}}}
	if err := db.Read(ctx).Clauses(order).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading the field catalogue", err)
	}
	fields := make([]CatalogueField, len(rows))
	for i, r := range rows {
		fields[i] = catalogued(r, language)
	}
	return fields, nil
}

func catalogued(r models.FieldDefinition, language i18n.Language) CatalogueField {
	f := CatalogueField{
		Key: r.Key, Section: r.Section, SectionLabel: sectionLabel(r, language), Label: text{r.LabelZh, r.LabelEn}.in(language),
		Category: r.Category, Sensitivity: r.Sensitivity, FieldKind: kindOf(r, language), Notice: noticeOf(r, language),
		Own: r.Own(), Basis: language.Of(r.BasisZh, r.BasisEn), Retired: r.Retired,
	}
	if r.Category != "" {
		f.CategoryText = closed.Text(language, r.Category)
	}
	if r.Own() {
		f.Purposes = purposesOf(r)
		f.PurposesText = closed.Texts(language, f.Purposes)
	}
	return f
}

// AllSections lists the parts of the file, those without a field too: the program's, and those of the company's own.
func (c *OwnCatalogue) AllSections(language i18n.Language) (all []CatalogueSection) {
	for _, s := range catalogue {
		all = append(all, CatalogueSection{s.key, s.label.in(language), false})
	}
	for _, s := range c.Sections {
		all = append(all, CatalogueSection{s.Key, language.Of(s.LabelZh, s.LabelEn), true})
	}
	return all
}
