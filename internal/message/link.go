package message

import (
	"context"
	"time"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/models"
)

const (
	// linkGivenUp is how long a link may wait for the mail server: whoever asked is not there any more.
	linkGivenUp = time.Hour
	linkBatch   = 20
)

// resolve looks for whom links were asked for, and has one sent to whoever has left, has a second factor and an address.
func (d *Deliverer) resolve(ctx context.Context) error {
	return database.Run(ctx, d.DB, func(tx *database.Tx) error {
		rows, err := identity.AskedLinks(tx, linkBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		for _, row := range rows {
			user, ok, err := identity.LinkOwner(tx, row)
			if err == nil && ok {
				var why models.MessageEnd
				why, err = reachable(tx.DB(), user.EmployeeID, false)
				ok = why == ""
			}
			if err != nil {
				return err
			}
			if !ok {
				if err := identity.ResolveLink(tx, row.ID, nil, nil); err != nil {
					return err
				}
				continue
			}
			m := models.Message{ID: models.NewID(), Link: true, EmployeeID: user.EmployeeID, State: models.MessageQueued, RequestedAt: now, NextAt: &now}
			e := entry(m, actionAsked, nil)
			e.Actor = &models.System
			if m.LedgerEntryID, err = ledger.Append(tx, e); err != nil {
				return err
			}
			if err := tx.DB().Create(&m).Error; err != nil {
				return database.Wrap("keeping a message", err)
			}
			if err := identity.ResolveLink(tx, row.ID, &user.ID, &m.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
