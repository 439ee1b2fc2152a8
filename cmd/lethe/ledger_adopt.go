package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lethe/cmd/lethe/install"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/models"
)

// LedgerRotateCmd begins a rotation.
type LedgerRotateCmd struct{}

// Run adds a generation to the key file and says what comes next.
func (LedgerRotateCmd) Run() error {
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	if err := ledger.RotateKeyFile(c.LedgerKeyFile); err != nil {
		return err
	}
	fmt.Println("Now print the next policy (lethe ledger policy), have two people adopt it (lethe ledger adopt-policy),")
	fmt.Println("give it to the witnesses and to whoever verifies, and restart the processes.")
	fmt.Println("请生成新策略（lethe ledger policy），由两人采纳（lethe ledger adopt-policy），分发给见证方与核验者，然后重启各进程。")
	return nil
}

// LedgerAdoptCmd makes a policy file the one that counts, with two people: processes refuse any other.
type LedgerAdoptCmd struct {
	Reason string `help:"Why, for the ledger; no names of people. 原因（写入账本，请勿包含人名）。" required:""`
	File   string `arg:"" help:"The next policy file. 新的策略文件。" type:"path"`
	People string `arg:"" help:"JSON with the logins of two people: [{\"login\",\"password\",\"totp\"}, …]; - is standard input. 两人的登录信息 JSON，- 表示标准输入。"`
}

// Run records the policy in an entry of the ledger.
func (a LedgerAdoptCmd) Run(ctx context.Context) error {
	if a.Reason == "" || len(a.Reason) > maxEpochReason {
		return errEpochReason
	}
	p, err := policy.Load(a.File)
	if err != nil {
		return err
	}
	people, err := readCredentials(a.People)
	if err != nil {
		return err
	}
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	db, in, err := openFacts(ctx, "ledger")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := errors.Join(database.RequireOwner(ctx, db), sameOrigin(p, install.Origin(c.LedgerOrigin, in))); err != nil {
		return err
	}
	keys, err := ledger.LoadKeys(c.LedgerKeyFile)
	if err != nil {
		return err
	}
	by, err := logIn(ctx, c, db, in, people)
	if err != nil {
		return err
	}
	err = database.Run(models.WithCaller(ctx, by[1].Caller("")), db, func(tx *database.Tx) error {
		if err := identity.TwoPeople(tx, by); err != nil {
			return err
		}
		return p.Adopt(tx, keys, ledger.Entry{Reason: a.Reason, RequestedBy: by[0].Actor.EmployeeID.String()})
	})
	if err != nil {
		return err
	}
	fmt.Printf("adopted: %s\n已采纳：%s\n", p.Digest(), p.Digest())
	return nil
}

func sameOrigin(p *policy.Policy, origin string) error {
	if p.Origin != origin {
		return fmt.Errorf("the policy file is for the ledger %s, this one is %s", p.Origin, origin)
	}
	return nil
}
