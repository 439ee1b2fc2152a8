package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lethe/cmd/lethe/demo"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

// devUser is a demo person who can log in.
type devUser struct {
	Login      string `json:"login"`
	Password   string `json:"password"`
	TOTPSecret string `json:"totp_secret"`
}

// secondHR is the key of the other HR administrator: many steps take two people.
const secondHR = "second_hr_admin"

// makeUsers gives a person of each role, and a second HR administrator, a password and an
// authenticator. What an earlier start made stays.
func (d *development) makeUsers(ctx context.Context) error {
	kek, err := vault.LoadKEKFile(d.files.kek(d.installation.ID))
	if err != nil {
		return err
	}
	service := identity.New(d.facts, vault.New(d.keys, kek, d.installation.ID), identity.Options{})
	path := d.files.users(d.installation.ID)
	d.users = map[string]devUser{}
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the demo users: %w", err)
	}
	if err == nil && json.Unmarshal(content, &d.users) != nil {
		d.users = map[string]devUser{} // a damaged file: all are made anew
	}
	wanted := map[string]models.Role{secondHR: models.RoleHRAdmin}
	for _, role := range models.Roles {
		wanted[string(role)] = role
	}
	changed := false
	for name, role := range wanted {
		made, isNew, err := d.makeUser(ctx, service, name, role)
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
	if content, err = json.MarshalIndent(d.users, "", "  "); err != nil {
		return fmt.Errorf("encoding the demo users: %w", err)
	}
	return replaceFile(path, append(content, '\n'))
}

// makeUser makes one unless it is known and still has its password.
func (d *development) makeUser(ctx context.Context, service *identity.Service, name string, role models.Role) (devUser, bool, error) {
	number := demo.Bearers[role]
	if name == secondHR {
		number = demo.SecondHR
	}
	var user models.User
	err := database.Run(ctx, d.facts, func(tx *database.Tx) error {
		person, err := archive.EmployeeByNo(tx.DB(), number)
		if err != nil {
			return err
		}
		user, err = identity.GrantTo(tx, person.ID, role)
		return err
	})
	if err != nil {
		return devUser{}, false, err
	}
	if known := d.users[name]; known.Login == user.Login && user.PasswordHash != nil {
		return known, false, nil
	}
	made := devUser{Login: user.Login, Password: rand.Text()}
	made.TOTPSecret, err = service.SetCredentials(ctx, user.ID, made.Password)
	return made, true, err
}
