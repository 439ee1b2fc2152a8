// Package accounts serves the accounts of people in connected systems, what unlinks and relinks them, what is stuck, and emergency cuts.
package accounts

import (
	"lethe/api/approvals"
	"lethe/internal/connector"
)

type server struct {
	*approvals.Desk
	Systems *connector.Registry
}

// Register serves the resources.
func Register(desk *approvals.Desk, systems *connector.Registry) {
	s := &server{Desk: desk, Systems: systems}
	s.registerAccounts()
	s.registerUnlinkings()
	s.registerCases()
	s.registerSystems()
	s.registerCuts()
}
