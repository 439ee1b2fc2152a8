// Package employees serves people's files.
package employees

import (
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/vault"
)

type server struct {
	*approvals.Desk
	Vault        vault.Opener
	contactsTold bool // every emergency contact is to be told
}

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Opener, contactsTold bool) {
	s := &server{Desk: desk, Vault: v, contactsTold: contactsTold}
	httpkit.Describe[access.Purpose](desk.API)
	s.registerEmployees()
	s.registerOrganisation()
	s.registerAttachments()
	s.registerCalendars()
	s.registerSites()
	s.registerContacts()
}
