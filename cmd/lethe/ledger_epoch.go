package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/uuid"

	"lethe/cmd/lethe/install"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/keyed"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// LedgerNewEpochCmd gives up what a restore has lost for good. It runs on the host, as the owner of
// the database, since the API does not write to a ledger that holds less than it signed; so two
// people log in here, in place of an approval there.
type LedgerNewEpochCmd struct {
	Reason string `help:"Why, for the ledger; no names of people. 原因（写入账本，请勿包含人名）。" required:""`
	People string `arg:"" help:"JSON with the logins of two people: [{\"login\",\"password\",\"totp\"}, …]; - is standard input. 两人的登录信息 JSON，- 表示标准输入。"`
}

// credentials are one person's.
type credentials struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	TOTP     string `json:"totp,omitempty"`
	// RecoveryCode stands in for a code whose secret a restore has lost.
	RecoveryCode string `json:"recovery_code,omitempty"`
}

var (
	errTwoPeople   = errors.New("two people are needed: a JSON array with the logins of both")
	errEpochRole   = errors.New("a new epoch is begun by people with the role hr_admin or it_ops")
	errEpochReason = errors.New("the reason has 1 to 1,000 characters")
)

// maxEpochReason is in bytes: a thousand characters of any language.
const maxEpochReason = 3000

// Run logs both in, and begins the epoch in one transaction.
func (n LedgerNewEpochCmd) Run(ctx context.Context) error {
	if n.Reason == "" || len(n.Reason) > maxEpochReason {
		return errEpochReason
	}
	people, err := readCredentials(n.People)
	if err != nil {
		return err
	}
	db, in, err := openFacts(ctx, "ledger")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := database.RequireOwner(ctx, db); err != nil {
		return err
	}
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	storage, err := ledger.OpenStorage(c.LedgerDir)
	if err != nil {
		return err
	}
	bearers, err := logIn(ctx, c, db, in, people)
	if err != nil {
		return err
	}
	return n.begin(ctx, db, storage, bearers)
}

func readCredentials(path string) (people [2]credentials, err error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return people, fmt.Errorf("reading the logins: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	var list []credentials
	d := json.NewDecoder(io.LimitReader(in, 1<<16))
	d.DisallowUnknownFields()
	if d.Decode(&list) != nil || len(list) != 2 {
		return people, errTwoPeople
	}
	return [2]credentials(list), nil
}

// logIn opens a session for each, and ends it at once: what counts is that it could be opened.
func logIn(ctx context.Context, c config.Config, db *database.DB, in database.Installation, people [2]credentials) (bearers [2]identity.Bearer, err error) {
	keys, err := database.Open(ctx, c.KeysDatabaseURL, database.Options{MaxConnections: 2})
	if err != nil {
		return bearers, err
	}
	defer func() { _ = keys.Close() }()
	if err := install.SamePair(ctx, db, keys, in.Mode); err != nil {
		return bearers, err
	}
	kek, err := vault.LoadKEKFile(c.KEKFile)
	if err != nil {
		return bearers, err
	}
	secrets := vault.New(keys, kek, in.ID)
	keyed.Attach(db, secrets)
	reasons.Attach(db, secrets)
	service := identity.New(db, secrets, identity.Options{})
	for i, p := range people {
		opened, err := service.Login(ctx, identity.LoginOrder{Login: p.Login, Password: p.Password, TOTP: p.TOTP, RecoveryCode: p.RecoveryCode})
		if err != nil {
			return bearers, fmt.Errorf("login %d: %w", i+1, err)
		}
		if bearers[i], err = service.AuthenticateSession(ctx, opened.Token); err != nil {
			return bearers, fmt.Errorf("login %d: %w", i+1, err)
		}
		err = database.Run(models.WithCaller(ctx, bearers[i].Caller("")), db, func(tx *database.Tx) error { return service.Logout(tx, bearers[i]) })
		if err != nil {
			return bearers, fmt.Errorf("login %d: %w", i+1, err)
		}
		if !slices.Contains([]models.Role{models.RoleHRAdmin, models.RoleITOps}, bearers[i].Actor.Role) {
			return bearers, errEpochRole
		}
	}
	return bearers, nil
}

// begin is the first one's request and the second one's doing.
func (n LedgerNewEpochCmd) begin(ctx context.Context, db *database.DB, storage *ledger.Storage, by [2]identity.Bearer) error {
	var epoch int
	var entry uuid.UUID
	err := database.Run(models.WithCaller(ctx, by[1].Caller("")), db, func(tx *database.Tx) (err error) {
		if err := identity.TwoPeople(tx, by); err != nil {
			return err
		}
		epoch, entry, err = ledger.BeginEpoch(tx, storage, ledger.Entry{Reason: n.Reason, RequestedBy: by[0].Actor.EmployeeID.String()})
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("epoch %d begins with entry %s; the log signs again\n第 %d 纪元已开始，首条为 %s；账本恢复签署\n", epoch, entry, epoch, entry)
	return nil
}
