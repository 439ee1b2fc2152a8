package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"lethe/cmd/lethe/install"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
)

// LedgerPolicyCmd writes the policy file that processes, witnesses and auditors start from.
type LedgerPolicyCmd struct {
	Witness []string `help:"A witness as KEY=URL: its verifier key and submission address; repeatable. 见证方，格式为 公钥=网址，可重复。"`
	Quorum  int      `help:"How many witnesses must cosign; all of them if left out. 必须联署的见证方数量，不填则为全部。" default:"-1"`
	Origin  string   `help:"Name of the ledger; left out, this installation's. 账本名称，不填则取本套安装的名称。" env:"LETHE_LEDGER_ORIGIN"`
}

// Run prints the file.
func (l LedgerPolicyCmd) Run(ctx context.Context) error {
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	keys, err := ledger.LoadKeys(c.LedgerKeyFile)
	if err != nil {
		return err
	}
	origin := l.Origin
	if origin == "" {
		if origin, err = installedOrigin(ctx, c.DatabaseURL); err != nil {
			return err
		}
	}
	var witnesses []policy.Witness
	for _, w := range l.Witness {
		i := strings.LastIndex(w, "=http") // a key in base64 may end with =
		if i < 0 {
			return fmt.Errorf("a witness is given as KEY=URL, not %q", w)
		}
		witnesses = append(witnesses, policy.Witness{VerifierKey: w[:i], URL: w[i+1:]})
	}
	quorum := l.Quorum
	if quorum < 0 {
		quorum = len(witnesses)
	}
	p, err := policy.Of(origin, keys, quorum, witnesses...)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(p.Marshal())
	return err
}

func installedOrigin(ctx context.Context, url string) (string, error) {
	db, err := database.Open(ctx, url, database.Options{MaxConnections: 1})
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	in, err := database.First[database.Installation](db.Read(ctx).Table("installation").Select("id", "mode"))
	if err != nil {
		return "", errors.Join(database.ErrNotInstalled, err)
	}
	return install.Origin("", in), nil
}
