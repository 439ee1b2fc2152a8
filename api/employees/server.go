// Package employees serves people's files.
package employees

import (
	"lethe/api/approvals"
	"lethe/internal/vault"
)

type server struct {
	*approvals.Desk
	Vault vault.Opener
}

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Opener) {
	s := &server{Desk: desk, Vault: v}
	s.registerEmployees()
	s.registerOrganisation()
	s.registerAttachments()
}
