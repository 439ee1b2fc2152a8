package archive

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

const (
	actionContactRemovedAgain = "emergency_contact.removed_again"
	// entombEvery is how soon a removal is known outside the databases.
	entombEvery = 5 * time.Second
	// againEvery is after how many of these it is tried again to remove what came back.
	againEvery = 60
)

// Tombstones is the file outside both databases that remembers what was destroyed.
type Tombstones interface {
	Append(ctx context.Context, stone vault.Tombstone) error
	All() ([]vault.Tombstone, error)
}

// Entomb writes a tombstone of each removal of a contact that has none yet, and says how many those were. It does so once the
// removal has committed, never before: what a backup brings back is removed by the tombstone alone.
func Entomb(ctx context.Context, db *database.DB, stones Tombstones) (n int, err error) {
	all, err := stones.All()
	if err != nil {
		return 0, err
	}
	known := map[uuid.UUID]bool{}
	for _, s := range all {
		known[s.PurgeID] = true
	}
	rows, err := database.Find[models.ContactRemoval](db.Read(ctx), "which contacts were removed", "true")
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if known[row.ID] {
			continue
		}
		stone := vault.Tombstone{PurgeID: row.ID, EmploymentID: row.EmploymentID, Contact: row.Contact, At: row.RemovedAt}
		if err := stones.Append(ctx, stone); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// RemoveAgain removes the contacts who were removed on their own request and whom a backup brought back (I25), each with its
// entry, and says how many those were. A removal that the facts know is none of them; what was written into the same place since
// is somebody else, and stays.
func RemoveAgain(ctx context.Context, db *database.DB, stones Tombstones) (n int, err error) {
	all, err := stones.All()
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, s := range all {
		if s.Contact == 0 {
			continue
		}
		removed, err := removeAgain(ctx, db, s)
		if failed = append(failed, err); removed {
			n++
		}
	}
	return n, errors.Join(failed...)
}

func removeAgain(ctx context.Context, db *database.DB, s vault.Tombstone) (removed bool, err error) {
	const back = `employment_id = ? AND field_key IN ? AND updated_at <= ? AND NOT EXISTS (SELECT FROM contact_removals r WHERE r.id = ?)`
	args := []any{s.EmploymentID, contactFields(s.Contact), s.At, s.PurgeID}
	rows, err := database.Find[models.FieldValue](db.Read(ctx), "what a backup brought back", back, args...)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		employment, err := LockEmployment(tx, s.EmploymentID)
		if err != nil {
			return err
		}
		_, err = ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindArchive, Action: actionContactRemovedAgain, Actor: &models.System, Subject: &employment.EmployeeID, Object: "employee/" + employment.EmployeeID.String(),
			Details: map[string]string{"employment": employment.ID.String(), "contact": strconv.Itoa(s.Contact)},
		})
		if err != nil {
			return err
		}
		r := tx.DB().Where(back, args...).Delete(&models.FieldValue{})
		removed = r.RowsAffected > 0
		return database.Wrap("removing a contact again", r.Error)
	})
	return removed && err == nil, err
}

// KeepRemoved entombs removals until ctx ends, and tries again to remove what a backup brought back and a hold kept when the
// process started. Every process that has the file may.
func KeepRemoved(ctx context.Context, db *database.DB, stones Tombstones, log *slog.Logger) {
	tick := time.NewTicker(entombEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		if _, err := Entomb(ctx, db, stones); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "removed contacts have no tombstone yet", "error", err.Error())
		}
		if n%againEvery == 0 {
			if _, err := RemoveAgain(ctx, db, stones); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "contacts whom a backup brought back stay for now", "error", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
