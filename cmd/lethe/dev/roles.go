package dev

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/google/uuid"

	"lethe/cmd/lethe/install"
	"lethe/internal/database"
	"lethe/internal/durable"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
)

// errMayNotCreateLogins is what the user of a DATABASE_URL hears who may not do what the private
// Postgres's superuser may.
var errMayNotCreateLogins = errors.New("the user of DATABASE_URL may not create logins for the API and the worker, which must not own the tables: " +
	"have it altered with CREATEROLE (as a superuser: ALTER ROLE … CREATEROLE), or leave DATABASE_URL out")

// openLogins makes the logins of serve and worker, members of the group roles that migrations made.
// Their names hold the end of the installation's id (its beginning is a time), since roles belong to
// the whole cluster.
func (d *development) openLogins(ctx context.Context) (err error) {
	if d.appURL, err = d.openLogin(ctx, d.facts, d.factsURL, "app", database.RoleApp); err != nil {
		return err
	}
	if d.appKeysURL, err = d.openLogin(ctx, d.keys, d.keysURL, "app", database.RoleApp); err != nil {
		return err
	}
	d.sequencerURL, err = d.openLogin(ctx, d.facts, d.factsURL, "sequencer", database.RoleSequencer)
	return err
}

func (d *development) openLogin(ctx context.Context, owner *database.DB, ownerURL, kind string, group database.Role) (string, error) {
	password, err := secretFile(d.files.password(d.installation.ID, kind))
	if err != nil {
		return "", err
	}
	name := loginName(d.installation.ID, kind)
	if err := database.CreateLogin(ctx, owner, name, password, group); err != nil {
		if database.Code(err) == "42501" {
			return "", errMayNotCreateLogins
		}
		return "", err
	}
	address, err := url.Parse(ownerURL)
	if err != nil {
		return "", errors.New("DATABASE_URL is not an address") // the error would quote the password
	}
	address.User = url.UserPassword(name, password)
	db, err := database.Open(ctx, address.String(), database.Options{MaxConnections: 1})
	if err != nil {
		return "", fmt.Errorf("the login %s, which was just made, is not let in; does pg_hba.conf allow it? %w", name, err)
	}
	return address.String(), db.Close()
}

func loginName(installation uuid.UUID, kind string) string {
	id := installation.String()
	return "lethe_" + id[len(id)-12:] + "_" + kind
}

// openLedger makes the ledger's keys of an installation that has written nothing yet, one of v0.1.0
// among them, and insists on those of another; then what this process does is recorded too.
func (d *development) openLedger(ctx context.Context, in database.Installation) error {
	path := d.files.ledgerKeys(in.ID)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		var written bool
		if err := d.facts.Read(ctx).Raw("SELECT EXISTS (SELECT FROM ledger_entries)").Scan(&written).Error; err != nil {
			return database.Wrap("looking into the ledger", err)
		}
		if written {
			return errForeignKeys
		}
		if err := os.MkdirAll(d.files.ledger(in.ID), 0o700); err != nil {
			return fmt.Errorf("making the ledger's folder: %w", err)
		}
		if err := ledger.CreateKeyFile(path); err != nil {
			return err
		}
	}
	keys, err := install.AttachWriter(ctx, d.facts, path, install.Origin(d.config.LedgerOrigin, in))
	if err != nil {
		return err
	}
	return d.openWitness(keys, in)
}

// openWitness makes the witness of this machine and the policy that asks for it. In production the
// witness is another administration's.
func (d *development) openWitness(keys *ledger.Keys, in database.Installation) error {
	path := d.files.witness(in.ID)
	var signer witness.Verifier
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if signer, err = witness.CreateKeyFile(path, "lethe-dev-witness/"+in.ID.String()); err != nil {
			return err
		}
	} else {
		own, err := witness.LoadKeyFile(path, time.Now)
		if err != nil {
			return err
		}
		signer = own.Verifier
	}
	p, err := policy.Of(install.Origin(d.config.LedgerOrigin, in), keys, 1, policy.Witness{VerifierKey: signer.String()})
	if err != nil {
		return err
	}
	return durable.Replace(d.files.policy(in.ID), p.Marshal())
}
