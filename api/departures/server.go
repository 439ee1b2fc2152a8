// Package departures serves departures and their events.
package departures

import (
	"time"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/connector"
	"lethe/internal/departure"
	"lethe/internal/vault"
)

type server struct {
	*approvals.Desk
	Vault   vault.Opener
	Systems *account.Inspector
}

// lookLimit bounds how long a dry run waits for one system; a handler has 30 s.
const lookLimit = 10 * time.Second

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Opener, systems *connector.Registry) {
	s := &server{Desk: desk, Vault: v, Systems: &account.Inspector{DB: desk.DB, Systems: systems, Limit: lookLimit}}
	httpkit.Describe[departure.Order](desk.API)
	s.registerDepartures()
	s.registerDepartureEvents()
	s.registerPreview()
}
