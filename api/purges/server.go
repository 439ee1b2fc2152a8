// Package purges serves deadlines, purges and certificates.
package purges

import (
	"lethe/api/approvals"
)

type server struct {
	*approvals.Desk
}

// Register serves the resources.
func Register(desk *approvals.Desk) {
	s := &server{Desk: desk}
	s.registerPurges()
	s.registerTogether()
}
