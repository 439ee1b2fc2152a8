package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// LedgerNewEpochCmd gives up what a restore has lost for good. It runs on the host, as the owner of
// the database, since the API does not write to a ledger that holds less than it signed; so two
// people log in here, in place of an approval there.
type LedgerNewEpochCmd struct{ agreed }

// Run logs both in, and begins the epoch in one transaction.
func (n LedgerNewEpochCmd) Run(ctx context.Context) error {
	h, people, err := n.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	storage, err := ledger.OpenStorage(h.config.LedgerDir)
	if err != nil {
		return err
	}
	by, err := h.logIn(ctx, people)
	if err != nil {
		return err
	}
	var epoch int
	var entry uuid.UUID
	err = n.carryOut(ctx, h, by, func(tx *database.Tx, e ledger.Entry) (err error) {
		epoch, entry, err = ledger.BeginEpoch(tx, storage, e)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("epoch %d begins with entry %s; the log signs again\n第 %d 纪元已开始，首条为 %s；账本恢复签署\n", epoch, entry, epoch, entry)
	return nil
}
