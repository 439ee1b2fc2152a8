package main

import (
	"context"
	"fmt"
	"os"

	"lethe/cmd/lethe/install"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
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
	File string `arg:"" help:"The next policy file. 新的策略文件。" type:"path"`
	agreed
}

// Run records the policy in an entry of the ledger.
func (a LedgerAdoptCmd) Run(ctx context.Context) error {
	p, err := policy.Load(a.File)
	if err != nil {
		return err
	}
	h, people, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := sameOrigin(p, install.Origin(h.config.LedgerOrigin, h.installation)); err != nil {
		return err
	}
	keys, err := ledger.LoadKeys(h.config.LedgerKeyFile)
	if err != nil {
		return err
	}
	by, err := h.logIn(ctx, people)
	if err != nil {
		return err
	}
	if err := a.carryOut(ctx, h, by, func(tx *database.Tx, e ledger.Entry) error { return p.Adopt(tx, keys, e) }); err != nil {
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
