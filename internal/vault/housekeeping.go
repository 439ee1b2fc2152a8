package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// unreferencedFor is how long a data key may be without a category that refers to it: longer than
// any transaction lives.
const unreferencedFor = 24 * time.Hour

// Housekeep does what is due: the next KEK generation, rewrapping, retiring generations that were
// followed RetireAfter ago, ending keys of digests, of months whose log is over and of commands that nobody
// waits for, dropping unreferenced data keys. Run it daily; several may run at once.
func (v *Vault) Housekeep(ctx context.Context, facts *database.DB) error {
	if err := v.RecordKEK(ctx, facts); err != nil {
		return err
	}
	now, err := keysClock(v.keys.Read(ctx))
	if err != nil {
		return err
	}
	newest, err := v.kek.newest()
	if err != nil {
		return err
	}
	if now.Sub(newest.created) >= RewrapEvery {
		if err := v.AddKEK(ctx); err != nil {
			return err
		}
	}
	rewrapped, err := v.Rewrap(ctx)
	if rewrapped > 0 {
		err = errors.Join(err, recordRewrapped(ctx, facts, rewrapped))
	}
	if err != nil {
		return err
	}
	if err := v.retireFollowed(ctx, now); err != nil {
		return err
	}
	if err := v.RecordKEK(ctx, facts); err != nil {
		return err
	}
	if err := v.EndOver(ctx, facts); err != nil {
		return err
	}
	_, err = v.DropUnreferenced(ctx, facts)
	_, commandsErr := v.EndCommands(ctx, facts)
	_, filesErr := v.EndFiles(ctx, facts)
	return errors.Join(err, commandsErr, filesErr)
}

// EndOver destroys the keys of digests and reasons whose time is over. It is run before the API opens
// too: a backup that was restored may have brought some back.
func (v *Vault) EndOver(ctx context.Context, facts *database.DB) error {
	if _, err := v.EndDigestKeys(ctx); err != nil {
		return err
	}
	_, err := v.EndReasons(ctx, facts)
	return err
}

func (v *Vault) retireFollowed(ctx context.Context, now time.Time) error {
	generations, err := v.kek.current()
	if err != nil {
		return err
	}
	for i, g := range generations[:len(generations)-1] {
		if now.Sub(generations[i+1].created) < RetireAfter {
			continue
		}
		if err := v.RetireKEK(ctx, g.number); err != nil {
			return err
		}
	}
	return nil
}

// commandPlace is where a request that waits for a second person keeps its command.
const commandPlace = "approvals.command_sealed/"

// EndCommands destroys the keys of commands for which no request waits any more: it ended while the keys
// database was away, or was never committed. One of less than 24 hours may be about to be.
func (v *Vault) EndCommands(ctx context.Context, facts *database.DB) (ended int64, err error) {
	return v.endUnused(ctx, commandPlace, func() (waiting []uuid.UUID, err error) {
		err = facts.Read(ctx).Model(&models.Approval{}).Where("state = ?", models.ApprovalPending).Pluck("id", &waiting).Error
		return waiting, database.Wrap("listing the requests that wait", err)
	})
}

// Where the parts of imported files and their headers are kept.
const (
	partPlace    = "batch_parts.rows_sealed/"
	headersPlace = "batches.headers_sealed/"
)

// EndFiles does so for the keys of imported files of which nothing is left: rows of somebody whose data was deleted, files
// that were refused after they were sealed.
func (v *Vault) EndFiles(ctx context.Context, facts *database.DB) (ended int64, err error) {
	for place, column := range map[string]string{partPlace: "rows_sealed", headersPlace: "headers_sealed"} {
		table, _, _ := strings.Cut(place, ".")
		n, err := v.endUnused(ctx, place, func() (kept []uuid.UUID, err error) {
			err = facts.Read(ctx).Table(table).Where(column+" IS NOT NULL").Pluck("id", &kept).Error
			return kept, database.Wrap("listing the files that are kept", err)
		})
		if ended += n; err != nil {
			return ended, err
		}
	}
	return ended, nil
}

// endUnused destroys the keys of a place, older than 24 hours, that none of the rows in use has.
func (v *Vault) endUnused(ctx context.Context, place string, inUse func() ([]uuid.UUID, error)) (ended int64, err error) {
	var rows []looseKey
	err = v.keys.Read(ctx).Where("place LIKE ? AND wrapped IS NOT NULL AND created_at < clock_timestamp() - make_interval(secs => ?)",
		place+"%", unreferencedFor.Seconds()).Find(&rows).Error
	if err != nil {
		return 0, database.Wrap("listing keys", err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	ids, err := inUse()
	if err != nil {
		return 0, err
	}
	places := make(map[string]bool, len(ids))
	for _, id := range ids {
		places[place+id.String()] = true
	}
	var over models.IDs
	for _, row := range rows {
		if !places[row.Place] {
			over = append(over, row.ID)
		}
	}
	return v.endLoose(ctx, over)
}

// DropUnreferenced deletes live data keys to which no category has referred for 24 hours: their
// transaction failed after the key was committed. It takes the lock of a purge on the category, so
// that nobody is about to refer to the key.
func (v *Vault) DropUnreferenced(ctx context.Context, facts *database.DB) (dropped int, err error) {
	var after uuid.UUID
	for {
		var rows []storedKey
		err := v.keys.Read(ctx).
			Where("wrapped IS NOT NULL AND id > ? AND created_at < clock_timestamp() - make_interval(secs => ?)", after, unreferencedFor.Seconds()).
			Order(database.ByID).Limit(1000).Find(&rows).Error
		if err != nil {
			return dropped, database.Wrap("listing data keys", err)
		}
		if len(rows) == 0 {
			return dropped, nil
		}
		after = rows[len(rows)-1].ID
		n, err := v.dropUnreferencedOf(ctx, facts, rows)
		dropped += n
		if err != nil {
			return dropped, fmt.Errorf("dropping unreferenced data keys: %w", err)
		}
	}
}

func (v *Vault) dropUnreferencedOf(ctx context.Context, facts *database.DB, rows []storedKey) (dropped int, err error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	var referenced []uuid.UUID
	err = facts.Read(ctx).Model(&models.EmploymentCategory{}).Where("data_key_id IN ?", ids).Pluck("data_key_id", &referenced).Error
	if err != nil {
		return 0, database.Hide(err)
	}
	known := make(map[uuid.UUID]bool, len(referenced))
	for _, id := range referenced {
		known[id] = true
	}
	for _, row := range rows {
		if known[row.ID] {
			continue
		}
		gone, err := v.dropOne(ctx, facts, row)
		if err != nil {
			return dropped, err
		}
		if gone {
			dropped++
		}
	}
	return dropped, nil
}

// dropOne looks again under the lock and deletes the key while it holds it.
func (v *Vault) dropOne(ctx context.Context, facts *database.DB, row storedKey) (gone bool, err error) {
	err = database.Run(ctx, facts, func(tx *database.Tx) error {
		category, err := database.First[models.EmploymentCategory](
			tx.DB().Clauses(database.ForUpdate).Where("id = ?", row.CategoryID))
		if err != nil && !errors.Is(err, database.ErrNotFound) {
			return err
		}
		if category.DataKeyID != nil && *category.DataKeyID == row.ID {
			return nil
		}
		result := v.keys.Read(ctx).Where("id = ? AND wrapped IS NOT NULL", row.ID).Delete(&storedKey{})
		gone = result.RowsAffected == 1
		return database.Hide(result.Error)
	})
	return gone, err
}
