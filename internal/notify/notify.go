// Package notify tells people who work here by mail what waits for them: each working day or week what the console counts
// for them, and at once what cannot wait. A mail has numbers and links, and names nobody. Whoever wants none gives no address.
package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/models"
)

// Roles are those that something waits for.
var Roles = []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps}

// What the ledger says about reminders.
const (
	actionSet     = "reminder.set"
	actionStopped = "reminder.stopped"
)

func cell(id uuid.UUID) string { return reasons.Cell("reminders.address_sealed", id) }

// Settings are how somebody wants to be told.
type Settings struct {
	Address  string
	Digest   models.DigestEvery
	Urgent   bool
	Language i18n.Language
}

// Set keeps how the user wants to be told. The same again changes nothing.
func Set(tx *database.Tx, by models.Actor, s Settings) error {
	var code string
	if s.Address, code = archive.MailAddress(s.Address); code != "" {
		return invalid.At("address", code)
	}
	user, old, err := locked(tx, by)
	if err != nil || old != nil && *old == s {
		return err
	}
	if err := remove(tx, user); err != nil {
		return err
	}
	r := models.Reminder{ID: models.NewID(), UserID: user, Digest: s.Digest, Urgent: s.Urgent, Language: string(s.Language)}
	if r.SetAt, err = tx.Now(); err != nil {
		return err
	}
	if r.AddressSealed, err = reasons.Seal(tx, cell(r.ID), s.Address); err != nil {
		return err
	}
	if r.LedgerEntryID, err = ledger.Append(tx, entry(actionSet, by.EmployeeID, user)); err != nil {
		return err
	}
	return database.Wrap("keeping how somebody is told", tx.DB().Create(&r).Error)
}

// Stop has the user told nothing any more. Twice is once.
func Stop(tx *database.Tx, by models.Actor) error {
	user, old, err := locked(tx, by)
	if err != nil || old == nil {
		return err
	}
	if _, err := ledger.Append(tx, entry(actionStopped, by.EmployeeID, user)); err != nil {
		return err
	}
	return remove(tx, user)
}

func entry(action string, person, user uuid.UUID) ledger.Entry {
	return ledger.Entry{Kind: ledger.KindIdentity, Action: action, Subject: &person, Object: models.Ref{Kind: models.RefUser, ID: user}.String()}
}

// locked locks the user of somebody, and reads how they are told.
func locked(tx *database.Tx, by models.Actor) (user uuid.UUID, old *Settings, err error) {
	u, err := database.First[models.User](tx.DB().Clauses(database.ForChange).Where("employee_id = ? AND state = 'active'", by.EmployeeID))
	if err != nil {
		return user, nil, database.Wrap("locking a user", err)
	}
	old, err = Of(tx.Context(), tx.DB(), tx, by.EmployeeID)
	return u.ID, old, err
}

func remove(tx *database.Tx, user uuid.UUID) error {
	return database.Wrap("removing how somebody is told", tx.DB().Where("user_id = ?", user).Delete(&models.Reminder{}).Error)
}

// Of is how somebody is told; nil: not at all.
func Of(ctx context.Context, g *gorm.DB, c reasons.Carrier, person uuid.UUID) (*Settings, error) {
	r, err := database.First[models.Reminder](g.Where("user_id IN (SELECT id FROM users WHERE employee_id = ? AND state = 'active')", person))
	if errors.Is(err, database.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, database.Wrap("reading how somebody is told", err)
	}
	opened, err := reasons.Open(ctx, c, reasons.Text{Cell: cell(r.ID), Sealed: r.AddressSealed})
	if err != nil {
		return nil, err
	}
	return &Settings{opened[0], r.Digest, r.Urgent, i18n.Language(r.Language)}, nil
}

const keepEvery = time.Minute

// Keep removes the address of whoever has no use of the login any more, or holds no role that something waits for.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	for {
		if err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "addresses for reminders are looked at again later", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(keepEvery):
		}
	}
}

// Sweep is one round of [Keep].
func Sweep(ctx context.Context, db *database.DB) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		err := tx.DB().Exec(`DELETE FROM reminders r USING users u JOIN employees e ON e.id = u.employee_id
			WHERE u.id = r.user_id AND (u.state <> 'active' OR e.status NOT IN ('active', 'pending_departure')
			OR NOT EXISTS (SELECT FROM user_roles WHERE user_id = u.id AND revoked_at IS NULL AND role IN ?))`, Roles).Error
		return database.Wrap("removing addresses of people who are gone", err)
	})
}
