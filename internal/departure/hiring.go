package departure

import (
	"lethe/internal/database"
	"lethe/models"
)

// FitsHiring is ErrBeforeHire if an open departure of the employment ends it before it began: the
// day of hiring was corrected.
func FitsHiring(tx *database.Tx, employment models.Employment) error {
	var early bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT FROM departures
		WHERE employment_id = ? AND stage NOT IN ('withdrawn', 'annulled') AND last_working_day < ?)`,
		employment.ID, employment.HiredOn).Scan(&early).Error
	if err != nil {
		return database.Wrap("comparing a day of hiring with departures", err)
	}
	if early {
		return ErrBeforeHire
	}
	return nil
}
