package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

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

// onHost is what a command works with that runs on the host, on the database itself.
type onHost struct {
	config       config.Config
	installation database.Installation
	facts        *database.DB
}

// openHost opens the database that LETHE_DATABASE_URL names, with the ledger's writer.
func openHost(ctx context.Context, command string) (*onHost, error) {
	c, err := config.Load(command, os.Environ())
	if err != nil {
		return nil, err
	}
	h := &onHost{config: c}
	if h.facts, err = database.Open(ctx, c.DatabaseURL, database.Options{MaxConnections: 2}); err != nil {
		return nil, err
	}
	h.installation, err = database.First[database.Installation](h.facts.Read(ctx).Table("installation").Select("id", "mode"))
	if err != nil {
		err = errors.Join(database.ErrNotInstalled, err)
	} else {
		_, err = install.AttachWriter(ctx, h.facts, c.LedgerKeyFile, install.Origin(c.LedgerOrigin, h.installation))
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// openOwned is openHost, for the owner of the facts alone.
func openOwned(ctx context.Context, command string) (*onHost, error) {
	h, err := openHost(ctx, command)
	if err != nil {
		return nil, err
	}
	if err := database.RequireOwner(ctx, h.facts); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *onHost) close() { _ = h.facts.Close() }

// byHost says in the ledger that whoever administers the host did it.
func byHost(ctx context.Context) context.Context {
	return models.WithCaller(ctx, models.Caller{Actor: models.System, Authenticated: models.ByHost})
}

// asOwner carries out what the owner of the facts may do without anybody else.
func asOwner(ctx context.Context, fn func(tx *database.Tx) error) error {
	ctx = byHost(ctx)
	h, err := openOwned(ctx, "admin")
	if err != nil {
		return err
	}
	defer h.close()
	return database.Run(ctx, h.facts, fn)
}

// readInput decodes the JSON in a file, or in standard input for "-"; false: it is not what into takes.
func readInput(path string, into any) (ok bool, err error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	d := json.NewDecoder(io.LimitReader(in, 1<<20))
	d.DisallowUnknownFields()
	return d.Decode(into) == nil, nil
}

// agreed is what a command takes that two people carry out, who log in here in place of an approval.
type agreed struct {
	Reason string `help:"Why, for the ledger; no names of people. 原因（写入账本，请勿包含人名）。" required:""`
	People string `arg:"" help:"JSON with the logins of two people: [{\"login\",\"password\",\"totp\" or \"recovery_code\"}, …]; - is standard input. 两人的登录信息 JSON，- 表示标准输入。"`
}

// maxReason is in bytes: a thousand characters of any language.
const maxReason = 3000

var (
	errReason     = errors.New("the reason has 1 to 1,000 characters")
	errTwoPeople  = errors.New("two people are needed: a JSON array with the logins of both")
	errAgreedRole = errors.New("the two people have the role hr_admin or it_ops")
)

// open reads what was given, and opens the facts as their owner.
func (a agreed) open(ctx context.Context) (h *onHost, people [2]credentials, err error) {
	if a.Reason == "" || len(a.Reason) > maxReason {
		return nil, people, errReason
	}
	if people, err = readCredentials(a.People); err != nil {
		return nil, people, err
	}
	h, err = openOwned(ctx, "ledger")
	return h, people, err
}

// carryOut is the first one's request and the second one's doing.
func (a agreed) carryOut(ctx context.Context, h *onHost, by [2]identity.Bearer, fn func(tx *database.Tx, e ledger.Entry) error) error {
	return database.Run(models.WithCaller(ctx, by[1].Caller("")), h.facts, func(tx *database.Tx) error {
		if err := identity.TwoPeople(tx, by); err != nil {
			return err
		}
		return fn(tx, ledger.Entry{Reason: a.Reason, RequestedBy: by[0].Actor.EmployeeID.String()})
	})
}

// credentials are one person's.
type credentials struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	TOTP     string `json:"totp,omitempty"`
	// RecoveryCode stands in for a code whose secret a restore has lost.
	RecoveryCode string `json:"recovery_code,omitempty"`
}

func readCredentials(path string) (people [2]credentials, err error) {
	var list []credentials
	ok, err := readInput(path, &list)
	if err != nil {
		return people, fmt.Errorf("reading the logins: %w", err)
	}
	if !ok || len(list) != 2 {
		return people, errTwoPeople
	}
	return [2]credentials(list), nil
}

// openKeys opens the keys database.
func (h *onHost) openKeys(ctx context.Context) (*database.DB, error) {
	return database.Open(ctx, h.config.KeysDatabaseURL, database.Options{MaxConnections: 2})
}

// vault opens what seals and opens values, for as long as it is not closed.
func (h *onHost) vault(ctx context.Context) (*vault.Vault, func(), error) {
	keys, err := h.openKeys(ctx)
	if err != nil {
		return nil, nil, err
	}
	closeKeys := func() { _ = keys.Close() }
	err = install.SamePair(ctx, h.facts, keys, h.installation.Mode)
	var kek *vault.KEK
	if err == nil {
		kek, err = vault.LoadKEKFile(h.config.KEKFile)
	}
	if err != nil {
		closeKeys()
		return nil, nil, err
	}
	return vault.New(keys, kek, h.installation.ID), closeKeys, nil
}

// logIn opens a session for each, and ends it at once: what counts is that it could be opened.
func (h *onHost) logIn(ctx context.Context, people [2]credentials) (bearers [2]identity.Bearer, err error) {
	secrets, closeKeys, err := h.vault(ctx)
	if err != nil {
		return bearers, err
	}
	defer closeKeys()
	keyed.Attach(h.facts, secrets)
	reasons.Attach(h.facts, secrets)
	service := identity.New(h.facts, secrets, identity.Options{})
	for i, p := range people {
		if bearers[i], err = logInOne(ctx, h.facts, service, p); err != nil {
			return bearers, fmt.Errorf("login %d: %w", i+1, err)
		}
		if !slices.Contains([]models.Role{models.RoleHRAdmin, models.RoleITOps}, bearers[i].Actor.Role) {
			return bearers, errAgreedRole
		}
	}
	return bearers, nil
}

func logInOne(ctx context.Context, facts *database.DB, service *identity.Service, p credentials) (bearer identity.Bearer, err error) {
	opened, err := service.Login(ctx, identity.LoginOrder{Login: p.Login, Password: p.Password, TOTP: p.TOTP, RecoveryCode: p.RecoveryCode})
	if err != nil {
		return bearer, err
	}
	if bearer, err = service.AuthenticateSession(ctx, opened.Token); err != nil {
		return bearer, err
	}
	return bearer, database.Run(models.WithCaller(ctx, bearer.Caller("")), facts, func(tx *database.Tx) error { return service.Logout(tx, bearer) })
}
