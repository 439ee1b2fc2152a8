package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// RestoreCmd is what follows a restore.
type RestoreCmd struct {
	Accept RestoreAcceptCmd `cmd:"" help:"Give up what a restored keys database has no key for, with two people. 由两人确认放弃恢复后密钥库中缺失密钥的数据。"`
}

// RestoreAcceptCmd lets processes start again with a keys database that is older than the facts. It runs
// on the host, as the owner of the facts, since no process starts before; so two people log in here.
type RestoreAcceptCmd struct {
	Reason string `help:"Why, for the ledger; no names of people. 原因（写入账本，请勿包含人名）。" required:""`
	People string `arg:"" help:"JSON with the logins of two people: [{\"login\",\"password\",\"totp\" or \"recovery_code\"}, …]; - is standard input. 两人的登录信息 JSON，- 表示标准输入。"`
}

// Run lists what lost its key, and gives it up in one transaction.
func (a RestoreAcceptCmd) Run(ctx context.Context) error {
	if a.Reason == "" || len(a.Reason) > maxEpochReason {
		return errEpochReason
	}
	people, err := readCredentials(a.People)
	if err != nil {
		return err
	}
	db, in, err := openFacts(ctx, "ledger")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	if err := database.RequireOwner(ctx, db); err != nil {
		return err
	}
	by, err := logIn(ctx, c, db, in, people)
	if err != nil {
		return err
	}
	keys, err := database.Open(ctx, c.KeysDatabaseURL, database.Options{MaxConnections: 2})
	if err != nil {
		return err
	}
	defer func() { _ = keys.Close() }()
	lost, err := vault.FindLost(ctx, db, keys)
	if err != nil {
		return err
	}
	if err := printLost(ctx, db, lost); err != nil {
		return err
	}
	return a.accept(ctx, db, lost, by)
}

// accept is the first one's request and the second one's doing.
func (a RestoreAcceptCmd) accept(ctx context.Context, db *database.DB, lost []vault.Lost, by [2]identity.Bearer) error {
	err := database.Run(models.WithCaller(ctx, by[1].Caller("")), db, func(tx *database.Tx) error {
		if err := identity.TwoPeople(tx, by); err != nil {
			return err
		}
		_, err := vault.AcceptLost(tx, lost, ledger.Entry{Reason: a.Reason, RequestedBy: by[0].Actor.EmployeeID.String()})
		return err
	})
	if err != nil {
		return err
	}
	keys := vault.CountKeys(lost)
	fmt.Printf("%d keys are given up; start serve and worker\n已确认放弃 %d 个密钥；可以启动 serve 与 worker\n", keys, keys)
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
