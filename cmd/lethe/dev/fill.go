package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lethe/cmd/lethe/demo"
	"lethe/internal/database"
	"lethe/internal/durable"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox/control"
)

// fill puts the demo company into an empty installation and issues what tokens are missing. The
// accounts are planted first and no worker runs yet: should the start be killed meanwhile, the next
// one plants them again, to the same effect, and fills in what is missing.
func (d *development) fill(ctx context.Context) error {
	wanted, err := demo.Wanted(ctx, d.facts)
	if err != nil {
		return err
	}
	if wanted {
		if err := d.seed(ctx); err != nil {
			return fmt.Errorf("filling in the demo data: %w", err)
		}
	}
	if err := d.readUsers(); err != nil {
		return err
	}
	if d.holders, err = d.chooseHolders(ctx); err != nil {
		return err
	}
	if err := d.issueTokens(ctx); err != nil {
		return err
	}
	return d.makeUsers(ctx)
}

func (d *development) seed(ctx context.Context) error {
	done := d.show.step("演示数据 · demo data")
	kek, err := vault.LoadKEKFile(d.files.kek(d.installation.ID))
	if err != nil {
		return err
	}
	for system, address := range d.systemAddresses() {
		if err := plant(ctx, system, address, d.secrets.control[system]); err != nil {
			return err
		}
	}
	sealer := vault.New(d.keys, kek, d.installation.ID)
	if err := demo.Seed(ctx, d.facts, sealer, d.show.people); err != nil {
		return err
	}
	done("200 人 · people")
	return nil
}

func plant(ctx context.Context, system, address, token string) error {
	client := control.NewClient(address, token)
	defer client.Close()
	if _, err := client.Plant(ctx, demo.Plants(system)...); err != nil {
		return err
	}
	return client.SetFaults(ctx, demo.Faults(system))
}

// tokenLabel tells the demo tokens from those that people issue.
const tokenLabel = "lethe dev"

// issueTokens makes sure that there is a valid token for each role that somebody holds. The plain ones are in the data
// folder alone; the database has their hashes.
func (d *development) issueTokens(ctx context.Context) error {
	path := d.files.tokens(d.installation.ID)
	d.tokens = map[string]string{}
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the demo tokens: %w", err)
	}
	if err == nil && json.Unmarshal(content, &d.tokens) != nil {
		d.tokens = map[string]string{} // a damaged file: all are issued anew
	}
	changed := false
	for _, role := range models.Roles {
		holder, held := d.holders[string(role)]
		if !held {
			_, had := d.tokens[string(role)]
			delete(d.tokens, string(role))
			changed = changed || had
			continue
		}
		bearer, err := identity.Authenticate(ctx, d.facts, d.tokens[string(role)], true)
		if err == nil && bearer.Actor == (models.Actor{EmployeeID: holder.ID, Role: role}) {
			continue
		}
		if d.tokens[string(role)], err = d.issueToken(ctx, role, holder); err != nil {
			return fmt.Errorf("issuing the demo token for %s: %w", role, err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	if content, err = json.MarshalIndent(d.tokens, "", "  "); err != nil {
		return fmt.Errorf("encoding the demo tokens: %w", err)
	}
	return durable.Replace(path, append(content, '\n'))
}

// issueToken revokes what an earlier start issued for the role, whose secret nobody has any more.
func (d *development) issueToken(ctx context.Context, role models.Role, holder holder) (secret string, err error) {
	err = database.Run(ctx, d.facts, func(tx *database.Tx) error {
		var former []models.APIToken
		err := tx.DB().Where("role = ? AND label = ? AND revoked_at IS NULL", role, tokenLabel).Find(&former).Error
		if err != nil {
			return database.Hide(err)
		}
		for _, token := range former {
			if _, err := identity.Revoke(tx, token.ID.String()); err != nil {
				return err
			}
		}
		if _, err := identity.GrantTo(tx, holder.ID, role); err != nil {
			return err
		}
		secret, _, err = identity.Issue(tx, holder.ID, role, tokenLabel, identity.MaxTTL, true)
		return err
	})
	return secret, err
}
