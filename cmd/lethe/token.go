package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

// TokenCmd issues and revokes tokens. It works on the database itself: whoever may run it is
// somebody who administers the host. Issuing takes the owner's login, as [AdminCmd] does.
type TokenCmd struct {
	Issue  TokenIssueCmd  `cmd:"" help:"Issue a token for one person and one role; the secret is shown once. 为某人的某个角色签发令牌，令牌只显示一次。"`
	Revoke TokenRevokeCmd `cmd:"" help:"Revoke a token; it is refused from the next request on. 撤销令牌，下一次请求即失效。"`
}

// TokenIssueCmd issues a token.
type TokenIssueCmd struct {
	EmployeeNo string        `required:"" help:"Whose token it is. 令牌所属员工的工号。"`
	Role       string        `required:"" enum:"hr_admin,department_head,employee,reviewer,auditor,it_ops" help:"What the bearer may do: hr_admin, department_head, employee, reviewer, auditor or it_ops. 持有者的角色。"`
	TTL        time.Duration `default:"720h" help:"How long it is valid, at most 8784h. 有效时长。"`
	Label      string        `help:"What it is for. 用途说明。"`
}

// Run prints the secret alone to standard output, so that a script can take it, and the rest to
// standard error.
func (t TokenIssueCmd) Run(ctx context.Context) error {
	ctx = byHost(ctx)
	h, err := openOwned(ctx, "token")
	if err != nil {
		return err
	}
	defer h.close()
	employee, err := archive.EmployeeByNo(h.facts.Read(ctx), t.EmployeeNo)
	if errors.Is(err, database.ErrNotFound) {
		return identity.ErrNoSuchPerson
	}
	if err != nil {
		return err
	}
	var secret string
	var token models.APIToken
	err = database.Run(ctx, h.facts, func(tx *database.Tx) (err error) {
		secret, token, err = identity.Issue(tx, employee.ID, models.Role(t.Role), t.Label, t.TTL, h.installation.Mode == database.ModeDev)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "id %s, prefix %s, role %s, until %s\n", token.ID, token.Prefix, token.Role, token.ExpiresAt.Format(time.RFC3339))
	fmt.Println(secret)
	return nil
}

// TokenRevokeCmd revokes a token.
type TokenRevokeCmd struct {
	Token string `arg:"" name:"prefix|id" help:"The prefix or the id that issuing printed. 签发时显示的前缀或 id。"`
}

// Run revokes it.
func (t TokenRevokeCmd) Run(ctx context.Context) error {
	ctx = byHost(ctx)
	h, err := openHost(ctx, "token")
	if err != nil {
		return err
	}
	defer h.close()
	var id uuid.UUID
	err = database.Run(ctx, h.facts, func(tx *database.Tx) error {
		token, err := identity.Revoke(tx, t.Token)
		id = token.ID
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println("revoked", id)
	return nil
}
