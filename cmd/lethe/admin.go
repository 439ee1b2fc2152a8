package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// AdminCmd is what only somebody who administers the host may do. It works on the database itself,
// as its owner, and goes into the ledger.
type AdminCmd struct {
	Bootstrap  BootstrapCmd    `cmd:"" help:"Make the first two users, once. 初始化首批两名管理员（仅一次）。"`
	Renew      RenewCodesCmd   `cmd:"" name:"renew-codes" help:"New codes for the first two, while neither has enrolled. 首批两人均未启用时，重新生成启用码。"`
	Confirm    ConfirmOwnerCmd `cmd:"" name:"confirm-owner" help:"Two people confirm that an account was enrolled by its owner. 两人共同确认账号由本人启用。"`
	BreakGlass BreakGlassCmd   `cmd:"" help:"Codes for the day on which nobody can log in. 无人能登录时使用的应急码。"`
}

// BootstrapCmd makes the first two users.
type BootstrapCmd struct {
	File string `arg:"" help:"JSON with the two people and, in an empty installation, their legal entity and department (docs/production.md); - is standard input. 两名管理员（空库还需所属公司、部门）的 JSON 文件，- 表示标准输入。"`
}

// Run makes them, in one transaction and only while there are no users, and prints the codes with
// which they enrol.
func (b BootstrapCmd) Run(ctx context.Context) error {
	plan, err := readFirstPlan(b.File)
	if err != nil {
		return err
	}
	var codes [2]string
	err = asOwner(ctx, func(tx *database.Tx) error {
		if err := identity.LockBootstrap(tx); err != nil {
			return err
		}
		first, err := plan.people(tx)
		if err != nil {
			return err
		}
		codes, err = identity.Bootstrap(tx, first[0], first[1])
		return err
	})
	if err != nil {
		return err
	}
	handOut()
	for i, person := range plan.People {
		fmt.Printf("%s\t%s\n", person.Login, codes[i])
	}
	return nil
}

func handOut() {
	fmt.Fprintln(os.Stderr, "Hand each code to its owner only. It is shown once and works for 72 hours, at POST /api/v1/enrolments.")
	fmt.Fprintln(os.Stderr, "请将启用码分别交给本人。启用码只显示一次，72 小时内有效。")
}

// RenewCodesCmd is the way back when the codes of the first two expired before either used one.
type RenewCodesCmd struct{}

// Run voids the former codes and prints new ones.
func (RenewCodesCmd) Run(ctx context.Context) error {
	var users []models.User
	var codes []string
	err := asOwner(ctx, func(tx *database.Tx) (err error) {
		users, codes, err = identity.RenewBootstrap(tx)
		return err
	})
	if err != nil {
		return err
	}
	handOut()
	for i, user := range users {
		fmt.Printf("%s\t%s\n", user.Login, codes[i])
	}
	return nil
}

// BreakGlassCmd is about the sealed codes.
type BreakGlassCmd struct {
	Seal SealCmd `cmd:"" help:"Make two new sealed codes; the former ones are void. 生成两份新的封存码，原有的作废。"`
}

// SealCmd makes the two codes.
type SealCmd struct{}

// Run prints them, once.
func (SealCmd) Run(ctx context.Context) error {
	var first, second string
	err := asOwner(ctx, func(tx *database.Tx) (err error) {
		first, second, err = identity.SealBreakGlass(tx)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "Print each on its own sheet, into two envelopes, with two people. They are shown once; both are needed, once.")
	fmt.Fprintln(os.Stderr, "请分别打印、装入两个信封，由两人各自保管。只显示一次；两份同时使用，且仅可使用一次。")
	fmt.Printf("code_1\t%s\ncode_2\t%s\n", first, second)
	return nil
}

// readFirstPlan reads who begins.
func readFirstPlan(path string) (plan firstPlan, err error) {
	ok, err := readInput(path, &plan)
	switch {
	case err != nil:
		return plan, fmt.Errorf("reading who begins: %w", err)
	case !ok:
		return plan, errors.New("the file is not the JSON that docs/production.md describes")
	case len(plan.People) != 2:
		return plan, errors.New("the file names exactly two people")
	}
	return plan, nil
}
