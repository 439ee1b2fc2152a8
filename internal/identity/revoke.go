package identity

import (
	"errors"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// What can be wrong with an order to revoke.
var (
	ErrNoSuchToken = errors.New("there is no such token")
	ErrAmbiguous   = errors.New("several tokens begin like this: revoke by id")
)

// Revoke ends a token, named by its id or by the prefix it was shown with. From the next request
// on it is refused. Revoking twice changes nothing.
func Revoke(tx *database.Tx, idOrPrefix string) (models.APIToken, error) {
	query := tx.DB().Clauses(database.ForChange)
	if id, err := uuid.Parse(idOrPrefix); err == nil {
		query = query.Where("id = ?", id)
	} else {
		query = query.Where("prefix = ?", idOrPrefix)
	}
	var found []models.APIToken
	if err := query.Limit(2).Find(&found).Error; err != nil {
		return models.APIToken{}, database.Wrap("looking up a token", err)
	}
	switch {
	case len(found) == 0:
		return models.APIToken{}, ErrNoSuchToken
	case len(found) > 1:
		return models.APIToken{}, ErrAmbiguous
	case found[0].RevokedAt != nil:
		return found[0], nil
	}
	now, err := tx.Now()
	if err != nil {
		return models.APIToken{}, err
	}
	token := found[0]
	entry, err := record(tx, models.CallerOf(tx.Context()).Actor, "token.revoked", ownerOf(token), tokenDetails(token))
	if err != nil {
		return models.APIToken{}, err
	}
	token.RevokedAt, token.LedgerEntryID = &now, &entry
	err = database.UpdateOne(tx.DB().Model(&models.APIToken{}).Where("id = ?", token.ID).
		Updates(map[string]any{"revoked_at": now, "ledger_entry_id": entry}))
	return token, database.Wrap("revoking a token", err)
}
