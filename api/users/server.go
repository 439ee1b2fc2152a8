// Package users serves the accounts that people use Lethe with: logins, sessions, factors, tokens, roles.
package users

import (
	"lethe/api/approvals"
	"lethe/internal/identity"
)

type server struct {
	*approvals.Desk
	OIDC *identity.Provider // nil: there is none
	mail bool               // there is a mail server
}

// Register serves the resources.
func Register(desk *approvals.Desk, oidc *identity.Provider, mail bool) {
	s := &server{Desk: desk, OIDC: oidc, mail: mail}
	s.registerMe()
	s.registerSessions()
	s.registerFormer()
	s.registerEnrolments()
	s.registerFactors()
	s.registerTokens()
	s.registerUsers()
	s.registerUserCommands()
	s.registerStepUps()
	s.registerOIDC()
}
