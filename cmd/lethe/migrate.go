package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/ledger/evidence"
	"lethe/internal/reasons"
	"lethe/internal/retention"
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
	in, err := install(ctx, facts, keys, mode(m.Dev), func(in database.Installation) error {
		_, err := attachWriter(facts, c.LedgerKeyFile, originOf(c.LedgerOrigin, in))
		return err
	})
	if err != nil {
		return err
	}
	if err := sealFormer(ctx, facts, func() (*vault.Vault, error) { return sealerOf(c.KEKFile, keys, in) }); err != nil {
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
	_, err = fmt.Printf("both databases are at the newest version (installation %s, %s)\n", in.ID, in.Mode)
	return err
}

// errNeedsKEK says that the upgrade has something to seal.
var errNeedsKEK = errors.New("this upgrade seals what the version before kept in clear: run `lethe migrate` again with LETHE_KEK_FILE set, as for serve and worker")

// sealerOf is the vault of an installation, for what an upgrade seals.
func sealerOf(kekFile string, keys *database.DB, in database.Installation) (*vault.Vault, error) {
	if kekFile == "" {
		return nil, errNeedsKEK
	}
	kek, err := vault.LoadKEKFile(kekFile)
	if err != nil {
		return nil, err
	}
	return vault.New(keys, kek, in.ID), nil
}

// sealFormer seals what version 0.2 kept in clear. vault is asked for once there is something.
func sealFormer(ctx context.Context, facts *database.DB, open func() (*vault.Vault, error)) error {
	err := departure.SealPlainCodes(ctx, facts, func() (vault.Sealer, error) { return open() })
	if err != nil {
		return err
	}
	ready := func() error {
		v, err := open()
		if err == nil {
			reasons.Attach(facts, v)
		}
		return err
	}
	for _, seal := range []func(context.Context, *database.DB, func() error) error{
		approval.SealPlain, evidence.SealPlain, retention.SealPlainMatters,
	} {
		if err := seal(ctx, facts, ready); err != nil {
			return err
		}
	}
	return nil
}

// install migrates and marks both databases and installs what every installation has. writer
// attaches the ledger's, whose key may lie in a folder named after the installation: what is
// installed is recorded.
func install(ctx context.Context, facts, keys *database.DB, mode database.Mode, writer func(database.Installation) error) (database.Installation, error) {
	if err := samePair(ctx, facts, keys, mode); err != nil {
		return database.Installation{}, err
	}
	if err := database.Migrate(ctx, facts, database.SchemaMain); err != nil {
		return database.Installation{}, err
	}
	if err := database.Migrate(ctx, keys, database.SchemaKeys); err != nil {
		return database.Installation{}, err
	}
	in, err := database.Install(ctx, facts, keys, mode)
	if err != nil {
		return in, err
	}
	if err := writer(in); err != nil {
		return in, err
	}
	return in, database.Run(ctx, facts, func(tx *database.Tx) error {
		if err := archive.InstallCatalogue(tx); err != nil {
			return err
		}
		return retention.InstallRules(tx, mode == database.ModeDev)
	})
}
