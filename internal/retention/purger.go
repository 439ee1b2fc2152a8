package retention

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/imports"
	"lethe/internal/vault"
	"lethe/models"
)

// Shredder destroys keys and proves it; the vault's part that a purge needs.
type Shredder interface {
	Destroy(ctx context.Context, categoryID uuid.UUID) error
	Probe(ctx context.Context, categoryID uuid.UUID, samples ...models.Sealed) error
	UnrecoverableAfter(ctx context.Context) (clock.Date, error)
}

// Tombstones is the file outside of both databases that remembers every purge that began.
type Tombstones interface {
	Append(ctx context.Context, stone vault.Tombstone) error
}

// Purger carries out the steps of a purge after its intent: Tombstone, DestroyKeys, Clear, Probe,
// Certify, in that order. Each records that it is done and does nothing when called again, so that
// whoever was interrupted calls all of them again (I5). Called before the step that it builds on it
// is ErrOutOfOrder.
type Purger struct {
	db         *database.DB
	shredder   Shredder
	tombstones Tombstones
}

// NewPurger works on the facts in db.
func NewPurger(db *database.DB, shredder Shredder, tombstones Tombstones) *Purger {
	return &Purger{db: db, shredder: shredder, tombstones: tombstones}
}

// begun is a purge past its intent, with its claims by category id. Neither changes any more but for
// the steps' times.
type begun struct {
	models.Purge
	claims []models.PurgeClaim
}

func (b begun) categoryIDs() []uuid.UUID {
	ids := make([]uuid.UUID, len(b.claims))
	for i, c := range b.claims {
		ids[i] = c.CategoryID
	}
	return ids
}

func (b begun) has(category models.Category) bool {
	return slices.ContainsFunc(b.claims, func(c models.PurgeClaim) bool { return c.Category == category })
}

// begun reads a purge that has passed its intent.
func (p *Purger) begun(ctx context.Context, id uuid.UUID) (begun, error) {
	purge, err := database.First[models.Purge](p.db.Read(ctx).Where("id = ?", id))
	if err != nil {
		return begun{}, fmt.Errorf("reading a purge: %w", err)
	}
	if purge.IntentAt == nil {
		return begun{}, ErrOutOfOrder
	}
	b := begun{Purge: purge}
	err = p.db.Read(ctx).Where("purge_id = ? AND state <> ?", id, models.ClaimLeft).
		Order("category_id").Find(&b.claims).Error
	return b, database.Wrap("reading the claims of a purge", err)
}

// step runs do unless its time is recorded already, and records it. former is the time of the step
// before.
func (p *Purger) step(ctx context.Context, id uuid.UUID, column string, times func(begun) (former, own *time.Time), do func(begun) error) error {
	b, err := p.begun(ctx, id)
	if err != nil {
		return err
	}
	switch former, own := times(b); {
	case own != nil:
		return nil
	case former == nil:
		return ErrOutOfOrder
	}
	if err := do(b); err != nil {
		return err
	}
	return database.Run(ctx, p.db, func(tx *database.Tx) error { return record(tx, id, column) })
}

var stepActions = map[string]string{
	"tombstoned_at": actionPurgeTombstoned, "keys_destroyed_at": actionPurgeKeysDestroyed,
	"fields_cleared_at": actionPurgeCleared, "probed_at": actionPurgeProbed,
}

// record notes that a step is done, unless another run noted it before.
func record(tx *database.Tx, id uuid.UUID, column string) error {
	var noted []models.Departure
	err := tx.DB().Raw("UPDATE purges p SET "+column+" = lethe_now() FROM departures d WHERE p.id = ? AND p."+column+" IS NULL"+
		" AND d.id = p.departure_id RETURNING d.id, d.employee_id", id).Scan(&noted).Error
	if err != nil {
		return database.Wrap("recording a step of a purge", err)
	}
	if len(noted) == 0 {
		return nil
	}
	_, err = recordPurge(tx, stepActions[column], id, noted[0], models.System, nil)
	return err
}

// Tombstone writes down outside of both databases what is being destroyed, and waits for the disk:
// a backup that is restored later is purged again (I25).
func (p *Purger) Tombstone(ctx context.Context, id uuid.UUID) error {
	times := func(b begun) (*time.Time, *time.Time) { return b.IntentAt, b.TombstonedAt }
	return p.step(ctx, id, "tombstoned_at", times, func(b begun) error {
		err := p.tombstones.Append(ctx, vault.Tombstone{
			PurgeID: id, EmploymentID: b.EmploymentID, Categories: b.categoryIDs(), At: *b.IntentAt,
		})
		if err != nil {
			return fmt.Errorf("writing a tombstone: %w", err)
		}
		return nil
	})
}

