// Package install makes and upgrades an installation: what `lethe migrate`, `lethe dev` and the
// processes that open one have in common.
package install

import (
	"context"
	"errors"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/reasons"
	"lethe/internal/retention"
	"lethe/internal/vault"
)

// Origin is the name of the installation's log: the one that was set, or one that nobody else has.
func Origin(set string, in database.Installation) string {
	if set != "" {
		return set
	}
	return "lethe/" + in.ID.String()
}

// AttachWriter lets transactions on the facts be recorded in the ledger. Without it, whatever must
// be recorded is refused. Keys of another ledger than that of the facts are refused.
func AttachWriter(ctx context.Context, facts *database.DB, keyFile, origin string) (*ledger.Keys, error) {
	keys, err := ledger.LoadKeys(keyFile)
	if err != nil {
		return nil, err
	}
	if err := ledger.RequireKeys(ctx, facts, origin, keys); err != nil {
		return nil, err
	}
	ledger.Attach(facts, ledger.NewWriter(origin, keys.Writer()))
	return keys, nil
}

// SamePair refuses keys that do not belong to the facts, and in production keys on the facts' cluster.
func SamePair(ctx context.Context, facts, keys *database.DB, mode database.Mode) error {
	if err := database.CheckPair(ctx, facts, keys); err != nil || mode != database.ModeProduction {
		return err
	}
	return database.RefuseSameCluster(ctx, facts, keys)
}

// errNeedsKEK says that the upgrade has something to seal.
var errNeedsKEK = errors.New("this upgrade seals what the version before kept in clear: run `lethe migrate` again with LETHE_KEK_FILE set, as for serve and worker")

// Sealer is the vault of an installation, for what an upgrade seals.
func Sealer(kekFile string, keys *database.DB, in database.Installation) (*vault.Vault, error) {
	if kekFile == "" {
		return nil, errNeedsKEK
	}
	kek, err := vault.LoadKEKFile(kekFile)
	if err != nil {
		return nil, err
	}
	return vault.New(keys, kek, in.ID), nil
}

// SealFormer seals what version 0.2 kept in clear. vault is asked for once there is something.
func SealFormer(ctx context.Context, facts *database.DB, open func() (*vault.Vault, error)) error {
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

// Databases migrates and marks both databases and installs what every installation has. writer
// attaches the ledger's, whose key may lie in a folder named after the installation: what is
// installed is recorded.
func Databases(ctx context.Context, facts, keys *database.DB, mode database.Mode, writer func(database.Installation) error) (database.Installation, error) {
	if err := SamePair(ctx, facts, keys, mode); err != nil {
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
