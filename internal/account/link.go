package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Link records that an employment has an account in a system. The external id may be left out: it
// is then looked up by employee number when it is first needed. The caller holds the employment.
//
// Once a departure has ordered the unlinking nothing new is linked (ErrAccessEnded): nobody would
// take it away again.
func Link(tx *database.Tx, employmentID uuid.UUID, system, kind string, externalID *string) (models.LinkedAccount, error) {
	ended, err := accessEnded(tx, employmentID)
	if err != nil {
		return models.LinkedAccount{}, err
	}
	if ended {
		return models.LinkedAccount{}, ErrAccessEnded
	}
	id, err := newID()
	if err != nil {
		return models.LinkedAccount{}, err
	}
	employee, err := person(tx, employmentID)
	if err != nil {
		return models.LinkedAccount{}, err
	}
	a := models.LinkedAccount{
		ID: id, EmploymentID: employmentID, System: system, Kind: kind, ExternalID: externalID,
		Registered: true, State: models.AccountLinked,
	}
	entry, err := ledger.AppendWith(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: actionLinked, Subject: &employee, Object: "account/" + id.String(),
		Details: map[string]string{"employment": employmentID.String(), "system": system},
	}, `INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, state, ledger_entry_id)
		SELECT ?::uuid, ?::uuid, ?::text, ?::text, ?::text, ?::text, entry_id FROM pending`,
		id, employmentID, system, kind, externalID, string(models.AccountLinked))
	if database.Violates(err, "linked_accounts_one") {
		return models.LinkedAccount{}, ErrAlreadyLinked
	}
	if err != nil {
		return models.LinkedAccount{}, fmt.Errorf("linking an account: %w", err)
	}
	a.LedgerEntryID = &entry
	return a, nil
}

// accessEnded says whether the cutoff of an open departure has passed for the employment, whether
// or not there was anything to unlink. The caller holds the employment.
func accessEnded(tx *database.Tx, employmentID uuid.UUID) (bool, error) {
	_, err := database.First[models.Departure](tx.DB().Select("id").
		Where("employment_id = ? AND stage NOT IN ? AND accounts_state <> ?", employmentID,
			[]models.Stage{models.StageWithdrawn, models.StageAnnulled}, models.AccountsLinked))
	if errors.Is(err, database.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a departure: %w", err)
	}
	return true, nil
}

// ClearSnapshots destroys the snapshots of one employment's category; for a purge.
func ClearSnapshots(tx *database.Tx, categoryID uuid.UUID) (int64, error) {
	r := tx.DB().Exec("UPDATE account_snapshots SET snapshot_sealed = NULL WHERE category_id = ? AND snapshot_sealed IS NOT NULL", categoryID)
	if r.Error != nil {
		return 0, fmt.Errorf("clearing snapshots: %w", database.Hide(r.Error))
	}
	return r.RowsAffected, nil
}

// ClearExternalIDs forgets the external ids of an employment's settled accounts. A purge calls it;
// what settles only after the purge is cleared as it settles.
func ClearExternalIDs(tx *database.Tx, employmentID uuid.UUID) (int64, error) {
	r := tx.DB().Exec(`UPDATE linked_accounts SET external_id = NULL
		WHERE employment_id = ? AND external_id IS NOT NULL AND state IN ?`, employmentID, settledStates)
	if r.Error != nil {
		return 0, fmt.Errorf("clearing external ids: %w", database.Hide(r.Error))
	}
	return r.RowsAffected, nil
}

var settledStates = []models.AccountState{
	models.AccountDisabled, models.AccountDetached, models.AccountNotFound, models.AccountWaived,
}

// snapshotsPurged says whether the employment's snapshots are being purged or were. The row stays
// locked: a purge that begins later sees everything that this transaction settles.
func snapshotsPurged(tx *database.Tx, employmentID uuid.UUID) (bool, error) {
	c, err := database.First[models.EmploymentCategory](tx.DB().Clauses(forShare).Select("id", "state").
		Where("employment_id = ? AND category = ?", employmentID, models.CategoryAccountSnapshot))
	if err != nil {
		return false, fmt.Errorf("reading the category of snapshots: %w", err)
	}
	return c.State != models.CategoryOpen, nil
}

// later is the pause of a backoff that doubles from initial up to most; tries counts from 1.
func later(initial, most time.Duration, tries int) time.Duration {
	pause := initial
	for i := 1; i < tries && pause < most; i++ {
		pause *= 2
	}
	return min(pause, most)
}
