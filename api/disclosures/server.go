// Package disclosures serves judged looks at sensitive fields: the purposes, the looks, what became of them, and what
// somebody wanted for which nobody's data is opened.
package disclosures

import (
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/disclosure"
	"lethe/internal/screening"
	"lethe/internal/vault"
)

type server struct {
	*approvals.Desk
	Vault vault.Opener
	// Mail: there is a mail server, so that messages can be passed on.
	Mail bool
}

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Opener, mail bool) {
	s := &server{Desk: desk, Vault: v, Mail: mail}
	httpkit.Describe[access.Group](desk.API)
	httpkit.Describe[access.Purpose](desk.API)
	httpkit.Describe[access.Level](desk.API)
	httpkit.Describe[screening.Category](desk.API)
	httpkit.Describe[disclosure.Kind](desk.API)
	httpkit.Describe[disclosure.Rule](desk.API)
	httpkit.Describe[disclosure.PatternKind](desk.API)
	s.registerPurposes()
	s.registerLooks()
	s.registerOwn()
	s.registerPatterns()
}
