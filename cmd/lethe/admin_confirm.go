package main

import (
	"context"
	"fmt"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// ConfirmOwnerCmd is the word of two people that an account's owner is who enrolled. Until then, or until
// the owner has confirmed by the company's login, the account approves nothing that somebody asked for who
// was given a half of its enrolment code.
type ConfirmOwnerCmd struct {
	Login  string `arg:"" help:"The login of the account that is confirmed. 待确认账号的登录名。"`
	People string `arg:"" help:"JSON with the logins of two other people: [{\"login\",\"password\",\"totp\"}, …]; - is standard input. 另外两人的登录信息 JSON，- 表示标准输入。"`
}

// Run logs both in, and confirms in one transaction. A second time changes nothing.
func (c ConfirmOwnerCmd) Run(ctx context.Context) error {
	people, err := readCredentials(c.People)
	if err != nil {
		return err
	}
	h, err := openOwned(ctx, "admin")
	if err != nil {
		return err
	}
	defer h.close()
	by, err := h.logIn(ctx, people)
	if err != nil {
		return err
	}
	var user models.User
	err = database.Run(models.WithCaller(ctx, by[1].Caller("")), h.facts, func(tx *database.Tx) (err error) {
		user, err = identity.ConfirmOwner(tx, c.Login, by)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("confirmed: %s was enrolled by its owner\n已确认：%s 由本人启用\n", user.Login, user.Login)
	return nil
}