// DestroyKeys destroys the data keys of the categories: from here on nobody can read them.
func (p *Purger) DestroyKeys(ctx context.Context, id uuid.UUID) error {
	times := func(b begun) (*time.Time, *time.Time) { return b.TombstonedAt, b.KeysDestroyedAt }
	return p.step(ctx, id, "keys_destroyed_at", times, func(b begun) error {
		for _, category := range b.categoryIDs() {
			if err := p.shredder.Destroy(ctx, category); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear empties every sealed column of the categories in one transaction, and what requests about the
// person came as. clearFile empties the
// departure's own ones, which this package does not know.
func (p *Purger) Clear(ctx context.Context, id uuid.UUID, clearFile func(tx *database.Tx, departureID uuid.UUID) error) error {
	b, err := p.begun(ctx, id)
	if err != nil || b.FieldsClearedAt != nil {
		return err
	}
	if b.KeysDestroyedAt == nil {
		return ErrOutOfOrder
	}
	return database.Run(ctx, p.db, func(tx *database.Tx) error {
		if err := forgetRequests(tx, b.DepartureID); err != nil {
			return err
		}
		dep, err := LockDeparture(tx, b.DepartureID)
		if err != nil {
			return err
		}
		if err := imports.Forget(tx, dep.EmployeeID); err != nil {
			return err
		}
		if b.has(models.CategoryDepartureFile) {
			if err := clearFile(tx, b.DepartureID); err != nil {
				return fmt.Errorf("clearing the departure's file: %w", err)
			}
		}
		if b.has(models.CategoryAccountSnapshot) {
			if _, err := account.ClearExternalIDs(tx, b.EmploymentID); err != nil {
				return err
			}
		}
		for _, category := range b.categoryIDs() {
			if _, err := account.ClearSnapshots(tx, category); err != nil {
				return err
			}
			if _, err := archive.ClearFields(tx, category); err != nil {
				return err
			}
			if err := archive.ClearAttachments(tx, category); err != nil {
				return err
			}
		}
		return record(tx, id, "fields_cleared_at")
	})
}

// Probe looks for anything that is left: a key that can be unwrapped, a sealed column with content.
// It is an error if there is.
func (p *Purger) Probe(ctx context.Context, id uuid.UUID) error {
	times := func(b begun) (*time.Time, *time.Time) { return b.FieldsClearedAt, b.ProbedAt }
	return p.step(ctx, id, "probed_at", times, func(b begun) error {
		for _, category := range b.categoryIDs() {
			if err := p.shredder.Probe(ctx, category); err != nil {
				return fmt.Errorf("probing the keys: %w", err)
			}
		}
		return p.probeColumns(ctx, b)
	})
}

// sealedColumns are all columns of type sealed. A test compares them with the schema.
var sealedColumns = []struct{ table, column, where string }{
	{"field_values", "value_sealed", "category_id IN @categories"},
	{"attachments", "name_sealed", "category_id IN @categories"},
	{"attachment_chunks", "content_sealed", "category_id IN @categories"},
	{"account_snapshots", "snapshot_sealed", "category_id IN @categories"},
	{"departures", "note_sealed", departureFile},
	{"departures", "withdrawal_reason_sealed", departureFile},
	{"departures", "annulment_reason_sealed", departureFile},
	{"departures", "legal_ground_sealed", departureFile},
	{"departures", "reason_code_sealed", departureFile},
}

// plainColumns hold in clear what belongs to a category: in departures of version 0.2, until the upgrade
// has sealed it.
var plainColumns = []struct{ table, column, where string }{
	{"departures", "legal_ground", departureFile},
	{"departures", "reason_code", departureFile},
}

const departureFile = "employment_id IN (SELECT employment_id FROM employment_categories WHERE category = 'departure_file' AND id IN @categories)"

func (p *Purger) probeColumns(ctx context.Context, b begun) error {
	for _, s := range sealedColumns {
		if err := p.probeColumn(ctx, b, s.table, s.column, s.column+" IS NOT NULL", s.where); err != nil {
			return err
		}
	}
	for _, s := range plainColumns {
		if err := p.probeColumn(ctx, b, s.table, s.column, s.column+" <> ''", s.where); err != nil {
			return err
		}
	}
	return nil
}

func (p *Purger) probeColumn(ctx context.Context, b begun, table, column, filled, where string) error {
	var left int64
	err := p.db.Read(ctx).Table(table).Where(filled).
		Where(where, map[string]any{"categories": b.categoryIDs()}).Count(&left).Error
	if err != nil {
		return fmt.Errorf("probing %s: %w", table, database.Hide(err))
	}
	if left > 0 {
		return fmt.Errorf("%d values in %s.%s: %w", left, table, column, ErrNotDestroyed)
	}
	return nil
}
