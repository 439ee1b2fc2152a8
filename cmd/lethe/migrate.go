package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"lethe/cmd/lethe/install"
	"lethe/internal/archive"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/vault"
)

// MigrateCmd brings both databases to this version and installs the field catalogue and the
// retention rules that come with it.
type MigrateCmd struct {
	Dev bool `help:"Mark empty databases as dev. 将空库标记为开发用。"`
}

// Run migrates; it may be repeated and run by several processes at once.
func (m MigrateCmd) Run(ctx context.Context) error {
	c, err := config.Load("migrate", os.Environ())
	if err != nil {
		return err
	}
	c.Dev = m.Dev
	logger(c)
	facts, err := database.Open(ctx, c.DatabaseURL, database.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = facts.Close() }()
	if err := database.RequireOwner(ctx, facts); err != nil {
		return err
	}
	keys, err := database.Open(ctx, c.KeysDatabaseURL, database.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = keys.Close() }()
	in, err := install.Databases(ctx, facts, keys, mode(m.Dev), func(in database.Installation) error {
		_, err := install.AttachWriter(ctx, facts, c.LedgerKeyFile, install.Origin(c.LedgerOrigin, in))
		return err
	})
	if err != nil {
		return err
	}
	if err := install.SealFormer(ctx, facts, func() (*vault.Vault, error) { return install.Sealer(c.KEKFile, keys, in) }); err != nil {
		return err
	}
	if err := archive.HearNames(ctx, facts); err != nil {
		return err
	}
	numbers, err := archive.CollidingNumbers(ctx, facts)
	if err != nil {
		return err
	}
	if len(numbers) > 0 {
		fmt.Printf("这些工号仅大小写不同，仍按不同的人处理，请核对 · employee numbers that differ by case only stay different people, check them: %s\n",
			strings.Join(numbers, ", "))
	}
	codes, err := archive.CollidingCodes(ctx, facts)
	if err != nil {
		return err
	}
	if len(codes) > 0 {
		fmt.Printf("这些公司、部门或地点的编码仅大小写不同，仍按不同的条目处理，请核对 · codes of companies, departments or sites that differ by case only stay different ones, check them: %s\n",
			strings.Join(codes, ", "))
	}
	_, err = fmt.Printf("both databases are at the newest version (installation %s, %s)\n", in.ID, in.Mode)
	return err
}
