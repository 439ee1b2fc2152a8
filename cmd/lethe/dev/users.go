package dev

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lethe/internal/database"
	"lethe/internal/durable"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

// demoUser is a demo person who can log in.
type demoUser struct {
	Login      string `json:"login"`
	Password   string `json:"password"`
	TOTPSecret string `json:"totp_secret"`
}

// makeUsers gives whoever acts under a name a password and an authenticator. What an earlier start
// made stays, unless somebody else acts under the name now.
func (d *development) makeUsers(ctx context.Context) error {
	kek, err := vault.LoadKEKFile(d.files.kek(d.installation.ID))
	if err != nil {
		return err
	}
	service := identity.New(d.facts, vault.New(d.keys, kek, d.installation.ID), identity.Options{})
	changed := false
	for name := range d.users {
		if _, held := d.holders[name]; !held {
			delete(d.users, name)
			changed = true
		}
	}
	for name, holder := range d.holders {
		made, isNew, err := d.makeUser(ctx, service, name, holder)
		if err != nil {
			return fmt.Errorf("making the demo user %s: %w", name, err)
		}
		if isNew {
			d.users[name], changed = made, true
		}
	}
	if !changed {
		return nil
	}
	content, err := json.MarshalIndent(d.users, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the demo users: %w", err)
	}
	return durable.Replace(d.files.users(d.installation.ID), append(content, '\n'))
}

// readUsers reads what an earlier start made. A damaged file is as none: all are made anew.
func (d *development) readUsers() error {
	d.users = map[string]demoUser{}
	content, err := os.ReadFile(d.files.users(d.installation.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the demo users: %w", err)
	}
	if json.Unmarshal(content, &d.users) != nil {
		d.users = map[string]demoUser{}
	}
	return nil
}

// makeUser makes one unless it is known and still has its password.
func (d *development) makeUser(ctx context.Context, service *identity.Service, name string, holder holder) (demoUser, bool, error) {
	var user models.User
	err := database.Run(ctx, d.facts, func(tx *database.Tx) (err error) {
		user, err = identity.GrantTo(tx, holder.ID, roleOf(name))
		return err
	})
	if err != nil {
		return demoUser{}, false, err
	}
	if known := d.users[name]; known.Login == user.Login && user.PasswordHash != nil {
		return known, false, nil
	}
	made := demoUser{Login: user.Login, Password: rand.Text()}
	made.TOTPSecret, err = service.SetCredentials(ctx, user.ID, made.Password)
	return made, true, err
}
