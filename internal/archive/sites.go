package archive

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/models"
)

const (
	actionSiteCreated = "site.created"
	actionSiteChanged = "site.changed"
)

// NewSite is a place of work to be entered.
type NewSite struct{ Code, NameZh, NameEn string }

// SitePatch changes a site; what is nil stays as it is.
type SitePatch struct{ NameZh, NameEn *string }

// CreateSite enters a site. A code that is taken is a CodeTakenError.
func CreateSite(tx *database.Tx, n NewSite) (uuid.UUID, error) {
	var found problems
	found.named("code", &n.Code, employeeNo.MatchString)
	found.named("name_zh", &n.NameZh, nil)
	found.named("name_en", &n.NameEn, nil)
	if err := found.Err(); err != nil {
		return uuid.Nil, err
	}
	row := models.Site{ID: models.NewID(), Code: n.Code, NameZh: n.NameZh, NameEn: n.NameEn}
	return row.ID, enter(tx, &row, models.RefSite, row.ID, row.Code, actionSiteCreated)
}

// ChangeSite renames a site. One that does not exist is database.ErrNotFound.
func ChangeSite(tx *database.Tx, id uuid.UUID, p SitePatch) error {
	var found problems
	columns := map[string]any{}
	found.renamed(columns, p.NameZh, p.NameEn)
	return changeOrganisation(tx, found, "sites", id, "site", actionSiteChanged, columns)
}

// Sites lists sites in the order in which they were entered, and says whether there are more.
func Sites(ctx context.Context, db *database.DB, after uuid.UUID, limit int) ([]models.Site, bool, error) {
	return organisation[models.Site](db.Read(ctx), after, limit)
}

// siteKnown refuses a site that there is not.
func siteKnown(tx *database.Tx, id *uuid.UUID) error {
	if id == nil {
		return nil
	}
	_, err := database.First[models.Site](tx.DB().Where("id = ?", *id))
	if errors.Is(err, database.ErrNotFound) {
		return refuse("site_id", invalid.Unknown)
	}
	return database.Wrap("reading a site", err)
}
