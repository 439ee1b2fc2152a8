// Package departures serves departures and their events.
package departures

import (
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/departure"
	"lethe/internal/vault"
)

type server struct {
	*approvals.Desk
	Vault vault.Opener
}

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Opener) {
	s := &server{Desk: desk, Vault: v}
	httpkit.Describe[departure.Order](desk.API)
	s.registerDepartures()
	s.registerDepartureEvents()
	s.registerPreview()
}
