package departure

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

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

// SealPlainCodes carries the codes of version 0.2 over; see [database.SealFormer].
func SealPlainCodes(ctx context.Context, db *database.DB, sealer func() (vault.Sealer, error)) error {
	var seal vault.Sealer
	return database.SealFormer(ctx, db, database.Former{
		Table: "departures", Mark: "departures_codes_sealed",
		Columns: []database.FormerColumn{{Name: "legal_ground", Type: "text", Empty: "''"}, {Name: "reason_code", Type: "text", Empty: "''"}},
		Seal:    func(tx *database.Tx, id uuid.UUID) error { return sealPlain(tx, seal, id) },
	}, func() (err error) {
		seal, err = sealer()
		return err
	})
}

// sealPlain seals the codes of one departure. Those of a file that is being purged are cleared: it
// destroys them.
func sealPlain(tx *database.Tx, seal vault.Sealer, id uuid.UUID) error {
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
}
