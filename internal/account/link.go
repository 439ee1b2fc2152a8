package account

import (
	"errors"
	"fmt"
	"strings"
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
// take it away again. What the employment has already is not linked a second time (ErrAlreadyLinked,
// ErrDetached), nor what somebody else has (ErrOfAnother), nor where an emergency cut keeps closed what there is (ErrCutStands).
func Link(tx *database.Tx, employmentID uuid.UUID, system, kind string, externalID *string) (models.LinkedAccount, error) {
	ended, err := accessEnded(tx, employmentID)
	if err != nil {
		return models.LinkedAccount{}, err
	}
	if ended {
		return models.LinkedAccount{}, ErrAccessEnded
	}
	if cut, err := standingCut(tx, employmentID); err != nil {
		return models.LinkedAccount{}, err
	} else if cut.covers(system) {
		return models.LinkedAccount{}, ErrCutStands
	}
	id := models.NewID()
	employee, err := person(tx, employmentID)
	if err != nil {
		return models.LinkedAccount{}, err
	}
	if externalID, err = linkable(tx, employee, employmentID, system, externalID); err != nil {
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
	a.LedgerEntryID = &entry
	return a, err
}

// linkable says by which id an account is linked, and refuses what is linked already: of two rows for one
// account each finds the other's. The same id in another case is the same account; what a former employment
// had is linked again as the system spells it.
func linkable(tx *database.Tx, employee, employmentID uuid.UUID, system string, externalID *string) (*string, error) {
	own, err := database.Find[models.LinkedAccount](tx.DB(), "accounts",
		"system = ? AND employment_id IN (SELECT id FROM employments WHERE employee_id = ?)", system, employee)
	if err != nil {
		return nil, err
	}
	for _, a := range own {
		here := a.EmploymentID == employmentID
		switch {
		case a.LookUp():
		case externalID == nil && here && a.State != models.AccountNotFound:
			return nil, alreadyLinked(a)
		case externalID == nil || a.ExternalID == nil || !strings.EqualFold(*a.ExternalID, *externalID):
		case here:
			return nil, alreadyLinked(a)
		case a.SeenAt != nil:
			externalID = a.ExternalID
		}
	}
	if externalID == nil {
		return nil, nil
	}
	return externalID, freeOfOthers(tx, employee, system, *externalID)
}

func alreadyLinked(a models.LinkedAccount) error {
	if a.State == models.AccountDetached {
		return ErrDetached
	}
	return ErrAlreadyLinked
}

// freeOfOthers refuses the account of somebody else, until it was detached there, found to be nowhere, or
// settled at the end of that employment.
func freeOfOthers(tx *database.Tx, employee uuid.UUID, system, externalID string) error {
	// Two people who link it to two others meet here.
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "linked_account/"+system+"/"+externalID).Error; err != nil {
		return database.Wrap("locking an external id", err)
	}
	var taken bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT 1 FROM linked_accounts a JOIN employments m ON m.id = a.employment_id
		WHERE a.system = ? AND a.external_id = ? AND m.employee_id <> ? AND a.state NOT IN ?
		  AND (m.ended_at IS NULL OR a.state NOT IN ?))`, system, externalID, employee,
		[]models.AccountState{models.AccountDetached, models.AccountNotFound}, settledStates).Scan(&taken).Error
	if err != nil {
		return database.Wrap("looking whose an account is", err)
	}
	if taken {
		return ErrOfAnother
	}
	return nil
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
		return 0, database.Wrap("clearing snapshots", r.Error)
	}
	return r.RowsAffected, nil
}

// ClearExternalIDs forgets the external ids of an employment's settled accounts. A purge calls it;
// what settles only after the purge is cleared as it settles.
func ClearExternalIDs(tx *database.Tx, employmentID uuid.UUID) (int64, error) {
	r := tx.DB().Exec(`UPDATE linked_accounts SET external_id = NULL
		WHERE employment_id = ? AND external_id IS NOT NULL AND state IN ?`, employmentID, settledStates)
	if r.Error != nil {
		return 0, database.Wrap("clearing external ids", r.Error)
	}
	// What a comparison found of these accounts ends here: if it is still so, the next one finds it anew.
	err := tx.DB().Exec(`UPDATE account_drift d SET ended_at = greatest(lethe_now(), d.last_seen_at), external_id = NULL WHERE d.ended_at IS NULL AND (
			d.account_id IN (SELECT id FROM linked_accounts WHERE employment_id = @employment AND state IN @settled)
			OR d.account_id IS NULL AND d.employee_id = (SELECT employee_id FROM employments WHERE id = @employment)
				AND NOT EXISTS (SELECT FROM employments m WHERE m.employee_id = d.employee_id AND m.ended_at IS NULL))`,
		map[string]any{"employment": employmentID, "settled": settledStates}).Error
	return r.RowsAffected, database.Wrap("clearing external ids", err)
}

var settledStates = []models.AccountState{
	models.AccountDisabled, models.AccountDetached, models.AccountNotFound, models.AccountWaived,
}

// snapshotsPurged says whether the employment's snapshots are being purged or were. The row stays
// locked: a purge that begins later sees everything that this transaction settles.
func snapshotsPurged(tx *database.Tx, employmentID uuid.UUID) (bool, error) {
	c, err := database.First[models.EmploymentCategory](tx.DB().Clauses(database.ForShare).Select("id", "state").
		Where("employment_id = ? AND category = ?", employmentID, models.CategoryAccountSnapshot))
	return c.State != models.CategoryOpen, database.Wrap("reading the category of snapshots", err)
}

// later is the pause of a backoff that doubles from initial up to most; tries counts from 1.
func later(initial, most time.Duration, tries int) time.Duration {
	pause := initial
	for i := 1; i < tries && pause < most; i++ {
		pause *= 2
	}
	return min(pause, most)
}
