package main

import (
	"context"
	"errors"
	"fmt"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
)

// RestoreCmd is what follows a restore.
type RestoreCmd struct {
	Accept RestoreAcceptCmd `cmd:"" help:"Give up what a restored keys database has no key for, with two people. 由两人确认放弃恢复后密钥库中缺失密钥的数据。"`
}

// RestoreAcceptCmd lets processes start again with a keys database that is older than the facts. It runs
// on the host, as the owner of the facts, since no process starts before; so two people log in here.
type RestoreAcceptCmd struct{ agreed }

// Run lists what lost its key, and gives it up in one transaction.
func (a RestoreAcceptCmd) Run(ctx context.Context) error {
	h, people, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	by, err := h.logIn(ctx, people)
	if err != nil {
		return err
	}
	keys, err := h.openKeys(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = keys.Close() }()
	lost, err := vault.FindLost(ctx, h.facts, keys)
	if err != nil {
		return err
	}
	if err := printLost(ctx, h.facts, lost); err != nil {
		return err
	}
	err = a.carryOut(ctx, h, by, func(tx *database.Tx, e ledger.Entry) error {
		_, err := vault.AcceptLost(tx, lost, e)
		return err
	})
	if err != nil {
		return err
	}
	n := vault.CountKeys(lost)
	fmt.Printf("%d keys are given up; start serve and worker\n已确认放弃 %d 个密钥；可以启动 serve 与 worker\n", n, n)
	return nil
}

// printLost names the number of the person and what of theirs it is; never a value, which nobody can
// read any more.
func printLost(ctx context.Context, db *database.DB, lost []vault.Lost) error {
	for _, l := range lost {
		var what string
		var err error
		switch l.Table {
		case "employment_categories":
			err = db.Read(ctx).Raw(`SELECT e.employee_no || ': ' || c.category FROM employment_categories c
				JOIN employments m ON m.id = c.employment_id JOIN employees e ON e.id = m.employee_id WHERE c.id = ?`, l.RowID).Scan(&what).Error
		case "users":
			err = db.Read(ctx).Raw(`SELECT login || ': second factor (reset the user) 动态口令（请重置账号）' FROM users WHERE id = ?`, l.RowID).Scan(&what).Error
		default:
			what = l.Table + "/" + l.RowID.String()
		}
		if err != nil {
			return fmt.Errorf("naming what lost its key: %w", errors.Join(database.Hide(err)))
		}
		fmt.Println(what)
	}
	return nil
}
