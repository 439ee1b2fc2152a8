// Package holds serves legal holds.
package holds

import (
	"lethe/api/approvals"
)

type server struct {
	*approvals.Desk
}

// Register serves the resources.
func Register(desk *approvals.Desk) {
	s := &server{Desk: desk}
	s.registerHolds()
}
