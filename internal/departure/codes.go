package departure

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

// The sealed columns of [Codes]: their names are part of what they are sealed for.
const (
	columnLegalGround = "legal_ground_sealed"
	columnReasonCode  = "reason_code_sealed"
)

// Codes are why an employment ends, in law and for the company. Both tell more of a person than their
// form suggests, so they are sealed with the departure's file.
type Codes struct{ LegalGround, ReasonCode string }

// OpenCodes opens the codes of a departure; once its file is being purged there are none. What version
// 0.2 kept in plain is read as it is until the upgrade has sealed it.
func OpenCodes(ctx context.Context, db *database.DB, open vault.Opener, dep models.Departure) (c Codes, err error) {
	c = Codes{LegalGround: dep.PlainLegalGround, ReasonCode: dep.PlainReasonCode}
	if dep.LegalGroundSealed.IsNull() && dep.ReasonCodeSealed.IsNull() {
		return c, nil
	}
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		for _, code := range []struct {
			column string
			sealed models.Sealed
			to     *string
		}{{columnLegalGround, dep.LegalGroundSealed, &c.LegalGround}, {columnReasonCode, dep.ReasonCodeSealed, &c.ReasonCode}} {
			if code.sealed.IsNull() {
				continue
			}
			plain, err := open.Open(tx, placeOf(dep, code.column), code.sealed)
			if err != nil {
				return err
			}
			*code.to = string(plain)
		}
		return nil
	})
	if errors.Is(err, vault.ErrPurged) {
		return Codes{}, nil
	}
	if err != nil {
		return Codes{}, fmt.Errorf("opening the codes of a departure: %w", err)
	}
	return c, nil
}

// sealCodes seals the codes that a departure begins with.
func sealCodes(tx *database.Tx, seal vault.Sealer, dep *models.Departure, c Codes) (err error) {
	if dep.LegalGroundSealed, err = sealText(tx, seal, *dep, columnLegalGround, c.LegalGround); err != nil {
		return err
	}
	dep.ReasonCodeSealed, err = sealText(tx, seal, *dep, columnReasonCode, c.ReasonCode)
	return err
}

// sealBatch is how many departures are looked for at once.
const sealBatch = 500

// sealedMark is the constraint that refuses plain codes for good. It says that the upgrade is through.
const sealedMark = "departures_codes_sealed"

// SealPlainCodes carries the codes of version 0.2 over: each departure's in a transaction of its own, so
// that it goes on where it was interrupted, and beside processes that serve. Then the table is rewritten
// with nothing but its living rows, so that no dead one keeps a code, and refuses plain ones from then
// on. It is the owner's, and does nothing the second time.
func SealPlainCodes(ctx context.Context, db *database.DB, sealer func() (vault.Sealer, error)) error {
	var through bool
	err := db.Read(ctx).Raw("SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = ? AND conrelid = 'public.departures'::regclass)", sealedMark).
		Scan(&through).Error
	if err != nil {
		return fmt.Errorf("looking for plain codes: %w", database.Hide(err))
	}
	for !through {
		ids, err := plainCodes(ctx, db)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			through, err = rewriteDepartures(ctx, db)
			if err != nil {
				return err
			}
			continue
		}
		seal, err := sealer()
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := sealPlain(ctx, db, seal, id); err != nil {
				return fmt.Errorf("sealing the codes of a departure: %w", err)
			}
		}
	}
	return nil
}

const isPlain = "legal_ground <> '' OR reason_code <> ''"

func plainCodes(ctx context.Context, db *database.DB) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := db.Read(ctx).Model(&models.Departure{}).Where(isPlain).
		Order(clause.OrderByColumn{Column: clause.Column{Name: "id"}}).Limit(sealBatch).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("listing plain codes: %w", database.Hide(err))
	}
	return ids, nil
}

// sealPlain seals the codes of one departure. Those of a file that is being purged are cleared: it
// destroys them.
func sealPlain(ctx context.Context, db *database.DB, seal vault.Sealer, id uuid.UUID) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		dep, err := Lock(tx, id)
		if err != nil {
			return err
		}
		err = sealCodes(tx, seal, &dep, Codes{LegalGround: dep.PlainLegalGround, ReasonCode: dep.PlainReasonCode})
		if errors.Is(err, vault.ErrPurged) {
			dep.LegalGroundSealed, dep.ReasonCodeSealed = models.Sealed{}, models.Sealed{}
		} else if err != nil {
			return err
		}
		return database.UpdateOne(tx.DB().Model(&models.Departure{}).Where("id = ?", id).Updates(map[string]any{
			columnLegalGround: dep.LegalGroundSealed, columnReasonCode: dep.ReasonCodeSealed, "legal_ground": "", "reason_code": "",
		}))
	})
}

// rewriteDepartures writes the table anew and puts the mark on it; false: there are plain codes again.
// A column that is computed anew makes Postgres copy what is visible, and nothing else: VACUUM FULL would
// keep the dead rows that somebody's old snapshot could still see.
func rewriteDepartures(ctx context.Context, db *database.DB) (done bool, err error) {
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		if err := tx.DB().Exec("LOCK TABLE public.departures IN ACCESS EXCLUSIVE MODE").Error; err != nil {
			return fmt.Errorf("locking the departures: %w", database.Hide(err))
		}
		var plain int64
		if err := tx.DB().Model(&models.Departure{}).Where(isPlain).Count(&plain).Error; err != nil {
			return fmt.Errorf("counting plain codes: %w", database.Hide(err))
		}
		if plain > 0 {
			return nil
		}
		err := tx.DB().Exec(`ALTER TABLE public.departures
			ALTER COLUMN legal_ground TYPE text USING ''::text, ALTER COLUMN reason_code TYPE text USING ''::text,
			ADD CONSTRAINT ` + sealedMark + ` CHECK (legal_ground = '' AND reason_code = '')`).Error
		if err != nil {
			return fmt.Errorf("rewriting the departures: %w", database.Hide(err))
		}
		done = true
		return nil
	})
	return done, err
}
