package operations

import "slices"

// Demand is what a way to something that can authenticate wants of whoever goes it.
type Demand string

// The demands.
const (
	// Session wants a person who is there: no token, whatever its role (I22).
	Session Demand = "session"
	// StepUp wants a re-authentication of the last five minutes of every session (I22).
	StepUp Demand = "step_up"
	// ConfirmedLogin refuses a session that was opened by a company login which the account's owner never
	// confirmed: whoever linked it may be the one who is there (I21).
	ConfirmedLogin Demand = "confirmed_login"
	// NoSealedCodes refuses a session that the sealed codes opened.
	NoSealedCodes Demand = "no_sealed_codes"
	// TwoPeople makes a request of the call, which a second person decides about (I21).
	TwoPeople Demand = "two_people"
	// OwnProof wants the secrets of the very user that it is about: password and second factor, both halves of
	// the code, the sealed codes, or the provider's word.
	OwnProof Demand = "own_proof"
	// Host wants the owner of the database: somebody who administers the host. It is in the ledger.
	Host Demand = "host"
	// TwoLogins wants the logins of two people, of whom neither could be the other.
	TwoLogins Demand = "two_logins"
	// DevOnly works in databases alone that are marked for development.
	DevOnly Demand = "dev_only"
)

// Credential is one way in which something that can authenticate is made or handed out.
type Credential struct {
	Way     string // a route of the API, or a command of the program
	Makes   string
	Demands []Demand
}

// Wants says whether a demand is among those of the way.
func (c Credential) Wants(d Demand) bool { return slices.Contains(c.Demands, d) }

var (
	// ownHands is for what the owner of an account makes for it.
	ownHands = []Demand{Session, StepUp, ConfirmedLogin, NoSealedCodes}
	// asked is for what two people make for somebody else.
	asked = []Demand{TwoPeople, StepUp, ConfirmedLogin}
)

// Credentials is every way: the API enforces what its routes demand from here, and tests compare the table
// with the routes and commands that there are.
var Credentials = []Credential{
	{"POST /api/v1/sessions", "a session", []Demand{OwnProof}},
	{"POST /api/v1/sessions/break-glass", "a session of an hour that approves nothing", []Demand{OwnProof}},
	{"POST /api/v1/former-sessions", "a session of an hour for the own data of somebody who has left", []Demand{OwnProof}},
	{"POST /api/v1/former-enrolments", "the secret of an authenticator of somebody who has left", []Demand{OwnProof}},
	{"POST /api/v1/former-enrolments/confirmation", "an authenticator of somebody who has left, recovery codes and a session of an hour for the own data", []Demand{OwnProof}},
	{"GET /api/v1/oidc/login", "a login that is under way", []Demand{OwnProof}},
	{"GET /api/v1/oidc/callback", "a session, or a step-up of one", []Demand{OwnProof}},
	{"POST /api/v1/enrolments", "a password and the secret of an authenticator", []Demand{OwnProof}},
	{"POST /api/v1/enrolments/confirmation", "an active user and its recovery codes", []Demand{OwnProof}},
	{"POST /api/v1/step-ups", "another token of the session", []Demand{Session, OwnProof, NoSealedCodes}},
	{"PUT /api/v1/me/password", "a password", []Demand{Session, OwnProof, ConfirmedLogin, NoSealedCodes}},
	{"POST /api/v1/totp", "the secret of an authenticator", ownHands},
	{"POST /api/v1/totp/confirmation", "an authenticator and recovery codes", ownHands},
	{"POST /api/v1/recovery-codes", "recovery codes", ownHands},
	{"POST /api/v1/tokens", "a token", ownHands},
	{"POST /api/v1/users/{id}/enrolment-code", "one half of an enrolment code", ownHands},
	{"POST /api/v1/users", "a user", asked},
	{"POST /api/v1/users/{id}/roles", "a role", asked},
	{"POST /api/v1/users/{id}/reset", "an enrolment", asked},
	{"POST /api/v1/employees/{id}/former-enrolments", "an enrolment of somebody who has left", asked},
	{"POST /api/v1/users/{id}/logins", "a login of the company's provider", asked},
	{"POST /api/v1/approvals/{id}/decision", "any of what two people make", ownHands},

	{"lethe admin bootstrap", "the first two users and their codes, once", []Demand{Host}},
	{"lethe admin renew-codes", "new codes for the first two, while neither has enrolled", []Demand{Host}},
	{"lethe admin break-glass seal", "the sealed codes", []Demand{Host}},
	{"lethe admin confirm-owner", "the owner's standing towards who held a half of the code", []Demand{Host, TwoLogins}},
	{"lethe token issue", "a token that asks for nothing that needs two people", []Demand{Host}},
	{"lethe dev", "the demo company's tokens", []Demand{DevOnly}},
	{"lethe demo-login", "the code of a demo user's authenticator", []Demand{DevOnly}},
}

// CredentialOf finds what a way demands.
func CredentialOf(way string) (Credential, bool) {
	i := slices.IndexFunc(Credentials, func(c Credential) bool { return c.Way == way })
	if i < 0 {
		return Credential{}, false
	}
	return Credentials[i], true
}
